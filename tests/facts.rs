//! What is read out of a ticket: sources in their order, customers' words, managers' replies.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use starwarden::decide::facts::fact::{Finding, Trust};
use starwarden::decide::facts::gather::{self, Stated};
use starwarden::decide::facts::replies::{self, Says};
use starwarden::decide::facts::source::{Given, Source};
use starwarden::decide::facts::sources::{Ids, not_ours};
use starwarden::decide::ticket::{OwnUsers, Reading};

use crate::support::{judged, star};

const NOW: &str = "2026-11-24T12:00:00Z";

fn now() -> DateTime<Utc> {
    NOW.parse().expect("an instant")
}

/// A reading out of a starred ticket with some of its keys replaced.
fn reading(ticket: Value, rest: Value) -> Reading {
    let mut whole = json!({ "id": 1, "subject": "Help", "description": "Please help.", "status": "open", "tags": ["star_submitted", "lr"], "ticket_form_id": 360000071293_u64,
        "custom_fields": [], "requester_id": 5001, "assignee_id": null, "created_at": "2026-11-24T10:00:00Z", "updated_at": "2026-11-24T10:00:00Z" });
    let all = |into: &mut Value, from: Value| {
        from.as_object().expect("an object").iter().for_each(|(key, value)| into[key] = value.clone())
    };
    all(&mut whole, ticket);
    let users = json!([{ "id": 5001, "name": "Casey", "role": "end-user" }, { "id": 7001, "name": "Ann Agent", "role": "agent" }, { "id": 9001, "name": "starwarden", "role": "agent" }]);
    let mut reading = json!({ "ticket": whole, "organization": null, "comments": null, "users": users });
    all(&mut reading, rest);
    serde_json::from_value(reading).expect("a reading")
}

/// `value (trust: source)` of a fact, or `unknown`.
fn found(fact: &str, reading: &Reading) -> String {
    let policy = star();
    let gathered = gather::facts(policy, &Ids::new(&policy.binding, &Ids::default()), Some(reading), &[], now());
    match &gathered.facts[fact] {
        Finding::Known(fact) => format!("{} ({:?}: {})", fact.value, fact.trust, fact.source),
        Finding::Conflict(two) => {
            format!("{}: {} against {}: {}", two.0.value, two.0.source, two.1.value, two.1.source)
        }
        Finding::Unknown { looked, .. } => format!("unknown: {}", looked.join("; ")),
    }
}

#[test]
fn sources_are_asked_in_their_order() {
    let tagged = |tags: &[&str]| reading(json!({ "tags": tags }), json!({}));
    assert_eq!(found("request", &tagged(&[])), "plan_license (Recorded: nothing on the ticket says otherwise)");
    assert_eq!(
        found("request", &tagged(&["purchased_wrong_plan"])),
        "wrong_product (Recorded: tag purchased_wrong_plan)"
    );
    let field =
        |value: Value| reading(json!({ "custom_fields": [{ "id": 360020421853_u64, "value": value }] }), json!({}));
    assert_eq!(
        found("request", &field(json!("transaction_issue_transfer"))),
        "force_reassociate (Recorded: field request type: transaction_issue_transfer)"
    );
    assert_eq!(
        found("trial", &field(json!(["other", "transaction_issue_trial"]))),
        "yes (Recorded: field request type: transaction_issue_trial)"
    );
    assert_eq!(found("trial", &field(Value::Null)), "unknown: ");
    assert_eq!(
        found("sales_assisted", &tagged(&["trial", "prospect"])),
        "yes (Recorded: tag prospect)",
        "the first that answers wins"
    );
    let organization = |fields: Value, tags: Value| {
        reading(
            json!({ "organization_id": 9 }),
            json!({ "organization": { "id": 9, "name": "Example", "tags": tags, "organization_fields": fields } }),
        )
    };
    assert_eq!(
        found("sales_assisted", &organization(json!({ "organization_type": "Prospect" }), json!([]))),
        "yes (Recorded: organisation's organization type: Prospect)"
    );
    assert_eq!(
        found("sales_assisted", &organization(json!({}), json!(["prospect"]))),
        "yes (Recorded: organisation's tag prospect)"
    );
}

