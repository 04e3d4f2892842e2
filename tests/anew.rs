//! A changed rule reaches every open ticket, by the real binary.

use std::path::Path;

use chrono::{TimeDelta, Utc};
use starwarden::demo::helpdesk::Publicity;

use crate::candidate::Place;
use crate::support::{Bot, Desk, copy_policy, desk, event, postgres, serve, ticket, tickets, wait_for};

/// What the handbook's chart asks of the grace period, and what a candidate asks: eleven days.
const ASKS: &str = "[nodes.H]\nmore_than = \"24h\"";
const ASKS_MORE: &str = "[nodes.H]\nmore_than = \"264h\"";

/// The same in the chart.
const CHART: &str = "grace period expiring in more than 24h";
const CHART_MORE: &str = "grace period expiring in more than 264h";

/// The shipped policy with a candidate that asks for more.
fn place(store: Option<String>) -> Place {
    let place = Place::with(store, "diagram = \"star.mmd\"", "diagram = \"next.mmd\"");
    std::fs::copy(place.folder.path().join("star.mmd"), place.folder.path().join("next.mmd")).expect("a copy");
    place.change("next.mmd", CHART, CHART_MORE);
    place.change("next.toml", ASKS, ASKS_MORE);
    place
}

/// Four open tickets, decided: the first in grace for ten more days, the second for nearly fourteen, one that asks, and one that
/// waits for Sales.
fn decided(desk: &Desk, bot: &Bot) {
    for (id, days_ago) in [(1, 4), (2, 0)] {
        desk.helpdesk.add(ticket(id, &[]));
        let expired = (Utc::now() - TimeDelta::days(days_ago) - TimeDelta::hours(2)).format("%Y-%m-%dT%H:%M:%SZ");
        let answer = format!("star: request=plan_license, trial=no, expires_at={expired}");
        desk.helpdesk.say(id, 7001, &answer, Publicity::Internal);
    }
    desk.helpdesk.add(ticket(3, &[]));
    desk.helpdesk.add(ticket(4, &["purchased_wrong_product"]));
    for id in 1..=4 {
        bot.deliver(&event(&format!("e{id}"), id, "tags_changed"), &[]);
        bot.notes(desk, id, 1);
    }
    for id in 1..=2 {
        assert!(desk.helpdesk.notes(id)[0].starts_with("No need for STAR."), "{:?}", desk.helpdesk.notes(id));
        let looks_at = wait_for("the next look", || bot.kept(id)["watch"]["at"].as_str().map(str::to_owned));
        let looks_at = looks_at.parse::<chrono::DateTime<Utc>>().expect("an instant");
        assert!(looks_at > Utc::now() + TimeDelta::days(8), "by the rule in force it is far away");
    }
    wait_for("all looks to be over", || (to_decide_anew(bot) == 0 && due(bot) == 0).then_some(()));
}

fn gauge(bot: &Bot, name: &str) -> u64 {
    let text = bot.text("/metrics");
    let value = text.lines().find_map(|line| line.strip_prefix(&format!("{name}{{account=\"global\"}} ")));
    value.expect("a gauge").parse().expect("a number")
}

fn to_decide_anew(bot: &Bot) -> u64 {
    gauge(bot, "starwarden_tickets_to_decide_anew")
}

fn due(bot: &Bot) -> u64 {
    gauge(bot, "starwarden_tickets_due")
}

fn reads(desk: &Desk) -> Vec<usize> {
    let of = |id| format!("/api/v2/tickets/{id}/comments");
    (1..=4).map(|id| desk.helpdesk.calls().iter().filter(|call| call.path == of(id)).count()).collect()
}

fn notes(desk: &Desk) -> Vec<usize> {
    (1..=4).map(|id| desk.helpdesk.notes(id).len()).collect()
}

fn tags(desk: &Desk, id: u64) -> Vec<String> {
    desk.helpdesk.reading(id).expect("the ticket").ticket.tags
}

/// Waits until the rule in force has decided all, the first ticket anew.
#[track_caller]
fn all_anew(desk: &Desk, bot: &Bot, nth: usize, says: &str) {
    let note = bot.notes(desk, 1, nth).remove(nth - 1);
    assert!(note.starts_with(says), "{note}");
    wait_for("the others", || (to_decide_anew(bot) == 0).then_some(()));
}

#[test]
fn a_promotion_and_the_step_back_reach_every_open_ticket_and_repeat_no_note() {
    let place = place(None);
    let (bot, desk) = (place.bot(), &place.desk);
    decided(desk, &bot);
    let before = reads(desk);
    let next = place.status()["candidate"]["policy"].as_str().expect("a hash").to_owned();
    assert_eq!(place.run(&["policy", "promote", &next]).0, Some(0));
    all_anew(desk, &bot, 2, "OK to STAR.");
    assert!(desk.helpdesk.notes(1)[1].contains("Was: no need for STAR."), "{:?}", desk.helpdesk.notes(1));
    assert!(tags(desk, 1).contains(&"star_escalation".to_owned()), "{:?}", tags(desk, 1));
    assert!(!tags(desk, 1).contains(&"no_need_for_star".to_owned()), "{:?}", tags(desk, 1));
    assert_eq!(notes(desk), [2, 1, 1, 1], "what does not change is not said again");
    assert!(reads(desk).iter().zip(&before).all(|(now, before)| now > before), "each was looked at");
    let looked = reads(desk);

    assert_eq!(place.run(&["policy", "back"]).0, Some(0));
    all_anew(desk, &bot, 3, "No need for STAR.");
    assert_eq!(notes(desk), [3, 1, 1, 1]);
    assert!(reads(desk).iter().zip(&looked).all(|(now, before)| now > before), "each was looked at");
}

