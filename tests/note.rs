//! What a manager reads: whole notes, word for word.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use starwarden::decide::facts::fact::{Fact, Facts, Finding, Spoken, Trust, Value as FactValue};
use starwarden::decide::facts::gather::Stated;
use starwarden::decide::facts::hours::Schedule;
use starwarden::decide::facts::replies;
use starwarden::decide::facts::source::{Given, Source};
use starwarden::decide::facts::sources::Ids;
use starwarden::decide::judge;
use starwarden::decide::note::markup::Note;
use starwarden::decide::note::{self, Subject};
use starwarden::decide::ticket::{OwnUsers, Reading};

use crate::support::star;

fn reading(tags: &[&str], organization: Value, comments: Value) -> Reading {
    let mut all = vec!["star_submitted", "lr"];
    all.extend_from_slice(tags);
    let ticket = json!({ "id": 1, "subject": "Renewal stuck", "description": "Please extend our license.", "status": "open", "tags": all, "ticket_form_id": 360000071293_u64,
        "organization_id": 9, "requester_id": 5001, "assignee_id": 7001, "created_at": "2026-11-24T10:00:00Z", "updated_at": "2026-11-24T10:00:00Z" });
    let users = json!([{ "id": 5001, "name": "Casey", "role": "end-user" }, { "id": 7001, "name": "Ann Agent", "role": "agent" }]);
    serde_json::from_value(
        json!({ "ticket": ticket, "organization": organization, "comments": comments, "users": users }),
    )
    .expect("a reading")
}

fn write(reading: &Reading, was: Option<&str>) -> Note {
    write_for(&Ids::default(), reading, was)
}

/// The note an account with ids of its own writes.
fn write_for(account: &Ids, reading: &Reading, was: Option<&str>) -> Note {
    let policy = star();
    let ids = Ids::new(&policy.binding, account);
    let now: DateTime<Utc> = "2026-11-24T12:05:00Z".parse().expect("an instant");
    let judged = judge::ticket(policy, &ids, Some(reading), &[], &[], &OwnUsers::from_iter([9001]), now);
    note::write(&Subject {
        policy,
        ids: &ids,
        decision: &judged.decision,
        facts: &judged.facts,
        spoken: &judged.spoken,
        reading: Some(reading),
        problems: &judged.problems,
        was,
        reference: Some("7Q2FMHXA"),
        link: None,
        now,
    })
}

fn expires(date: &str) -> Value {
    json!({ "id": 9, "name": "Example GmbH", "organization_fields": { "expiration_date": date } })
}

fn says(text: &str) -> Value {
    json!([{ "id": 1, "author_id": 7001, "body": text, "public": false, "created_at": "2026-11-24T12:03:00Z" }])
}

