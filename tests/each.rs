//! Streams of lines.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use starwarden::commands::each;
use starwarden::decide::line::WithFacts;
use starwarden::decide::policy::Policy;

fn star() -> &'static Policy {
    static STAR: LazyLock<Policy> = LazyLock::new(|| {
        Policy::parse(include_str!("../config/policy/star.toml"), include_str!("../config/policy/star.mmd"))
            .expect("sound")
    });
    &STAR
}

fn now() -> DateTime<Utc> {
    "2026-11-24T12:00:00Z".parse().expect("an instant")
}

#[test]
fn lines_come_out_in_their_order_and_a_bad_one_stops_nothing() {
    let policy = star();
    let mut text = String::new();
    for id in 0..5000 {
        text.push_str(&match id % 7 {
            0 => format!("{{\"id\":\"{id}\",\"facts\":{{\"no_such\":\"yes\"}}}}\n"),
            1 => format!("{{\"id\":\"{id}\",\"ticket\":5}}\n\n"),
            _ => format!("{{\"id\":\"{id}\",\"facts\":{{\"trial\":\"yes\",\"sales_assisted\":\"no\"}}}}\n"),
        });
    }
    let mut out = Vec::new();
    each::decide(policy, now(), WithFacts::None, &mut text.as_bytes(), &mut out).expect("lines");
    let out = String::from_utf8(out).expect("text");
    assert_eq!(out.lines().count(), 5000);
    for (id, line) in out.lines().enumerate() {
        let decided: Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(decided["id"], json!(id.to_string()));
        match id % 7 {
            0 => assert_eq!(decided["error"], "the policy has no fact `no_such`"),
            1 => {
                assert!(decided["error"].as_str().expect("an error").starts_with("this line is not a ticket"), "{line}")
            }
            _ => assert_eq!(decided["verdict"], "no_need"),
        }
    }
}

#[test]
fn with_facts_every_fact_that_is_known_stands_beside_the_decision() {
    let line = json!({ "id": "a", "ticket": { "id": 1, "tags": ["star_submitted", "lr", "trial"], "description": "Our trial expired on 30 Nov 2026." } });
    let mut out = Vec::new();
    each::decide(star(), now(), WithFacts::All, &mut line.to_string().as_bytes(), &mut out).expect("a line");
    let decided: Value = serde_json::from_slice(&out).expect("JSON");
    let trial = &decided["facts"]["trial"];
    assert_eq!(
        (&trial["value"], &trial["trust"], &trial["source"]),
        (&json!("yes"), &json!("recorded"), &json!("tag trial"))
    );
    assert!(decided["facts"].get("in_grace").is_none(), "what nothing is known of is left out: {decided}");
}
