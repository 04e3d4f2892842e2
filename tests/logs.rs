//! The log: JSON lines that tell a ticket's whole way by its id, and nothing of what customers wrote.

#[cfg(feature = "otlp")]
use std::io::{BufRead, BufReader, Read, Write};
#[cfg(feature = "otlp")]
use std::net::TcpListener;
use std::path::Path;
#[cfg(feature = "otlp")]
use std::sync::{Arc, Mutex};

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

#[test]
fn the_databases_driver_tells_no_values_whatever_the_level() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let url = runtime.block_on(crate::support::postgres::shared().database());
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve_in(&desk, folder.path(), "", &[("RUST_LOG", "trace"), ("STARWARDEN__STORE__URL", &url)]);
    desk.helpdesk.add(ticket(1, &["purchased_wrong_product"]));
    assert_eq!(bot.deliver(&event("e1", 1, "tags_changed"), &[]).0, 200);
    bot.notes(&desk, 1, 1);
    wait_for("the end of the look", || {
        lines(folder.path()).iter().any(|line| line["fields"]["message"] == "looked").then_some(())
    });
    for line in lines(folder.path()) {
        let (target, level) = (line["target"].as_str().unwrap_or_default(), line["level"].as_str().unwrap_or_default());
        assert!(target.starts_with("starwarden") || !["DEBUG", "TRACE"].contains(&level), "{line}");
    }
    let all = std::fs::read_to_string(folder.path().join("log")).expect("the log");
    assert!(!all.contains("INSERT INTO") && !all.contains("Please help"), "a statement's values");
}

#[cfg(not(feature = "otlp"))]
#[test]
fn a_build_without_traces_says_so_where_a_collector_is_named() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let environment = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"), ("RUST_LOG", "starwarden=info")];
    let _bot = serve_in(&desk, folder.path(), "", &environment);
    wait_for("the warning", || {
        let told = |line: &Value| line["fields"]["message"].as_str().is_some_and(|it| it.contains("--features otlp"));
        lines(folder.path()).iter().any(told).then_some(())
    });
}

/// A collector on a port of its own: takes whatever is posted to /v1/traces.
#[cfg(feature = "otlp")]
fn collector() -> (String, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let taken = Arc::new(Mutex::new(Vec::new()));
    let kept = taken.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(&stream);
            let (mut head, mut length) = (String::new(), 0);
            while reader.read_line(&mut head).is_ok_and(|read| read > 2) {
                let line = head.lines().last().unwrap_or_default().to_lowercase();
                length = line.strip_prefix("content-length:").map_or(length, |it| it.trim().parse().expect("a number"));
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).expect("a body");
            assert!(head.starts_with("POST /v1/traces"), "{head}");
            kept.lock().expect("nobody failed").extend(body);
            let _gone = (&stream).write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    (url, taken)
}

#[cfg(feature = "otlp")]
#[test]
fn a_collector_gets_the_way_as_traces() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let (url, taken) = collector();
    let environment = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ("RUST_LOG", "starwarden=info"),
    ];
    let mut bot = serve_in(&desk, folder.path(), "", &environment);
    desk.helpdesk.add(ticket(1, &["purchased_wrong_product"]));
    assert_eq!(bot.deliver(&event("e1", 1, "tags_changed"), &[]).0, 200);
    bot.notes(&desk, 1, 1);
    assert_eq!(bot.stop(), Some(0), "what is left is sent at the end");
    let sent = taken.lock().expect("nobody failed").clone();
    let holds = |text: &str| sent.windows(text.len()).any(|window| window == text.as_bytes());
    for told in ["service.name", "starwarden", "delivery", "look", "write", "global/1", "note and tags are written"] {
        assert!(holds(told), "{told} is not in {}", String::from_utf8_lossy(&sent));
    }
    assert!(!holds("Please help"), "a customer's words");
}
