//! `setup` and `doctor` against the stand-in helpdesk.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use serde_json::{Value, json};
use starwarden::demo::admin::SIGNING_SECRET;
use starwarden::demo::helpdesk::Publicity;

use crate::support::{Desk, desk, ticket};

/// Who may sign in to the console.
static USERS: LazyLock<String> = LazyLock::new(|| {
    let hash = starwarden::console::sign_in::hash("correct horse").expect("a hash");
    format!("[console.users.ann]\npassword_hash = \"{hash}\"\nrole = \"act\"\n")
});

/// A configuration for the stand-in; `changed` is put in the place of `from`.
fn configured(desk: &Desk, folder: &Path, from: &str, to: &str) -> PathBuf {
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/policy/star.toml");
    let text = format!(
        "[server]\npublic_url = \"https://star.example.com\"\n[store]\nurl = \"sqlite:{}\"\n[policy]\nfile = \"{}\"\n[accounts.global]\nbase_url = \"{}\"\nwebhook_secrets = [\"file:signing\"]\n[accounts.global.auth]\nclient_id = \"starwarden\"\nclient_secret = \"demo\"\n{}",
        folder.join("star.db").display(),
        policy.display(),
        desk.url,
        *USERS
    );
    assert!(text.contains(from), "{from}");
    let file = folder.join("starwarden.toml");
    std::fs::write(&file, text.replace(from, to)).expect("a file");
    file
}

fn starwarden(verb: &str, config: &Path, more: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_starwarden"))
        .args([verb, "--config"])
        .arg(config)
        .args(more)
        .output()
        .expect("the binary");
    (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[track_caller]
fn set_up(config: &Path, more: &[&str]) -> String {
    let (code, said) = starwarden("setup", config, &[&["--account", "global"], more].concat());
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains(SIGNING_SECRET), "{said}");
    said
}

#[test]
fn setup_makes_webhook_and_trigger_once_and_mends_what_was_changed() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let config = configured(&desk, folder.path(), "", "");
    let foreign = desk.helpdesk.add_webhook(json!({ "name": "pager", "endpoint": "https://pager.example.com", "http_method": "POST", "request_format": "json", "subscriptions": ["conditional_ticket_events"] }));
    let foreign_trigger = desk.helpdesk.add_trigger(json!({ "title": "page", "conditions": {}, "actions": [] }));

    let shown = set_up(&config, &[]);
    assert!(shown.contains("make the webhook") && shown.contains("nothing is done yet"), "{shown}");
    assert_eq!((desk.helpdesk.webhooks().len(), desk.helpdesk.triggers().len()), (1, 1), "only shown");

    set_up(&config, &["--apply"]);
    let (webhooks, triggers) = (desk.helpdesk.webhooks(), desk.helpdesk.triggers());
    assert_eq!((webhooks.len(), triggers.len()), (2, 2));
    let own = webhooks.iter().find(|webhook| webhook["name"] == "starwarden global").expect("our webhook");
    assert_eq!(own["endpoint"], "https://star.example.com/webhooks/zendesk/global");
    let trigger = triggers.iter().find(|trigger| trigger["title"] != "page").expect("our trigger");
    assert_eq!(trigger["actions"][0]["value"][0], own["id"], "the trigger tells our webhook");
    let secret = folder.path().join("signing");
    assert_eq!(std::fs::read_to_string(&secret).expect("the secret").trim(), SIGNING_SECRET);
    assert_eq!(secret.metadata().expect("about it").permissions().mode() & 0o777, 0o600);

    let again = set_up(&config, &["--apply"]);
    assert!(again.contains("as they should be") && again.contains("is where the configuration says"), "{again}");
    assert_eq!((desk.helpdesk.webhooks(), desk.helpdesk.triggers()), (webhooks.clone(), triggers.clone()));

    desk.helpdesk.change_webhook(own["id"].as_str().expect("an id"), &json!({ "status": "inactive" }));
    desk.helpdesk.change_trigger(&trigger["id"].to_string(), &json!({ "active": false, "actions": [] }));
    let mended = set_up(&config, &["--apply"]);
    assert!(mended.contains("status") && mended.contains("not active, actions"), "{mended}");
    assert_eq!(desk.helpdesk.triggers(), triggers);
    assert_eq!(desk.helpdesk.webhooks().len(), webhooks.len());

    let (code, refused) = starwarden("setup", &config, &["--account", "globe"]);
    assert!(code == Some(1) && refused.contains("the configuration has global"), "{refused}");

    set_up(&config, &["--events", "--apply"]);
    let by_events = desk.helpdesk.webhooks();
    assert_eq!(
        (by_events.len(), desk.helpdesk.triggers()),
        (2, vec![foreign_trigger.clone()]),
        "its kind cannot change, so it is made anew"
    );
    assert!(by_events.iter().any(|webhook| webhook["subscriptions"][0] == "zen:event-type:ticket.tags_changed"));
    assert!(set_up(&config, &["--events", "--apply"]).contains("as they should be"));

    set_up(&config, &["--remove", "--apply"]);
    assert_eq!(
        (desk.helpdesk.webhooks(), desk.helpdesk.triggers()),
        (vec![foreign], vec![foreign_trigger]),
        "what is not ours stays as it was"
    );
    assert!(set_up(&config, &["--remove"]).contains("nothing of ours"));
}