#[test]
fn what_is_still_to_be_decided_is_told_and_outlives_a_restart() {
    let place = place(None);
    let (mut bot, desk) = (place.bot(), &place.desk);
    decided(desk, &bot);
    let next = place.status()["candidate"]["policy"].as_str().expect("a hash").to_owned();
    assert_eq!(place.status()["to_decide_anew"], 0);
    assert!(tickets(place.folder.path(), &["pause", "global"]).0);
    assert_eq!(place.run(&["policy", "promote", &next]).0, Some(0));
    let sentence = "4 open tickets are still to be decided by this policy, the most urgent first";
    let told = |bot: &Bot| {
        assert_eq!((&place.status()["to_decide_anew"], &place.status()["in_force"]), (&4.into(), &next.clone().into()));
        assert!(place.run(&["policy", "status"]).1.contains(sentence));
        wait_for("the gauge", || (to_decide_anew(bot) == 4).then_some(()));
        let page = bot.text("/promotion");
        assert!(page.contains(sentence), "{page}");
    };
    told(&bot);
    bot.kill();
    let bot = place.bot();
    told(&bot);
    assert_eq!(notes(desk), [1, 1, 1, 1], "the account is paused");
    assert!(tickets(place.folder.path(), &["resume", "global"]).0);
    all_anew(desk, &bot, 2, "OK to STAR.");
    assert_eq!(place.status()["to_decide_anew"], 0);
    assert!(!place.run(&["policy", "status"]).1.contains("still to be decided"));
    assert!(!bot.text("/promotion").contains("still to be decided"));
    assert_eq!(notes(desk), [2, 1, 1, 1]);
}

#[test]
fn a_changed_file_reaches_every_open_ticket() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    copy_policy(folder.path());
    let bot = serve(&desk, folder.path(), "");
    let change = |file: &str, from: &str, to: &str| {
        let file = folder.path().join(file);
        let text = std::fs::read_to_string(&file).expect("a file");
        assert!(text.contains(from), "{text}");
        std::fs::write(&file, text.replace(from, to)).expect("a file");
    };
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/policy/star.toml");
    change("starwarden.toml", &shipped.display().to_string(), "star.toml");
    bot.signal("HUP");
    decided(&desk, &bot);
    change("star.mmd", CHART, CHART_MORE);
    change("star.toml", ASKS, ASKS_MORE);
    all_anew(&desk, &bot, 2, "OK to STAR.");
    assert_eq!(notes(&desk), [2, 1, 1, 1]);
}

#[test]
fn a_file_that_was_changed_while_nothing_ran_reaches_every_open_ticket() {
    let place = place(None);
    let desk = &place.desk;
    decided(desk, &place.bot());
    place.change("star.mmd", CHART, CHART_MORE);
    place.change("star.toml", ASKS, ASKS_MORE);
    let bot = place.bot();
    all_anew(desk, &bot, 2, "OK to STAR.");
    assert_eq!(notes(desk), [2, 1, 1, 1]);
}

#[test]
fn every_open_ticket_can_be_looked_at_again() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    decided(&desk, &bot);
    let before = reads(&desk);
    let said = tickets(folder.path(), &["recheck", "--all"]);
    let expected = "4 open tickets are looked at again, the most urgent first, within the API budget\n";
    assert_eq!(said, (true, expected.into()));
    wait_for("each to be looked at", || reads(&desk).iter().zip(&before).all(|(now, was)| now > was).then_some(()));
    wait_for("all looks to be over", || (to_decide_anew(&bot) == 0).then_some(()));
    assert_eq!(notes(&desk), [1, 1, 1, 1]);
    assert!(bot.text("/record").contains("asked for another look at 4 open tickets"));
    assert!(!tickets(folder.path(), &["recheck", "--all", "1"]).0, "one ticket or all");
    assert!(!tickets(folder.path(), &["recheck"]).0, "one ticket or all");
}

#[test]
fn replicas_decide_anew_once() {
    let url = tokio::runtime::Runtime::new().expect("a runtime").block_on(postgres::shared().database());
    let place = place(Some(url));
    let (replicas, desk) = ([place.bot(), place.bot()], &place.desk);
    decided(desk, &replicas[0]);
    let next = place.status()["candidate"]["policy"].as_str().expect("a hash").to_owned();
    assert_eq!(place.run(&["policy", "promote", &next]).0, Some(0));
    replicas.iter().for_each(|bot| all_anew(desk, bot, 2, "OK to STAR."));
    assert_eq!(notes(desk), [2, 1, 1, 1]);
}

#[test]
fn a_new_star_does_not_wait_for_those_that_are_decided_anew() {
    let mut place = place(None);
    {
        let (bot, desk) = (place.bot(), &place.desk);
        for id in 101..=160 {
            desk.helpdesk.add(ticket(id, &["purchased_wrong_product"]));
            bot.deliver(&event(&format!("e{id}"), id, "tags_changed"), &[]);
        }
        (101..=160).for_each(|id| drop(bot.notes(desk, id, 1)));
    }
    place.change("star.mmd", CHART, CHART_MORE);
    place.change("star.toml", ASKS, ASKS_MORE);
    place.environment.push(("STARWARDEN__ACCOUNTS__GLOBAL__REQUESTS_PER_MINUTE", "60".to_owned()));
    let (bot, desk) = (place.bot(), &place.desk);
    wait_for("some of them", || (to_decide_anew(&bot) < 60).then_some(()));
    desk.helpdesk.add(ticket(1, &["purchased_wrong_product"]));
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    bot.notes(desk, 1, 1);
    assert!(to_decide_anew(&bot) > 0, "the others are still decided");
}
