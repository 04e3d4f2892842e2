//! `backtest --fetch`: past tickets from the helpdesk into a file that `backtest` reads.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use axum::http::Method;
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use starwarden::decide::ticket::Reading;
use starwarden::demo::helpdesk::Publicity;
use starwarden::demo::troubles::{Canned, Trouble};

use crate::support::{Desk, desk, ticket, wait_for};

/// A configuration for a stand-in helpdesk.
fn configuration(desk: &Desk, folder: &Path) {
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/policy/star.toml");
    let text = format!(
        "[store]\nurl = \"sqlite:{}\"\n[policy]\nfile = \"{}\"\n[accounts.global]\nbase_url = \"{}\"\nwebhook_secrets = [\"s\"]\n\
         requests_per_minute = 6000\n[accounts.global.auth]\nclient_id = \"starwarden\"\nclient_secret = \"demo\"\n",
        folder.join("star.db").display(),
        policy.display(),
        desk.url
    );
    std::fs::write(folder.join("starwarden.toml"), text).expect("a file");
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_starwarden"));
    command.arg("backtest").args(arguments).args(["--config", "starwarden.toml"]).current_dir(folder);
    command
}

const FETCH: [&str; 6] = ["--fetch", "global", "--since", "2026-01-01", "-o", "past.ndjson"];

fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = command(folder, arguments).output().expect("the binary");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The ticket's number on a line of either shape.
fn number(line: &Value) -> u64 {
    line["ticket"]["id"].as_u64().or(line["id"].as_u64()).expect("a number")
}

/// A ticket that changed so many hours ago.
fn changed(id: u64, tags: &[&str], hours: i64) -> Reading {
    let mut reading = ticket(id, tags);
    reading.ticket.updated_at = Some(Utc::now() - TimeDelta::hours(hours));
    reading
}

#[test]
fn tickets_come_with_what_is_known_besides_and_can_be_decided_again() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    configuration(&desk, folder.path());
    let mut known = changed(1, &["trial"], 5);
    known.ticket.organization_id = Some(9);
    let organization = json!({ "id": 9, "name": "Acme", "organization_fields": { "expiration_date": "2026-11-24" } });
    known.organization = Some(serde_json::from_value(organization).expect("an organisation"));
    desk.helpdesk.add(known);
    desk.helpdesk.say(1, 7001, "star: sales_assisted=no", Publicity::Internal);
    let mut elsewhere = changed(2, &[], 4);
    elsewhere.ticket.tags = vec!["billing".into()];
    desk.helpdesk.add(elsewhere);
    desk.helpdesk.inject(Trouble::Limited(1));
    let (code, out, errors) = run(folder.path(), &FETCH[..4]);
    assert_eq!(code, Some(0), "{errors}");
    let fetched = lines(&out);
    assert_eq!(fetched.len(), 2, "{out}");
    let starred = fetched.iter().find(|line| number(line) == 1).expect("the starred one");
    assert_eq!(starred["organization"]["name"], "Acme");
    assert_eq!(starred["comments"][0]["body"], "star: sales_assisted=no");
    assert!(starred["users"].as_array().is_some_and(|users| users.iter().any(|user| user["name"] == "Ann Agent")));
    let other = fetched.iter().find(|line| number(line) == 2).expect("the other one");
    assert_eq!((&other["tags"], &other["comments"]), (&json!(["billing"]), &Value::Null), "its comments are not ours");
    let asked = desk.helpdesk.calls().iter().filter(|call| call.path.contains("/tickets/2")).count();
    assert_eq!((asked, desk.helpdesk.violations()), (0, 0), "a 429 is waited for");

    std::fs::write(folder.path().join("past.ndjson"), out).expect("a file");
    let (code, out, errors) = run(folder.path(), &["past.ndjson", "--format", "json"]);
    assert_eq!(code, Some(0), "{errors}");
    let all: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(all["summary"]["tally"]["verdicts"], json!({ "no_need": 1, "not_applicable": 1 }));
}

