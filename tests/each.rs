//! Streams of lines: the quick way for stated facts says, byte for byte, what gathering and serde say.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};
use starwarden::commands::each;
use starwarden::decide::facts::gather;
use starwarden::decide::facts::sources::Ids;
use starwarden::decide::judge;
use starwarden::decide::line::{Decided, Line, Rule};
use starwarden::decide::policy::Policy;
use starwarden::decide::ticket::OwnUsers;

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

/// Some of the facts, most with an answer that is asked for and some with one that is not.
fn facts() -> impl Strategy<Value = Value> {
    let word = |words: &'static [&'static str]| proptest::option::weighted(0.7, proptest::sample::select(words));
    let date = proptest::sample::select(
        &[
            "2026-11-24T23:59:59Z",
            "2026-11-25T12:00:00Z",
            "2026-11-25T12:00:01Z",
            "2026-11-19",
            "2026-10-01",
            "2027-01-01",
            "30/11",
            "",
        ][..],
    );
    let yes_no: &[&str] = &["yes", "no", "yes", "no", "No", "perhaps"];
    let dates = proptest::collection::vec(proptest::option::weighted(0.6, date), 2);
    let words = proptest::collection::vec(word(yes_no), 5);
    let kinds: &[&str] = &["plan_license", "plan_license", "wrong_product", "force_reassociate"];
    let cases: &[&str] = &["saas_extension", "something \"else\"", "Ünlike"];
    (words, dates, word(kinds), word(cases)).prop_map(|(words, dates, request, workflow)| {
        json!({ "trial": words[0], "sales_assisted": words[1], "in_grace": words[2], "edge_case": words[3], "sales_intervened": words[4],
            "expires_at": dates[0], "grace_ends_at": dates[1], "request": request, "workflow": workflow })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn stated_facts_are_decided_as_gathered_ones_are(facts in facts(), id in "\\PC{0,12}") {
        let policy = star();
        let ids = Ids::new(&policy.binding, &Ids::default());
        let line = json!({ "id": id, "facts": facts });
        let parsed: Line = serde_json::from_value(line.clone()).expect("a line");
        let stated = parsed.stated(policy).expect("known facts");
        let judged = judge::ticket(policy, &ids, None, &[], &stated, &OwnUsers::none(), now());
        let slow = Decided { id: json!(id), decision: judged.decision.into(), problems: judged.problems };
        let expected = serde_json::to_string(&slow).expect("JSON");
        let mut written = Vec::new();
        slow.write(&mut written).expect("memory");
        prop_assert_eq!(String::from_utf8(written).expect("text"), expected.clone());
        let mut out = Vec::new();
        each::decide(policy, now(), &mut line.to_string().as_bytes(), &mut out).expect("a line");
        prop_assert_eq!(String::from_utf8(out).expect("text"), expected + "\n");
    }
}

#[test]
fn what_was_guessed_and_quoted_is_written_as_serde_writes_it() {
    let policy = star();
    let nothing = gather::facts(policy, &Ids::default(), None, &[], now()).facts;
    let rule = Rule { policy, ids: Ids::new(&policy.binding, &Ids::default()), unstated: policy.unstated(&nothing) };
    for sample in include_str!("cases/tickets.ndjson").lines() {
        let mut sample: Value = serde_json::from_str(sample).expect("a sample");
        sample["ticket"]["description"] =
            json!("Could you \"extend our trial\"\\ by\ta week? It is on a free plan now 部品");
        sample["facts"] = json!({ "nothing": null });
        let mut line: Line = serde_json::from_value(sample).expect("a line");
        let decided = line.decide(&rule, now()).expect("a decision");
        let mut written = Vec::new();
        decided.write(&mut written).expect("memory");
        assert_eq!(String::from_utf8(written).expect("text"), serde_json::to_string(&decided).expect("JSON"));
    }
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
