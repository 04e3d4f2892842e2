//! The binary's verbs: what they print, where, and how they end.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::support::{copy_policy, starwarden_in};

const POLICY: &str = "config/policy/star.toml";

fn run(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_starwarden"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("STARWARDEN_CONFIG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary");
    let mut stdin = child.stdin.take().expect("its input");
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("its end");
    let _reader_gone = writer.join().expect("a thread");
    output
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

#[track_caller]
fn check(arguments: &[&str], code: i32, stdout: &str, stderr: &str) {
    let output = run(arguments, "");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}");
    assert!(out(&output).contains(stdout), "{arguments:?}: {}", out(&output));
    assert!(errors.contains(stderr), "{arguments:?}: {errors}");
}

#[test]
fn the_samples_end_as_their_file_says() {
    let samples = include_str!("cases/tickets.ndjson");
    let output = run(&["decide", "--policy", POLICY, "--each", "-"], samples);
    assert_eq!(output.status.code(), Some(0));
    let expected: Vec<Value> = samples.lines().map(|line| serde_json::from_str(line).expect("a sample")).collect();
    let decided: Vec<Value> =
        out(&output).lines().map(|line| serde_json::from_str(line).expect("a decision")).collect();
    assert_eq!((expected.len(), decided.len()), (12, 12));
    for (expected, decided) in expected.iter().zip(&decided) {
        assert_eq!(
            (&decided["id"], &decided["verdict"]),
            (&json!(expected["ticket"]["id"].to_string()), &expected["expect"]),
            "{}",
            expected["name"]
        );
    }
}

#[test]
fn a_bad_line_is_told_and_the_rest_go_on() {
    let lines = "{\"id\": \"a\", \"facts\": {\"trial\": \"yes\", \"sales_assisted\": \"no\"}}\nnot json\n\n{\"id\": 7, \"facts\": {\"nothing\": \"yes\"}}\n{\"id\": \"c\", \"ticket\": {\"id\": \"x\"}}\n{\"id\": \"d\", \"facts\": {\"expires_at\": \"soon\"}}\n[\"e\", null, null]\n";
    let output = run(&["decide", "--policy", POLICY, "--each", "-"], lines);
    assert_eq!(output.status.code(), Some(3));
    let decided: Vec<Value> = out(&output).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let ids: Vec<&Value> = decided.iter().map(|line| &line["id"]).collect();
    assert_eq!(ids, [&json!("a"), &Value::Null, &json!(7), &json!("c"), &json!("d"), &Value::Null]);
    assert!(decided[5]["error"].as_str().is_some_and(|error| error.contains("an object is expected")), "{decided:?}");
    assert_eq!(decided[0]["verdict"], "no_need");
    assert!(decided[1..4].iter().all(|line| line["error"].is_string() && line.get("verdict").is_none()), "{decided:?}");
    assert_eq!(
        (&decided[4]["verdict"], decided[4]["problems"].as_array().map(Vec::len)),
        (&json!("needs_facts"), Some(1)),
        "a value that cannot be read is unknown"
    );
}

#[test]
fn many_lines_keep_their_order() {
    let lines: String = (0..20_000).map(|id| format!("{{\"id\": {id}, \"now\": \"2026-11-24T12:00:00Z\", \"facts\": {{\"trial\": \"no\", \"expires_at\": \"2026-11-{:02}\"}}}}\n", id % 30 + 1)).collect();
    let output = run(&["decide", "--policy", POLICY, "--each", "-"], &lines);
    assert_eq!(output.status.code(), Some(0));
    for (id, line) in out(&output).lines().enumerate() {
        let decided: Value = serde_json::from_str(line).expect("JSON");
        let day = id % 30 + 1;
        let expected = match day {
            24 => "needs_facts", // Today, at a time that nobody says: before it there are hours left, after it days of grace.
            12..24 | 26.. => "no_need",
            _ => "ok_to_star",
        };
        assert_eq!((&decided["id"], decided["verdict"].as_str()), (&json!(id), Some(expected)), "the {day}th");
    }
}

