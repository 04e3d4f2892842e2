//! What others made, against ours: two client libraries on the stand-in helpdesk, the API's own description against every
//! call and every answer, and every event the helpdesk knows.
//!
//! `contract.json` holds facts of the published `OpenAPI` description, in a shape of our own: for each call its parameters and
//! the shape of its answer; for each shape its keys with their types, `?` where null stands there too.

use std::path::Path;
use std::process::Command;

use chrono::Utc;
use serde_json::{Value, json};
use starwarden::demo::helpdesk::{BOT_ID, Publicity};

use crate::support::contract::{answer_faults, call_faults, faults};
use crate::support::tools::{library, run, tool};
use crate::support::{Desk, desk, serve, serve_in, ticket};

/// Catches up every second.
const CATCH_UP: (&str, &str) = ("STARWARDEN__ACCOUNTS__GLOBAL__CATCH_UP_EVERY", "1s");

fn script(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(name)
}

/// A helpdesk with one starred ticket that has 150 comments.
fn filled() -> Desk {
    let desk = desk();
    desk.helpdesk.add(ticket(1, &[]));
    for number in 0..149 {
        desk.helpdesk.say(1, 7001, &format!("internal {number}"), Publicity::Internal);
    }
    desk.helpdesk.say(1, 5001, "Thank you & <goodbye>", Publicity::Public);
    desk
}

#[test]
fn zenpy_finds_the_helpdesk_it_expects() {
    let desk = filled();
    let python = tool("python", "zenpy==2.0.57");
    let said = run(Command::new(python).arg(script("by_zenpy.py")).arg(&desk.url));
    assert!(said.contains("zenpy is content"), "{said}");
}

#[test]
fn node_zendesk_finds_the_helpdesk_it_expects() {
    let desk = filled();
    let library = library("node-zendesk", "6.0.1");
    let said = run(Command::new("node").arg(script("by_node_zendesk.cjs")).arg(&desk.url).arg(library));
    assert!(said.contains("node-zendesk is content"), "{said}");
}

#[test]
fn the_contract_finds_what_is_amiss() {
    for (value, kind, found) in [
        (json!({ "name": "lr", "count": 1 }), "Tag", 0),
        (json!({ "name": 1, "count": 1 }), "Tag", 1),
        (json!({ "name": null, "count": 1 }), "Tag", 1),
        (json!({ "name": "lr" }), "Tag", 1),
        (json!({ "name": "lr", "count": 1, "colour": "red" }), "Tag", 1),
        (json!("lr"), "Tag", 3),
        (json!(null), "Tag?", 0),
        (json!([1, "2"]), "list of integer", 1),
    ] {
        assert_eq!(faults("it", &value, kind).len(), found, "{value} as {kind}");
    }
}

/// Runs the binary beside a desk.
fn starwarden(arguments: &[&str], config: &Path) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_starwarden"))
        .args(arguments)
        .arg("--config")
        .arg(config)
        .current_dir(config.parent().expect("a folder"))
        .output()
        .expect("the binary");
    (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[test]
fn every_call_of_the_bot_is_one_that_the_api_has() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    desk.helpdesk.add_webhook(json!({ "name": "by hand", "endpoint": "https://elsewhere.example.com", "http_method": "POST", "request_format": "json", "subscriptions": ["conditional_ticket_events"] }));
    let mut reading = ticket(1, &["purchased_wrong_product"]);
    reading.ticket.organization_id = Some(3001);
    desk.helpdesk.add(reading);
    let bot = serve_in(&desk, folder.path(), "", &[CATCH_UP]);
    bot.notes(&desk, 1, 1);
    desk.helpdesk.change(1, |reading| reading.ticket.tags.retain(|tag| tag != "star_wait_for_sales"));
    bot.deliver(&json!({ "ticket_id": 1 }), &[]);
    bot.at_rest(&desk, 1);
    let config = folder.path().join("starwarden.toml");
    let text = std::fs::read_to_string(&config).expect("it");
    std::fs::write(&config, text.replace("[server]", "[server]\npublic_url = \"https://star.example.com\""))
        .expect("a file");
    desk.helpdesk.add_invocation(&json!({ "id": "i1", "status": "client error", "answered": 401 }));
    for arguments in [
        &["setup", "--account", "global", "--apply"][..],
        &["setup", "--account", "global", "--events", "--apply"],
        &["setup", "--account", "global", "--apply"],
        &["doctor"],
        &["setup", "--account", "global", "--remove", "--apply"],
        &["backtest", "--fetch", "global", "--since", "2026-01-01"],
    ] {
        let (code, said) = starwarden(arguments, &config);
        assert!(code == Some(0) || arguments == ["doctor"], "{arguments:?}: {said}");
    }
    let calls = desk.helpdesk.calls();
    assert!(
        calls.iter().any(|call| call.path.contains("/incremental/"))
            && calls.iter().any(|call| call.path.contains("/attempts"))
    );
    for call in &calls {
        let found = call_faults(&call.method, &call.path, &call.query, &call.body);
        assert!(found.is_empty(), "{found:?}");
    }
}

