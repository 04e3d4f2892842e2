//! The receiver: every row of its table, over HTTP.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use secrecy::SecretString;
use serde_json::{Value, json};
use starwarden::decide::ticket::{OwnUsers, TicketKey};
use starwarden::receive::doors::{Door, Doors};
use starwarden::receive::verify::{VerifyError, sign, timestamp, verify};
use starwarden::receive::{Receiver, router};
use starwarden::store::Store;

const SECRET: &str = "HRkRd4BeOAoUkfZr-mhauJT64rvBASlJRoIyPsd3zeA=";
const TEST_SECRET: &str = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==";
const MINUTES: Duration = Duration::from_secs(300);

#[test]
fn signatures_are_the_helpdesks_own() {
    for (secret, body, signature) in [
        (SECRET, r#"{"say": "hello"}"#, "Rry/4TtIdFyawtXXp8QdI6tlAUUQ/5kL1OTp5qo/ZIk="),
        (TEST_SECRET, r#"{"say": "hello"}"#, "gf3v0LzLRHPUnIdhbvwRDVEvzSb07/QN0GYjSNlkBT0="),
        (TEST_SECRET, "", "Quv38XAfu9ZaMGBsk0NSntquALrZBp815j0203kelQA="),
    ] {
        let (secret, at) = (SecretString::from(secret), "2021-07-25T10:00:00Z");
        assert_eq!(sign(&secret, at, body.as_bytes()), signature);
        let now: DateTime<Utc> = "2021-07-25T10:04:59Z".parse().expect("an instant");
        let verified =
            verify(Some(signature), Some(at), body.as_bytes(), &[SecretString::from("another"), secret], MINUTES, now);
        assert_eq!(verified.expect("signed").body(), body.as_bytes());
    }
}

proptest! {
    #[test]
    fn one_bit_flipped_anywhere_is_refused(body in proptest::collection::vec(any::<u8>(), 1..200), place in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let (secret, now) = ([SecretString::from(SECRET)], Utc::now());
        let at = timestamp(now);
        let signature = sign(&secret[0], &at, &body);
        prop_assert!(verify(Some(&signature), Some(&at), &body, &secret, MINUTES, now).is_ok());
        let mut flipped = body.clone();
        flipped[place.index(body.len())] ^= 1 << bit;
        prop_assert_eq!(verify(Some(&signature), Some(&at), &flipped, &secret, MINUTES, now).err(), Some(VerifyError::Wrong));
        let other = timestamp(now + TimeDelta::seconds(1));
        prop_assert_eq!(verify(Some(&signature), Some(&other), &body, &secret, MINUTES, now).err(), Some(VerifyError::Wrong));
    }
}

struct Open {
    address: SocketAddr,
    http: reqwest::Client,
    folder: tempfile::TempDir,
}

async fn open() -> (Open, Store) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::sqlite(&folder.path().join("star.db")).expect("a store");
    (open_with(store.clone(), folder).await, store)
}

async fn open_with(store: Store, folder: tempfile::TempDir) -> Open {
    let own = Arc::new(OnceLock::from(OwnUsers::from_iter([9001])));
    let door = Door {
        secrets: vec![SecretString::from(SECRET), SecretString::from("the next one")],
        account_id: Some(22_129_848),
        replay_window: MINUTES,
        star_tags: vec!["star_submitted".into()],
        own,
        wake: Arc::default(),
    };
    let doors = Doors::default();
    doors.replace(BTreeMap::from([("global".to_owned(), door)]));
    let receiver = Receiver { doors, store, settle_delay: Duration::ZERO };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router(receiver)).await });
    Open { address, http: reqwest::Client::new(), folder }
}

impl Open {
    async fn signed(&self, secret: &str, at: DateTime<Utc>, body: Vec<u8>, headers: &[(&str, &str)]) -> (u16, Value) {
        let at = timestamp(at);
        let signature = sign(&SecretString::from(secret), &at, &body);
        let mut all = vec![
            ("X-Zendesk-Webhook-Signature", signature.as_str()),
            ("X-Zendesk-Webhook-Signature-Timestamp", at.as_str()),
        ];
        all.extend_from_slice(headers);
        self.post("global", body, &all).await
    }

