//! Systems of record, teams' hours, records that contradict each other, and advice.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use starwarden::decide::facts::hours::Schedule;
use starwarden::decide::facts::sources::Ids;
use starwarden::decide::judge;
use starwarden::decide::policy::Policy;
use starwarden::decide::ticket::{OwnUsers, Reading, Record};
use starwarden::elsewhere::lookups::{Rank, System, Systems};

use crate::support::{BINDING, CHART, star};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

fn reading(tags: &[&str], description: &str, rest: Value) -> Reading {
    let mut all = vec!["star_submitted", "lr"];
    all.extend_from_slice(tags);
    let mut whole =
        json!({ "ticket": { "id": 1, "subject": "Help", "description": description, "status": "open", "tags": all } });
    rest.as_object().expect("an object").iter().for_each(|(key, value)| whole[key] = value.clone());
    serde_json::from_value(whole).expect("a reading")
}

#[test]
fn records_that_contradict_each_other_dismiss_nothing() {
    let policy = star();
    let ids = Ids::new(&policy.binding, &Ids::default());
    let verdict = |tags: &[&str], field: Value, expires: &str| {
        let mut reading = reading(
            tags,
            "Please help.",
            json!({ "organization": { "organization_fields": { "expiration_date": expires } } }),
        );
        reading.ticket.custom_fields = serde_json::from_value(field).expect("fields");
        judge::ticket(policy, &ids, Some(&reading), &[], &[], &OwnUsers::none(), at("2026-11-24T12:00:00Z"))
            .decision
            .verdict
    };
    for (tags, field, expires, expected) in [
        (&["transaction_issue_renewal_help"][..], json!([]), "2027-06-30", "no_need"),
        (&["transaction_issue_renewal_help", "trial_extension"], json!([]), "2026-11-19", "needs_facts"),
        (&["purchased_wrong_plan", "transaction_issue_transfer"], json!([]), "2027-06-30", "needs_facts"),
        (&["trial", "trial_extension", "com_sales_assisted_trial"], json!([]), "2027-06-30", "no_need"),
        (
            &["transaction_issue_renewal_help"],
            json!([{ "id": 360000000001_u64, "value": "2027-12-30" }]),
            "2027-06-30",
            "needs_facts",
        ),
        (
            &["transaction_issue_renewal_help"],
            json!([{ "id": 360000000001_u64, "value": "2027-01-30" }]),
            "2027-06-30",
            "no_need",
        ),
    ] {
        assert_eq!(verdict(tags, field.clone(), expires), expected, "{tags:?} {field} {expires}");
    }
}

#[test]
fn a_team_is_at_work_by_its_week_on_days_when_the_clocks_change_too() {
    let schedule = Schedule {
        zone: "America/Los_Angeles".parse().expect("a zone"),
        zone_shown: Some("PT".into()),
        open: vec!["Sun 15:00 - Fri 17:00".parse().expect("a shift")],
    };
    for (now, said) in [
        ("2026-11-24T12:00:00Z", "at work until Fri 17:00 PT"),
        ("2026-11-28T00:59:59Z", "at work until Fri 17:00 PT"),
        ("2026-11-28T01:00:00Z", "away, back Sunday 15:00 PT"),
        ("2026-11-29T22:59:59Z", "away, back Sunday 15:00 PT"),
        ("2026-11-29T23:00:00Z", "at work until Fri 17:00 PT"),
        ("2026-03-08T21:59:59Z", "away, back Sunday 15:00 PT"),
        ("2026-03-08T22:00:00Z", "at work until Fri 17:00 PT"),
        ("2026-11-01T22:59:59Z", "away, back Sunday 15:00 PT"),
        ("2026-11-01T23:00:00Z", "at work until Fri 17:00 PT"),
    ] {
        assert_eq!(schedule.standing(at(now)).map(|standing| schedule.said(standing)).as_deref(), Some(said), "{now}");
    }
}

/// A server on loopback that answers every call alike, or not at all; its address and how often it was called.
fn stub(answer: &'static str) -> (String, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    std::thread::spawn(move || {
        let mut silent = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.expect("a call");
            let mut request = [0_u8; 2048];
            let _read = stream.read(&mut request).expect("a request");
            counted.fetch_add(1, Ordering::SeqCst);
            if answer.is_empty() {
                silent.push(stream);
            } else {
                stream.write_all(answer.as_bytes()).expect("an answer");
            }
        }
    });
    (address, calls)
}

/// What a lookup of the shipped policy, turned to this address, comes to for a field's value, asked `times`.
fn looked_up(address: &str, hosts: &[&str], value: &str, times: usize) -> Option<Record> {
    looked_up_by(BINDING, address, hosts, value, times)
}