#[test]
fn one_ticket_is_explained() {
    check(
        &["decide", "--policy", POLICY, "--fact", "trial=yes", "--fact", "sales_assisted=no"],
        0,
        "**No need for STAR.** The trial is not run with Sales.",
        "",
    );
    check(
        &["decide", "--policy", POLICY, "--fact", "request=force_reassociate", "--format", "json"],
        0,
        "\"verdict\": \"use_docs\"",
        "",
    );
    check(
        &["decide", "--policy", POLICY, "--fact", "trial=no", "--fact", "expires_at=2026-11-01", "--format", "svg"],
        0,
        "</svg>",
        "",
    );
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ticket.json");
    std::fs::write(&file, include_str!("cases/tickets.ndjson").lines().nth(3).expect("a line")).expect("a file");
    let name = file.to_str().expect("a name");
    check(
        &["decide", "--policy", POLICY, "--ticket", name],
        0,
        "expires_at        2026-11-19T00:00:00Z    recorded: organisation's expiration date",
        "",
    );
    check(
        &["decide", "--policy", POLICY, "--ticket", name, "--fact", "in_grace=no", "--format", "json"],
        0,
        "\"verdict\": \"ok_to_star\"",
        "",
    );
    let whole: Value = serde_json::from_str(&std::fs::read_to_string(&file).expect("a file")).expect("JSON");
    std::fs::write(&file, whole["ticket"].to_string()).expect("a file");
    check(
        &["decide", "--policy", POLICY, "--ticket", name, "--fact", "trial=no"],
        0,
        "**When does the plan or licence expire?**",
        "",
    );
}

#[test]
fn bad_input_gets_a_sentence() {
    check(&["decide", "--policy", POLICY, "--fact", "trial"], 2, "", "write it like --fact trial=yes");
    check(&["decide", "--policy", POLICY, "--fact", "trail=yes"], 2, "", "did you mean trial?");
    check(&["decide", "--policy", POLICY, "--fact", "expires_at=soon"], 2, "", "write it like 2026-11-30");
    check(&["decide", "--policy", "nowhere.toml"], 2, "", "the policy nowhere.toml cannot be read");
    check(&["decide", "--policy", POLICY, "--ticket", "README.md"], 2, "", "README.md is not a ticket");
    check(&["decide", "--policy", POLICY, "--each", "nowhere"], 2, "", "the tickets nowhere cannot be read");
    let day = "write it like 2026-11-30";
    check(
        &["decide", "--policy", POLICY, "--now", "yesterday"],
        2,
        "",
        "this is no moment: write it like 2026-11-30T17:00:00Z",
    );
    check(&["report", "--config", "x", "--since", "yesterday"], 2, "", &format!("this is no day: {day}"));
    check(&["backtest", "--config", "x", "--fetch", "a", "--since", "31.12.2026"], 2, "", &format!("no day: {day}"));
    check(&["diagram", "nowhere.mmd"], 2, "", "the diagram nowhere.mmd cannot be read");
    check(&["diagram", "LICENSE"], 2, "", "LICENSE:1:");
    check(&["diagram", "README.md"], 0, "", ""); // A page is read as the flowchart in it.
    check(&["check"], 1, "", "there is no configuration");
    check(&["serve", "--config", "nowhere.toml"], 1, "", "nowhere.toml cannot be read");
}

#[test]
fn whoever_leaves_something_out_is_told_every_way() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = configured(folder.path(), "", "");
    for (arguments, ways) in [
        (
            &["tickets", "retry", "--config", &config, "--by", "ann"][..],
            &["<TICKET|", "--account", "--error", "--all"][..],
        ),
        (&["backtest"], &["<FILE|", "--fetch"]),
    ] {
        ways.iter().for_each(|way| check(arguments, 2, "", way));
    }
}

