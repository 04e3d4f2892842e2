//! A neighbour that undoes what the bot says: told, left alone for longer each time, then given up.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use starwarden::demo::helpdesk::Publicity;
use starwarden::work::loops::{Again, Said, again};
use starwarden::work::recovery::Recovery;

use crate::support::{copy_policy, desk, event, serve, serve_in, ticket, wait_for};

#[test]
fn what_is_said_again_waits_longer_each_time_and_then_for_ever() {
    let now: DateTime<Utc> = "2026-11-26T12:00:00Z".parse().expect("an instant");
    let ago = |minutes: i64| now - TimeDelta::minutes(minutes);
    let (hour, day) = (60, 24 * 60);
    for (said, next, expected) in [
        ("", "a", Again::Write),
        ("a", "a", Again::Write),
        ("ab", "a", Again::Write),
        ("abab", "a", Again::Write),
        ("ababa", "c", Again::Write), // News is no repetition.
        ("abcdefgh", "i", Again::Write),
        ("ababa", "b", Again::NotBefore(ago(1) + TimeDelta::minutes(10))),
        ("aaaa", "a", Again::NotBefore(ago(1) + TimeDelta::minutes(10))), // Another bot says the other thing.
        ("ababab", "a", Again::NotBefore(ago(1) + TimeDelta::minutes(hour))),
        ("abababa", "b", Again::NotBefore(ago(1) + TimeDelta::minutes(day))),
        ("abababab", "a", Again::NoMore),
        ("abababab", "c", Again::Write),
    ] {
        let letters: Vec<String> = said.chars().map(String::from).collect();
        let said_at = |index: usize| ago(i64::try_from(letters.len() - index).expect("few"));
        let all: Vec<Said> = letters
            .iter()
            .enumerate()
            .map(|(index, letter)| Said { at: said_at(index), fingerprint: letter })
            .collect();
        assert_eq!(again(&all, next, now), expected, "{next} after {said}");
        assert_eq!(again(&all, next, now + TimeDelta::days(4)), Again::Write, "{next} after {said}, days later");
    }
    let said = ["a", "b", "a", "b", "a"].map(|fingerprint| Said { at: ago(11), fingerprint });
    assert_eq!(again(&said, "b", now), Again::Write, "once its pause is over");
}

#[test]
fn a_verdict_that_is_taken_back_each_time_is_told_and_left_alone() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "[work]\nnotes_in_ten_minutes = 25");
    desk.helpdesk.add(ticket(1, &["purchased_wrong_product"]));
    desk.helpdesk.say(1, 7001, "OK to STAR.\nstarwarden · ref 7Q2FMHXA", Publicity::Internal);
    for nth in 1..=5 {
        bot.deliver(&event(&format!("e{nth}"), 1, "tags_changed"), &[]);
        bot.notes(&desk, 1, nth);
        bot.at_rest(&desk, 1);
        // An automation toggles what the verdict hangs on.
        desk.helpdesk.change(1, |reading| {
            let tags = &mut reading.ticket.tags;
            match tags.iter().position(|tag| tag == "purchased_wrong_product") {
                Some(index) => drop(tags.remove(index)),
                None => tags.push("purchased_wrong_product".into()),
            }
        });
    }
    bot.deliver(&event("e6", 1, "tags_changed"), &[]);
    let why = wait_for("it to be left alone", || {
        bot.kept(1)["last_error"].as_str().filter(|why| why.contains("goes back and forth")).map(str::to_owned)
    });
    assert!(why.contains("user 7001 leaves notes of another bot of this kind"), "{why}");
    assert_eq!(desk.helpdesk.notes(1).len(), 5);
    // Whoever asks for another look is answered.
    assert!(crate::support::tickets(folder.path(), &["recheck", "global/1"]).0);
    bot.notes(&desk, 1, 6);
}

#[test]
fn two_bots_with_different_policies_end_their_quarrel() {
    let (desk, folders) = (desk(), [(); 2].map(|()| tempfile::tempdir().expect("a folder")));
    copy_policy(folders[1].path());
    let own = folders[1].path().join("star.toml");
    let binding = std::fs::read_to_string(&own).expect("the binding");
    // To the other the tag of the wrong product says that Sales has intervened.
    let other = binding.replacen("\"escalated_to_sales\"", "\"purchased_wrong_product\"", 1);
    std::fs::write(&own, other).expect("a file");
    let own = own.display().to_string();
    let extra = "[work]\nnotes_in_ten_minutes = 25";
    let bots = [
        serve(&desk, folders[0].path(), extra),
        serve_in(&desk, folders[1].path(), extra, &[("STARWARDEN__POLICY__FILE", &own)]),
    ];
    let told = |kept: &serde_json::Value| {
        kept["last_error"].as_str().filter(|why| why.contains("goes back and forth")).map(str::to_owned)
    };
    desk.helpdesk.add(ticket(1, &["purchased_wrong_product"]));
    for nth in 0..13 {
        let bot = &bots[nth % 2];
        assert_eq!(bot.deliver(&event(&format!("e{nth}"), 1, "tags_changed"), &[]).0, 200);
        wait_for("a look", || {
            let kept = bot.kept(1);
            (told(&kept).is_some() || kept["watch"]["state"] == "idle").then_some(())
        });
    }
    let why = told(&bots[0].kept(1)).expect("it is left alone");
    assert!(why.contains("another bot of this kind writes as our user"), "{why}");
    assert_eq!(desk.helpdesk.notes(1).len(), 8, "four each");
}

#[tokio::test]
async fn a_helpdesk_that_is_sound_again_brings_forward_what_failed() {
    let begun = tokio::time::Instant::now();
    let at = |seconds: u64| begun + Duration::from_secs(seconds);
    let recovery = Recovery::default();
    assert!(!recovery.went_well(at(0)) && !recovery.tries_one(at(100)), "nothing failed");
    recovery.failed(at(0));
    recovery.failed(at(10));
    assert!(!recovery.went_well(at(12)), "it fails now and then");
    assert!(!recovery.tries_one(at(14)) && recovery.tries_one(at(15)), "one, when it has been quiet");
    recovery.failed(at(16));
    assert!(!recovery.tries_one(at(21)) && recovery.tries_one(at(26)), "ever later, while it fails");
    assert!(recovery.went_well(at(27)), "and all, when that goes well");
    assert!(!recovery.went_well(at(28)) && !recovery.tries_one(at(400)));
}
