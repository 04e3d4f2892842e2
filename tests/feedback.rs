//! What counts as feedback, and that the bot does not argue with a manager.

use chrono::Utc;
use serde_json::json;
use starwarden::decide::ticket::TicketKey;
use starwarden::demo::helpdesk::Publicity;
use starwarden::store::Store;
use starwarden::store::feedback::FeedbackRow;

use crate::support::{desk, event, serve, ticket, wait_for};

/// What the bot's store holds of a ticket: verdict, opinion, why or what else, who, way.
fn kept(folder: &std::path::Path, id: u64) -> Vec<(String, &'static str, String, String, &'static str)> {
    let store = Store::sqlite(&folder.join("star.db")).expect("the bot's store");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let key = TicketKey { account: "global".into(), id };
    let rows: Vec<FeedbackRow> = runtime.block_on(store.feedback_of(&key)).expect("read");
    let told = |FeedbackRow { feedback, verdict }| {
        let (word, detail) = (feedback.opinion.word(), feedback.opinion.detail().to_owned());
        (verdict, word, detail, feedback.who, feedback.way.word())
    };
    rows.into_iter().map(told).collect()
}

fn row(
    verdict: &str,
    word: &'static str,
    detail: &str,
    way: &'static str,
) -> (String, &'static str, String, String, &'static str) {
    let who = if way == "tag" { "somebody at the helpdesk" } else { "Ann Agent" };
    (verdict.into(), word, detail.into(), who.into(), way)
}

#[test]
fn agree_and_disagree_are_kept_once_with_the_note_they_answer() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    desk.helpdesk.add(ticket(1, &["purchased_wrong_product"]));
    desk.helpdesk.say(1, 7001, "star: agree", Publicity::Internal); // Before any note: with what?
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    bot.notes(&desk, 1, 1);
    desk.helpdesk.say(1, 7001, "star: disagree the renewal is <b>in procurement</b>", Publicity::Internal);
    desk.helpdesk.say(1, 5001, "star: agree", Publicity::Internal);
    desk.helpdesk.say(1, 7001, "star: agree", Publicity::Public);
    desk.helpdesk.say(1, 7001, "star: sales_intervened=yes", Publicity::Internal);
    bot.deliver(&event("e2", 1, "comment_added"), &[]);
    bot.notes(&desk, 1, 2);
    desk.helpdesk.say(1, 7001, "star: agree", Publicity::Internal);
    // The manager agrees and solves the ticket in one go: its last words are read all the same.
    desk.helpdesk.change(1, |reading| reading.ticket.status = "solved".into());
    for number in 3..5 {
        bot.deliver(&event(&format!("e{number}"), 1, "status_changed"), &[]);
        let expected = [
            row("wait_for_sales", "disagree", "the renewal is <b>in procurement</b>", "reply"),
            row("ok_to_star", "agree", "", "reply"),
        ];
        wait_for("the feedback", || (kept(folder.path(), 1) == expected).then_some(()));
    }
    assert_eq!(desk.helpdesk.notes(1).len(), 2);
}

#[test]
fn a_managers_tag_is_a_correction_and_the_bot_leaves_it() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    desk.helpdesk.add(ticket(1, &["trial_extension", "trial"]));
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    assert!(bot.notes(&desk, 1, 1)[0].starts_with("No need for STAR."));
    let tagged = |tags: &[&str]| {
        desk.helpdesk.change(1, |reading| {
            reading.ticket.tags.retain(|tag| !["no_need_for_star", "star_escalation"].contains(&tag.as_str()));
            reading.ticket.tags.extend(tags.iter().map(|tag| (*tag).to_owned()));
        });
    };
    let looks = || desk.helpdesk.calls().iter().filter(|call| call.path.ends_with("/comments")).count();
    let look = |event_id: &str| {
        let before = looks();
        bot.deliver(&event(event_id, 1, "tags_changed"), &[]);
        wait_for("a look", || (looks() > before).then_some(()));
    };
    // Its own tag is gone and no other stands there: that says nothing.
    tagged(&[]);
    look("e2");
    tagged(&["star_escalation"]);
    look("e3");
    let correction = row("no_need", "corrected", "ok_to_star", "tag");
    wait_for("the correction", || (kept(folder.path(), 1) == [correction.clone()]).then_some(()));
    look("e4");
    let page = bot.text("/tickets/global/1");
    assert!(page.contains("put the tags of &#34;OK to STAR&#34; in their place"), "{page}");
    // Another reason for the same verdict is not worth arguing about.
    let expires = Utc::now() + chrono::TimeDelta::days(90);
    let other = format!("star: trial=no, in_grace=no, expires_at={}", expires.format("%Y-%m-%d"));
    desk.helpdesk.say(1, 7001, &other, Publicity::Internal);
    look("e5");
    desk.helpdesk.add(ticket(2, &["purchased_wrong_product"]));
    bot.deliver(&json!({ "ticket_id": 2 }), &[]);
    bot.notes(&desk, 2, 1);
    assert_eq!(kept(folder.path(), 1), std::slice::from_ref(&correction), "once, however often it is seen");
    assert_eq!(desk.helpdesk.notes(1).len(), 1);
    let reading = desk.helpdesk.reading(1).expect("the ticket");
    assert!(reading.ticket.tags.contains(&"star_escalation".to_owned()), "{:?}", reading.ticket.tags);
    assert!(!reading.ticket.tags.contains(&"no_need_for_star".to_owned()), "{:?}", reading.ticket.tags);
    // Another verdict is news.
    desk.helpdesk.say(1, 7001, "star: request=wrong_product", Publicity::Internal);
    look("e6");
    assert!(bot.notes(&desk, 1, 2)[1].starts_with("Wait for Sales."));
}
