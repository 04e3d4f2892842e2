//! Dates: how people spell them, what of a ticket's words dates an expiry, and which end of a day counts.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};
use starwarden::decide::facts::dates::{self, Day};
use starwarden::decide::facts::fact::Finding;
use starwarden::decide::facts::gather::{self, Stated};
use starwarden::decide::facts::source::{Given, Source};
use starwarden::decide::facts::sources::Ids;
use starwarden::decide::judge;
use starwarden::decide::note::{self, Subject};
use starwarden::decide::ticket::{OwnUsers, Reading};

use crate::support::star;

/// The dates of a text written on 24 Nov 2026: `2026-11-30`, `2026-04-03 or 2026-03-04`, `no 31 Nov 2026`.
fn spelled(text: &str) -> Vec<String> {
    let written = NaiveDate::from_ymd_opt(2026, 11, 24).expect("a day");
    let said = |day| match day {
        Day::Certain(day) => day.to_string(),
        Day::Ambiguous(_, [one, other]) => format!("{one} or {other}"),
        Day::Impossible(words) => format!("no {words}"),
    };
    dates::read(text, written, &star().lexicon).into_iter().map(said).collect()
}

#[test]
fn dates_are_read_as_people_spell_them() {
    for (text, days) in [
        // Year first.
        ("2026-11-30", &["2026-11-30"][..]),
        ("2026/11/30", &["2026-11-30"]),
        ("2026-11-30T17:00:00Z", &["2026-11-30"]),
        ("2026-1-3", &["2026-01-03"]),
        // With the month's name.
        ("30 Nov 2026", &["2026-11-30"]),
        ("30-Nov-2026", &["2026-11-30"]),
        ("30th of November, 2026", &["2026-11-30"]),
        ("Nov 30th", &["2026-11-30"]),
        ("Nov. 30", &["2026-11-30"]),
        ("NOVEMBER 30, 2026", &["2026-11-30"]),
        ("1st December 2026", &["2026-12-01"]),
        ("Sept 2, 2027", &["2027-09-02"]),
        ("from 30 Nov 2026 to 2 Jan 2027", &["2026-11-30", "2027-01-02"]),
        // Numbers, year last.
        ("30/11/2026", &["2026-11-30"]),
        ("11/30/2026", &["2026-11-30"]),
        ("11-30-2026", &["2026-11-30"]),
        ("30.11.2026", &["2026-11-30"]),
        ("30/11/26", &["2026-11-30"]),
        ("03/04/2026", &["2026-04-03 or 2026-03-04"]),
        ("3-4-26", &["2026-04-03 or 2026-03-04"]),
        ("04/04/2026", &["2026-04-04"]),
        ("03.04.2026", &["2026-04-03"]),
        // Without a year: the nearest to the day of writing.
        ("24 Dec", &["2026-12-24"]),
        ("5 January", &["2027-01-05"]),
        ("March 1st", &["2027-03-01"]),
        ("20th of July", &["2026-07-20"]),
        // Counted from the day of writing.
        ("tomorrow", &["2026-11-25"]),
        ("Today", &["2026-11-24"]),
        ("in 28 days", &["2026-12-22"]),
        ("3 days left", &["2026-11-27"]),
        // Days there are not.
        ("31 Nov 2026", &["no 31 Nov 2026"]),
        ("Feb 30th", &["no Feb 30th"]),
        ("29/02/2027", &["no 29/02/2027"]),
        ("29/02/2028", &["2028-02-29"]),
        ("2026-13-01", &["no 2026-13-01"]),
        ("45/45/2026", &["no 45/45/2026"]),
        // No dates.
        ("", &[]),
        ("version 16.99.10", &[]),
        ("10/11.2026", &[]),
        ("yesterdayish", &[]),
        ("ticket 20261130", &[]),
        ("30 novel ideas", &[]),
    ] {
        assert_eq!(spelled(text), days, "{text:?}");
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
    let policy = star();
    let ids = Ids::new(&policy.binding, &Ids::default());
    let gathered = gather::facts(policy, &ids, Some(reading), stated, at("2026-11-24T12:00:00Z"));
    match &gathered.facts["expires_at"] {
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
            "03/04/2026 in “Our licence expires on 03/04/2026” (description, 24 Nov) can be 3 Apr 2026 or 4 Mar 2026",
        ),
        (
            "Our licence expires on 31 Nov 2026.",
            "there is no 31 Nov 2026, which “Our licence expires on 31 Nov 2026” (description, 24 Nov) says",
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
        // A guess never moves a date later.
        (&["transaction_product_gitlab.com"], "Please extend our trial.", vec![], start),
        (&["trial"], "Our group on gitlab.com needs more time.", vec![], start),
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
        ("no", &[], "2026-11-26", "2026-11-26T00:00:00Z", "no_need"),
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
        assert_eq!(asked_grace, trial == "no", "a trial has no grace: {expires} at {now}");
    }
}