    async fn post(&self, account: &str, body: Vec<u8>, headers: &[(&str, &str)]) -> (u16, Value) {
        let mut call = self.http.post(format!("http://{}/webhooks/zendesk/{account}", self.address)).body(body);
        for (name, value) in headers {
            call = call.header(*name, *value);
        }
        let answer = call.send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }

    async fn deliver(&self, body: &Value) -> (u16, Value) {
        self.signed(SECRET, Utc::now(), body.to_string().into_bytes(), &[]).await
    }
}

fn event(id: &str, ticket: u64, tags: Value) -> Value {
    json!({ "type": "zen:event-type:ticket.tags_changed", "account_id": 22129848, "id": id, "time": "2026-11-24T10:00:00.123456789Z", "subject": format!("zen:ticket:{ticket}"),
        "detail": { "id": ticket.to_string(), "tags": tags, "priority": null, "status": "OPEN" }, "event": {} })
}

#[tokio::test]
async fn a_delivery_is_taken_once() {
    let (open, store) = open().await;
    let starred = || json!(["star_submitted"]);
    let (accepted, duplicate) = ((200, json!({ "status": "accepted" })), (200, json!({ "status": "duplicate" })));
    assert_eq!(open.deliver(&event("e1", 1, starred())).await, accepted);
    assert_eq!(open.deliver(&event("e1", 1, starred())).await, duplicate, "known by its event id");
    let again = [("X-Zendesk-Webhook-Invocation-Id", "i1")];
    let body = || event("e2", 1, starred()).to_string().into_bytes();
    assert_eq!(open.signed(SECRET, Utc::now(), body(), &again).await, accepted);
    let other_event = event("e3", 1, starred()).to_string().into_bytes();
    assert_eq!(
        open.signed("the next one", Utc::now(), other_event, &again).await,
        duplicate,
        "known by its invocation id, before its event id"
    );
    for id in [json!(7), json!("7"), json!(" 7 ")] {
        assert_eq!(
            open.deliver(&json!({ "ticket_id": id, "subject": "anything" })).await,
            accepted,
            "a trigger has no id of its own"
        );
    }
    let history =
        store.history(&TicketKey { account: "global".into(), id: 7 }).await.expect("a store").expect("a ticket");
    assert_eq!(history.deliveries.len(), 3);
}

#[tokio::test]
async fn what_a_sender_calls_things_is_kept_within_bounds() {
    let (open, store) = open().await;
    let long = |end: &str| format!("{}{end}", "x".repeat(100_000));
    let said = |id: &str| {
        let mut said = event(id, 1, json!(["star_submitted"]));
        said["type"] = json!(format!("zen:event-type:ticket.{}", long("")));
        said
    };
    assert_eq!(open.deliver(&said(&long("a"))).await.1["status"], "accepted");
    assert_eq!(open.deliver(&said(&long("b"))).await.1["status"], "accepted", "another, though it begins alike");
    assert_eq!(open.deliver(&said(&long("a"))).await.1["status"], "duplicate");
    let history =
        store.history(&TicketKey { account: "global".into(), id: 1 }).await.expect("a store").expect("a ticket");
    assert!(history.deliveries.iter().all(|kept| kept.kind.len() == 100), "{history:?}");
}