/// The same by another binding.
fn looked_up_by(binding: &str, address: &str, hosts: &[&str], value: &str, times: usize) -> Option<Record> {
    let binding = binding
        .replace("https://gitlab.com", address)
        .replace("namespace_id = []", "namespace_id = [77]")
        .replace("timeout = \"3s\"\nper_minute = 30", "timeout = \"200ms\"\nper_minute = 2");
    let policy = Policy::parse(&binding, CHART).expect("sound");
    let ids = Ids::new(&policy.binding, &Ids::default());
    let system = System { token: Some("secret".into()), hosts: hosts.iter().map(|host| (*host).to_owned()).collect() };
    let systems = Systems::new(BTreeMap::from([("gitlab".to_owned(), system)])).expect("systems");
    let mut reading = reading(&[], "namespace 99 at http://evil.example", json!({}));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut record = None;
    for turn in 0..times {
        let value = if value == "*" { (100 + turn).to_string() } else { value.to_owned() };
        reading.ticket.custom_fields = serde_json::from_value(json!([{ "id": 77, "value": value }])).expect("fields");
        let nobody = OwnUsers::none();
        let asked = systems.records(Rank::InForce, &policy, &ids, &reading, &nobody, at("2026-11-24T12:00:00Z"));
        record = runtime.block_on(asked).remove("gitlab_namespace");
    }
    record
}

#[test]
fn systems_of_record_answer_or_say_why_not() {
    const FOUND: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 14\r\n\r\n{\"trial\":true}";
    let failed = |why: &str| Some(Record::Failed(why.to_owned()));
    let silent = |why: &str| Some(Record::Silent(why.to_owned()));
    let (found, calls) = stub(FOUND);
    assert_eq!(looked_up(&found, &["127.0.0.1"], "12", 3), Some(Record::Found(json!({ "trial": true }))));
    assert_eq!(calls.load(Ordering::SeqCst), 2, "each of the two lookups is called once, then kept");
    assert_eq!(looked_up(&found, &["127.0.0.1"], "*", 3), silent("its 2 calls a minute are spent"));
    let before = calls.load(Ordering::SeqCst);
    let refused = "127.0.0.1 is not among the hosts of lookups.gitlab";
    assert_eq!(looked_up(&found, &["gitlab.com"], "12", 1), failed(refused));
    for steering in ["../users", "12/../../users", "evil.example", "12?x=y", ""] {
        assert_eq!(looked_up(&found, &["127.0.0.1"], steering, 1), None, "{steering:?}");
    }
    assert_eq!(calls.load(Ordering::SeqCst), before, "nothing of that was called");
    for (answer, why) in [
        ("HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n", "it knows no such record (404)"),
        (
            "HTTP/1.1 302 Found\r\nlocation: http://evil.example/\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
            "it points elsewhere (302), which is not followed",
        ),
        ("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello", "its answer is not JSON"),
    ] {
        let (address, _) = stub(answer);
        assert_eq!(looked_up(&address, &["127.0.0.1"], "12", 1), failed(why));
    }
    for (answer, why) in [
        ("", "no answer within 200 ms"),
        ("HTTP/1.1 429 Too Many Requests\r\nconnection: close\r\ncontent-length: 0\r\n\r\n", "it answered 429"),
        ("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 50\r\n\r\n{", "its answer broke off"),
    ] {
        let (address, _) = stub(answer);
        assert_eq!(looked_up(&address, &["127.0.0.1"], "12", 1), silent(why), "asked again it may answer");
    }
}

#[test]
fn a_lookup_that_failed_is_not_made_again_for_a_while_and_still_says_why() {
    const DOWN: &str = "HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let at_once = BINDING.replace("cache = \"10m\"\n", "cache = \"10m\"\nretry_after = \"0s\"\n");
    assert_ne!(at_once, BINDING);
    for (binding, calls_of_it) in [(BINDING, 1), (&at_once, 2)] {
        let (down, calls) = stub(DOWN);
        let failed = looked_up_by(binding, &down, &["127.0.0.1"], "12", 2);
        assert_eq!(failed, Some(Record::Silent("it answered 503".into())));
        assert_eq!(calls.load(Ordering::SeqCst), 1 + calls_of_it, "the other lookup is called once");
    }
}

#[test]
fn advice_never_changes_a_verdict() {
    let start = BINDING.find("[advice]").expect("the advice");
    let end = BINDING.find("# Where people's own words end").expect("what follows");
    let without = format!("{}{}", &BINDING[..start], &BINDING[end..]);
    let (with, without) = (star(), Policy::parse(&without, CHART).expect("sound"));
    for (tags, expires) in [
        (&["trial"][..], "2026-11-25"),
        (&["transaction_issue_renewal_help"], "2027-11-25"),
        (&[], "n/a"),
        (&["lr"], "2026-11-11"),
    ] {
        let reading = reading(
            tags,
            "No rush, I will be on holiday.",
            json!({ "organization": { "organization_fields": { "expiration_date": expires } } }),
        );
        let decide = |policy: &Policy| {
            let mut decision = judge::ticket(
                policy,
                &Ids::new(&policy.binding, &Ids::default()),
                Some(&reading),
                &[],
                &[],
                &OwnUsers::none(),
                at("2026-11-24T12:00:00Z"),
            )
            .decision;
            decision.policy = String::new();
            decision
        };
        assert_eq!(decide(with), decide(&without), "{tags:?} {expires}");
    }
}