#[test]
fn dates_are_read_or_told() {
    let organization = |date: Value| {
        reading(
            json!({ "organization_id": 9 }),
            json!({ "organization": { "id": 9, "name": "Example", "tags": null, "organization_fields": { "expiration_date": date } } }),
        )
    };
    for (date, expected) in [
        (
            json!("2026-11-30"),
            "2026-11-30T00:00:00Z (Recorded: organisation's expiration date, perhaps not this licence's own)",
        ),
        (
            json!("2026-11-30T17:00:00+01:00"),
            "2026-11-30T16:00:00Z (Recorded: organisation's expiration date, perhaps not this licence's own)",
        ),
        (
            json!("30.11.2026 (renewed)"),
            "2026-11-30T00:00:00Z (Recorded: organisation's expiration date: 30.11.2026 (renewed), perhaps not this licence's own)",
        ),
        (
            json!(1_795_996_800),
            "2026-11-30T00:00:00Z (Recorded: organisation's expiration date, perhaps not this licence's own)",
        ),
        (
            json!("see contract"),
            "unknown: field expires on is empty; organisation's expiration date says “see contract”, which is no date",
        ),
        (
            json!("2026-11-31"),
            "unknown: field expires on is empty; organisation's expiration date says “2026-11-31”, and there is no such day",
        ),
        (
            json!("03/04/2026"),
            "unknown: field expires on is empty; organisation's expiration date says “03/04/2026”, which can be 3 Apr 2026 or 4 Mar 2026",
        ),
        (json!("n/a"), "unknown: field expires on is empty; organisation's expiration date is empty"),
        (json!(""), "unknown: field expires on is empty; organisation's expiration date is empty"),
        (Value::Null, "unknown: field expires on is empty; organisation's expiration date is empty"),
    ] {
        assert_eq!(found("expires_at", &organization(date)), expected);
    }
    let both = reading(
        json!({ "custom_fields": [{ "id": 360000000001_u64, "value": "2026-12-01" }], "organization_id": 9 }),
        json!({ "organization": { "id": 9, "name": "E", "organization_fields": { "expiration_date": "2027-01-01" } } }),
    );
    assert_eq!(found("expires_at", &both), "2026-12-01T00:00:00Z (Recorded: field expires on)");
}

#[test]
fn customers_words_are_guesses_with_their_quote() {
    for (description, says) in [
        ("Could you extend our trial by a week?", Some("Could you extend our trial by a week?")),
        ("Hello. We need a trial extension! Thanks.", Some("We need a trial extension!")),
        ("Our trial has expired.", Some("Our trial has expired.")),
        ("We do not need a trial extension.", None),
        ("We don't want you to extend our trial", None),
        ("> Could you extend our trial?\nNo, thanks.", None),
        ("Thanks\nOn Monday Ann wrote:\nshall I extend your trial extension", None),
        ("We bought Premium.", Some("We bought Premium.")), // For no trial, that is.
        ("", None),
    ] {
        let reading = reading(json!({ "description": description }), json!({}));
        let judged = judged(&reading, &[], NOW);
        let quote = judged.facts["trial"].known().map(|fact| (fact.trust, fact.quote.as_deref().expect("a quote")));
        assert_eq!(quote, says.map(|words| (Trust::Inferred, words)), "{description:?}");
    }
    let comments = json!([{ "id": 1, "author_id": 7001, "body": "shall I extend your trial extension?", "public": true }, { "id": 2, "author_id": 5001, "body": "Yes, a trial extension please", "public": true, "created_at": "2026-11-23T10:00:00Z" }]);
    let reading = reading(json!({}), json!({ "comments": comments }));
    assert_eq!(
        judged(&reading, &[], NOW).facts["trial"].known().map(|fact| fact.source.to_string()).expect("a fact"),
        "customer, 23 Nov 2026",
        "an agent's words are not the customer's"
    );
}