/// The shipped configuration with a store in `folder`, after a change.
fn configured(folder: &Path, from: &str, to: &str) -> String {
    let shipped = include_str!("../config/starwarden.toml")
        .replace("policy/star.toml", &format!("{}/config/policy/star.toml", env!("CARGO_MANIFEST_DIR")))
        .replace("sqlite:starwarden.db", &format!("sqlite:{}", folder.join("star.db").display()));
    assert!(shipped.contains(from), "{from}");
    let file = folder.join("starwarden.toml");
    std::fs::write(&file, shipped.replace(from, to)).expect("a file");
    file.display().to_string()
}

#[test]
fn what_is_wrong_outside_is_said_once_and_by_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = format!("sqlite:{}", folder.path().join("star.db").display());
    let away = configured(folder.path(), &store, "postgres://star:hunter2@127.0.0.1:1/star");
    for arguments in
        [&["tickets", "list", "--config", &away][..], &["report", "--config", &away], &["serve", "--config", &away]]
    {
        let output = run(arguments, "");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {told}");
        assert!(told.contains("[store] url: the PostgreSQL server at 127.0.0.1:1 cannot be used: "), "{told}");
        assert!(told.contains("Connection refused") && !told.contains("hunter2"), "{told}");
        assert!(!told.contains("creating a new object") && !told.contains("the store cannot be used"), "{told}");
    }
    let unset = configured(folder.path(), "env:ZENDESK_CLIENT_SECRET", "env:NOT_SET_AT_ALL");
    let told = run(&["serve", "--config", &unset], "").stderr;
    let told = String::from_utf8_lossy(&told);
    assert!(told.trim_end().ends_with("the environment variable NOT_SET_AT_ALL is not set"), "{told}");

    let config = configured(folder.path(), "", "");
    starwarden::store::Store::sqlite(&folder.path().join("star.db")).expect("a store");
    let there = folder.path().join("there");
    std::fs::write(&there, "").expect("a file");
    let told = run(&["backup", "--config", &config, &there.display().to_string()], "").stderr;
    assert_eq!(String::from_utf8_lossy(&told), format!("{} is there already: name another file\n", there.display()));
    let list =
        |verdict: &'static str| ["tickets", "list", "--config", &config, "--verdict", verdict].map(str::to_owned);
    for (verdict, code, says) in [
        ("no_need", 0, ""),
        ("needs_facts", 0, ""),
        (
            "no_ned",
            1,
            "no ticket has the verdict no_ned, which the policy in force does not give: did you mean no_need?",
        ),
        ("foo", 1, "there are needs_facts, no_need, ok_to_star, use_docs, wait_for_sales"),
    ] {
        let arguments = list(verdict);
        check(&arguments.each_ref().map(String::as_str), code, "", says);
    }
}

#[test]
fn a_diagram_is_shown_as_data_picture_and_text() {
    let chart = "config/policy/star.mmd";
    check(
        &["diagram", chart],
        0,
        "  ├─ No ─→ G  Is the customer in the grace period?\n  └─ Yes ─→ SA  Is this a sales assisted trial?",
        "",
    );
    check(&["diagram", chart, "--format", "svg"], 0, "</svg>", "");
    let data: Value = serde_json::from_str(&out(&run(&["diagram", chart, "--format", "json"], ""))).expect("JSON");
    assert_eq!((data["nodes"].as_array().map(Vec::len), data["edges"].as_array().map(Vec::len)), (Some(13), Some(18)));
}

