//! Dates: how people and systems spell them, what they date, and which end of a day counts.

use chrono::{DateTime, NaiveTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use starwarden::decide::facts::dates::{Means, Reader, Unread, When, Which};
use starwarden::decide::facts::fact::Finding;
use starwarden::decide::facts::gather::Stated;
use starwarden::decide::facts::source::{Given, Source};
use starwarden::decide::facts::sources::Ids;
use starwarden::decide::judge;
use starwarden::decide::note::{self, Subject};
use starwarden::decide::ticket::{OwnUsers, Reading};

use crate::support::{judged, star};

/// A table of dates: `tests/cases/dates/*.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    words: Vec<InWords>,
    records: Vec<Alone>,
    answers: Vec<Alone>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InWords {
    text: String,
    /// When the plan or licence in use ends, by these words.
    ends: Vec<String>,
    /// What else they date.
    #[serde(default)]
    also: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Alone {
    text: String,
    is: String,
    rest: Option<String>,
}

/// `2026-11-30`, `2026-11-30 end`, `2026-11-30T18:00Z`, `2026-12-01..2026-12-31`
fn when(when: &When) -> String {
    let minute = |at: DateTime<Utc>| at.format(if at.timestamp() % 60 == 0 { "%FT%RZ" } else { "%FT%TZ" }).to_string();
    match when {
        When::Day(day) => day.to_string(),
        When::EndOfDay(day) => format!("{day} end"),
        When::At(at) => minute(*at),
        When::Within(span)
            if span.from.time() == NaiveTime::MIN && span.until.format("%T").to_string() == "23:59:59" =>
        {
            format!("{}..{}", span.from.date_naive(), span.until.date_naive())
        }
        When::Within(span) => format!("{}/{}", minute(span.from), minute(span.until)),
    }
}

fn unread(unread: &Unread) -> String {
    match unread {
        Unread::Empty => "empty".into(),
        Unread::NoDate => "no date".into(),
        Unread::NoSuchDay(words) => format!("no {words}"),
        Unread::Either(_, [one, other]) => format!("{one} or {other}"),
        Unread::Several(_) => "two dates".into(),
    }
}

fn means(means: Means) -> &'static str {
    match means {
        Means::Ends(Which::One | Which::Former) => "ends",
        Means::Ends(Which::New) => "new",
        Means::Ends(Which::Refused) => "refused",
        Means::Started => "started",
        Means::Renewed => "renewed",
        Means::Wished => "wished",
        Means::Disputed => "disputed",
        Means::Due => "due",
        Means::Unknown => "unknown",
    }
}

/// What a table has that was read otherwise, a line each.
fn misread(table: &Table, reader: &Reader) -> Vec<String> {
    let written = at("2026-11-26T06:00:00Z");
    let mut misread = Vec::new();
    for InWords { text, ends, also } in &table.words {
        let said = |found: Result<When, Unread>| found.as_ref().map_or_else(unread, when);
        let mentions = reader.in_words(text, written).into_iter();
        let all: Vec<(&str, String)> = mentions.map(|mention| (means(mention.means), said(mention.when))).collect();
        let ending: Vec<&String> = all.iter().filter(|(means, _)| *means == "ends").map(|(_, when)| when).collect();
        let has = |also: &String| all.iter().any(|(means, when)| *also == format!("{means} {when}"));
        if ending != ends.iter().collect::<Vec<_>>() || !also.iter().all(has) {
            misread.push(format!("{text:?} is {ends:?} and {also:?}, read as {all:?}"));
        }
    }
    let records = table.records.iter().map(|row| (row, reader.record(&row.text)));
    let answers = table.answers.iter().map(|row| (row, reader.answer(&row.text, written)));
    for (row, read) in records.chain(answers) {
        let (is, rest) = match read {
            Ok(read) => (when(&read.when), read.rest),
            Err(Unread::NoSuchDay(_)) => ("no such day".into(), None),
            Err(why) => (unread(&why), None),
        };
        if is != row.is || row.rest.is_some() && rest != row.rest {
            misread.push(format!("{:?} is {} {:?}, read as {is} {rest:?}", row.text, row.is, row.rest));
        }
    }
    misread
}

#[test]
fn every_date_of_the_tables_is_read() {
    for (name, text) in [
        ("paper", include_str!("cases/dates/paper.toml")),
        ("own", include_str!("cases/dates/own.toml")),
        ("again", include_str!("cases/dates/again.toml")),
    ] {
        let table: Table = toml::from_str(text).expect("a table");
        let misread = misread(&table, &star().lexicon.dates);
        assert!(misread.is_empty(), "{name}:\n{}", misread.join("\n"));
    }
}

#[test]
fn versions_numbers_and_names_are_no_dates() {
    let reader = &star().lexicon.dates;
    for text in [
        "",
        "Our licence fails since version 16.99.10",
        "licence 10/11.2026",
        "yesterdayish",
        "licence ticket 20261130 expires",
        "licence: 30 novel ideas",
        "It may expire.",
        "Our licence covers 24/7 support",
    ] {
        let found: Vec<_> = reader.in_words(text, at("2026-11-26T06:00:00Z")).into_iter().map(|one| one.when).collect();
        assert_eq!(found, [], "{text:?}");
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

/// A starred ticket with this description, written on 24 Nov 2026.
fn ticket(description: &str, tags: &[&str], organization: Value) -> Reading {
    let mut all = vec!["star_submitted", "lr"];
    all.extend_from_slice(tags);
    let whole = json!({
        "ticket": { "id": 1, "subject": "Help", "description": description, "status": "open", "tags": all, "created_at": "2026-11-24T09:00:00Z" },
        "organization": organization,
    });
    serde_json::from_value(whole).expect("a reading")
}

/// When a ticket's plan or licence expires, by what can be known of it; or why that is unknown.
fn expiry(reading: &Reading, stated: &[Stated]) -> String {
    match &judged(reading, stated, "2026-11-24T12:00:00Z").facts["expires_at"] {
        Finding::Known(fact) => fact.value.to_string(),
        Finding::Conflict(two) => format!("{} against {}", two.0.value, two.1.value),
        Finding::Unknown { looked, .. } => looked.last().cloned().unwrap_or_default(),
    }
}

#[test]
fn words_date_an_expiry_where_they_speak_of_it() {
    for (description, expected) in [
        ("Our licence expires on 30 Nov 2026.", "2026-11-30T00:00:00Z"),
        ("On Nov 30th our subscription ends, so please hurry.", "2026-11-30T00:00:00Z"),
        ("The licence expired yesterday.", "2026-11-23T00:00:00Z"),
        ("Our licence expires in 28 days.", "2026-12-22T00:00:00Z"),
        ("Expiry date: 30/11/2026", "2026-11-30T00:00:00Z"),
        ("We were invoiced on 30 Nov 2026.", "field expires on is empty"),
        ("Our licence does not expire on 30 Nov 2026.", "field expires on is empty"),
        ("Last year our licence expired on 30 Nov.", "field expires on is empty"),
        (
            "Our licence expires on 03/04/2026.",
            "03/04/2026 in “Our licence expires on 03/04/2026” (description, 24 Nov 2026) can be 3 Apr 2026 or 4 Mar 2026",
        ),
        (
            "Our licence expires on 31 Nov 2026.",
            "there is no 31 Nov 2026, which “Our licence expires on 31 Nov 2026” (description, 24 Nov 2026) says",
        ),
        ("Our licence expires on 31 Nov 2026, I mean 30 Nov 2026.", "2026-11-30T00:00:00Z"),
    ] {
        let read = expiry(&ticket(description, &[], json!({ "organization_fields": {} })), &[]);
        let read = read.replace("organisation's expiration date is empty", "field expires on is empty");
        assert_eq!(read, expected, "{description}");
    }
}

#[test]
fn a_date_that_can_be_two_days_is_asked_back_with_both() {
    let policy = star();
    let ids = Ids::new(&policy.binding, &Ids::default());
    let reading = ticket("Our licence expires on 05/12/2026.", &["transaction_issue_renewal_help"], Value::Null);
    let now = at("2026-11-24T12:00:00Z");
    let judged = judge::ticket(policy, &ids, Some(&reading), &[], &[], &OwnUsers::none(), now);
    let note = note::write(&Subject {
        policy,
        ids: &ids,
        decision: &judged.decision,
        facts: &judged.facts,
        spoken: &judged.spoken,
        reading: Some(&reading),
        problems: &judged.problems,
        was: None,
        reference: None,
        link: None,
        now,
    });
    let text = note.text();
    assert!(text.contains("`star: expires_at=2026-12-05` or `star: expires_at=2026-05-12`"), "{text}");
    assert!(text.contains("can be 5 Dec 2026 or 12 May 2026"), "{text}");
}

/// A licence lapses as its day begins, a trial on GitLab.com as it ends; in doubt the earlier counts.
#[test]
fn the_end_of_a_day_counts_for_trials_on_gitlab_com_alone() {
    let stated =
        |fact: &str, value: &str| Stated { fact: fact.into(), value: value.into(), source: Source::Given(Given::Case) };
    let (start, end) = ("2026-11-25T00:00:00Z", "2026-11-25T23:59:59Z");
    for (tags, description, stated, expected) in [
        (&[][..], "", vec![], start),
        (&["transaction_product_self_managed"], "", vec![stated("trial", "no")], start),
        (&["transaction_product_self_managed"], "", vec![stated("trial", "yes")], start),
        (&["transaction_product_gitlab.com"], "", vec![stated("trial", "no")], start),
        (&["transaction_product_gitlab.com"], "", vec![stated("trial", "yes")], end),
        (&["com_sales_assisted_trial"], "", vec![], end),
        (&["sm_sales_assisted_trial"], "", vec![], start),
        // A guess counts, for it dismisses nobody.
        (&["transaction_product_gitlab.com"], "Please extend our trial.", vec![], end),
        (&["trial"], "Our group on gitlab.com needs more time.", vec![], end),
        // A moment is a moment.
        (&["com_sales_assisted_trial"], "", vec![stated("expires_at", "2026-11-25T07:00:00Z")], "2026-11-25T07:00:00Z"),
        (&["com_sales_assisted_trial"], "", vec![stated("expires_at", "2026-11-25")], end),
    ] {
        let reading = ticket(description, tags, json!({ "organization_fields": { "expiration_date": "2026-11-25" } }));
        assert_eq!(expiry(&reading, &stated), expected, "{tags:?} {description} {stated:?}");
    }
}

#[test]
fn close_to_expiry_and_grace_follow_from_the_day() {
    let verdict = |trial: &str, tags: &[&str], expires: &str, now: &str| {
        let policy = star();
        let ids = Ids::new(&policy.binding, &Ids::default());
        let reading = ticket("", tags, json!({ "organization_fields": { "expiration_date": expires } }));
        let stated = Stated { fact: "trial".into(), value: trial.into(), source: Source::Given(Given::Case) };
        judge::ticket(policy, &ids, Some(&reading), &[], &[stated], &OwnUsers::none(), at(now)).decision
    };
    let (com, own) = (&["com_sales_assisted_trial"][..], &["sm_sales_assisted_trial"][..]);
    for (trial, tags, expires, now, expected) in [
        // A subscription: 14 days of grace from 00:00 UTC of its date.
        ("no", &[][..], "2026-11-26", "2026-11-24T23:59:59Z", "no_need"),
        ("no", &[], "2026-11-26", "2026-11-25T00:00:00Z", "ok_to_star"),
        ("no", &[], "2026-11-26", "2026-11-26T00:00:00Z", "needs_facts"), // At some time today.
        ("no", &[], "2026-11-26", "2026-11-27T00:00:00Z", "no_need"),
        ("no", &[], "2026-11-11", "2026-11-23T23:59:59Z", "no_need"),
        ("no", &[], "2026-11-11", "2026-11-24T00:00:00Z", "ok_to_star"),
        ("no", &[], "2026-11-11", "2026-11-25T00:00:00Z", "ok_to_star"),
        // A trial has no grace; on GitLab.com its last day counts to the end.
        ("yes", com, "2026-11-25", "2026-11-24T23:59:58Z", "no_need"),
        ("yes", com, "2026-11-25", "2026-11-24T23:59:59Z", "ok_to_star"),
        ("yes", com, "2026-11-20", "2026-11-24T12:00:00Z", "ok_to_star"),
        ("yes", own, "2026-11-26", "2026-11-24T23:59:59Z", "no_need"),
        ("yes", own, "2026-11-25", "2026-11-24T00:00:00Z", "ok_to_star"),
    ] {
        let decision = verdict(trial, tags, expires, now);
        assert_eq!(decision.verdict, expected, "trial {trial} until {expires} at {now}");
        let asked_grace = decision.path.iter().any(|answered| answered.fact.contains("grace"));
        assert_eq!(
            asked_grace,
            trial == "no" && decision.missing.is_empty(),
            "a trial has no grace: {expires} at {now}"
        );
    }
}
