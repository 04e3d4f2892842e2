//! The loop, driven from outside: what it costs, what it does by the clock, and whom one ticket's trouble concerns.

use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use starwarden::demo::helpdesk::Publicity;
use starwarden::demo::limit::Limit;
use starwarden::demo::troubles::Trouble;
use starwarden::store::Store;

use crate::support::{Desk, desk, event, postgres, serve, serve_in, ticket, tickets, wait_for};

/// Tags that decide a ticket by themselves.
const DECIDED: [&str; 1] = ["purchased_wrong_product"];

fn count(desk: &Desk, method: &str, path: &str) -> usize {
    desk.helpdesk.calls().iter().filter(|call| call.method == method && call.path == path).count()
}

fn looks(desk: &Desk, id: u64) -> usize {
    count(desk, "GET", &format!("/api/v2/tickets/{id}/comments"))
}

fn tags(desk: &Desk, id: u64) -> Vec<String> {
    desk.helpdesk.reading(id).expect("the ticket").ticket.tags
}

#[test]
fn a_decision_costs_two_reads_and_one_write() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    desk.helpdesk.add(ticket(1, &DECIDED));
    for (nth, writes) in [(1, 1), (2, 1), (3, 1)] {
        bot.deliver(&event(&format!("e{nth}"), 1, "tags_changed"), &[]);
        bot.at_rest(&desk, 1);
        assert_eq!((count(&desk, "GET", "/api/v2/tickets/1"), looks(&desk, 1)), (nth, nth), "two reads a look");
        assert_eq!(count(&desk, "PUT", "/api/v2/tickets/1"), writes, "one write a decision");
    }
    let others = desk.helpdesk.calls().iter().filter(|call| !call.path.starts_with("/api/v2/tickets/1")).count();
    assert_eq!(others, 1, "besides, it asks once who it is: {:?}", desk.helpdesk.calls());
}

#[test]
fn when_more_than_a_day_runs_out_the_verdict_changes_by_itself_and_says_so_once() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    desk.helpdesk.add(ticket(1, &[]));
    let expired = Utc::now() - TimeDelta::days(13) + TimeDelta::seconds(15);
    let answer = format!("star: trial=no, expires_at={}", expired.format("%Y-%m-%dT%H:%M:%SZ"));
    desk.helpdesk.say(1, 7001, &answer, Publicity::Internal);
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    let first = bot.notes(&desk, 1, 1).remove(0);
    assert!(first.starts_with("No need for STAR."), "{first}");
    assert!(tags(&desk, 1).contains(&"no_need_for_star".to_owned()));
    let second = bot.notes(&desk, 1, 2).remove(1);
    assert!(second.starts_with("OK to STAR") && second.contains("Was: no need for STAR."), "{second}");
    assert!(tags(&desk, 1).contains(&"star_escalation".to_owned()), "{:?}", tags(&desk, 1));
    assert!(!tags(&desk, 1).contains(&"no_need_for_star".to_owned()), "{:?}", tags(&desk, 1));
    bot.deliver(&event("e2", 1, "status_changed"), &[]);
    bot.at_rest(&desk, 1);
    assert_eq!(desk.helpdesk.notes(1).len(), 2);
}

#[test]
fn a_poisonous_ticket_delays_nobody_and_goes_to_the_dead_letters() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "[work]\ntries = 3");
    for id in 1..=100 {
        desk.helpdesk.add(ticket(id, &DECIDED));
    }
    for (id, trouble) in [(1, Trouble::ReadStatus(500)), (2, Trouble::WriteStatus(403)), (3, Trouble::Broken)] {
        desk.helpdesk.trouble_with(id, Some(trouble));
    }
    for id in 1..=100 {
        bot.deliver(&event(&format!("e{id}"), id, "tags_changed"), &[]);
    }
    for id in 4..=100 {
        bot.notes(&desk, id, 1);
    }
    for (id, why) in [(1, "status 500"), (2, "does not let us write on this ticket"), (3, "cannot be reached")] {
        let error = wait_for("a dead letter", || bot.kept(id)["watch"]["error"].as_str().map(str::to_owned));
        assert!(error.contains(why), "{id}: {error}");
    }
    assert_eq!(bot.get("/readyz").0, 200, "one ticket's trouble is not the account's");
    let (well, dead) = tickets(folder.path(), &["list", "--state", "dead"]);
    assert!(well && dead.lines().count() == 4 && dead.contains("global/2"), "{dead}");
    desk.helpdesk.trouble_with(1, None);
    assert_eq!(tickets(folder.path(), &["retry", "global/1"]), (true, "1 dead letter is due again\n".into()));
    bot.notes(&desk, 1, 1);
    let (well, said) = tickets(folder.path(), &["retry", "--error", "no such trouble"]);
    assert!(!well && said.contains("tickets list --state dead"), "{said}");
    (2..=3).for_each(|id| desk.helpdesk.trouble_with(id, None));
    assert_eq!(tickets(folder.path(), &["retry", "--all"]), (true, "2 dead letters are due again\n".into()));
    (2..=3).for_each(|id| drop(bot.notes(&desk, id, 1)));
    assert!((1..=100).all(|id| desk.helpdesk.notes(id).len() == 1));
}

