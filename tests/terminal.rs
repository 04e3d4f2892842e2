//! What customers, agents, arguments and file names say is never an order to a terminal.

use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use serde_json::json;
use starwarden::commands::terminal::visible;

use crate::support::{BINDING, CHART};

/// Orders: a title, a colour, a bell, a cursor, C1 in its two-byte form, text turned round.
const ORDERS: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{8}\u{9b}31m\u{202e}\u{2066}\u{200f}\u{85}\u{7f}\r!";

/// Whether a terminal would obey something in it.
fn orders(text: &str) -> Vec<char> {
    let obeyed = |it: &char| {
        (it.is_control() && !matches!(it, '\n' | '\t'))
            || matches!(it, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.replace("\r\n", "\n").chars().filter(obeyed).collect()
}

#[test]
fn what_a_terminal_would_obey_is_shown() {
    for (text, shown) in [
        ("plain, ünïcödé 🦊 … 日本\n\tand a line\r\n", "plain, ünïcödé 🦊 … 日本\n\tand a line\r\n"),
        ("\u{1b}[31m", "\\u001b[31m"),
        ("a\rb", "a\\u000db"),
        ("\u{9b}1m", "\\u009b1m"),
        ("\u{202e}gnp.exe", "\\u202egnp.exe"),
        ("\u{2067}\u{61c}\u{200e}", "\\u2067\\u061c\\u200e"),
        ("\u{0}\u{7f}", "\\u0000\\u007f"),
        ("é ± Ø ؛ ‘quoted’ – €", "é ± Ø ؛ ‘quoted’ – €"),
    ] {
        assert_eq!(visible(text), shown);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn nothing_is_obeyed_and_json_stays_what_it_is(text in any::<String>()) {
        prop_assert_eq!(orders(&visible(&text)), Vec::<char>::new());
        let written = json!({ "text": text }).to_string();
        let read: serde_json::Value = serde_json::from_str(&visible(&written)).expect("JSON");
        prop_assert_eq!(&read["text"], &json!(text));
    }
}

/// What a verb says on both streams.
fn said(folder: &Path, arguments: &[&str]) -> String {
    let done = Command::new(env!("CARGO_BIN_EXE_starwarden"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the binary");
    format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr))
}

#[test]
fn no_verb_hands_orders_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a file");
    file("star.toml", BINDING);
    file("star.mmd", CHART);
    std::fs::create_dir(folder.path().join("examples")).expect("a folder");
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/policy/examples");
    for entry in std::fs::read_dir(examples).into_iter().flatten().flatten() {
        std::fs::copy(entry.path(), folder.path().join("examples").join(entry.file_name())).expect("a copy");
    }
    let said_by = |who: u64| json!({ "id": 2, "author_id": who, "body": format!("{ORDERS} our licence ended on 3 Nov 2026 {ORDERS}"), "public": who == 5001, "created_at": "2026-11-24T10:00:00Z" });
    let ticket = json!({ "id": 1, "subject": ORDERS, "description": format!("Please extend our trial. {ORDERS}"), "status": "open",
        "requester_id": 5001, "tags": ["star_submitted", "lr", format!("tag{ORDERS}")], "ticket_form_id": 360000071293_u64, "created_at": "2026-11-24T09:00:00Z", "updated_at": "2026-11-24T10:00:00Z" });
    let line = json!({ "id": ORDERS, "ticket": ticket, "comments": [said_by(5001), said_by(7001)],
        "users": [{ "id": 5001, "name": ORDERS, "role": "end-user" }, { "id": 7001, "name": ORDERS, "role": "agent" }] });
    file("ticket.json", &line.to_string());
    file("tickets.jsonl", &format!("{line}\n{{\"id\": \"{0}\", broken {0}\n", "\u{9b}\u{202e}"));
    let broken = format!("bro{ORDERS}ken.toml").replace('/', "");
    file(&broken, &format!("key{ORDERS} = 1\n"));
    for arguments in [
        &["decide", "--policy", "star.toml", "--ticket", "ticket.json"][..],
        &["decide", "--policy", "star.toml", "--ticket", "ticket.json", "--format", "json"],
        &["decide", "--policy", "star.toml", "--each", "tickets.jsonl", "--facts"],
        &["decide", "--policy", "star.toml", "--ticket", ORDERS],
        &["decide", "--policy", "star.toml", "--fact", ORDERS],
        &["backtest", "tickets.jsonl", "--policy", "star.toml"],
        &["backtest", "tickets.jsonl", "--policy", "star.toml", "--format", "json"],
        &["backtest", ORDERS, "--policy", "star.toml"],
        &["check", "--policy", &broken],
        &["check", "--config", &broken],
        &["diagram", &broken],
        &["tickets", "show", ORDERS, "--config", &broken],
        &["tickets", ORDERS],
        &[ORDERS],
    ] {
        let said = said(folder.path(), arguments);
        assert!(!said.is_empty() && orders(&said).is_empty(), "{arguments:?}: {:?} in {said:?}", orders(&said));
    }
}
