//! The real binary between a signed webhook and a helpdesk, over HTTP on both sides.

use crate::support::{desk, event, serve, serve_in, ticket, tickets, wait_for};
use chrono::{TimeDelta, Utc};
use serde_json::json;
use starwarden::demo::helpdesk::{BOT_ID, Call, Publicity, StandIn};
use starwarden::demo::troubles::Trouble;

fn tags(helpdesk: &StandIn, id: u64) -> Vec<String> {
    helpdesk.reading(id).expect("the ticket").ticket.tags
}

fn writes(helpdesk: &StandIn) -> usize {
    helpdesk.calls().iter().filter(|call| call.method == "PUT" && call.status == 200).count()
}

/// How many pages of a list were read.
fn pages(helpdesk: &StandIn, list: &str) -> usize {
    helpdesk.calls().iter().filter(|call| call.method == "GET" && call.path == list).count()
}

#[test]
fn a_delivery_of_either_shape_leaves_one_internal_note_and_one_tag() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    for (id, body) in [
        (1, event("e1", 1, "tags_changed")),
        (2, json!({ "ticket_id": 2 })),
        (3, json!({ "ticket_id": "3", "by": "a trigger" })),
    ] {
        desk.helpdesk.add(ticket(id, &["purchased_wrong_product"]));
        assert_eq!(bot.deliver(&body, &[]), (200, json!({ "status": "accepted" })));
        let notes = bot.notes(&desk, id, 1);
        assert!(notes[0].starts_with("Wait for Sales."), "{notes:?}");
        let reading = desk.helpdesk.reading(id).expect("the ticket");
        let own: Vec<_> = reading.comments.iter().filter(|comment| comment.author_id == Some(BOT_ID)).collect();
        assert!(own.len() == 1 && !own[0].public, "one note, internal");
        assert_eq!(reading.ticket.tags, ["star_submitted", "lr", "purchased_wrong_product", "star_wait_for_sales"]);
        assert_eq!(desk.helpdesk.audits(id).len(), 1, "note and tag in one write");
    }
}

#[test]
fn six_events_on_one_ticket_are_one_look_and_one_note() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    desk.helpdesk.add(ticket(1, &["purchased_wrong_product"]));
    assert!(tickets(folder.path(), &["pause", "global"]).0); // So that the burst is over before the look, however slow it is.
    for number in 0..6 {
        assert_eq!(bot.deliver(&event(&format!("e{number}"), 1, "tags_changed"), &[]).0, 200);
    }
    assert!(tickets(folder.path(), &["resume", "global"]).0);
    for (looks, what) in [(1, "a burst is one look"), (2, "another look, and nothing more is written")] {
        bot.at_rest(&desk, 1);
        let reads =
            desk.helpdesk.calls().into_iter().filter(|call| call.path == "/api/v2/tickets/1" && call.method == "GET");
        assert_eq!((reads.count(), desk.helpdesk.notes(1).len(), writes(&desk.helpdesk)), (looks, 1, 1), "{what}");
        bot.deliver(&event("later", 1, "status_changed"), &[]);
    }
}

#[test]
fn a_managers_answer_changes_the_verdict_and_nobody_elses_does() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    desk.helpdesk.add(ticket(1, &["transaction_issue_trial"]));
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    let notes = bot.notes(&desk, 1, 1);
    assert!(notes[0].contains("star: sales_assisted=no"), "the note shows how to answer: {notes:?}");
    assert!(tags(&desk.helpdesk, 1).contains(&"star_needs_facts".to_owned()));
    desk.helpdesk.say(1, 5001, "star: sales_assisted=no", Publicity::Public);
    desk.helpdesk.say(1, 5001, "star: sales_assisted=no", Publicity::Internal);
    desk.helpdesk.say(1, 7001, "star: sales_assisted=no", Publicity::Public);
    desk.helpdesk.say(1, 7001, "> star: sales_assisted=no\nAs I said.", Publicity::Internal);
    desk.helpdesk.say(1, 9999, "star: sales_assisted=no", Publicity::Internal);
    bot.deliver(&event("e2", 1, "comment_added"), &[]);
    bot.at_rest(&desk, 1);
    assert_eq!(desk.helpdesk.notes(1).len(), 1, "none of these lines counts: {:?}", desk.helpdesk.notes(1));
    // Another answer than those above, so that a verdict by one of them would show.
    let expired = (Utc::now() - TimeDelta::days(13) - TimeDelta::hours(1)).format("%Y-%m-%dT%H:%M:%SZ");
    let answer = format!("Spoke to the AE.\nSTAR: sales_assisted=yes, expires_at={expired}");
    desk.helpdesk.say(1, 7001, &answer, Publicity::Internal);
    bot.deliver(&event("e3", 1, "comment_added"), &[]);
    bot.at_rest(&desk, 1);
    let notes = desk.helpdesk.notes(1);
    assert!(
        notes.len() == 2 && notes[1].starts_with("OK to STAR") && notes[1].contains("Was: answers needed."),
        "{notes:?}"
    );
    let tags = tags(&desk.helpdesk, 1);
    assert!(tags.contains(&"star_escalation".to_owned()) && !tags.contains(&"star_needs_facts".to_owned()), "{tags:?}");
}