#[test]
fn where_no_ticket_may_be_written_on_the_account_rests_and_nothing_is_lost() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "[work]\ntries = 2");
    for id in 1..=6 {
        desk.helpdesk.add(ticket(id, &DECIDED));
        desk.helpdesk.trouble_with(id, Some(Trouble::WriteStatus(403)));
    }
    for id in 1..=6 {
        assert_eq!(bot.deliver(&event(&format!("e{id}"), id, "tags_changed"), &[]).0, 200);
    }
    wait_for("the reason", || {
        let (status, said) = bot.get("/readyz");
        (status == 503 && said["faults"][0].as_str()?.contains("tickets:write")).then_some(())
    });
    (1..=6).for_each(|id| desk.helpdesk.trouble_with(id, None));
    wait_for("readiness", || (bot.get("/readyz").0 == 200).then_some(()));
    (1..=6).for_each(|id| drop(bot.notes(&desk, id, 1)));
}

#[test]
fn while_the_helpdesk_is_away_no_ticket_becomes_a_dead_letter() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "[work]\ntries = 1");
    wait_for("readiness", || (bot.get("/readyz").0 == 200).then_some(()));
    desk.helpdesk.goes_away();
    for id in 1..=20 {
        desk.helpdesk.add(ticket(id, &DECIDED));
        assert_eq!(bot.deliver(&event(&format!("e{id}"), id, "tags_changed"), &[]).0, 200);
    }
    wait_for("the reason", || {
        let (status, said) = bot.get("/readyz");
        (status == 503 && said["faults"][0].as_str()?.contains("the helpdesk failed with status 503")).then_some(())
    });
    desk.helpdesk.comes_back();
    (1..=20).for_each(|id| assert_eq!(bot.notes(&desk, id, 1).len(), 1));
    assert_eq!(bot.get("/readyz").0, 200);
    assert!(!tickets(folder.path(), &["list", "--state", "dead"]).1.contains("global/"));
}

#[test]
fn while_a_part_of_the_helpdesk_is_away_no_ticket_becomes_a_dead_letter() {
    for trouble in [Trouble::ReadStatus(503), Trouble::WriteStatus(500)] {
        let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
        let bot = serve(&desk, folder.path(), "");
        for id in 1..=4 {
            desk.helpdesk.add(ticket(id, &DECIDED));
            desk.helpdesk.trouble_with(id, Some(trouble));
            assert_eq!(bot.deliver(&event(&format!("e{id}"), id, "tags_changed"), &[]).0, 200);
        }
        wait_for("the reason", || {
            let (status, said) = bot.get("/readyz");
            (status == 503 && said["faults"][0].as_str()?.contains("the helpdesk knows us and fails")).then_some(())
        });
        (1..=4).for_each(|id| desk.helpdesk.trouble_with(id, None));
        (1..=4).for_each(|id| assert_eq!(bot.notes(&desk, id, 1).len(), 1));
        wait_for("readiness", || (bot.get("/readyz").0 == 200).then_some(()));
    }
}

#[test]
fn tickets_with_a_trouble_of_their_own_are_the_accounts_trouble_only_until_another_is_let_through() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "[work]\ntries = 2");
    for id in 1..=3 {
        desk.helpdesk.add(ticket(id, &DECIDED));
        desk.helpdesk.trouble_with(id, Some(Trouble::WriteStatus(403)));
        bot.deliver(&event(&format!("e{id}"), id, "tags_changed"), &[]);
    }
    wait_for("the reason", || (bot.get("/readyz").0 == 503).then_some(()));
    desk.helpdesk.add(ticket(4, &DECIDED));
    bot.deliver(&event("e4", 4, "tags_changed"), &[]);
    bot.notes(&desk, 4, 1);
    for id in 1..=3 {
        wait_for("a dead letter", || (bot.kept(id)["watch"]["state"] == "dead").then_some(()));
    }
    wait_for("readiness", || (bot.get("/readyz").0 == 200).then_some(()));
}