/// What `check` says of a configuration, after a change to the shipped one.
fn checked(folder: &Path, from: &str, to: &str) -> (Option<i32>, String) {
    let shipped = include_str!("../config/starwarden.toml")
        .replace("policy/star.toml", &format!("{}/config/policy/star.toml", env!("CARGO_MANIFEST_DIR")));
    assert!(shipped.contains(from), "{from}");
    let file = folder.join("starwarden.toml");
    std::fs::write(&file, shipped.replacen(from, to, 1)).expect("a file");
    let output = run(&["check", "--config", file.to_str().expect("a name")], "");
    (output.status.code(), format!("{}{}", out(&output), String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn a_configuration_is_checked_with_its_places() {
    let folder = tempfile::tempdir().expect("a folder");
    check(&["check", "--policy", POLICY], 0, "is sound: 13 nodes, 18 links, policy sha256:", "");
    check(&["check", "--config", "config/starwarden.toml"], 0, "is sound", "");
    for (from, to, says) in [
        ("[server]\n", "[sever]\n", "unknown key `sever`"),
        ("replay_window = \"5m\"", "replay_window = \"5\"", "`5` is not a span of time"),
        ("webhook_secrets = [\"env:ZENDESK_WEBHOOK_SECRET\"]", "webhook_secrets = []", "no delivery could be trusted"),
        ("\nclient_secret", "\nsecret", "unknown key `secret`"),
        ("client_secret = \"env:ZENDESK_CLIENT_SECRET\"", "oauth_token = \"x\"", "accounts.global.auth is unclear"),
        ("sqlite:starwarden.db", "mysql://localhost", "store.url is not one this version can use"),
        ("mode = \"live\"", "mode = \"alive\"", "unknown word `alive`"),
        ("base_url = \"https://", "base_url = \"", "base_url is no address"),
        ("https://example.zendesk.com", "https://exa mple.zendesk.com", "base_url is no address"),
        (
            "https://example.zendesk.com",
            "http://example.zendesk.com",
            "this address is not https, and secrets are sent",
        ),
        ("requests_per_minute = 60", "requests_per_minute = 0", "give at least 1"),
        ("star.toml\"", "moon.toml\"", "moon.toml cannot be read"),
    ] {
        let (code, told) = checked(folder.path(), from, to);
        assert!(code == Some(1) && told.contains(says), "{to}: {code:?} {told}");
    }
    let (_, told) = checked(folder.path(), "mode = \"live\"", "mode = \"alive\"");
    let shipped = include_str!("../config/starwarden.toml");
    let line = 1 + shipped.lines().position(|line| line.starts_with("mode = ")).expect("the line");
    assert!(told.contains(&format!("starwarden.toml:{line}:8")), "file, line and column: {told}");
}

#[test]
fn every_fault_of_a_configuration_and_of_its_policy_is_shown_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("starwarden.toml");
    let shipped = include_str!("../config/starwarden.toml").replace("policy/star.toml", "moon.toml");
    let told = |text: &str| {
        std::fs::write(&file, text).expect("a file");
        let output = run(&["check", "--config", file.to_str().expect("a name")], "");
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let shapes =
        told(&shipped.replace("mode = \"live\"", "mode = \"alive\"").replace("= \"5m\"", "= \"5\"\nreplays = 7"));
    for says in
        ["unknown word `alive`", "`5` is not a span of time", "unknown key `replays`", "moon.toml cannot be read"]
    {
        assert_eq!(shapes.matches(says).count(), 1, "{says}: {shapes}");
    }
    assert!(!shapes.contains("missing field"), "{shapes}");
    let sense = told(&shipped.replace("per_minute = 60", "per_minute = 0").replace("tries = 8", "tries = 0"));
    let line = |key: &str| 1 + shipped.lines().position(|line| line.starts_with(key)).expect("the line");
    for (key, says) in [("requests_per_minute", "requests_per_minute is 0"), ("tries", "work.tries is 0")] {
        assert!(sense.contains(says) && sense.contains(&format!("starwarden.toml:{}:", line(key))), "{key}: {sense}");
    }
    assert!(sense.contains("moon.toml cannot be read"), "{sense}");
}

#[test]
fn the_shipped_example_of_two_instances_has_each_ones_own_ids() {
    let folder = tempfile::tempdir().expect("a folder");
    let shipped = include_str!("../config/starwarden.toml");
    let from = shipped.find("# [accounts.us]").expect("the second instance");
    let (first, rest) = shipped.split_at(from);
    let (second, after) = rest.split_at(rest.find("\n\n").expect("its end"));
    let second: Vec<&str> = second.lines().map(|line| line.trim_start_matches("# ")).collect();
    let file = folder.path().join("starwarden.toml");
    std::fs::write(&file, format!("{first}{}{after}", second.join("\n"))).expect("a file");
    let settings = starwarden::config::read(&file, std::iter::empty()).expect("two accounts");
    for (account, form) in [("global", 360_000_071_293), ("us", 360_001_421_072)] {
        assert_eq!(settings.accounts[account].ids().forms["licensing"], [form], "{account}");
    }
}

#[test]
fn a_policy_that_does_not_hold_together_stops_serve_at_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text).expect("a file");
    copy_policy(folder.path());
    write("star.toml", include_str!("../config/policy/star.toml").replace("yes_no = \"trial\"", "yes_no = \"trail\""));
    let store = format!("sqlite:{}", folder.path().join("star.db").display());
    let shipped = include_str!("../config/starwarden.toml").replace("policy/star.toml", "star.toml");
    write("starwarden.toml", shipped.replace("sqlite:starwarden.db", &store));
    let output = run(&["serve", "--config", folder.path().join("starwarden.toml").to_str().expect("a name")], "");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(told.contains("star.toml:39:10") && told.contains("did you mean `trial`?"), "{told}");
}

#[test]
fn a_result_that_cannot_be_written_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let past = folder.path().join("past.ndjson");
    std::fs::write(&past, include_str!("cases/tickets.ndjson")).expect("a file");
    let past = past.to_str().expect("a name");
    for arguments in [
        &["decide", "--policy", POLICY, "--fact", "trial=no"][..],
        &["decide", "--policy", POLICY, "--each", past],
        &["diagram", "config/policy/star.mmd", "--format", "svg"],
        &["check", "--policy", POLICY],
        &["backtest", past, "--policy", POLICY, "--format", "json"],
        &["backtest", past, "--policy", POLICY],
        &["completions", "bash"],
    ] {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("a full disk");
        let output = Command::new(env!("CARGO_BIN_EXE_starwarden"))
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdout(full)
            .output()
            .expect("the binary");
        let told = String::from_utf8_lossy(&output.stderr);
        let fails = output.status.code().is_some_and(|code| code > 0);
        assert!(fails && told.contains("cannot be written: No space left on device"), "{arguments:?}: {told}");
    }
}