#[test]
fn no_need_says_why_from_what_and_how_to_put_it_right() {
    insta::assert_snapshot!(write(&reading(&[], expires("2026-11-19"), says("star: trial=no")), Some("needs_facts")).text(), @r"
    **No need for STAR.** The grace period runs for another 8 d 11 h (until 3 Dec 2026, 00:00 UTC, perhaps not this licence's own). Was: answers needed.

    Why
    1. Plan or licence request: “Please extend our license.” (customer, 24 Nov 2026)
    2. For a trial? **No**: Ann Agent, note of 24 Nov 2026, 12:03 UTC
    3. In the grace period? **Yes**: expired 19 Nov 2026 (organisation's expiration date) + 14 days of grace
    4. Grace ending in more than 24 h? **Yes**: 8 d 11 h left

    Next
    - Give the filer the reason and agree on another way in the STAR issue; note the data for feedback; label it `unstarred`
    - An extension, or a temporary or trial licence or key: all come down to a trial licence (https://handbook.gitlab.com/handbook/support/license-and-renewals/workflows/self-managed/trials/), by L&R (Ann Agent has the ticket)
    - To the customer, do not mention the grace period
    - No new licence from us: non-trial licences are L&R's

    Holds until 2 Dec 2026, 00:00 UTC. Not right? Reply `star: no` and why, or put a fact right: `star: expires_at=YYYY-MM-DD`

    starwarden · ref 7Q2FMHXA
    ");
}

#[test]
fn ok_to_star_has_the_cases_checklist() {
    insta::assert_snapshot!(write(&reading(&[], expires("2026-11-11"), says("star: trial=no")), None).text(), @r"
    **OK to STAR.** The grace period runs for another 11 h 55 min (until 25 Nov 2026, 00:00 UTC, perhaps not this licence's own).

    Why
    1. Plan or licence request: “Please extend our license.” (customer, 24 Nov 2026)
    2. For a trial? **No**: Ann Agent, note of 24 Nov 2026, 12:03 UTC
    3. In the grace period? **Yes**: expired 11 Nov 2026 (organisation's expiration date) + 14 days of grace
    4. Grace ending in more than 24 h? **No**: 11 h 55 min left

    Next
    - An extension, or a temporary or trial licence or key: all come down to a trial licence (https://handbook.gitlab.com/handbook/support/license-and-renewals/workflows/self-managed/trials/), by L&R (Ann Agent has the ticket)
    - To the customer, do not mention the grace period
    - No new licence from us: non-trial licences are L&R's

    Not right? Reply `star: no` and why, or put a fact right: `star: expires_at=YYYY-MM-DD`

    starwarden · ref 7Q2FMHXA
    ");
}

#[test]
fn open_questions_are_asked_with_what_each_answer_leads_to() {
    insta::assert_snapshot!(write(&reading(&[], expires("n/a"), says("star: trial=no\nstar: in_grce=yes")), None).text(), @r"
    **Not understood:** there is no fact “in_grce” (Ann Agent, note of 24 Nov 2026, 12:03 UTC): did you mean in_grace?

    **When does the plan or licence expire?**

    Reply `star: expires_at=2026-11-10` · ended by 11 Nov, 12:05 UTC, or ends by 25 Nov, 12:05 UTC → **OK to STAR** · ended since 11 Nov, 12:05 UTC, or ends later → **no need for STAR**

    - No answer in the records: field expires on is empty; organisation's expiration date is empty

    So far
    - Plan or licence request: “Please extend our license.” (customer, 24 Nov 2026)
    - For a trial? **No**: Ann Agent, note of 24 Nov 2026, 12:03 UTC

    Next
    - An extension, or a temporary or trial licence or key: all come down to a trial licence (https://handbook.gitlab.com/handbook/support/license-and-renewals/workflows/self-managed/trials/), by L&R (Ann Agent has the ticket)
    - No new licence from us: non-trial licences are L&R's

    starwarden · ref 7Q2FMHXA
    ");
}

#[test]
fn a_guess_that_escalates_is_called_a_guess_and_quoted_once() {
    let mut trial = reading(&["com_sales_assisted_trial"], expires("n/a"), json!([]));
    trial.ticket.description = "Hi! The trial <b>ends on</b> 24 Nov 2026. Bye".into();
    let note = write(&trial, None).text();
    assert!(note.starts_with("**OK to STAR, on a guess.** The plan or licence ends on 24 Nov 2026: “"), "{note}");
    assert_eq!(note.matches("“The trial <b>ends on</b> 24 Nov 2026” (description, 24 Nov 2026)").count(), 1, "{note}");
    assert!(note.contains("a guess from the words above"), "{note}");
}

#[test]
fn what_customers_write_is_shown_and_never_obeyed() {
    let hostile = "<script>alert(1)</script> & \"extend our trial\" <img src=x onerror=y>";
    let mut ticket = reading(
        &[],
        json!({ "id": 9, "name": hostile, "organization_fields": { "expiration_date": hostile } }),
        json!([]),
    );
    ticket.ticket.subject = hostile.into();
    ticket.users[1].name = hostile.into();
    ticket.comments = serde_json::from_value(says(&format!("star: trial={hostile}"))).expect("comments");
    let html = write(&ticket, None).html();
    let links = html.replace("<a href=\"https://handbook.gitlab.com/", "<b ").replace("</a>", "</b>"); // The policy's own.
    for tag in links.split('<').skip(1).map(|rest| rest.split(['>', ' ']).next().unwrap_or_default()) {
        assert!(
            ["p", "/p", "b", "/b", "ul", "/ul", "ol", "/ol", "li", "/li", "code", "/code"].contains(&tag),
            "<{tag}> in {html}"
        );
    }
    assert!(html.contains("&lt;script&gt;") && html.contains("&amp;"), "{html}");
}

#[test]
fn a_note_shows_how_to_reply_and_is_no_reply_itself() {
    for (organization, answers) in [
        (expires("n/a"), "star: trial=no"),
        (expires("2026-11-19"), "star: trial=no"),
        (expires("2026-11-19"), "Hello"),
        (expires("n/a"), "star: hm"),
    ] {
        let text = write(&reading(&[], organization, says(answers)), None).text();
        assert!(text.contains("star: "), "{text}");
        assert_eq!(note::reference(&text), Some("7Q2FMHXA"));
        let posted = reading(&[], Value::Null, says(&text));
        assert_eq!(
            replies::read(&posted, &OwnUsers::none(), &star().lexicon.languages),
            [],
            "even where the author is not known to be us: {text}"
        );
        assert!(text.len() < 2000, "twenty seconds of reading: {} bytes", text.len());
    }
}

/// The lines under `Worth knowing`.
fn worth_knowing(account: &Ids, reading: &Reading) -> Vec<String> {
    let text = write_for(account, reading, None).text();
    let lines = text.lines().skip_while(|line| *line != "Worth knowing").skip(1);
    lines.take_while(|line| line.starts_with("- ")).map(|line| line[2..].to_owned()).collect()
}

#[test]
fn a_field_that_every_request_needs_is_missed_by_the_accounts_own_ids() {
    let account = Ids {
        fields: [("group_name".to_owned(), vec![71]), ("licence_holder".into(), vec![72])].into(),
        ..Ids::default()
    };
    for (fields, missed) in [
        (json!([]), None),
        (json!([{ "id": 71, "value": "acme" }, { "id": 72, "value": "ann@example.com" }]), None),
        (json!([{ "id": 71, "value": null }, { "id": 72, "value": "ann@example.com" }]), Some("group name")),
        (json!([{ "id": 71, "value": "  " }, { "id": 72, "value": "" }]), Some("group name, licence holder")),
    ] {
        let mut ticket = reading(&[], expires("2026-11-11"), json!([]));
        ticket.ticket.custom_fields = serde_json::from_value(fields.clone()).expect("fields");
        let expected: Vec<String> =
            missed.map(|names| format!("Missing, and L&R needs it: {names}")).into_iter().collect();
        assert_eq!(worth_knowing(&account, &ticket), expected, "{fields}");
        assert_eq!(
            worth_knowing(&Ids::default(), &ticket),
            [""; 0],
            "another account's fields are none of ours: {fields}"
        );
    }
}

/// What a ticket of a table differs in.
struct Ticket {
    tags: &'static [&'static str],
    description: &'static str,
    expires: &'static str,
    comments: Value,
    records: Value,
    was: Option<&'static str>,
}

fn whole(Ticket { tags, description, expires: date, comments, records, was }: Ticket) -> String {
    let mut ticket = reading(tags, expires(date), comments);
    ticket.ticket.description = description.into();
    ticket.ticket.subject = "Help".into();
    ticket.records = serde_json::from_value(records).expect("records");
    let hours = Schedule {
        zone: "America/Los_Angeles".parse().expect("a zone"),
        zone_shown: Some("PT".into()),
        open: vec!["Sun 15:00 - Fri 17:00".parse().expect("a shift")],
    };
    write_for(&Ids { hours: [("lr".to_owned(), hours)].into(), ..Ids::default() }, &ticket, was).text()
}

/// One whole note for each verdict and main case, for reading on a phone at night; see tests/snapshots.
#[test]
fn notes_read_well_as_a_whole() {
    let shot = json!([{ "id": 1, "author_id": 5001, "body": "Here it is", "public": true, "created_at": "2026-11-23T10:00:00Z",
        "attachments": [{ "file_name": "dashboard.png", "content_type": "image/png" }] }]);
    let plain = || Ticket {
        tags: &[],
        description: "Please help.",
        expires: "n/a",
        comments: json!([]),
        records: json!({}),
        was: None,
    };
    for (name, ticket) in [
        (
            "extension_in_grace_is_no_need",
            Ticket {
                tags: &["transaction_issue_renewal_help"],
                description: "Please extend the licence of our server.",
                expires: "2026-11-19",
                ..plain()
            },
        ),
        (
            "activation_with_a_screenshot_is_ok",
            Ticket {
                tags: &["transaction_issue_renewal_help", "transaction_product_self_managed"],
                description: "The activation code is rejected.",
                expires: "2026-11-11",
                comments: shot,
                ..plain()
            },
        ),
        (
            "activation_far_from_expiry_is_no_need",
            Ticket {
                tags: &["transaction_issue_renewal_help", "transaction_product_self_managed"],
                description: "The license file is not accepted.",
                expires: "2027-06-30",
                ..plain()
            },
        ),
        (
            "delivery_is_no_need",
            Ticket {
                tags: &["transaction_issue_renewal_help"],
                description: "We have not received our license.",
                expires: "2027-06-30",
                ..plain()
            },
        ),
        (
            "trial_on_gitlab_com_flips_to_ok",
            Ticket {
                tags: &["com_sales_assisted_trial"],
                description: "Please extend our trial.",
                expires: "2026-11-24",
                was: Some("no_need"),
                ..plain()
            },
        ),
        (
            "paid_group_on_free_is_ok",
            Ticket {
                tags: &["transaction_issue_renewal_help", "unexpected_license_downgrade"],
                description: "Our group is on Free.",
                expires: "2026-11-01",
                ..plain()
            },
        ),
        (
            "self_started_trial_is_no_need",
            Ticket {
                tags: &["trial"],
                description: "More days for our trial, please.",
                expires: "2026-11-25",
                ..plain()
            },
        ),
        ("wrong_product_waits_for_sales", Ticket { tags: &["purchased_wrong_product"], ..plain() }),
        ("linking_uses_the_docs", Ticket { tags: &["transaction_issue_transfer"], ..plain() }),
        (
            "edge_case_by_words_is_ok",
            Ticket {
                tags: &["transaction_issue_transfer"],
                description: "I followed the documentation and the portal shows an error 500.",
                ..plain()
            },
        ),
        ("nothing_known_asks", plain()),
        (
            "a_guess_asks",
            Ticket {
                description: "Our licence expires on 30 Jan 2027, just tell us how to renew the subscription.",
                ..plain()
            },
        ),
        (
            "a_conflict_asks",
            Ticket {
                tags: &["transaction_issue_renewal_help", "trial_extension"],
                description: "Please extend it.",
                expires: "2026-11-19",
                ..plain()
            },
        ),
        (
            "a_failed_lookup_asks",
            Ticket {
                tags: &["transaction_issue_renewal_help"],
                records: json!({ "gitlab_namespace": { "failed": "it answered 503" } }),
                ..plain()
            },
        ),
        (
            "a_failed_lookup_beside_a_record_is_told",
            Ticket {
                tags: &["transaction_issue_renewal_help"],
                expires: "2026-11-19",
                records: json!({ "gitlab_namespace": { "failed": "it answered 503" } }),
                ..plain()
            },
        ),
    ] {
        insta::assert_snapshot!(name, whole(ticket));
    }
}

/// What a line of `decide --each` gives a verdict and a note for, with answers stated besides.
fn decided(line: &Value, answers: &[(&str, &str)]) -> (String, String) {
    let policy = star();
    let reading: Reading = serde_json::from_value(line.clone()).expect("a reading");
    let ids = Ids::new(&policy.binding, &Ids::default());
    let now: DateTime<Utc> = "2026-11-24T12:00:00Z".parse().expect("an instant");
    let with_it = line["facts"].as_object().into_iter().flatten();
    let with_it = with_it.map(|(fact, value)| (fact.as_str(), value.as_str().expect("a text")));
    let stated = with_it.chain(answers.iter().copied()).map(|(fact, value)| Stated {
        fact: fact.to_owned(),
        value: value.to_owned(),
        source: Source::Given(Given::Line),
    });
    let stated: Vec<Stated> = stated.collect();
    let judged = judge::ticket(policy, &ids, Some(&reading), &[], &stated, &OwnUsers::none(), now);
    let note = note::write(&judged.subject(policy, &ids, Some(&reading), now)).text();
    (judged.decision.verdict, note)
}

/// One of the shipped samples.
fn sample(id: u64) -> Value {
    let samples = include_str!("cases/tickets.ndjson").lines();
    let mut samples = samples.map(|line| serde_json::from_str::<Value>(line).expect("a sample"));
    samples.find(|sample| sample["ticket"]["id"] == id).expect("a sample of this number")
}

/// A starred ticket of the 23rd, without comments, with these words, tags and expiry.
fn starred(description: &str, tags: &[&str], expires_at: Option<&str>) -> Value {
    let mut line = sample(112);
    line["ticket"]["subject"] = json!("Help");
    line["ticket"]["description"] = json!(description);
    let all = ["star_submitted", "lr"].iter().chain(tags);
    line["ticket"]["tags"] = all.copied().collect();
    line["organization"] = expires_at.map(expires).unwrap_or_default();
    line
}

/// A starred ticket with an agent's internal note on it.
fn answered(description: &str, tags: &[&str], expires_at: Option<&str>, note: &str) -> Value {
    let mut line = starred(description, tags, expires_at);
    line["comments"] = says(note);
    line["users"] = json!([{ "id": 7001, "name": "Ann Agent", "role": "agent" }]);
    line
}

#[test]
fn the_correction_a_note_offers_is_of_the_doubtful_fact_and_changes_the_verdict() {
    let agreed = starred("Help.", &["trial_extension", "transaction_issue_renewal_help"], Some("2026-11-30"));
    for (name, line, offers) in [
        ("101", sample(101), Some("sales_assisted=yes")),
        ("102", sample(102), Some("sales_assisted=no")),
        ("103", sample(103), Some("expires_at=YYYY-MM-DD")),
        ("104", sample(104), Some("expires_at=YYYY-MM-DD")),
        ("105", sample(105), Some("expires_at=YYYY-MM-DD")),
        ("106", sample(106), Some("expires_at=YYYY-MM-DD")),
        ("107", sample(107), Some("expires_at=YYYY-MM-DD")),
        ("108", sample(108), None), // What to reply once Sales has acted stands above it.
        ("109", sample(109), Some("sales_intervened=no")),
        ("110", sample(110), None),
        ("111", sample(111), Some("edge_case=no")),
        ("all branches agree", agreed, Some("expires_at=YYYY-MM-DD")),
    ] {
        let (verdict, note) = decided(&line, &[]);
        let offered = note.split_once("put a fact right: `star: ").and_then(|(_, rest)| rest.split_once('`'));
        let offered = offered.map(|(offered, _)| offered);
        assert_eq!(offered, offers, "{name}: {note}");
        let Some((fact, value)) = offered.and_then(|offered| offered.split_once('=')) else { continue };
        let values = if value == "YYYY-MM-DD" { vec!["2026-11-01", "2026-11-24", "2027-06-30"] } else { vec![value] };
        assert!(
            values.iter().any(|value| decided(&line, &[(fact, value)]).0 != verdict),
            "{name}: {offered:?} leaves it at {verdict}"
        );
    }
}

#[test]
fn an_example_copied_as_it_stands_turns_nobody_away() {
    let asked = starred("Please help.", &["transaction_issue_renewal_help"], Some("n/a"));
    let (verdict, note) = decided(&asked, &[]);
    assert_eq!(verdict, "needs_facts");
    assert!(note.contains("\nReply `star: expires_at=2026-11-10` · ended by "), "it turns nobody away: {note}");
    let copied =
        answered("Please help.", &["transaction_issue_renewal_help"], Some("n/a"), "star: expires_at=YYYY-MM-DD");
    let (verdict, note) = decided(&copied, &[]);
    assert_eq!(verdict, "needs_facts");
    assert!(note.starts_with("**Not understood:** “YYYY-MM-DD"), "{note}");
    assert!(note.contains("stands for a date: write the date itself, like 2026-11-30"), "{note}");
}

#[test]
fn a_reply_that_was_not_understood_comes_first() {
    let renewal = ["transaction_issue_renewal_help"];
    for (reply, first) in [
        (
            "star: trail=no",
            "**Not understood:** there is no fact “trail” (Ann Agent, note of 24 Nov 2026, 12:03 UTC): did you mean trial?",
        ),
        (
            "star: agreed thanks",
            "**Not understood:** I cannot read “star: agreed thanks” (Ann Agent, note of 24 Nov 2026, 12:03 UTC): did you mean star: agree?",
        ),
    ] {
        for expiry in [Some("2026-11-19"), None] {
            let (_, note) = decided(&answered("Please help.", &renewal, expiry, reply), &[]);
            assert_eq!(note.lines().next(), Some(first), "{note}");
            assert_eq!(note.matches("Not understood").count(), 1, "{note}");
        }
    }
    let (_, note) = decided(&answered("Please help.", &[], None, "star: trail=no\nstar: hm"), &[]);
    assert!(note.starts_with("Not understood\n- I cannot read “star: hm”"), "{note}");
}

/// Every line that must be in a note, and words that must not.
#[track_caller]
fn check(line: &Value, there: &[&str], not_there: &[&str]) {
    let (_, note) = decided(line, &[]);
    for words in there {
        assert!(note.lines().any(|line| line == *words), "{words:?} is not a line of\n{note}");
    }
    for words in not_there {
        assert!(!note.contains(words), "{words:?} stands in\n{note}");
    }
    assert!(note.lines().all(|line| line.trim_end() == line), "{note}");
    assert!(note.split_whitespace().count() < 220, "twenty seconds of reading:\n{note}");
}

#[test]
fn what_the_ticket_says_is_proposed_with_its_words_and_one_reply_takes_it() {
    let mut line = starred("Our licence is valid until 10 Dec 2026.", &["transaction_issue_renewal_help"], None);
    check(
        &line,
        &[
            "**Probably no need for STAR: right?** The plan or licence expires in 15 d 12 h (10 Dec 2026, 00:00 UTC): “Our licence is valid until 10 Dec 2026” (description, 23 Nov 2026).",
            "Reply `star: yes` (takes expires_at=2026-12-10), or correct it: `star: expires_at=YYYY-MM-DD`",
            "I look again on 9 Dec 2026, 00:00 UTC.",
        ],
        &["Holds until", "plan/lic"],
    );
    line["ticket"]["created_at"] = Value::Null;
    assert!(decided(&line, &[]).1.contains("(description)"), "where nothing says when it was written");
}

#[test]
fn where_all_branches_agree_the_reason_is_what_they_end_by() {
    check(
        &starred("Help.", &["trial_extension", "transaction_issue_renewal_help"], Some("2026-11-30")),
        &[
            "**No need for STAR.** The plan or licence expires in 5 d 12 h (30 Nov 2026, 00:00 UTC, perhaps not this licence's own), whether it is for a trial or not.",
            "2. Contradiction: tag trial_extension says yes, and tag transaction_issue_renewal_help says no",
        ],
        &["Whatever else", "request="],
    );
    check(
        &starred("Help.", &["trial_extension"], Some("2027-01-30")),
        &[
            "**No need for STAR.** The plan or licence expires in 66 days (30 Jan 2027, 00:00 UTC, perhaps not this licence's own), whatever the answer to “Is this a sales assisted trial?”.",
        ],
        &[],
    );
}

#[test]
fn a_sentence_says_how_sure_a_no_is() {
    let no = |fact: &str, tag: &str| {
        let mut line = starred("Help.", &[tag], None);
        line["facts"] = json!({ fact: "no" });
        line
    };
    let first = |line: &Value| decided(line, &[]).1.lines().next().unwrap_or_default().to_owned();
    let (product, linking) = ("purchased_wrong_product", "transaction_issue_transfer");
    assert_eq!(first(&no("sales_intervened", product)), "**Wait for Sales.** Sales has not intervened.");
    assert_eq!(
        first(&starred("Help.", &[product], None)),
        "**Wait for Sales.** Sales is not known to have intervened."
    );
    assert_eq!(first(&no("edge_case", linking)), "**Use the docs.** It is not an edge case.");
    assert_eq!(first(&starred("Help.", &[linking], None)), "**Use the docs.** No edge case is known.");
}

#[test]
fn spans_of_time_are_told_as_exactly_as_the_chart_asks_for_them() {
    for (expires_at, says) in [
        (
            "2026-11-25T12:00:00Z",
            "**OK to STAR.** The plan or licence expires in exactly 24 h (25 Nov 2026, 12:00 UTC).",
        ),
        (
            "2026-11-25T12:00:30Z",
            "**No need for STAR.** The plan or licence expires in just over 24 h (25 Nov 2026, 12:00 UTC).",
        ),
        ("2026-11-25T12:01:00Z", "**No need for STAR.** The plan or licence expires in 1 d (25 Nov 2026, 12:01 UTC)."),
        (
            "2026-11-24T12:00:20Z",
            "**OK to STAR.** The plan or licence expires in under a minute (24 Nov 2026, 12:00 UTC).",
        ),
    ] {
        let mut line = starred("Help.", &[], None);
        line["facts"] = json!({ "trial": "no", "expires_at": expires_at });
        check(&line, &[says], &[]);
    }
    check(
        &sample(106),
        &[
            "3. In the grace period? **No**: expired 1 Nov 2026 (organisation's expiration date) + 14 days of grace, which ended 15 Nov 2026",
        ],
        &[],
    );
}

#[test]
fn a_ticket_that_waits_for_the_customer_says_since_when() {
    let mut line =
        answered("Help.", &["transaction_issue_renewal_help"], Some("2026-11-11"), "Could you send a screenshot?");
    line["comments"][0]["public"] = json!(true);
    check(
        &line,
        &[
            "- We have been waiting for the customer since 24 Nov 2026, 12:03 UTC: Support wrote the last public comment",
        ],
        &["We wait"],
    );
}

#[test]
fn a_ticket_that_is_not_ours_is_told_why_and_asks_for_no_reply() {
    let mut solved = starred("Help.", &[], None);
    solved["ticket"]["status"] = json!("solved");
    let mut other = starred("Help.", &[], None);
    other["ticket"]["tags"] = json!(["star_submitted"]);
    other["ticket"]["ticket_form_id"] = json!(5);
    check(&solved, &["**No STAR of ours:** its status is solved."], &["star:", "Not right"]);
    check(&other, &["**No STAR of ours:** it is not licensing."], &["star:", "Not right"]);
}

/// What is known of one fact: a value, and whether it was guessed.
type Known = Option<(&'static str, Trust)>;

fn found(facts: &Facts, name: &str, value: &str, trust: Trust) -> Facts {
    let value = value.parse().map_or_else(|_| FactValue::Word(value.to_owned()), FactValue::Instant);
    let fact = Fact::new(value, trust, Source::Tag("somewhere".into()));
    let mut facts = facts.clone();
    facts.insert(name.to_owned(), Finding::Known(fact));
    facts
}

/// Every answer a manager could give to a question about this fact.
fn every_answer(fact: &str) -> Vec<String> {
    let dates = ["2026-11-01", "2026-11-10", "2026-11-11", "2026-11-24", "2026-11-25", "2026-11-26", "2027-06-30"];
    match star().answers(fact) {
        [] => dates.iter().map(|date| format!("{date}T12:00:00Z")).collect(),
        words => words.to_vec(),
    }
}

#[test]
fn whatever_is_known_a_correction_changes_the_verdict_and_one_answer_is_one() {
    const GUESS: Trust = Trust::Inferred;
    const RECORD: Trust = Trust::Recorded;
    let yes_no: [Known; 5] =
        [None, Some(("yes", GUESS)), Some(("no", GUESS)), Some(("yes", RECORD)), Some(("no", RECORD))];
    let dates = ["2026-11-01T00:00:00Z", "2026-11-11T00:00:00Z", "2026-11-19T00:00:00Z", "2026-12-31T00:00:00Z"];
    let expiries = dates.iter().flat_map(|date| [Some((*date, GUESS)), Some((*date, RECORD))]).chain([None]);
    let kinds = [
        Some(("plan_license", GUESS)),
        Some(("plan_license", RECORD)),
        Some(("wrong_product", GUESS)),
        Some(("force_reassociate", GUESS)),
    ];
    let expiries: Vec<Known> = expiries.collect();
    let (policy, now) = (star(), "2026-11-24T12:00:00Z".parse().expect("an instant"));
    let (mut corrected, mut settled) = (0, 0);
    for (request, trial) in kinds.into_iter().flat_map(|kind| yes_no.map(|trial| (kind, trial))) {
        for (assisted, expiry) in yes_no.into_iter().flat_map(|one| expiries.iter().map(move |expiry| (one, *expiry))) {
            for edge in yes_no {
                let known = [
                    ("request", request),
                    ("trial", trial),
                    ("sales_assisted", assisted),
                    ("expires_at", expiry),
                    ("edge_case", edge),
                    ("sales_intervened", edge),
                ];
                let facts = known.iter().fold(Facts::new(), |facts, (name, known)| match known {
                    Some((value, trust)) => found(&facts, name, value, *trust),
                    None => facts,
                });
                let decision = policy.decide(&facts, &Spoken::default(), now);
                let with = |fact: &str, value: &str| {
                    policy.decide(&found(&facts, fact, value, Trust::Stated), &Spoken::default(), now).verdict
                };
                if decision.verdict == "needs_facts" {
                    let first = decision.missing.first().expect("a question");
                    let fact = &first.fact;
                    let enough = every_answer(fact).iter().all(|answer| with(fact, answer) != "needs_facts");
                    assert_eq!(first.settles, enough, "{fact} of {known:?}");
                    settled += usize::from(enough);
                } else if let Some(offered) = policy.correction(&facts, &Spoken::default(), now) {
                    let answers = offered.answer.map_or_else(|| every_answer(&offered.fact), |answer| vec![answer]);
                    let changes = answers.iter().any(|answer| with(&offered.fact, answer) != decision.verdict);
                    assert!(changes, "{} of {known:?}", offered.fact);
                    corrected += 1;
                }
            }
        }
    }
    assert!(corrected > 500 && settled > 100, "{corrected} corrections, {settled} questions that settle it");
}