#[test]
fn a_note_by_the_user_the_bot_was_before_is_its_own() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    desk.helpdesk.add(ticket(1, &DECIDED));
    let deliver = |event_id: &str| {
        let bot = serve(&desk, folder.path(), "");
        bot.deliver(&event(event_id, 1, "tags_changed"), &[]);
        bot.at_rest(&desk, 1);
    };
    deliver("e1");
    assert_eq!(desk.helpdesk.notes(1).len(), 1);
    let before = 9002;
    desk.helpdesk.change(1, |reading| reading.comments.iter_mut().for_each(|comment| comment.author_id = Some(before)));
    assert_eq!(desk.helpdesk.notes(1).len(), 0, "nothing is by the user it is now");
    let store = Store::sqlite(&folder.path().join("star.db")).expect("the store");
    tokio::runtime::Runtime::new().expect("a runtime").block_on(store.known_as("global", before)).expect("kept");
    drop(store);
    deliver("e2");
    assert_eq!(desk.helpdesk.notes(1).len(), 0, "what was said is not said again");
}

#[test]
fn the_helpdesks_limit_is_kept_to_by_all_calls_at_once() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    desk.helpdesk.limit(Some(Limit { calls: 25, every: Duration::from_secs(4) }));
    for id in 1..=20 {
        desk.helpdesk.add(ticket(id, &DECIDED));
        bot.deliver(&event(&format!("e{id}"), id, "tags_changed"), &[]);
    }
    (1..=20).for_each(|id| assert_eq!(bot.notes(&desk, id, 1).len(), 1));
    assert_eq!(desk.helpdesk.violations(), 0, "no call while the helpdesk wants none");
}

#[test]
fn replicas_share_one_budget() {
    let (desk, runtime) = (desk(), tokio::runtime::Runtime::new().expect("a runtime"));
    let url = runtime.block_on(postgres::shared().database());
    let folders: Vec<_> = (0..2).map(|_| tempfile::tempdir().expect("a folder")).collect();
    let replica = |folder: &tempfile::TempDir| {
        let budget = ("STARWARDEN__ACCOUNTS__GLOBAL__REQUESTS_PER_MINUTE", "180");
        serve_in(&desk, folder.path(), "", &[("STARWARDEN__STORE__URL", &url), budget])
    };
    for id in 1..=10 {
        desk.helpdesk.add(ticket(id, &DECIDED));
    }
    let begun = Instant::now();
    let bots: Vec<_> = folders.iter().map(replica).collect();
    for id in 1..=10 {
        let bot = bots.get(usize::try_from(id).expect("small") % 2).expect("a replica");
        bot.deliver(&event(&format!("e{id}"), id, "tags_changed"), &[]);
    }
    for id in 1..=10 {
        assert_eq!(bots[0].notes(&desk, id, 1).len(), 1);
    }
    let calls = desk.helpdesk.calls().iter().filter(|call| call.path.starts_with("/api/")).count();
    let granted = 18.0 + begun.elapsed().as_secs_f64() * 3.0; // A tenth at once, and three a second.
    assert!(calls >= 31, "an introduction at least, which is kept, and three calls a ticket: {calls}");
    assert!(f64::from(u32::try_from(calls).expect("few")) <= granted, "{calls} calls, {granted} granted");
}

#[test]
fn a_paused_account_takes_deliveries_and_writes_nothing_until_it_is_resumed() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    assert!(tickets(folder.path(), &["pause", "global"]).0);
    let (well, said) = tickets(folder.path(), &["pause", "global"]);
    assert!(!well && said.contains("global is paused by ann, since"), "{said}");
    desk.helpdesk.add(ticket(1, &DECIDED));
    assert_eq!(bot.deliver(&event("e1", 1, "tags_changed"), &[]).1, json!({ "status": "accepted" }));
    let (status, ready) = bot.get("/readyz");
    assert_eq!(status, 200, "deliveries are taken: {ready}");
    assert!(bot.text("/").contains("global is paused by ann, since"), "the first page tells");
    assert!(ready["paused"][0].as_str().is_some_and(|said| said.contains("ann")), "{ready}");
    wait_for("the ticket to be due", || {
        let (well, list) = tickets(folder.path(), &["list", "--state", "due"]);
        (well && list.contains("due now")).then_some(())
    });
    assert_eq!((desk.helpdesk.notes(1).len(), looks(&desk, 1)), (0, 0));
    let (well, said) = tickets(folder.path(), &["resume", "global"]);
    assert!(well, "{said}");
    bot.notes(&desk, 1, 1);
    assert!(!tickets(folder.path(), &["resume", "global"]).0, "it is not paused any more");
}