#[test]
fn a_stop_ends_the_watch() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    desk.helpdesk.add(ticket(1, &["purchased_wrong_product"]));
    desk.helpdesk.say(1, 7001, "star: stop", Publicity::Internal);
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    bot.at_rest(&desk, 1);
    assert_eq!((&bot.kept(1)["watch"]["state"], desk.helpdesk.notes(1).len()), (&json!("stopped"), 0));
}

#[test]
fn whatever_goes_wrong_with_a_write_there_is_one_note() {
    for trouble in [
        Trouble::WriteStatus(500),
        Trouble::WriteStatus(503),
        Trouble::Limited(1),
        Trouble::LostAnswer,
        Trouble::Meanwhile,
        Trouble::ReadStatus(502),
    ] {
        let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
        let bot = serve(&desk, folder.path(), "");
        wait_for("readiness", || (bot.get("/readyz").0 == 200).then_some(()));
        desk.helpdesk.add(ticket(1, &["purchased_wrong_product"]));
        desk.helpdesk.inject(trouble);
        bot.deliver(&event("e1", 1, "tags_changed"), &[]);
        bot.notes(&desk, 1, 1);
        bot.deliver(&event("e2", 1, "tags_changed"), &[]);
        bot.at_rest(&desk, 1);
        assert_eq!(desk.helpdesk.notes(1).len(), 1, "{trouble:?}");
        let tags = tags(&desk.helpdesk, 1);
        assert!(tags.contains(&"star_wait_for_sales".to_owned()), "{trouble:?}: {tags:?}");
        assert_eq!(
            tags.contains(&"colleague_was_here".to_owned()),
            trouble == Trouble::Meanwhile,
            "{trouble:?}: a colleague's tag stays"
        );
    }
}

#[test]
fn what_was_recorded_and_never_written_is_overtaken_when_the_note_before_it_holds_again() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    desk.helpdesk.add(ticket(1, &["purchased_wrong_product"]));
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    bot.notes(&desk, 1, 1);
    desk.helpdesk.say(1, 7001, "star: sales_intervened=yes", Publicity::Internal);
    (0..4).for_each(|_| desk.helpdesk.inject(Trouble::WriteStatus(500)));
    bot.deliver(&event("e2", 1, "comment_added"), &[]);
    let decisions = |carried: &str| {
        let decisions = bot.get("/api/v1/tickets/global/1").1["decisions"].clone();
        decisions.as_array().is_some_and(|all| all.iter().any(|row| row["carried"] == carried)).then_some(())
    };
    wait_for("a decision that is not written", || decisions("open"));
    desk.helpdesk.change(1, |reading| drop(reading.comments.pop())); // The manager redacts it.
    bot.deliver(&event("e3", 1, "comment_redacted"), &[]);
    wait_for("it overtaken", || decisions("overtaken"));
    assert_eq!((decisions("open"), desk.helpdesk.notes(1).len()), (None, 1));
}

#[test]
fn closed_deleted_and_foreign_tickets_are_left_alone() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    for (id, status) in [(1, "closed"), (2, "solved")] {
        let mut reading = ticket(id, &["purchased_wrong_product"]);
        reading.ticket.status = status.into();
        desk.helpdesk.add(reading);
    }
    let mut foreign = ticket(3, &[]);
    foreign.ticket.tags = vec!["star_submitted".into()];
    foreign.ticket.ticket_form_id = Some(1);
    desk.helpdesk.add(foreign);
    for id in [1, 2, 3, 404] {
        assert_eq!(bot.deliver(&json!({ "ticket_id": id }), &[]).0, 200);
    }
    for id in [1, 2, 3, 404] {
        bot.at_rest(&desk, id);
        assert_eq!((desk.helpdesk.notes(id).len(), writes(&desk.helpdesk)), (0, 0), "{id}");
        let calls = desk.helpdesk.calls();
        let of_it = |call: &&Call| call.path.starts_with(&format!("/api/v2/tickets/{id}"));
        let paths: Vec<_> = calls.iter().filter(of_it).map(|call| call.path.as_str()).collect();
        // It was looked at, and the comments of a ticket that is not ours are not read.
        assert_eq!(paths, [format!("/api/v2/tickets/{id}")]);
    }
}

#[test]
fn a_restart_or_a_lost_store_doubles_nothing() {
    let desk = desk();
    let folder = tempfile::tempdir().expect("a folder");
    desk.helpdesk.add(ticket(1, &["purchased_wrong_product"]));
    let mut bot = serve(&desk, folder.path(), "");
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    bot.notes(&desk, 1, 1);
    assert_eq!(bot.stop(), Some(0), "SIGTERM is a good end");
    let mut bot = serve(&desk, folder.path(), "");
    assert_eq!(
        bot.deliver(&event("e1", 1, "tags_changed"), &[]).1,
        json!({ "status": "duplicate" }),
        "known across restarts"
    );
    bot.kill();
    let other = tempfile::tempdir().expect("a folder");
    let bot = serve(&desk, other.path(), "");
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    bot.at_rest(&desk, 1);
    assert_eq!(desk.helpdesk.notes(1).len(), 1, "the note on the ticket tells that it was written");
}

