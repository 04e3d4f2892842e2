//! Clocks that are wrong: verdicts are by the helpdesk's, and none dismisses while the two differ.

use chrono::{TimeDelta, Utc};
use starwarden::demo::helpdesk::Publicity;
use starwarden::work::clock::{HelpdeskTime, doubt};

use crate::support::middleman::Middleman;
use crate::support::{desk, event, serve, ticket, tickets, wait_for};

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