#[test]
fn a_ticket_that_moved_without_a_delivery_is_looked_at_again() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve_in(&desk, folder.path(), "", &[("STARWARDEN__ACCOUNTS__GLOBAL__CATCH_UP_EVERY", "1s")]);
    desk.helpdesk.add(ticket(1, &["transaction_issue_trial"]));
    bot.notes(&desk, 1, 1); // Its star was never told of either.
    desk.helpdesk.say(1, 7001, "star: sales_assisted=no", Publicity::Internal);
    let notes = bot.notes(&desk, 1, 2);
    assert!(notes[1].contains("Was: answers needed."), "{notes:?}");
    // Also where it would be looked at by itself some day.
    let in_days =
        |days: i64| (Utc::now() + TimeDelta::days(days)).format("star: trial=no, expires_at=%Y-%m-%d").to_string();
    desk.helpdesk.add(ticket(2, &[]));
    desk.helpdesk.say(2, 7001, &in_days(20), Publicity::Internal);
    assert!(bot.notes(&desk, 2, 1)[0].starts_with("No need for STAR."));
    wait_for("its day", || (bot.kept(2)["watch"]["state"] == "due").then_some(()));
    desk.helpdesk.say(2, 7001, &in_days(1), Publicity::Internal);
    assert!(bot.notes(&desk, 2, 2)[1].starts_with("OK to STAR"));
}

#[test]
fn a_ticket_that_flaps_is_held_back_and_shown() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "[work]\nnotes_in_ten_minutes = 2");
    desk.helpdesk.add(ticket(1, &["transaction_issue_trial"]));
    bot.deliver(&event("e0", 1, "tags_changed"), &[]);
    bot.notes(&desk, 1, 1);
    desk.helpdesk.say(1, 7001, "star: sales_assisted=no", Publicity::Internal);
    bot.deliver(&event("e1", 1, "comment_added"), &[]);
    bot.notes(&desk, 1, 2);
    // Its first note is about to be ten minutes old.
    let at = Utc::now() - TimeDelta::minutes(10) + TimeDelta::seconds(15);
    desk.helpdesk.change(1, |reading| reading.comments[0].created_at = Some(at));
    desk.helpdesk.say(1, 7001, "star: sales_assisted=yes", Publicity::Internal);
    bot.deliver(&event("e2", 1, "comment_added"), &[]);
    wait_for("it to be held back", || bot.kept(1)["last_error"].as_str()?.contains("the ticket flaps").then_some(()));
    let (_, list) = tickets(folder.path(), &["list"]);
    assert!(list.contains("the ticket flaps and is held back"), "{list}");
    assert_eq!(desk.helpdesk.notes(1).len(), 2);
    let notes = bot.notes(&desk, 1, 3);
    assert!(notes[2].contains("Was: no need for STAR."), "by itself, once the first note has aged: {notes:?}");
    bot.at_rest(&desk, 1);
    assert_eq!((bot.kept(1)["last_error"].as_str(), desk.helpdesk.notes(1).len()), (None, 3));
}

#[test]
fn what_is_older_than_is_to_be_kept_goes_while_the_bot_runs() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let mut bot = serve(&desk, folder.path(), "");
    // By the second ticket's note, which comes two seconds after its delivery, all before it is old.
    for id in [1, 2] {
        desk.helpdesk.add(ticket(id, &DECIDED));
        bot.deliver(&event(&format!("e{id}"), id, "tags_changed"), &[]);
        bot.notes(&desk, id, 1);
        bot.at_rest(&desk, id);
        if id == 1 {
            desk.helpdesk.say(1, 7001, "star: stop", Publicity::Internal);
            bot.deliver(&event("e3", 1, "comment_added"), &[]);
            bot.at_rest(&desk, 1);
        }
    }
    assert_eq!(bot.kept(1)["watch"]["state"], "stopped");
    assert_eq!(bot.stop(), Some(0));
    let bot = serve_in(&desk, folder.path(), "", &[("STARWARDEN__STORE__KEEP", "1s")]);
    wait_for("the end of the ticket that is watched no longer", || {
        (bot.get("/api/v1/tickets/global/1").0 == 404).then_some(())
    });
    let kept = bot.kept(2);
    let count = |what: &str| kept[what].as_array().map(Vec::len);
    assert_eq!((count("events"), count("decisions")), (Some(0), Some(1)), "of the other its word stays: {kept}");
    desk.helpdesk.say(2, 7001, "star: sales_intervened=yes", Publicity::Internal);
    bot.deliver(&event("e4", 2, "comment_added"), &[]);
    let notes = bot.notes(&desk, 2, 2);
    assert!(notes[1].contains("Was: wait for Sales."), "and it knows what it said: {notes:?}");
}

