//! Streams of lines.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use starwarden::commands::each;
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
    each::decide(policy, now(), &mut text.as_bytes(), &mut out).expect("lines");
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
