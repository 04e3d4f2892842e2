//! Clocks that are wrong: verdicts are by the helpdesk's, and none dismisses while the two differ.

use chrono::{TimeDelta, Utc};
use starwarden::demo::helpdesk::Publicity;
use starwarden::work::clock::{HelpdeskTime, doubt};

use crate::support::middleman::Middleman;
use crate::support::postgres;
use crate::support::tools::WrongClock;
use crate::support::{Bot, Desk, desk, event, serve, serve_in, ticket, tickets, wait_for};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

#[test]
fn a_difference_of_more_than_a_minute_is_doubted_either_way() {
    for (seconds, says) in [
        (None, None),
        (Some(0), None),
        (Some(60), None),
        (Some(-60), None),
        (Some(61), Some("61 s behind the helpdesk's")),
        (Some(-61), Some("61 s ahead of the helpdesk's")),
        (Some(10_000), Some("2 h behind")),
        (Some(-4 * 86_400), Some("4 d ahead of")),
        (Some(i64::MAX / 1_000), Some("behind")),
    ] {
        let doubted = doubt(seconds.map(TimeDelta::seconds));
        assert_eq!(doubted.is_some(), says.is_some(), "{seconds:?}: {doubted:?}");
        assert!(doubted.unwrap_or_default().contains(says.unwrap_or_default()), "{seconds:?}");
    }
}

#[test]
fn when_to_look_again_is_by_this_machines_clock() {
    for ahead in [-100_000, -61, 0, 5, 100_000].map(TimeDelta::seconds) {
        let time = HelpdeskTime::of(Some(Utc::now() + ahead), None);
        let near =
            |one: chrono::DateTime<Utc>, other: chrono::DateTime<Utc>| (one - other).abs() < TimeDelta::seconds(5);
        assert!(near(time.now(), Utc::now() + ahead), "{ahead}");
        assert!(near(time.here(time.now() + TimeDelta::hours(1)), Utc::now() + TimeDelta::hours(1)), "{ahead}");
        assert!(near(HelpdeskTime::of(None, Some(ahead)).now(), Utc::now() + ahead), "{ahead}");
    }
}

#[test]
fn verdicts_are_by_the_helpdesks_clock_and_none_dismisses_while_it_is_doubted() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let middleman = Middleman::before(&desk);
    middleman.meddle(|it| it.ahead = TimeDelta::days(12));
    let bot = serve(&desk, folder.path(), &middleman.base_url());
    let ended =
        |days: i64| (Utc::now() - TimeDelta::days(days)).format("star: trial=no, expires_at=%Y-%m-%d").to_string();
    for (id, days) in [(1, 5), (2, -20)] {
        desk.helpdesk.add(ticket(id, &[]));
        desk.helpdesk.say(id, 7001, &ended(days), Publicity::Internal);
        bot.deliver(&event(&format!("e{id}"), id, "tags_changed"), &[]);
    }
    // By this machine's clock the grace period has days to go; by the helpdesk's it is over.
    let notes = bot.notes(&desk, 1, 1);
    assert!(notes[0].starts_with("OK to STAR"), "{notes:?}");
    wait_for("the dismissal to wait", || {
        bot.kept(2)["last_error"].as_str()?.contains("no dismissal is written until it is set right").then_some(())
    });
    let (status, told) = bot.get("/readyz");
    let faults = told["faults"].to_string();
    assert!(status == 503 && faults.contains("global: this machine's clock is") && faults.contains("behind"), "{told}");
    let line = |bot: &crate::support::Bot| {
        let metrics = bot.text("/metrics");
        let line =
            metrics.lines().find_map(|line| line.strip_prefix("starwarden_clock_ahead_seconds{account=\"global\"} "));
        line.and_then(|seconds| seconds.parse::<i64>().ok())
    };
    assert!(line(&bot).is_some_and(|seconds| (seconds - 12 * 86_400).abs() < 60), "{:?}", line(&bot));
    assert!(desk.helpdesk.notes(2).is_empty(), "{:?}", desk.helpdesk.notes(2));
    // The other way round it is doubted as well; and when the clock is right again, what waited is written.
    middleman.meddle(|it| it.ahead = TimeDelta::minutes(-2));
    assert!(tickets(folder.path(), &["recheck", "global/2"]).0);
    wait_for("a doubt of the other kind", || bot.kept(2)["last_error"].as_str()?.contains("ahead of").then_some(()));
    assert!(desk.helpdesk.notes(2).is_empty(), "{:?}", desk.helpdesk.notes(2));
    middleman.meddle(|it| it.ahead = TimeDelta::zero());
    assert!(tickets(folder.path(), &["recheck", "global/2"]).0);
    assert!(bot.notes(&desk, 2, 1)[0].starts_with("No need for STAR"));
    wait_for("a green /readyz", || (bot.get("/readyz").0 == 200).then_some(()));
}

/// A bot that goes by this clock; what is delivered to it was signed by a right one.
fn serve_by(clock: &WrongClock, desk: &Desk, folder: &std::path::Path, store: Option<&str>) -> Bot {
    let mut environment = clock.variables().to_vec();
    environment.extend(store.map(|url| ("STARWARDEN__STORE__URL", url.to_owned())));
    environment.push(("RUST_LOG", "info".to_owned()));
    let environment: Vec<(&str, &str)> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    serve_in(desk, folder, "replay_window = \"4000d\"\n[work]\nanswer_within = \"1s\"\nlease = \"2s\"\n", &environment)
}