#[test]
fn on_a_long_ticket_the_bots_own_note_is_found_on_the_third_page() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    desk.helpdesk.add(ticket(1, &["purchased_wrong_product"]));
    let mut bot = serve(&desk, folder.path(), "");
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    bot.notes(&desk, 1, 1);
    bot.at_rest(&desk, 1);
    bot.kill();
    (1..230).for_each(|nth| {
        desk.helpdesk.say(1, 5001, &format!("Any news? I ask for the {nth}. time."), Publicity::Public)
    });
    let before = pages(&desk.helpdesk, "/api/v2/tickets/1/comments");
    let other = tempfile::tempdir().expect("a folder"); // Its store is lost, so the note itself must tell.
    let bot = serve(&desk, other.path(), "");
    bot.deliver(&event("e2", 1, "comment_added"), &[]);
    bot.at_rest(&desk, 1);
    assert_eq!(pages(&desk.helpdesk, "/api/v2/tickets/1/comments") - before, 3);
    assert_eq!((desk.helpdesk.notes(1).len(), writes(&desk.helpdesk)), (1, 1));
}

#[test]
fn a_delivery_taken_before_a_kill_gets_its_note_after_it() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    desk.helpdesk.add(ticket(1, &["purchased_wrong_product"]));
    let mut bot = serve(&desk, folder.path(), "");
    assert!(tickets(folder.path(), &["pause", "global"]).0); // So that the kill comes before the look, however late it is.
    assert_eq!(bot.deliver(&event("e1", 1, "tags_changed"), &[]).0, 200);
    bot.kill();
    assert_eq!(desk.helpdesk.notes(1).len(), 0);
    let bot = serve(&desk, folder.path(), "");
    assert!(tickets(folder.path(), &["resume", "global"]).0);
    bot.notes(&desk, 1, 1);
}

#[test]
fn shadow_decides_and_writes_nothing() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "mode = \"shadow\"");
    desk.helpdesk.add(ticket(1, &["purchased_wrong_product"]));
    for id in ["e1", "e2"] {
        bot.deliver(&event(id, 1, "tags_changed"), &[]);
        bot.at_rest(&desk, 1);
        assert_eq!((desk.helpdesk.notes(1).len(), writes(&desk.helpdesk)), (0, 0));
        assert_eq!(bot.kept(1)["decisions"].as_array().map(Vec::len), Some(1), "decided, once");
    }
}

#[test]
fn every_kind_of_credentials_works_and_refused_ones_show() {
    for auth in [
        "oauth_token = \"demo-token\"",
        "email = \"bot@example.com\"\napi_token = \"demo\"",
        "client_id = \"starwarden\"\nclient_secret = \"demo\"",
    ] {
        let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
        let bot = serve(&desk, folder.path(), &format!("[accounts.global.auth]\n{auth}"));
        desk.helpdesk.add(ticket(1, &["purchased_wrong_product"]));
        bot.deliver(&event("e1", 1, "tags_changed"), &[]);
        bot.notes(&desk, 1, 1);
        desk.helpdesk.revoke_tokens(); // An OAuth client is given another.
        desk.helpdesk.add(ticket(2, &["purchased_wrong_product"]));
        bot.deliver(&event("e2", 2, "tags_changed"), &[]);
        bot.notes(&desk, 2, 1);
    }
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "[accounts.global.auth]\noauth_token = \"wrong\"");
    let faults = wait_for("the refusal", || {
        let (status, body) = bot.get("/readyz");
        Some(body["faults"].to_string()).filter(|faults| status == 503 && faults.contains("refuses our credentials"))
    });
    assert!(!faults.contains("wrong"), "no secret is shown: {faults}");
    assert_eq!(
        bot.deliver(&event("e1", 1, "tags_changed"), &[]).1,
        json!({ "status": "accepted" }),
        "deliveries are taken and kept all the same"
    );
}

#[test]
fn a_starred_ticket_no_delivery_told_of_is_found() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    desk.helpdesk.add(ticket(1, &["purchased_wrong_product"]));
    // The environment stands above the file, which says "off".
    let bot = serve_in(&desk, folder.path(), "", &[("STARWARDEN__ACCOUNTS__GLOBAL__CATCH_UP_EVERY", "10m")]);
    bot.notes(&desk, 1, 1);
}

#[test]
fn all_starred_tickets_are_found_however_many_pages_they_fill() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    (1..=150).for_each(|id| desk.helpdesk.add(ticket(id, &["purchased_wrong_product"])));
    let bot = serve_in(&desk, folder.path(), "", &[("STARWARDEN__ACCOUNTS__GLOBAL__CATCH_UP_EVERY", "10m")]);
    (1..=150).for_each(|id| assert_eq!(bot.notes(&desk, id, 1).len(), 1, "{id}"));
    assert_eq!(pages(&desk.helpdesk, "/api/v2/search/export"), 2, "by one search");
}