#[test]
fn setup_makes_no_second_webhook_beside_somebody_elses() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let config = configured(&desk, folder.path(), "", "");
    desk.helpdesk.add_webhook(json!({ "name": "by hand", "endpoint": "https://star.example.com/webhooks/zendesk/global", "http_method": "POST", "request_format": "json", "subscriptions": ["conditional_ticket_events"] }));
    let (code, said) = starwarden("setup", &config, &["--account", "global", "--apply"]);
    assert!(code == Some(1) && said.contains("\"by hand\"") && said.contains("is not ours"), "{said}");
    assert_eq!(desk.helpdesk.webhooks().len(), 1);
}

#[test]
fn a_secret_that_is_read_from_the_environment_is_said_where_to_set() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let config = configured(&desk, folder.path(), "file:signing", "env:STAR_SIGNING");
    let said = set_up(&config, &["--apply"]);
    assert!(said.contains("set STAR_SIGNING to it"), "{said}");
}

#[test]
fn setup_leaves_out_what_we_do_ourselves_and_subscribes_to_all_that_can_star_a_ticket() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let config = configured(&desk, folder.path(), "", "");
    // What others made may have any shape.
    desk.helpdesk.add_webhook(json!({ "name": null, "endpoint": null, "http_method": 7, "subscriptions": "none" }));
    desk.helpdesk.add_trigger(json!({ "title": null, "conditions": null, "active": "yes" }));
    let said = set_up(&config, &["--apply"]);
    assert!(said.contains("scopes of the OAuth client: read ") && said.contains("triggers:write"), "{said}");
    let trigger = desk.helpdesk.triggers().into_iter().find(|trigger| trigger["title"].is_string()).expect("ours");
    let us = json!({ "field": "role", "operator": "is_not", "value": "9001" });
    assert!(trigger["conditions"]["all"].as_array().expect("conditions").contains(&us), "{trigger}");
    assert_eq!(starwarden("doctor", &config, &[]).0, Some(0), "{}", starwarden("doctor", &config, &[]).1);

    set_up(&config, &["--events", "--apply"]);
    let webhook = desk.helpdesk.webhooks().into_iter().find(|webhook| webhook["name"] == "starwarden global");
    let subscribed = webhook.expect("ours")["subscriptions"].to_string();
    for event in ["created", "merged", "undeleted", "requester_changed", "tags_changed", "permanently_deleted"] {
        assert!(subscribed.contains(&format!("ticket.{event}\"")), "{event}: {subscribed}");
    }
    desk.odd_answers_are_meant();
}

#[test]
fn an_address_without_https_is_told_before_anybody_is_asked() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let config = configured(&desk, folder.path(), "https://star", "http://star");
    for verb in [&["setup", "--account", "global", "--apply"][..], &["check"]] {
        let (code, said) = starwarden(verb[0], &config, &verb[1..]);
        assert!(code == Some(1) && said.contains("server.public_url") && said.contains("is not https"), "{said}");
    }
    assert!(desk.helpdesk.calls().is_empty());
}

/// Answers every call so, on a port of its own.
fn answering(answer: String) -> String {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let _head = stream.read(&mut [0; 4096]);
            let _sent = stream.write_all(answer.as_bytes());
        }
    });
    url
}