/// A ticket whose licence ended so many days ago, by a manager's word; after fourteen there is no grace left.
fn ended(desk: &Desk, id: u64, days: i64) {
    let says = (Utc::now() - TimeDelta::days(days)).format("star: trial=no, expires_at=%Y-%m-%d").to_string();
    desk.helpdesk.add(ticket(id, &[]));
    desk.helpdesk.say(id, 7001, &says, Publicity::Internal);
}

#[test]
fn a_machine_whose_clock_is_wrong_decides_rightly_and_dismisses_nobody() {
    for wrong in [-10 * DAY, -2 * MINUTE, 2 * MINUTE, 40 * DAY] {
        let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
        let clock = WrongClock::in_folder(folder.path());
        clock.is_ahead(wrong);
        let bot = serve_by(&clock, &desk, folder.path(), None);
        ended(&desk, 1, 20); // By a clock that is ten days behind it is in its grace period.
        ended(&desk, 2, -5); // By one that is forty days ahead there is no grace left.
        for id in [1, 2] {
            assert_eq!(bot.deliver(&event(&format!("e{id}"), id, "tags_changed"), &[]).0, 200);
        }
        assert!(bot.notes(&desk, 1, 1)[0].starts_with("OK to STAR"), "{wrong} s");
        wait_for("the dismissal to wait", || {
            bot.kept(2)["last_error"].as_str()?.contains("no dismissal is written until it is set right").then_some(())
        });
        let (status, told) = bot.get("/readyz");
        let which = if wrong < 0 { "behind" } else { "ahead of" };
        assert!(status == 503 && told["faults"].to_string().contains(which), "{wrong} s: {told}");
        let log = std::fs::read_to_string(folder.path().join("log")).expect("its log");
        assert!(log.contains("no dismissal is written until it is set right"), "{wrong} s: {log}");
        assert!(desk.helpdesk.notes(2).is_empty(), "{wrong} s");
        clock.is_ahead(0);
        assert!(tickets(folder.path(), &["recheck", "global/2"]).0);
        assert!(bot.notes(&desk, 2, 1)[0].starts_with("No need for STAR"), "{wrong} s");
        wait_for("a green /readyz", || (bot.get("/readyz").0 == 200).then_some(()));
    }
}

#[test]
fn a_clock_that_is_set_while_it_runs_stops_no_work() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let server = runtime.block_on(postgres::shared().database());
    for store in [None, Some(&*server)] {
        let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
        let clock = WrongClock::in_folder(folder.path());
        let mut bot = serve_by(&clock, &desk, folder.path(), store);
        let steps = [0, DAY, 0, -DAY, -HOUR, HOUR, 0, -400, 0];
        for (nth, seconds) in (1..).zip(steps) {
            clock.is_ahead(seconds);
            ended(&desk, nth, 20);
            assert_eq!(bot.deliver(&event(&format!("e{nth}"), nth, "tags_changed"), &[]).0, 200, "{seconds} s");
            let notes = bot.notes(&desk, nth, 1);
            assert!(notes[0].starts_with("OK to STAR"), "{seconds} s: {notes:?}");
        }
        assert_eq!(bot.stop(), Some(0));
    }
}

#[test]
fn replicas_whose_clocks_differ_share_the_work_and_do_not_stop_each_other() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let server = runtime.block_on(postgres::shared().database());
    let (desk, folders) = (desk(), [(); 3].map(|()| tempfile::tempdir().expect("a folder")));
    let mut bots: Vec<Bot> = [HOUR, -HOUR, 4 * 365 * DAY]
        .iter()
        .zip(&folders)
        .map(|(seconds, folder)| {
            let clock = WrongClock::in_folder(folder.path());
            clock.is_ahead(*seconds);
            serve_by(&clock, &desk, folder.path(), Some(&server))
        })
        .collect();
    let deliver = |bots: &[Bot], ids: std::ops::RangeInclusive<u64>| {
        for id in ids {
            ended(&desk, id, 20);
            let bot = &bots[usize::try_from(id).expect("small") % bots.len()];
            assert_eq!(bot.deliver(&event(&format!("e{id}"), id, "tags_changed"), &[]).0, 200);
        }
    };
    deliver(&bots, 1..=12);
    (1..=12).for_each(|id| assert!(bots[0].notes(&desk, id, 1)[0].starts_with("OK to STAR")));
    // Those that are ahead take some more, and go without a word.
    deliver(&bots, 13..=24);
    bots[2].kill();
    bots[0].kill();
    let left = bots.remove(1);
    (13..=24).for_each(|id| assert!(left.notes(&desk, id, 1)[0].starts_with("OK to STAR")));
    let left = [left];
    deliver(&left, 25..=30);
    (25..=30).for_each(|id| assert!(left[0].notes(&desk, id, 1)[0].starts_with("OK to STAR")));
    assert!((1..=30).all(|id| desk.helpdesk.notes(id).len() == 1), "none is there twice");
}
