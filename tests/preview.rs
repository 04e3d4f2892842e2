//! What a STAR would get, before it is filed.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use starwarden::decide::ticket::Reading;
use starwarden::demo::helpdesk::Publicity;
use starwarden::demo::troubles::Trouble;

use crate::support::{Bot, Desk, desk, event, serve, serve_in, ticket, tickets, wait_for};

/// A ticket nobody starred yet.
fn unstarred(id: u64, tags: &[&str]) -> Reading {
    let mut reading = ticket(id, tags);
    reading.ticket.tags.retain(|tag| tag != "star_submitted");
    reading
}

fn ready(desk: &Desk, folder: &std::path::Path, extra: &str) -> Bot {
    let bot = serve(desk, folder, extra);
    wait_for("readiness", || (bot.get("/readyz").0 == 200).then_some(()));
    bot
}

fn preview(bot: &Bot, asked: &Value) -> (u16, Value) {
    bot.post("/api/v1/preview", asked.to_string().into_bytes(), &[("Content-Type", "application/json")])
}

/// Calls at the helpdesk about tickets.
fn calls(desk: &Desk) -> Vec<String> {
    let about = desk.helpdesk.calls().into_iter().filter(|call| call.path.starts_with("/api/v2/tickets"));
    about.map(|call| format!("{} {}", call.method, call.path)).collect()
}

fn lines(note: &str) -> Vec<String> {
    let plain = note.replace("**", "").replace('`', "");
    plain.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
fn it_is_what_the_star_then_gets_and_costs_two_reads_and_leaves_nothing() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = ready(&desk, folder.path(), "");
    desk.helpdesk.add(unstarred(1, &["trial_extension", "trial"]));
    let (status, told) = preview(&bot, &json!({ "account": "global", "ticket_id": 1, "reason": "" }));
    assert_eq!(status, 200, "{told}");
    assert_eq!(told["decision"]["verdict"], "no_need", "{told}");
    assert_eq!((&told["account"], &told["ticket_id"], &told["comments"]), (&json!("global"), &json!(1), &json!("all")));
    assert_eq!(told["decision"]["facts"]["trial"]["value"], "yes", "with facts");
    assert_eq!(told["missing_for_star"], json!([]));
    assert_eq!(calls(&desk), ["GET /api/v2/tickets/1", "GET /api/v2/tickets/1/comments"]);
    assert_eq!(desk.helpdesk.writes(), 0);
    assert_eq!(bot.get("/api/v1/tickets/global/1").0, 404, "it is not watched");
    assert_eq!(tickets(folder.path(), &["list"]), (true, "no ticket is among them\n".into()));
    let counted = "starwarden_previews_total{account=\"global\",verdict=\"no_need\"} 1";
    assert!(bot.text("/metrics").contains(counted), "{}", bot.text("/metrics"));

    desk.helpdesk.change(1, |reading| reading.ticket.tags.push("star_submitted".into()));
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    let note = bot.notes(&desk, 1, 1).remove(0);
    let told = lines(told["note"].as_str().expect("a note"));
    assert_eq!(told.first(), lines(&note).first());
    let kept = bot.kept(1)["decisions"][0].clone();
    let posted = lines(kept["note"].as_str().expect("a note"));
    assert_eq!(told[..told.len() - 1], posted[..posted.len() - 1], "but for the signature");
}

#[test]
fn what_a_star_would_lack_is_told() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = ready(&desk, folder.path(), "fields = { group_name = 4711, licence_holder = 4712 }\n");
    for (id, change, lacks) in [
        (1, (|_| {}) as fn(&mut Reading), ""),
        (2, |reading| reading.ticket.created_at = Some(Utc::now() - TimeDelta::minutes(12)), "The ticket is "),
        (3, |reading| reading.ticket.status = "solved".into(), "No STAR is for this ticket: its status is solved"),
        (
            4,
            |reading| {
                let fields = json!([{ "id": 4711, "value": "" }, { "id": 4712, "value": "Ann" }]);
                reading.ticket.custom_fields = serde_json::from_value(fields).expect("fields");
            },
            "Missing, and L&R needs it: group name",
        ),
        (
            5,
            |reading| {
                reading.ticket.ticket_form_id = None;
                reading.ticket.tags.clear();
            },
            "No STAR is for this ticket: it is not licensing",
        ),
    ] {
        let mut reading = unstarred(id, &["purchased_wrong_product"]);
        change(&mut reading);
        desk.helpdesk.add(reading);
        let told = preview(&bot, &json!({ "ticket_id": id })).1;
        let missing: Vec<&str> =
            told["missing_for_star"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        match lacks {
            "" => assert!(missing.is_empty(), "{missing:?}"),
            lacks => assert!(missing.len() == 1 && missing[0].starts_with(lacks), "{id}: {missing:?}"),
        }
    }
    assert!(!calls(&desk).iter().any(|call| call.contains("/5/comments")), "they are none of our business");
    desk.helpdesk.add(unstarred(6, &["purchased_wrong_product"]));
    desk.helpdesk.say(6, 5001, "When can we work again?", Publicity::Public);
    assert_eq!(preview(&bot, &json!({ "ticket_id": 6 })).1["missing_for_star"], json!([]));
    desk.helpdesk.say(6, 7001, "Please send the invoice.", Publicity::Public);
    let told = preview(&bot, &json!({ "ticket_id": "6" })).1["missing_for_star"].to_string();
    assert!(told.contains("We have been waiting for the customer since"), "{told}");
}