#[test]
fn an_interrupted_fetch_goes_on_where_it_was_and_has_every_ticket_once() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    configuration(&desk, folder.path());
    (1..=5_u8).for_each(|id| desk.helpdesk.add(changed(u64::from(id), &["trial"], 9 - i64::from(id))));
    desk.helpdesk.export_by(3);
    let file = folder.path().join("past.ndjson");
    // The second page is ten requests a minute away: time to be killed in.
    let mut first = command(folder.path(), &FETCH).stderr(Stdio::null()).spawn().expect("the binary");
    let beside = folder.path().join("past.ndjson.cursor");
    wait_for("the first page", || std::fs::read_to_string(&beside).ok().filter(|text| !text.contains("null")));
    first.kill().expect("a running fetch");
    let _status = first.wait();
    assert_eq!(lines(&std::fs::read_to_string(&file).expect("a file")).len(), 3);
    // Of the next page one line was written, and half of another.
    let mut half = std::fs::OpenOptions::new().append(true).open(&file).expect("a file");
    half.write_all(b"{\"ticket\":{\"id\":4},\"comments\":[]}\n{\"ticket\":{\"id\":5},\"comm").expect("written");

    let (code, _, errors) = run(folder.path(), &FETCH);
    assert_eq!(code, Some(0), "{errors}");
    let numbers: Vec<u64> = lines(&std::fs::read_to_string(&file).expect("a file")).iter().map(number).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
    let calls = desk.helpdesk.calls().len();
    assert_eq!(run(folder.path(), &FETCH).0, Some(0));
    assert_eq!(desk.helpdesk.calls().len(), calls, "it is whole, and nothing is asked");

    let (code, _, errors) = run(folder.path(), &["--fetch", "global", "--since", "2026-02-01", "-o", "past.ndjson"]);
    assert_eq!(code, Some(1));
    assert!(errors.contains("is of account global since 2026-01-01"), "{errors}");
    std::fs::write(folder.path().join("mine.txt"), "not a fetch's\n").expect("a file");
    let (code, _, errors) = run(folder.path(), &["--fetch", "global", "--since", "2026-02-01", "-o", "mine.txt"]);
    assert_eq!(code, Some(1));
    assert!(errors.contains("no fetch began it"), "{errors}");
    assert_eq!(std::fs::read_to_string(folder.path().join("mine.txt")).expect("a file"), "not a fetch's\n");
}

#[test]
fn what_cannot_be_fetched_is_one_sentence_and_keeps_what_is_there() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    configuration(&desk, folder.path());
    desk.helpdesk.inject(Trouble::ReadStatus(403));
    let (code, _, errors) = run(folder.path(), &FETCH);
    assert_eq!(code, Some(1));
    assert!(errors.contains("past.ndjson is not whole: run the same command again"), "{errors}");
    assert!(errors.contains("denies this to us: status 403"), "{errors}");
    desk.helpdesk.answer_with(Canned {
        method: Method::GET,
        path: "/api/v2/incremental".into(),
        times: Some(1),
        status: 403,
        headers: vec![],
        body: r#"{"error":{"title":"Forbidden","message":"You do not have access to this page. Please contact the account owner of this help desk for further help."}}"#.into(),
    });
    let (code, _, errors) = run(folder.path(), &FETCH);
    assert_eq!(code, Some(1));
    assert!(errors.contains("only an admin may export") && !errors.contains("run the same command"), "{errors}");
    let (code, _, errors) = run(folder.path(), &["--fetch", "us", "--since", "2026-01-01"]);
    assert_eq!(code, Some(1));
    assert!(errors.contains("there is no account us; the configuration has global"), "{errors}");
    assert_eq!(run(folder.path(), &["--fetch", "global"]).0, Some(2), "--since is needed");
}

#[test]
fn a_ticket_changed_many_times_comes_with_all_its_audits() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    configuration(&desk, folder.path());
    desk.helpdesk.add(changed(1, &["trial"], 5));
    for hour in 0..230 {
        let at = Utc::now() - TimeDelta::hours(300 - hour);
        desk.helpdesk.audited(1, &json!({ "created_at": at, "events": [] }));
    }
    let (code, out, errors) = run(folder.path(), &FETCH[..4]);
    assert_eq!(code, Some(0), "{errors}");
    assert_eq!(lines(&out)[0]["audits"].as_array().map(Vec::len), Some(230));
    let asked = desk.helpdesk.calls().iter().filter(|call| call.path.contains("/audits")).count();
    assert_eq!(asked, 3, "a hundred a call");
}