#[test]
fn replies_count_from_staff_in_internal_notes_alone() {
    let comment = |author: u64, public: bool, body: &str| json!([{ "id": 1, "author_id": author, "body": body, "public": public, "created_at": "2026-11-24T12:03:00Z" }]);
    let answer = |fact: &str, value: &str| Says::Answer { fact: fact.into(), value: value.into() };
    for (comments, expected) in [
        (comment(7001, false, "star: trial=yes, in_grace=no"), vec![answer("trial", "yes"), answer("in_grace", "no")]),
        (
            comment(7001, false, "Seen.\n  STAR:  Expires_At = 2026-11-30  \nBye"),
            vec![answer("expires_at", "2026-11-30")],
        ),
        (comment(7001, false, "`star: trial=no`"), vec![answer("trial", "no")]),
        (comment(7001, false, "star: agree"), vec![Says::Agree]),
        (
            comment(7001, false, "star: disagree the renewal is in procurement, trial=yes"),
            vec![Says::Disagree("the renewal is in procurement, trial=yes".into())],
        ),
        (comment(7001, false, "star: recheck\nstar: stop"), vec![Says::Recheck, Says::Stop]),
        (
            comment(7001, false, "star: hello, trial=yes"),
            vec![Says::Unreadable("hello".into()), answer("trial", "yes")],
        ),
        // Copied out of a sentence, or written as people write.
        (comment(7001, false, "star: in_grace=no."), vec![answer("in_grace", "no")]),
        (comment(7001, false, "`star: in_grace=no`."), vec![answer("in_grace", "no")]),
        (
            comment(7001, false, "star: in grace = no, sales-assisted=yes!"),
            vec![answer("in grace", "no"), answer("sales-assisted", "yes")],
        ),
        (comment(7001, false, "star: in_grace=no?"), vec![answer("in_grace", "no?")]), // Doubt is no answer.
        (comment(7001, false, "star: Agree.\nstar: stop!"), vec![Says::Agree, Says::Stop]),
        (comment(7001, false, "star: agree, thanks"), vec![Says::Agree]),
        (comment(7001, false, "star: agreed"), vec![Says::Unreadable("agreed".into())]),
        (comment(7001, false, "star: expires_at=30 Nov 2026."), vec![answer("expires_at", "30 Nov 2026")]),
        (
            comment(7001, false, "star: trial=yes, expires_at=24 Nov 2026, 23:59 UTC, in_grace=no"),
            vec![answer("trial", "yes"), answer("expires_at", "24 Nov 2026, 23:59 UTC"), answer("in_grace", "no")],
        ),
        (
            comment(7001, false, "> star: trial=yes\nReply with star: trial=yes\nstart: trial=yes\nstar:"),
            vec![Says::Unreadable(String::new())],
        ),
        (comment(7001, false, "FYI\n-----Original Message-----\nFrom: Casey\nstar: trial=yes"), vec![]),
        (comment(7001, false, "---------- Forwarded message ---------\nstar: trial=yes"), vec![]),
        (comment(7001, false, "Am Montag schrieb Casey <c@example.com>:\nstar: trial=yes"), vec![]),
        (
            comment(
                7001,
                false,
                "star: trial=no\nOn Mon, 23 Nov 2026 at 09:00, Casey\n<c@example.com> wrote:\nstar: trial=yes",
            ),
            vec![answer("trial", "no")],
        ),
        (comment(7001, true, "star: trial=yes"), vec![]),
        (comment(5001, false, "star: trial=yes"), vec![]),
        (comment(5001, true, "star: trial=yes"), vec![]),
        (comment(9001, false, "No need.\nstar: trial=yes\nstarwarden · ref ABCDEFGH"), vec![]),
        (comment(9001, false, "star: trial=yes"), vec![answer("trial", "yes")]), // By somebody who signs in as the bot does.
        (comment(4, false, "star: trial=yes"), vec![]),
    ] {
        let reading = reading(json!({}), json!({ "comments": comments }));
        let said: Vec<Says> = replies::read(&reading, &OwnUsers::from_iter([9001]), &star().lexicon.languages)
            .into_iter()
            .map(|reply| reply.says)
            .collect();
        assert_eq!(said, expected, "{comments}");
    }
}