#[test]
fn a_wrong_subdomain_and_a_renamed_account_are_told_as_that() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let page = "<html>No such help desk</html>";
    let missing = answering(format!(
        "HTTP/1.1 404 Not Found\r\ncontent-type: text/html\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{page}",
        page.len()
    ));
    let moved = answering("HTTP/1.1 301 Moved Permanently\r\nlocation: https://new-name.zendesk.com/api/v2/x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".into());
    for (at, says) in [(&missing, "there is no helpdesk at"), (&moved, "has moved to https://new-name.zendesk.com")] {
        let config = configured(&desk, folder.path(), &desk.url, at);
        let checks = diagnosed(&config).1;
        let helpdesk = checks["checks"].as_array().expect("checks").iter().find(|check| check["check"] == "helpdesk");
        let helpdesk = helpdesk.expect("the helpdesk").to_string();
        assert!(helpdesk.contains(says) && helpdesk.contains("wrong"), "{helpdesk}");
        let (code, said) = starwarden("setup", &config, &["--account", "global"]);
        assert!(
            code == Some(1)
                && (said.contains("no helpdesk at this address")
                    || said.contains("new-name.zendesk.com: put that into base_url")),
            "{said}"
        );
    }
}

#[test]
fn doctor_tries_each_kind_of_call_and_names_the_scope_that_is_missing() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    desk.helpdesk.add(ticket(1, &[]));
    let config = configured(&desk, folder.path(), "", "");
    set_up(&config, &["--apply"]);
    let all = "read tickets:read tickets:write users:read organizations:read webhooks:read triggers:read";
    for (without, check, says) in [
        ("read", "catch-up", "search: the helpdesk denies this to us: status 403, the token lacks the scope read"),
        ("tickets:write", "writing", "lacks the scope tickets:write"),
        ("webhooks:read", "scopes", "lacks the scope webhooks:read"),
    ] {
        let left: Vec<&str> = all.split(' ').filter(|scope| *scope != without).collect();
        desk.helpdesk.allow_scopes(&left.join(" "));
        let (found, told) = worst(&diagnosed(&config).1);
        assert!(found == check && told.contains(says), "{without}: {found} {told}");
    }
    desk.helpdesk.allow_scopes(all);
    let writes = desk.helpdesk.reading(1).expect("the ticket");
    assert_eq!(diagnosed(&config).0, Some(0), "{}", diagnosed(&config).1);
    assert_eq!(desk.helpdesk.reading(1).expect("the ticket"), writes, "nothing is changed by trying");
    desk.helpdesk.say(1, 9001, "I looked into it", starwarden::demo::helpdesk::Publicity::Internal);
    let told = diagnosed(&config).1.to_string();
    assert!(told.contains("starwarden writes by hand too, on ticket 1"), "{told}");
}

#[test]
fn each_state_of_a_delivery_has_its_sentence() {
    for (invocation, found, says) in [
        (json!({ "status": "success" }), "well", "none of the newest 1 failed"),
        (json!({ "status": "accepted" }), "well", "none of the newest 1 failed, 1 under way"),
        (
            json!({ "id": "i1", "status": "client error", "answered": 401 }),
            "wrong",
            "were refused by the bot, with status 401",
        ),
        (
            json!({ "id": "i1", "status": "server_error", "answered": 503 }),
            "wrong",
            "could not keep them, with status 503",
        ),
        (json!({ "status": "timeout" }), "wrong", "did not answer in time"),
        (json!({ "status": "circuit broken" }), "wrong", "too many failed"),
        (json!({ "status": "throttled" }), "wrong", "no more than so many a minute"),
        (json!({ "status": "failed" }), "wrong", "1 of the newest 1 failed"),
        (json!({ "status": "vanished" }), "wrong", "vanished"),
        (json!({ "status": null }), "wrong", "failed"),
    ] {
        let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
        let config = configured(&desk, folder.path(), "", "");
        set_up(&config, &["--apply"]);
        desk.helpdesk.add_invocation(&invocation);
        let checks = diagnosed(&config).1;
        let deliveries = checks["checks"].as_array().expect("checks").iter().find(|it| it["check"] == "deliveries");
        let deliveries = deliveries.expect("deliveries");
        assert!(
            deliveries["found"] == found && deliveries["says"].to_string().contains(says),
            "{invocation}: {deliveries}"
        );
        desk.odd_answers_are_meant();
    }
}

fn diagnosed(config: &Path) -> (Option<i32>, Value) {
    let (code, said) = starwarden("doctor", config, &["--format", "json"]);
    (code, serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}")))
}

/// The first thing that is wrong, by its check, and what to do.
fn worst(checks: &Value) -> (String, String) {
    let wrong = checks["checks"].as_array().expect("checks").iter().find(|check| check["found"] == "wrong");
    let wrong = wrong.unwrap_or_else(|| panic!("nothing is wrong: {checks}"));
    (wrong["check"].as_str().expect("a name").to_owned(), format!("{} {}", wrong["says"], wrong["do"]))
}