#[test]
fn a_backtest_of_nothing_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    for (what, text) in [("nothing", ""), ("no tickets", "x\ny\n")] {
        let file = folder.path().join("past.ndjson");
        std::fs::write(&file, text).expect("a file");
        let output = run(&["backtest", file.to_str().expect("a name"), "--policy", POLICY], "");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && told.contains("there is no ticket in"), "{what}: {told}");
        assert!(out(&output).is_empty(), "{what}: {}", out(&output));
    }
}

#[test]
fn the_configuration_beside_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = |arguments: &[&str]| {
        let (code, out, errors) = starwarden_in(folder.path(), arguments);
        (code, out + &errors)
    };
    for verb in [&["check"][..], &["serve"], &["doctor"], &["report"], &["tickets", "list"], &["policy", "status"]] {
        let (code, told) = here(verb);
        assert!(
            code == Some(1) && told.contains("there is no configuration: name one with --config"),
            "{verb:?}: {told}"
        );
    }
    std::fs::write(folder.path().join("starwarden.toml"), include_str!("../config/starwarden.toml")).expect("a file");
    std::fs::create_dir(folder.path().join("policy")).expect("a folder");
    copy_policy(&folder.path().join("policy"));
    let (code, told) = here(&["check"]);
    assert!(code == Some(0) && told.contains("starwarden.toml is sound"), "{told}");
}