#[test]
fn answers_stand_above_all_and_what_cannot_be_used_is_told() {
    let policy = star();
    let stated =
        |fact: &str, value: &str| Stated { fact: fact.into(), value: value.into(), source: Source::Given(Given::Case) };
    let reading = reading(json!({ "tags": ["trial_extension"] }), json!({}));
    let answers = [
        stated("trial", "yes"),
        stated("trial", "No"),
        stated("in_grce", "no"),
        stated("sales_assisted", "perhaps"),
        stated("expires_at", "soon"),
        stated("workflow", "saas_extension"),
        stated("sales assisted", "Yes"),
        stated("edge-case", "no"),
    ];
    let gathered = gather::facts(policy, &Ids::default(), Some(&reading), &answers, now());
    let trial = gathered.facts["trial"].known().expect("known");
    assert_eq!(
        (trial.value.to_string().as_str(), trial.trust, trial.source.to_string().as_str()),
        ("no", Trust::Stated, "given by the case"),
        "the later before the earlier, and both before the tag"
    );
    assert_eq!(gathered.facts["sales_assisted"].word(), Some("yes"), "a name in words");
    assert_eq!(gathered.facts["edge_case"].word(), Some("no"));
    assert_eq!(
        gathered.problems,
        [
            "there is no fact “in_grce” (given by the case): did you mean in_grace?",
            "“perhaps” is no answer for sales_assisted (given by the case): the answers are yes, no",
            "expires_at is “soon” (given by the case), which is no date: write it like 2026-11-30 or 2026-11-30T17:00:00Z",
        ]
    );
}

#[test]
fn a_managers_date_is_read_as_notes_write_it() {
    let policy = star();
    for (value, expected) in [
        ("30 Nov 2026", Some("2026-11-30T00:00:00Z")),
        ("3 december 2026", Some("2026-12-03T00:00:00Z")),
        ("24 Nov 2026, 23:59 UTC", Some("2026-11-24T23:59:00Z")),
        ("31 Nov 2026", None),
        ("24 Nov 2026, 25:00 UTC", None),
        ("24 Nov 2026, 12:00", Some("2026-11-24T12:00:00Z")),
        ("25 Nov", Some("2026-11-25T00:00:00Z")),
        ("tomorrow", Some("2026-11-25T00:00:00Z")),
        ("03/12/2026", None),
    ] {
        let stated = [Stated { fact: "expires_at".into(), value: value.into(), source: Source::Given(Given::Case) }];
        let gathered = gather::facts(policy, &Ids::default(), None, &stated, now());
        let known = gathered.facts["expires_at"].known().map(|fact| fact.value.to_string());
        assert_eq!((known.as_deref(), gathered.problems.len()), (expected, usize::from(expected.is_none())), "{value}");
    }
}

#[test]
fn a_policy_speaks_of_starred_licensing_tickets_that_are_open() {
    let policy = star();
    let ids = Ids::new(&policy.binding, &Ids::default());
    for (ticket, why) in [
        (json!({}), None),
        (json!({ "tags": ["star_submitted"], "ticket_form_id": 426148 }), None),
        (json!({ "tags": ["star_submitted", "lr"], "ticket_form_id": null }), None),
        (json!({ "tags": ["star_submitted"], "ticket_form_id": 5 }), Some("it is not licensing")),
        (json!({ "tags": ["lr"] }), Some("it is not starred")),
        (json!({ "status": "Solved" }), Some("its status is solved")),
    ] {
        assert_eq!(
            not_ours(&policy.binding, &ids, &reading(ticket.clone(), json!({})).ticket).as_deref(),
            why,
            "{ticket}"
        );
    }
    let own = Ids { forms: [("licensing".to_owned(), vec![7])].into(), ..Ids::default() };
    let elsewhere = reading(json!({ "tags": ["star_submitted"], "ticket_form_id": 7 }), json!({}));
    assert_eq!(
        not_ours(&policy.binding, &Ids::new(&policy.binding, &own), &elsewhere.ticket),
        None,
        "an account's own ids stand for the policy's"
    );
}
