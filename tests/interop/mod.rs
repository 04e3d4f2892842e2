//! What others made, against ours: two client libraries on the stand-in helpdesk, the API's own description against every
//! call and every answer, and every event the helpdesk knows.
//!
//! `contract.json` holds facts of the published `OpenAPI` description, in a shape of our own: for each call its parameters and
//! the shape of its answer; for each shape its keys with their types, `?` where null stands there too.

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use chrono::Utc;
use serde_json::{Value, json};
use starwarden::demo::helpdesk::{BOT_ID, Publicity};

use crate::support::tools::{library, run, tool};
use crate::support::{Desk, desk, serve, serve_in, ticket};

/// Catches up every second.
const CATCH_UP: (&str, &str) = ("STARWARDEN__ACCOUNTS__GLOBAL__CATCH_UP_EVERY", "1s");

static CONTRACT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("contract.json")).expect("the contract"));

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

/// The contract's entry of a call, with `{n}` where a number or an id stands.
fn entry(method: &str, path: &str) -> (String, &'static Value) {
    let path = path.trim_end_matches(".json");
    let parts: Vec<&str> = path.split('/').collect();
    let named = |(at, part): (usize, &&str)| {
        let id = at > 3
            && (part.bytes().all(|byte| byte.is_ascii_digit()) || part.starts_with("01STANDIN") || *part == "i1");
        if id { "{n}".to_owned() } else { (*part).to_owned() }
    };
    let path = parts.iter().enumerate().map(named).collect::<Vec<_>>().join("/");
    let key = format!("{method} {path}");
    let entry = &CONTRACT["calls"][&key];
    assert!(entry.is_object(), "the API has no {key}");
    (key, entry)
}

/// What in a value is not as the contract has it, each with its place.
fn faults(place: &str, value: &Value, kind: &str) -> Vec<String> {
    let (kind, nullable) = kind.strip_suffix('?').map_or((kind, false), |kind| (kind, true));
    if value.is_null() && nullable {
        return Vec::new();
    }
    if let Some(of) = kind.strip_prefix("list of ") {
        let Some(items) = value.as_array() else { return vec![format!("{place} is no list: {value}")] };
        return items.iter().enumerate().flat_map(|(at, item)| faults(&format!("{place}[{at}]"), item, of)).collect();
    }
    let fits = match kind {
        "any" => true,
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        shape => return of_shape(place, value, &CONTRACT["shapes"][shape]),
    };
    if fits { Vec::new() } else { vec![format!("{place} is no {kind}: {value}")] }
}

fn of_shape(place: &str, value: &Value, shape: &Value) -> Vec<String> {
    let (Some(members), Some(keys)) = (value.as_object(), shape.as_object()) else {
        return vec![format!("{place} is no object of the contract: {value}")];
    };
    members
        .iter()
        .flat_map(|(key, value)| match keys.get(key).and_then(Value::as_str) {
            Some(kind) => faults(&format!("{place}.{key}"), value, kind),
            None => vec![format!("{place}.{key} is unknown to the API")],
        })
        .collect()
}

#[test]
fn the_contract_finds_what_is_amiss() {
    for (value, kind, found) in [
        (json!({ "id": 1, "priority": null }), "Ticket", 0),
        (json!({ "id": "1" }), "Ticket", 1),
        (json!({ "id": null }), "Ticket", 1),
        (json!({ "colour": "red" }), "Ticket", 1),
        (json!({ "tags": ["a", 1] }), "Ticket", 1),
        (json!([]), "Ticket", 1),
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
    desk.helpdesk.add_invocation(json!({ "id": "i1", "status": "client error", "answered": 401 }));
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
        let (key, entry) = entry(&call.method, &call.path);
        let query: reqwest::Url = format!("http://localhost/?{}", call.query).parse().expect("a query");
        for (name, _) in query.query_pairs() {
            assert!(entry["query"].as_array().expect("names").contains(&json!(name)), "{key} has no parameter {name}");
        }
        let cursor = call.query.contains("page%5B") || call.query.contains("page[");
        assert!(!(cursor && call.query.contains("sort_order")), "{key}: sort_order belongs to pages by offset");
        if !call.body.is_null() {
            let found = of_shape("body", &call.body, &entry["body"]);
            assert!(found.is_empty(), "{key}: {found:?}");
        }
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
    desk.helpdesk.add_invocation(json!({ "id": "i1", "status": "success" }));
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
        let (key, entry) = entry("GET", path);
        let mut shape = entry["answer"].as_object().expect("a shape").clone();
        let paging = [
            ("meta", "object"),
            ("links", "object"),
            ("count", "integer"),
            ("next_page", "string?"),
            ("previous_page", "string?"),
        ];
        shape.extend(paging.map(|(name, kind)| (name.to_owned(), json!(kind))));
        let found: Vec<String> = of_shape("answer", &answer, &Value::Object(shape)).into_iter().take(5).collect();
        assert!(found.is_empty(), "{key} {query}: {found:?}");
        let by_cursor = query.contains("page[") || path.contains("webhooks");
        assert_eq!(answer["meta"].is_object(), by_cursor && !path.contains("incremental"), "{key} {query}");
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