#[test]
fn doctor_is_green_when_all_is_well_and_names_what_is_not() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    desk.helpdesk.add(ticket(1, &[]));
    let config = configured(&desk, folder.path(), "", "");
    assert_eq!(worst(&diagnosed(&config).1).0, "webhook secrets");
    set_up(&config, &["--apply"]);
    let (code, said) = starwarden("doctor", &config, &[]);
    assert!(code == Some(0) && said.ends_with("all is well\n"), "{said}");
    assert!(!said.contains('✗') && !said.contains('!') && !said.contains('?'), "all green: {said}");
    assert!(said.contains("✓ console ") && said.contains("people sign in"), "{said}");
    assert!(said.contains("no store yet") && !folder.path().join("star.db").exists(), "it changes nothing: {said}");

    desk.helpdesk.say(1, 7001, "OK to STAR.\nstarwarden · ref 7Q2FMHXA", Publicity::Internal);
    let (code, said) = starwarden("doctor", &config, &[]);
    let another = "user 7001 leaves notes of another bot of this kind, on ticket 1";
    assert!(code == Some(0) && said.contains(another) && said.contains("let one bot work for each helpdesk"), "{said}");

    let store = format!("sqlite:{}", folder.path().join("star.db").display());
    for (from, to, check, says) in [
        ("[store]", "[sore]", "configuration", "unknown key `sore`"),
        ("star.toml", "moon.toml", "policy", "moon.toml cannot be read"),
        ("star.db", "nowhere/star.db", "store", "see that its folder exists"),
        (
            &store,
            "postgres://star:hunter2@127.0.0.1:1/star",
            "store",
            "the PostgreSQL server at 127.0.0.1:1 cannot be used",
        ),
        ("https://star", "http://star", "public address", "not https"),
        ("client_secret = \"demo\"", "client_secret = \"wrong\"", "credentials", "refuses them"),
        (
            "client_secret = \"demo\"",
            "client_secret = \"env:NOT_SET_AT_ALL\"",
            "credentials",
            "NOT_SET_AT_ALL is not set\" \"export it",
        ),
        (
            "file:signing",
            "env:NOT_SET_AT_ALL",
            "webhook secrets",
            "NOT_SET_AT_ALL is not set\" \"export it, or write file:PATH and run starwarden setup --account global --apply",
        ),
        (&desk.url, "http://127.0.0.1:1", "helpdesk", "http://127.0.0.1:1 cannot be reached: no connection"),
        (
            "\n[accounts.global.auth]",
            "\n[accounts.global.forms]\nlicensing = 1\n[accounts.global.auth]",
            "forms",
            "licensing",
        ),
        (
            "\n[accounts.global.auth]",
            "\n[accounts.global.fields]\nrequest_type = 1\n[accounts.global.auth]",
            "fields",
            "request_type",
        ),
        ("star.example.com", "star2.example.com", "webhook", "endpoint"),
    ] {
        let (code, found) = diagnosed(&configured(&desk, folder.path(), from, to));
        let (worst, told) = worst(&found);
        assert!(code == Some(1) && worst == check && told.contains(says), "{to}: {worst} {told}");
        assert_eq!(found["well"], false);
    }

    let config = configured(&desk, folder.path(), "", "");
    desk.helpdesk.add_invocation(&json!({ "status": "failed" }));
    assert_eq!(worst(&diagnosed(&config).1).0, "deliveries");
    desk.helpdesk.change_trigger(&desk.helpdesk.triggers()[0]["id"].to_string(), &json!({ "active": false }));
    assert_eq!(worst(&diagnosed(&config).1).0, "trigger");
}

#[test]
fn doctor_tells_whom_the_console_lets_in() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    for (public_url, instead, found, says) in [
        ("https://star.example.com", "", "advice", "closed"),
        ("https://star.example.com", "[console.tokens.reports]\ntoken = \"t\"\n", "advice", "nobody can sign in"),
        ("https://star.example.com", USERS.as_str(), "well", "people sign in"),
        ("http://127.0.0.1:8080", "", "well", "open to whoever is on this machine"),
    ] {
        let config = configured(&desk, folder.path(), &USERS, instead);
        let text = std::fs::read_to_string(&config).expect("it").replace("https://star.example.com", public_url);
        std::fs::write(&config, text).expect("a file");
        let checks = diagnosed(&config).1;
        let console = checks["checks"].as_array().expect("checks").iter().find(|check| check["check"] == "console");
        let console = console.unwrap_or_else(|| panic!("no console: {checks}"));
        let told = console["says"].as_str().expect("words");
        assert!(console["found"] == found && told.contains(says), "{public_url} {instead}: {console}");
    }
}
