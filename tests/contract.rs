//! The JSON API against its own document, by a public contract tester.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::tools::{run, tool};
use crate::support::{desk, event, serve, ticket};

/// The tester, at a version that is known to work.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";

#[test]
fn the_api_does_what_its_document_says() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    for id in [1, 2] {
        desk.helpdesk.add(ticket(id, &["purchased_wrong_product"]));
        bot.deliver(&event(&format!("e{id}"), id, "tags_changed"), &[]);
        bot.notes(&desk, id, 1);
    }
    for (path, answer) in [
        ("/api/v1/tickets/global/1", "purchased_wrong_product"),
        ("/api/v1/decisions?verdict=wait_for_sales&node=WP&since=2020-01-01T00:00:00Z", "\"ticket\":2"),
        ("/api/v1/decisions?since=&verdict=&node=&cursor=", "\"ticket\":2"),
    ] {
        let (status, body) = bot.get(path);
        assert!(status == 200 && body.to_string().contains(answer), "{path}: {body}");
    }
    for (path, status) in [
        ("/api/v1/tickets/global/77", 404),
        ("/api/v1/tickets/global/one", 400),
        ("/api/v1/decisions?since=yesterday", 400),
        ("/api/v1/decisions?cursor=x", 400),
    ] {
        let (answered, body) = bot.get(path);
        assert!(answered == status && body["error"].is_string(), "{path}: {answered} {body}");
    }
    run(Command::new(tool("schemathesis", SCHEMATHESIS))
        .args(["run", "--max-examples", "60", "--seed", "7", "--request-timeout", "10", "--no-color"])
        .arg(format!("{}/api/v1/openapi.json", bot.url))
        .current_dir(folder.path()));
}

#[test]
fn what_is_given_is_decided_by_the_accounts_own_ids() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "[accounts.global.forms]\nlicensing = 77");
    let given = |account: Value| {
        let ticket = json!({ "id": 1, "tags": ["star_submitted", "purchased_wrong_product"], "status": "open", "ticket_form_id": 77 });
        let body = json!({ "account": account, "ticket": ticket }).to_string();
        bot.post("/api/v1/decide", body.into_bytes(), &[("content-type", "application/json")])
    };
    for account in [Value::Null, json!(""), json!("global")] {
        let (status, decision) = given(account.clone());
        assert_eq!((status, &decision["verdict"]), (200, &json!("wait_for_sales")), "{account}: {decision}");
    }
    for (account, says) in [(json!("globl"), "did you mean global?"), (json!(7), "account is a name")] {
        let (status, refused) = given(account.clone());
        assert!(status == 400 && refused["error"].to_string().contains(says), "{account}: {refused}");
    }
}