#[tokio::test]
async fn what_is_not_ours_is_ignored() {
    let (open, _store) = open().await;
    let (status, body) = open.deliver(&event("e1", 1, json!(["other"]))).await;
    assert_eq!(
        (status, &body["status"], &body["reason"]),
        (200, &json!("ignored"), &json!("the ticket is not starred"))
    );
    assert_eq!(
        open.deliver(&event("e2", 1, Value::Null)).await.1["status"],
        "accepted",
        "tags may be null, and then it may be ours"
    );
    assert_eq!(
        open.deliver(&event("e3", 1, json!([]))).await.1["status"],
        "accepted",
        "a watched ticket may lose its star"
    );
    let mut own = event("e4", 2, json!(["star_submitted"]));
    own["detail"]["actor_id"] = json!("9001");
    assert_eq!(open.deliver(&own).await.1, json!({ "status": "ignored", "reason": "our own change is no news" }));
    let user =
        json!({ "type": "zen:event-type:user.created", "account_id": 22129848, "id": "e5", "detail": { "id": "3" } });
    assert_eq!(open.deliver(&user).await.1["status"], "ignored");
}

#[test]
fn a_signature_is_good_for_its_window_and_no_longer() {
    let (at, body) = ("2026-11-26T12:00:00Z", b"{}");
    let secrets = [SecretString::from(SECRET)];
    let signature = sign(&secrets[0], at, body);
    let signed: chrono::DateTime<Utc> = at.parse().expect("an instant");
    for (milliseconds, good) in [
        (0, true),
        (300_000, true),
        (-300_000, true),
        (300_001, false),
        (-300_001, false),
        (i64::from(i32::MAX), false),
    ] {
        let now = signed + TimeDelta::milliseconds(milliseconds);
        let window = MINUTES;
        let verified = verify(Some(&signature), Some(at), body, &secrets, window, now);
        assert_eq!(verified.is_ok(), good, "{milliseconds} ms: {verified:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_trusted_is_refused() {
    let (open, _store) = open().await;
    let body = || event("e1", 1, json!(["star_submitted"])).to_string().into_bytes();
    let now = Utc::now();
    let at = timestamp(now);
    let signature = sign(&SecretString::from(SECRET), &at, &body());
    let hex: String = signature.bytes().map(|byte| format!("{byte:02x}")).collect();
    let rows: [(&str, Vec<(&str, &str)>); 4] = [
        ("no header", vec![]),
        ("no timestamp", vec![("X-Zendesk-Webhook-Signature", &signature)]),
        ("hex", vec![("X-Zendesk-Webhook-Signature", &hex), ("X-Zendesk-Webhook-Signature-Timestamp", &at)]),
        (
            "another time",
            vec![
                ("X-Zendesk-Webhook-Signature", &signature),
                ("X-Zendesk-Webhook-Signature-Timestamp", "2026-01-01T00:00:00Z"),
            ],
        ),
    ];
    for (name, headers) in rows {
        assert_eq!(open.post("global", body(), &headers).await.0, 401, "{name}");
    }
    for (name, secret, at) in [
        ("an unknown secret", "guessed", now),
        ("the published test secret", TEST_SECRET, now),
        ("too old", SECRET, now - TimeDelta::seconds(310)),
        ("in the future", SECRET, now + TimeDelta::seconds(310)),
    ] {
        let (status, answer) = open.signed(secret, at, body(), &[]).await;
        assert_eq!(status, 401, "{name}: {answer}");
        assert!(!answer.to_string().contains(secret), "{name}: no secret is shown");
    }
    let mut other = event("e2", 1, json!(["star_submitted"]));
    other["account_id"] = json!(1);
    assert_eq!(open.deliver(&other).await.0, 401, "another helpdesk account");
    let user = json!({ "type": "zen:event-type:user.created", "account_id": 1, "id": "e3", "detail": { "id": "3" } });
    assert_eq!(open.deliver(&user).await.0, 401, "another helpdesk account, whatever it speaks of");
    let trigger = br#"{"ticket_id": 1}"#.to_vec();
    assert_eq!(
        open.signed(SECRET, now, trigger, &[("X-Zendesk-Account-Id", "1")]).await.0,
        401,
        "another account by its header"
    );
    // An account that is not here is answered like one that is: names cannot be tried.
    for headers in [
        vec![],
        vec![
            ("X-Zendesk-Webhook-Signature", &*signature),
            ("X-Zendesk-Webhook-Signature-Timestamp", "2026-01-01T00:00:00Z"),
        ],
    ] {
        let (here, nowhere) =
            (open.post("global", body(), &headers).await, open.post("nobody", body(), &headers).await);
        assert_eq!((here.0, here), (401, nowhere));
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_told_in_a_sentence() {
    let (open, _store) = open().await;
    for (body, says) in [
        (&b"{\"ticket_id\": 1, \"subject\": \"say \"hi\"\"}"[..], "is not JSON"),
        (b"", "is not JSON"),
        (b"{\"ticket_id\": {{ticket.number}}}", "is not JSON"),
    ] {
        let (status, answer) = open.signed(SECRET, Utc::now(), body.to_vec(), &[]).await;
        let error = answer["error"].as_str().unwrap_or_default();
        assert!(status == 400 && error.contains(says), "{}: {status} {answer}", String::from_utf8_lossy(body));
    }
    // What the helpdesk's test button sends is no failure of ours, which `doctor` would see for a week.
    for body in [
        &b"{}"[..],
        b"[]",
        b"{\"ticket_id\": \"\"}",
        b"{\"ticket_id\": -1}",
        b"{\"ticket_id\": 0}",
        b"{\"ticket_id\": 9223372036854775808}",
        b"{\"ticket_id\": \"9223372036854775808\"}",
        b"{\"ticket_id\": \"{{ticket.id}}\"}",
        b"{\"ticket_id\": {{ticket.id}}}",
        b"{\"type\": \"zen:event-type:ticket.created\", \"detail\": {}}",
    ] {
        let (status, answer) = open.signed(SECRET, Utc::now(), body.to_vec(), &[]).await;
        let ignored =
            answer["status"] == "ignored" && answer["reason"].as_str().unwrap_or_default().contains("names no ticket");
        assert!(status == 200 && ignored, "{}: {status} {answer}", String::from_utf8_lossy(body));
        assert_eq!(open.post("global", body.to_vec(), &[]).await.0, 401, "unsigned it stays refused");
    }
    let large = vec![b' '; (1 << 20) + 1];
    assert_eq!(open.signed(SECRET, Utc::now(), large, &[]).await.0, 413);
    let mut just_right = br#"{"ticket_id": 1}"#.to_vec();
    just_right.resize(1 << 20, b' ');
    assert_eq!(open.signed(SECRET, Utc::now(), just_right, &[]).await.0, 200);
}

#[tokio::test]
async fn what_a_person_writes_whose_token_the_bot_uses_is_news() {
    let (open, _store) = open().await;
    for (body, status) in [("star: stop", "accepted"), ("No need.\n\nstarwarden · ref 7Q2FMHXA", "ignored")] {
        let mut told = event(body, 1, json!(["star_submitted"]));
        told["type"] = json!("zen:event-type:ticket.comment_added");
        told["detail"]["actor_id"] = json!("9001");
        told["event"] =
            json!({ "comment": { "id": "1", "body": body, "is_public": false, "author": { "id": "9001" } } });
        assert_eq!(open.deliver(&told).await.1["status"], status, "{body}");
    }
}

#[tokio::test]
async fn what_cannot_be_kept_is_asked_for_again() {
    let (open, _store) = open().await;
    let file = rusqlite::Connection::open(open.folder.path().join("star.db")).expect("the store's file");
    let full = "CREATE TRIGGER full BEFORE INSERT ON deliveries BEGIN SELECT RAISE(ABORT, 'the disk is full'); END";
    file.execute_batch(full).expect("a store that can keep nothing");
    let body = br#"{"ticket_id": 1}"#;
    let at = timestamp(Utc::now());
    let signature = sign(&SecretString::from(SECRET), &at, body);
    let call = open.http.post(format!("http://{}/webhooks/zendesk/global", open.address)).body(body.to_vec());
    let call =
        call.header("X-Zendesk-Webhook-Signature", signature).header("X-Zendesk-Webhook-Signature-Timestamp", at);
    let answer = call.send().await.expect("an answer");
    assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().expect("text")), (503, "5"));
}
