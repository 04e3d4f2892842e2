//! Configuration, policy and secrets changed under a running bot.

use std::path::Path;

use chrono::Utc;
use secrecy::SecretString;
use serde_json::{Value, json};
use starwarden::receive::verify::{sign, timestamp};

use crate::support::{Bot, copy_policy, desk, event, serve, ticket, wait_for};

/// Changes a file beside the configuration.
#[track_caller]
fn change(folder: &Path, name: &str, from: &str, to: &str) {
    let file = folder.join(name);
    let text = std::fs::read_to_string(&file).expect("a file");
    assert!(text.contains(from), "{name} has no {from}");
    std::fs::write(&file, text.replace(from, to)).expect("a file");
}

/// The status that a delivery signed with `secret` gets.
fn signed_with(bot: &Bot, secret: &str) -> u16 {
    signed_for(bot, "global", secret)
}

/// The same for an account.
fn signed_for(bot: &Bot, account: &str, secret: &str) -> u16 {
    let (body, at) = (json!({ "ticket_id": 99 }).to_string().into_bytes(), timestamp(Utc::now()));
    let signature = sign(&SecretString::from(secret), &at, &body);
    let headers = [("X-Zendesk-Webhook-Signature", &*signature), ("X-Zendesk-Webhook-Signature-Timestamp", &at)];
    bot.post(&format!("/webhooks/zendesk/{account}"), body, &headers).0
}

fn ready(bot: &Bot) -> Option<Value> {
    Some(bot.get("/readyz")).filter(|(status, _)| *status == 200).map(|(_, body)| body)
}

#[test]
fn a_changed_policy_decides_the_next_ticket_and_a_faulty_one_does_not() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/policy");
    copy_policy(folder.path());
    let bot = serve(&desk, folder.path(), "");
    change(folder.path(), "starwarden.toml", &format!("{}/star.toml", shipped.display()), "star.toml");
    bot.signal("HUP");
    let before = wait_for("a ready bot", || ready(&bot));

    change(folder.path(), "star.toml", "yes_no = \"trial\"", "yes_no = \"trail\"");
    let warned = wait_for("the refusal", || ready(&bot).filter(|body| body["warning"].is_string()));
    assert_eq!(warned["policy"], before["policy"], "the old one stays in force");
    assert!(warned["warning"].to_string().contains("trail"), "{warned}");
    desk.helpdesk.add(ticket(1, &["purchased_wrong_product"]));
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    assert!(bot.notes(&desk, 1, 1)[0].starts_with("Wait for Sales."));

    change(folder.path(), "star.toml", "yes_no = \"trail\"", "yes_no = \"trial\"");
    change(folder.path(), "star.toml", "title = \"Wait for Sales\"", "title = \"Sales first\"");
    let after = wait_for("the new policy", || ready(&bot).filter(|body| body["policy"] != before["policy"]));
    assert!(after.get("warning").is_none(), "{after}");
    desk.helpdesk.add(ticket(2, &["purchased_wrong_product"]));
    bot.deliver(&event("e2", 2, "tags_changed"), &[]);
    assert!(bot.notes(&desk, 2, 1)[0].starts_with("Sales first."));
}

#[test]
fn a_secret_is_rotated_while_deliveries_come_in() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    std::fs::write(folder.path().join("secret"), "the old one\n").expect("a file");
    let bot = serve(&desk, folder.path(), "webhook_secrets = [\"file:secret\"]\n");
    assert_eq!((signed_with(&bot, "the old one"), signed_with(&bot, "the new one")), (200, 401));

    // Both for as long as the helpdesk still signs with the old one.
    std::fs::write(folder.path().join("next"), "the new one\n").expect("a file");
    change(folder.path(), "starwarden.toml", "[\"file:secret\"]", "[\"file:secret\", \"file:next\"]");
    wait_for("both secrets", || {
        assert_eq!(signed_with(&bot, "the old one"), 200, "no delivery is refused on the way");
        (signed_with(&bot, "the new one") == 200).then_some(())
    });
    change(folder.path(), "starwarden.toml", "\"file:secret\", ", "");
    wait_for("the new secret alone", || {
        assert_eq!(signed_with(&bot, "the new one"), 200, "no delivery is refused on the way");
        (signed_with(&bot, "the old one") == 401).then_some(())
    });

    // A secret file is watched itself, as a mounted secret changes.
    std::fs::write(folder.path().join("next"), "the newest one\n").expect("a file");
    wait_for("the newest secret", || (signed_with(&bot, "the newest one") == 200).then_some(()));
}

#[test]
fn an_account_is_added_and_taken_away() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    let second = format!(
        "[accounts.us]\nbase_url = \"{}\"\nwebhook_secrets = [\"s\"]\n[accounts.us.auth]\noauth_token = \"demo-token\"\n",
        desk.url
    );
    assert_eq!(signed_for(&bot, "us", "s"), 401, "an account that is not here is answered like one that is");
    change(folder.path(), "starwarden.toml", "[accounts.global]\n", &format!("{second}[accounts.global]\n"));
    wait_for("the second account", || (signed_for(&bot, "us", "s") == 200).then_some(()));
    wait_for("both well", || ready(&bot));
    change(folder.path(), "starwarden.toml", &second, "");
    wait_for("the second to be gone", || (signed_for(&bot, "us", "s") == 401).then_some(()));
    assert!(ready(&bot).is_some(), "the one that stayed was never unready");
}

#[test]
fn the_oauth_clients_secret_is_replaced_while_it_runs() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let file = folder.path().join("client");
    std::fs::write(&file, "one that was revoked").expect("a file");
    let auth = "[accounts.global.auth]\nclient_id = \"starwarden\"\nclient_secret = \"file:client\"\n";
    let bot = serve(&desk, folder.path(), auth);
    wait_for("the refusal", || (bot.get("/readyz").0 == 503).then_some(()));
    desk.helpdesk.add(ticket(1, &["purchased_wrong_product"]));
    assert_eq!(bot.deliver(&event("e1", 1, "tags_changed"), &[]).0, 200, "deliveries are kept meanwhile");
    std::fs::write(&file, "demo").expect("a file");
    wait_for("a ready bot", || ready(&bot));
    bot.notes(&desk, 1, 1);
}
