//! Notes that propose or ask: who is locked out first, at most two questions in one line, nothing that cannot be sent as it is.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use starwarden::decide::facts::sources::Ids;
use starwarden::decide::judge::{self, Judged};
use starwarden::decide::note::markup::Note;
use starwarden::decide::note::{self, Subject};
use starwarden::decide::policy::Policy;
use starwarden::decide::ticket::{OwnUsers, Reading};
use starwarden::store::follow_ups::{Destination, Kind};
use starwarden::work::follow_ups::plan;

use crate::support::{BINDING, CHART};

const NOW: &str = "2026-11-26T10:00:00Z";

/// The shipped policy with the facts that speak against a dismissal, read by a few plain words.
fn policy() -> Policy {
    let binding = BINDING.to_owned();
    // Without a reader of words, a few literal ones.
    let binding = binding.replace(
        "  { reader = true, unless",
        "  { text_any = [\"nobody can push\", \"we are locked out\"], answer = \"yes\" },\n  { reader = true, unless",
    );
    Policy::parse(&binding, CHART).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

/// A starred ticket of the 25th with these words and tags, and the organisation's date.
fn ticket(description: &str, tags: &[&str], expires: Option<&str>) -> Value {
    let all: Vec<&str> = ["star_submitted", "lr"].iter().chain(tags).copied().collect();
    let organization = expires.map(|date| json!({ "id": 9, "organization_fields": { "expiration_date": date } }));
    json!({
        "ticket": { "id": 1, "subject": "Help", "description": description, "status": "open", "tags": all, "organization_id": 9,
            "requester_id": 5001, "assignee_id": 7001, "created_at": "2026-11-25T09:00:00Z" },
        "organization": organization,
        "users": [{ "id": 5001, "name": "Casey", "role": "end-user" }, { "id": 7001, "name": "Ann Agent", "role": "agent" }],
        "comments": [],
    })
}

/// The same with an internal note on it.
fn noted(mut ticket: Value, note: &str) -> Value {
    let at = "2026-11-26T09:00:00Z";
    ticket["comments"] = json!([{ "id": 1, "author_id": 7001, "body": note, "public": false, "created_at": at }]);
    ticket
}

fn judged(policy: &Policy, line: &Value) -> (Judged, Reading) {
    let reading: Reading = serde_json::from_value(line.clone()).expect("a reading");
    let now: DateTime<Utc> = NOW.parse().expect("an instant");
    let ids = Ids::new(&policy.binding, &Ids::default());
    (judge::ticket(policy, &ids, Some(&reading), &[], &[], &OwnUsers::none(), now), reading)
}

fn note(policy: &Policy, line: &Value, link: Option<&str>, was: Option<&str>) -> (Judged, Note) {
    let (judged, reading) = judged(policy, line);
    let ids = Ids::new(&policy.binding, &Ids::default());
    let subject = judged.subject(policy, &ids, Some(&reading), NOW.parse().expect("an instant"));
    let note = note::write(&Subject { link, was, reference: Some("7Q2FMHXA"), ..subject });
    (judged, note)
}

/// Every kind of open ticket, by a name.
fn open() -> Vec<(&'static str, Value)> {
    let renewal = &["transaction_issue_renewal_help"][..];
    vec![
        (
            "locked_out_by_words",
            ticket("Since this morning nobody can push. We renewed in June.", renewal, Some("2027-06-30")),
        ),
        (
            "locked_out_by_a_tag",
            ticket(
                "Our group is on Free.",
                &["transaction_issue_renewal_help", "unexpected_license_downgrade"],
                Some("2027-06-30"),
            ),
        ),
        ("nothing_known", ticket("Please help.", &[], None)),
        ("a_renewal_without_a_date", ticket("Please help with our renewal.", renewal, Some("n/a"))),
        (
            "a_trial_of_which_a_date_is_said",
            ticket("Can you extend our trial? It runs out on 26 Nov 2026.", &["com_sales_assisted_trial"], None),
        ),
        ("a_trial_by_words_against_a_record", ticket("Please extend our trial.", renewal, Some("2027-06-30"))),
        (
            "records_that_contradict",
            ticket("Please extend it.", &["transaction_issue_renewal_help", "trial_extension"], Some("2026-11-19")),
        ),
        ("a_link_by_words", ticket("How do I link the subscription to our group?", &[], None)),
    ]
}

#[test]
fn notes_that_ask_read_well_as_a_whole() {
    let policy = policy();
    for (name, line) in open() {
        insta::assert_snapshot!(name, note(&policy, &line, None, None).1.text());
    }
    let a_renewal = ticket("Please help with our renewal.", &["transaction_issue_renewal_help"], Some("n/a"));
    let (_, with_links) = note(&policy, &a_renewal, Some("https://star.example.com/tickets/global/1"), Some("no_need"));
    insta::assert_snapshot!("answers_as_links", with_links.text());
}

/// What stands between backticks, in order.
fn codes(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn a_note_asks_what_the_decision_does_in_the_same_order() {
    let policy = policy();
    let mut asked = 0;
    let samples =
        include_str!("cases/tickets.ndjson").lines().map(|line| serde_json::from_str(line).expect("a sample"));
    for (name, line) in open().into_iter().chain(samples.map(|line| ("a sample", line))) {
        let (judged, note) = note(&policy, &line, None, None);
        let missing: Vec<&str> = judged.decision.missing.iter().map(|missing| missing.fact.as_str()).collect();
        let text = note.text();
        let reply = text.lines().find(|line| line.starts_with("Reply ")).unwrap_or_default();
        let mut read: Vec<&str> = codes(reply)
            .iter()
            .filter_map(|code| code.strip_prefix("star: "))
            .flat_map(|code| code.split(", "))
            .filter_map(|answer| Some(answer.split_once('=')?.0))
            .collect();
        read.dedup();
        assert_eq!(read, missing, "{name}: {text}");
        assert!(missing.len() <= 2, "{name}: {text}");
        assert_eq!(text.contains("`star: yes`"), judged.decision.likely.is_some(), "{name}: {text}");
        for missing in judged.decision.missing.iter().filter(|_| judged.decision.likely.is_none()) {
            assert!(text.contains(&missing.question), "{name}: {text}");
        }
        asked += usize::from(!missing.is_empty());
    }
    assert!(asked >= open().len(), "{asked}");
}

#[test]
fn an_example_sent_as_it_stands_turns_nobody_away() {
    let policy = policy();
    for (name, line) in open() {
        let (judged, note) = note(&policy, &line, None, None);
        let text = note.text();
        let Some(reply) = text.lines().find(|line| line.starts_with("Reply ")) else { continue };
        let codes = codes(reply);
        if judged.decision.likely.is_some() || codes.len() != 1 {
            continue; // Each answer stands there to be chosen.
        }
        let comments = line["comments"].as_array().expect("comments").clone();
        let mut sent = noted(line.clone(), codes[0]);
        sent["comments"].as_array_mut().expect("comments").splice(0..0, comments);
        let verdict = self::judged(&policy, &sent).0.decision.verdict;
        let dismisses = policy.outcome(&verdict).is_some_and(|outcome| outcome.dismisses());
        assert!(!dismisses, "{name}: {} gives {verdict}", codes[0]);
    }
}

#[test]
fn no_note_speaks_jargon_or_greets() {
    let policy = policy();
    for (name, line) in open() {
        let text = note(&policy, &line, None, None).1.text();
        for jargon in ["plan/lic", "trial or not", "Looked in vain", "may mean something else", "Sorry", "Hello"] {
            assert!(!text.contains(jargon), "{name}: {jargon}: {text}");
        }
        assert!(text.split_whitespace().count() < 220, "{name}: twenty seconds of reading: {text}");
    }
}

#[test]
fn the_chat_hears_at_once_of_whoever_is_locked_out() {
    let policy = policy();
    let now: DateTime<Utc> = "2026-11-26T10:00:00Z".parse().expect("an instant");
    for (name, line, heard) in [
        ("locked out", open()[0].1.clone(), true),
        ("by a tag", open()[1].1.clone(), true),
        ("nothing known", open()[2].1.clone(), false),
    ] {
        let (judged, _) = judged(&policy, &line);
        assert_eq!(judged.decision.verdict, "needs_facts", "{name}");
        let planned = plan::of(&judged.decision, &policy, &[Destination::Chat].into(), &[], now);
        let reminded = planned.iter().find(|one| one.kind == Kind::StillOpen).and_then(|one| one.not_before);
        assert_eq!(reminded, Some(now + chrono::TimeDelta::minutes(30)), "{name}");
        let at_once = planned.iter().any(|one| one.kind == Kind::Escalation && one.not_before.is_none());
        assert_eq!(at_once, heard, "{name}: {planned:?}");
    }
}