#[test]
fn however_late_a_write_takes_effect_and_however_the_comments_lag_there_is_one_note() {
    let (soon, late) = (Duration::from_secs(1), Duration::from_secs(4));
    let cases: [&[Trouble]; 7] = [
        &[Trouble::Broken],
        &[Trouble::BrokenAfter],
        &[Trouble::BrokenAfter, Trouble::Lagging(late)],
        &[Trouble::Late(soon)],
        &[Trouble::Late(late)],
        &[Trouble::Late(soon), Trouble::Lagging(late), Trouble::Lagging(late)],
        &[Trouble::LostAnswer, Trouble::Meanwhile, Trouble::Lagging(soon)],
    ];
    std::thread::scope(|scope| {
        for troubles in cases {
            scope.spawn(move || {
                let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
                let bot = serve(&desk, folder.path(), "");
                wait_for("readiness", || (bot.get("/readyz").0 == 200).then_some(()));
                desk.helpdesk.add(ticket(1, &DECIDED));
                // What lags is the list after the write, so it is told once the ticket was read for the first time.
                let (lags, first): (Vec<_>, Vec<_>) =
                    troubles.iter().copied().partition(|trouble| matches!(trouble, Trouble::Lagging(_)));
                first.into_iter().for_each(|trouble| desk.helpdesk.inject(trouble));
                bot.deliver(&event("e1", 1, "tags_changed"), &[]);
                wait_for("the first look", || (looks(&desk, 1) == 1).then_some(()));
                lags.into_iter().for_each(|trouble| desk.helpdesk.inject(trouble));
                bot.notes(&desk, 1, 1);
                bot.at_rest(&desk, 1);
                bot.deliver(&event("e2", 1, "tags_changed"), &[]);
                bot.at_rest(&desk, 1);
                assert_eq!(desk.helpdesk.notes(1).len(), 1, "{troubles:?}");
            });
        }
    });
}

#[test]
fn an_id_that_somebody_quotes_means_nothing() {
    let note = {
        let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
        let bot = serve(&desk, folder.path(), "");
        desk.helpdesk.add(ticket(1, &DECIDED));
        bot.deliver(&event("e1", 1, "tags_changed"), &[]);
        bot.notes(&desk, 1, 1).remove(0)
    };
    let reference = note.split("ref ").nth(1).expect("an id").trim().to_owned();
    // The same ticket of another day: the very id it is about to get stands on it already, by other hands.
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    desk.helpdesk.add(ticket(1, &DECIDED));
    for (author, publicity) in [(5001, Publicity::Public), (7001, Publicity::Internal)] {
        desk.helpdesk.say(1, author, &note, publicity);
    }
    let bot = serve(&desk, folder.path(), "");
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    let own = bot.notes(&desk, 1, 1).remove(0);
    assert!(own.trim().ends_with(&reference), "its own note is written all the same:\n{note}\n\n{own}");
}

#[test]
fn a_ticket_is_shown_with_its_whole_history() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    let mut hostile = ticket(1, &DECIDED);
    hostile.ticket.subject = "Help\u{1b}[2J me".into();
    desk.helpdesk.add(hostile);
    wait_for("readiness", || (bot.get("/readyz").0 == 200).then_some(()));
    desk.helpdesk.inject(Trouble::ReadStatus(502));
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    bot.notes(&desk, 1, 1);
    bot.at_rest(&desk, 1);
    assert_eq!(tickets(folder.path(), &["recheck", "1"]), (true, "global/1 is due now\n".into()));
    wait_for("another look", || (looks(&desk, 1) == 2).then_some(()));
    let (well, shown) = tickets(folder.path(), &["show", "global/1"]);
    for words in [
        "Help [2J me",
        "delivery: tags changed",
        "a look failed: the helpdesk failed with status 502",
        "ann asked for another look",
        "wait for sales; note and tags are on the ticket",
        "Wait for Sales.",
    ] {
        assert!(well && shown.contains(words), "{words} in\n{shown}");
    }
    let (_, json) = tickets(folder.path(), &["show", "1", "--format", "json"]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&json["id"], &json["decisions"]), (&json!(1), &bot.kept(1)["decisions"]));
    for (arguments, sentence) in [
        (["show", "global/9"], "the bot never heard of ticket global/9"),
        (["show", "us/1"], "there is no account us: the configuration has global"),
        (["recheck", "global/one"], "one is no ticket number: give digits alone, or ACCOUNT/NUMBER"),
    ] {
        assert_eq!(tickets(folder.path(), &arguments), (false, format!("{sentence}\n")));
    }
}