#[test]
fn every_answer_of_the_stand_in_is_one_that_the_api_gives() {
    let desk = filled();
    desk.helpdesk.say_as_given(1, json!({ "author_id": -1, "public": false }));
    desk.helpdesk.say_as_given(1, json!({ "type": "VoiceComment", "author_id": 7001, "public": true, "body": "Call from: +1", "plain_body": "Call from: +1" }));
    let webhook = desk.helpdesk.add_webhook(json!({ "name": "one", "endpoint": "https://star.example.com", "http_method": "POST", "request_format": "json", "subscriptions": ["conditional_ticket_events"] }));
    let webhook = webhook["id"].as_str().expect("an id");
    desk.helpdesk.add_trigger(json!({ "title": "one", "conditions": { "all": [], "any": [] }, "actions": [] }));
    desk.helpdesk.add_invocation(&json!({ "id": "i1", "status": "success" }));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let http = reqwest::Client::new();
    let invocations = format!("/api/v2/webhooks/{webhook}/invocations");
    for (path, query) in [
        ("/api/v2/tickets", ""),
        ("/api/v2/tickets.json", "per_page=1"),
        ("/api/v2/tickets/1", "include=users,organizations,comment_count"),
        ("/api/v2/tickets/1.json", ""),
        ("/api/v2/tickets/1/comments", "include=users&page[size]=7&sort=-created_at"),
        ("/api/v2/tickets/1/comments.json", "sort_order=desc&per_page=7"),
        ("/api/v2/tickets/1/audits", ""),
        ("/api/v2/tickets/1/tags", ""),
        ("/api/v2/users", ""),
        ("/api/v2/users/me.json", ""),
        ("/api/v2/users/7001", ""),
        ("/api/v2/search", "query=tags:star_submitted"),
        ("/api/v2/search/export", "query=tags:star_submitted&filter[type]=ticket&page[size]=1"),
        ("/api/v2/incremental/tickets/cursor.json", "start_time=1"),
        ("/api/v2/ticket_forms", ""),
        ("/api/v2/ticket_fields", "page[size]=1"),
        ("/api/v2/tags", ""),
        ("/api/v2/triggers", ""),
        ("/api/v2/webhooks", ""),
        (&invocations, ""),
    ] {
        let call = http.get(format!("{}{path}?{query}", desk.url)).bearer_auth("demo-token");
        let answer: Value =
            runtime.block_on(async { call.send().await.expect("an answer").json().await.expect("JSON") });
        let found = answer_faults("GET", path, &answer);
        assert!(found.is_empty(), "{found:?}");
        let by_cursor = query.contains("page[") || path.contains("webhooks");
        assert_eq!(answer["meta"].is_object(), by_cursor && !path.contains("incremental"), "{path} {query}");
    }
}

#[test]
fn every_event_that_the_helpdesk_knows_wakes_its_ticket_in_whatever_shape() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    let kinds: Vec<Value> =
        include_str!("events.ndjson").lines().map(|line| serde_json::from_str(line).expect("an event")).collect();
    assert!(kinds.len() >= 36);
    for (at, told) in kinds.iter().enumerate() {
        let kind = told["kind"].as_str().expect("a kind");
        for (shape, (id, nothing)) in [(json!("1"), Value::Null), (json!(1), json!({}))].into_iter().enumerate() {
            let body = json!({ "type": format!("zen:event-type:ticket.{kind}"), "account_id": 22129848, "id": format!("{kind} {shape}"),
                "time": if shape == 0 { json!("2026-11-26T10:00:00.123456789Z") } else { Value::Null }, "zendesk_event_version": "2022-11-06",
                "subject": "zen:ticket:1", "event": if shape == 0 { told["event"].clone() } else { nothing.clone() },
                "detail": { "actor_id": if shape == 0 { json!("5001") } else { json!(5001) }, "assignee_id": nothing, "brand_id": nothing,
                    "created_at": Utc::now(), "custom_status": nothing, "description": nothing, "external_id": nothing, "form_id": nothing,
                    "group_id": nothing, "id": id, "is_public": true, "organization_id": nothing, "priority": nothing, "requester_id": nothing,
                    "status": "OPEN", "subject": nothing, "submitter_id": nothing,
                    "tags": if shape == 0 { json!(["star_submitted", "lr"]) } else { Value::Null }, "type": nothing, "updated_at": Utc::now(),
                    "via": { "channel": "web_service" } } });
            let (status, answer) = bot.deliver(&body, &[]);
            assert_eq!((status, &answer["status"]), (200, &json!("accepted")), "{at} {kind}, shape {shape}: {answer}");
        }
    }
    let own = json!({ "type": "zen:event-type:ticket.tags_changed", "id": "own", "detail": { "id": "1", "actor_id": BOT_ID.to_string() } });
    bot.at_rest(&desk, 1);
    assert_eq!(bot.deliver(&own, &[]).1["status"], "ignored", "what the bot does itself is no news");
}
