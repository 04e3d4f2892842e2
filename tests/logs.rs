//! The log: JSON lines that tell a ticket's whole way by its id, and nothing of what customers wrote.

use std::path::Path;

use serde_json::Value;

use crate::support::{desk, event, serve_in, ticket, wait_for};

/// The lines so far, each as JSON.
fn lines(folder: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join("log")).expect("the log");
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[test]
fn one_id_finds_a_tickets_way_from_delivery_to_note() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve_in(&desk, folder.path(), "", &[("RUST_LOG", "starwarden=info,warn")]);
    for id in [1, 2] {
        desk.helpdesk.add(ticket(id, &["purchased_wrong_product"]));
        let invocation = format!("invocation-{id}");
        let headers = [("X-Zendesk-Webhook-Invocation-Id", invocation.as_str())];
        for _ in 0..2 {
            assert_eq!(bot.deliver(&event(&format!("e{id}"), id, "tags_changed"), &headers).0, 200);
        }
        bot.notes(&desk, id, 1);
    }
    let way = wait_for("the end of the look", || {
        let ours = |line: &Value| line["span"]["ticket"] == "global/1";
        let way: Vec<Value> = lines(folder.path()).into_iter().filter(ours).collect();
        way.iter().any(|line| line["fields"]["message"] == "looked").then_some(way)
    });
    let said: Vec<(&str, &str)> = way
        .iter()
        .map(|line| (line["span"]["name"].as_str().unwrap_or(""), line["fields"]["message"].as_str().unwrap_or("")))
        .collect();
    for step in [
        ("delivery", "a delivery was accepted"),
        ("delivery", "a delivery came again"),
        ("look", "note and tags are written"),
        ("look", "looked"),
    ] {
        assert!(said.contains(&step), "{step:?} is not in {said:?}");
    }
    assert!(way.iter().any(|line| line["span"]["delivery"] == "invocation-1"), "the helpdesk's own id: {way:?}");
    let all = std::fs::read_to_string(folder.path().join("log")).expect("the log");
    assert!(!all.contains("Please help"), "a customer's words: {all}");
}