#[test]
fn the_reason_is_read_as_the_filers_note() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = ready(&desk, folder.path(), "");
    desk.helpdesk.add(unstarred(1, &[]));
    let of = |reason: &str| preview(&bot, &json!({ "ticket_id": 1, "reason": reason })).1["decision"].clone();
    assert!(of("")["facts"]["locked_out"].is_null());
    let told = of("The customer is locked out: nobody can push since this morning.");
    assert_eq!(told["facts"]["locked_out"]["value"], "yes", "{told}");
    assert!(told["facts"]["locked_out"]["source"].as_str().expect("a source").contains("the filer"), "{told}");
    assert_eq!(calls(&desk).len(), 4);
    assert_eq!(preview(&bot, &json!({ "ticket_id": 1, "reason": "x".repeat(20_001) })).0, 400);
}

#[test]
fn why_there_is_none_is_one_sentence_with_a_status() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = ready(&desk, folder.path(), "[work]\nanswer_within = \"30s\"\n");
    for id in 1..=5 {
        desk.helpdesk.add(unstarred(id, &["purchased_wrong_product"]));
    }
    desk.helpdesk.trouble_with(2, Some(Trouble::ReadStatus(403)));
    desk.helpdesk.trouble_with(3, Some(Trouble::ReadStatus(500)));
    desk.helpdesk.trouble_with(4, Some(Trouble::Slow(Duration::from_secs(20))));
    for (asked, status, why) in [
        (json!({ "account": "us", "ticket_id": 1 }), 404, "there is no account us"),
        (json!({ "ticket_id": 77 }), 404, "ticket global/77 is not there, or not for us to see"),
        (json!({ "ticket_id": 2 }), 502, "the helpdesk denies this to us"),
        (json!({ "ticket_id": 3 }), 502, "the helpdesk failed with status 500"),
        (json!({ "ticket_id": 4 }), 504, "the helpdesk did not answer within 8 s"),
        (json!({ "ticket_id": 0 }), 400, "ticket_id is no ticket number"),
        (json!({ "ticket_id": "one" }), 400, "ticket_id is no ticket number"),
        (json!({ "ticket": 1 }), 400, "unknown field `ticket`"),
        (json!([1]), 400, "give an object with ticket_id"),
    ] {
        let (answered, told) = preview(&bot, &asked);
        assert!(
            answered == status && told["error"].as_str().is_some_and(|error| error.contains(why)),
            "{asked}: {told}"
        );
    }
    let (status, told) = bot.post("/api/v1/preview", b"{\"ticket_id\": 1}".to_vec(), &[("Content-Type", "text/plain")]);
    assert!(status == 415 && told["error"].is_string(), "{told}");
    desk.helpdesk.trouble_with(5, Some(Trouble::Limited(7)));
    let (status, told) = preview(&bot, &json!({ "ticket_id": 5 }));
    assert_eq!((status, &told["error"]), (503, &json!("the helpdesk wants no calls now; try again in 7 s")));
    assert_eq!(desk.helpdesk.writes(), 0);
    assert_eq!(tickets(folder.path(), &["list"]).1.lines().next(), Some("no ticket is among them"));
}

#[test]
fn it_leaves_the_calls_that_stars_need() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let few = [("STARWARDEN__ACCOUNTS__GLOBAL__REQUESTS_PER_MINUTE", "60")];
    let bot = serve_in(&desk, folder.path(), "", &few);
    for id in 1..=60 {
        desk.helpdesk.add(ticket(id, &["purchased_wrong_product"]));
        bot.deliver(&event(&format!("e{id}"), id, "tags_changed"), &[]);
    }
    wait_for("the first note", || (1..=60).any(|id| !desk.helpdesk.notes(id).is_empty()).then_some(()));
    desk.helpdesk.add(unstarred(77, &["purchased_wrong_product"]));
    let (status, told) = preview(&bot, &json!({ "ticket_id": 77 }));
    let why = "the account's calls are needed for tickets that are starred; try again in 60 s";
    assert_eq!((status, &told["error"]), (503, &json!(why)));
    assert!(!calls(&desk).iter().any(|call| call.contains("/77")), "not one call");
}
