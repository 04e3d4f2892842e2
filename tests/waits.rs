//! How long is waited for what: pure rules, as tables.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use starwarden::decide::guard::{self, Earlier, Seen};
use starwarden::helpdesk::limits::{self, Scope};
use starwarden::work::retry::backoff;

#[test]
fn tries_come_ever_later_up_to_five_minutes_and_not_all_at_once() {
    for (failures, by_chance, milliseconds) in [
        (0, 0, 2_000),
        (1, 0, 2_000),
        (2, 0, 4_000),
        (3, 0, 8_000),
        (8, 0, 256_000),
        (9, 0, 300_000),
        (u32::MAX, 0, 300_000),
        (1, 500, 2_500), // A quarter more at most.
        (1, 501, 2_000),
        (9, 75_000, 375_000),
        (9, 75_001, 300_000),
    ] {
        assert_eq!(backoff(failures, by_chance), Duration::from_millis(milliseconds), "{failures}, {by_chance}");
    }
}

#[test]
fn a_reading_is_written_upon_once_its_last_change_is_old_enough() {
    let changed: DateTime<chrono::Utc> = "2026-11-25T12:00:00Z".parse().expect("an instant");
    let (settled, unconfirmed) = (Earlier::Settled, Earlier::Unconfirmed);
    for (age, counted, read, earlier, milliseconds) in [
        (0, Some(3), 3, settled, Some(2_200)),
        (1, Some(3), 3, settled, Some(1_200)),
        (2, Some(3), 3, settled, None),
        (1, None, 3, settled, Some(1_200)),
        (2, None, 3, settled, None),
        (2, Some(2), 3, settled, None), // More than are counted are no lag.
        // With a write unaccounted for, ten seconds; read again after three.
        (0, Some(3), 3, unconfirmed, Some(3_200)),
        (7, Some(3), 3, unconfirmed, Some(3_200)),
        (9, Some(3), 3, unconfirmed, Some(1_200)),
        (10, Some(3), 3, unconfirmed, None),
        // While the list lags, a minute.
        (10, Some(4), 3, settled, Some(3_200)),
        (59, Some(4), 3, settled, Some(1_200)),
        (59, Some(4), 3, unconfirmed, Some(1_200)),
        (60, Some(4), 3, settled, None),
        // Clocks may differ a little; one that is wrong is not waited for.
        (-2, Some(3), 3, settled, Some(3_200)),
        (-3, Some(3), 3, settled, None),
        (-3, Some(4), 3, unconfirmed, None),
    ] {
        let server_time = changed + TimeDelta::seconds(age);
        let seen = Seen { updated_at: changed, server_time, comments_counted: counted, comments_read: read };
        let wait = guard::wait(&seen, earlier).map(|wait| wait.num_milliseconds());
        assert_eq!(wait, milliseconds, "{age} s old, {read} of {counted:?} comments, {earlier:?}");
    }
}

fn headers(lines: &[&str]) -> HeaderMap {
    let line = |line: &&str| {
        let (name, value) = line.split_once(": ").expect("a header");
        (name.parse::<HeaderName>().expect("a name"), HeaderValue::from_str(value).expect("a value"))
    };
    lines.iter().map(line).collect()
}

#[test]
fn a_limit_that_is_nearly_spent_is_held_back_from_in_every_spelling() {
    for (lines, seconds) in [
        (&[] as &[&str], None),
        // A twentieth is left to others.
        (&["x-rate-limit: 700", "x-rate-limit-remaining: 36", "x-rate-limit-reset: 41"], None),
        (&["x-rate-limit: 700", "x-rate-limit-remaining: 35", "x-rate-limit-reset: 41"], Some(41)),
        (&["ratelimit-limit: 700", "ratelimit-remaining: 35", "ratelimit-reset: 42"], Some(42)),
        (&["rate-limit-limit: 700", "rate-limit-remaining: 0", "rate-limit-reset: 43"], Some(43)),
        (&["x-rate-limit: 700", "x-rate-limit-remaining: 1", "ratelimit-reset: 44"], Some(44)),
        // Where nothing says how large the limit is, or when it is renewed.
        (&["x-rate-limit-remaining: 6"], None),
        (&["x-rate-limit-remaining: 5"], Some(10)),
        // A second at least, five minutes at most.
        (&["x-rate-limit-remaining: 0", "ratelimit-reset: 0"], Some(1)),
        (&["x-rate-limit-remaining: 0", "ratelimit-reset: 86400"], Some(300)),
        // The limit on updates is one of its own.
        (&["zendesk-ratelimit-tickets-update: total=100; remaining=0; resets=45"], None),
        // What cannot be read says nothing.
        (&["x-rate-limit-remaining: many", "zendesk-ratelimit-tickets-update: remaining"], None),
        (&["x-rate-limit: none", "x-rate-limit-remaining: 5", "ratelimit-reset: soon"], Some(10)),
    ] {
        assert_eq!(limits::hold(&headers(lines)), seconds.map(Duration::from_secs), "{lines:?}");
    }
}

#[test]
fn the_limit_on_updates_is_one_of_its_own() {
    for (line, seconds) in [
        ("zendesk-ratelimit-tickets-update: total=100; remaining=6; resets=45", None),
        ("zendesk-ratelimit-tickets-update: total=100; remaining=5; resets=45", Some(45)),
        ("zendesk-rate-limit-tickets-update: total=100;remaining=5;resets=46", Some(46)),
        ("zendesk-ratelimit-tickets-update: remaining=0; resets=47", Some(47)),
        ("zendesk-ratelimit-tickets-update: remaining", None),
        ("x-rate-limit-remaining: 0", None),
    ] {
        assert_eq!(limits::hold_updates(&headers(&[line])), seconds.map(Duration::from_secs), "{line}");
    }
}

#[test]
fn a_refusal_is_about_a_ticket_a_kind_of_call_or_the_account() {
    const TICKET: &str = "/api/v2/tickets/1";
    const SEARCH: &str = "/api/v2/search/export";
    for (path, lines, scope) in [
        (TICKET, &[] as &[&str], Scope::Account),
        (TICKET, &["zendesk-ratelimit-per-ticket-updates: total=30; remaining=0; resets=468"], Scope::Ticket),
        (TICKET, &["zendesk-rate-limit-per-ticket-updates: total=30; remaining=0; resets=468"], Scope::Ticket),
        (TICKET, &["zendesk-ratelimit-tickets-update: total=100; remaining=0; resets=41"], Scope::Endpoint),
        (TICKET, &["zendesk-ratelimit-tickets-update: total=100; remaining=3; resets=41"], Scope::Account),
        (TICKET, &["x-rate-limit-remaining: 0", "zendesk-ratelimit-per-ticket-updates: remaining=0"], Scope::Account),
        (TICKET, &["x-rate-limit-remaining: 300", "zendesk-ratelimit-per-ticket-updates: remaining=0"], Scope::Ticket),
        (SEARCH, &[], Scope::Endpoint),
        (SEARCH, &["ratelimit-remaining: 0"], Scope::Account),
        ("/api/v2/incremental/tickets/cursor.json", &[], Scope::Endpoint),
    ] {
        assert_eq!(limits::scope(&headers(lines), path), scope, "{path} {lines:?}");
    }
}

#[test]
fn a_refusal_says_how_long_to_wait_in_seconds_or_until_when() {
    const DATE: &str = "date: Wed, 25 Nov 2026 12:00:00 GMT";
    for (lines, seconds) in [
        (&[DATE] as &[&str], None),
        (&[DATE, "retry-after: 93"], Some(93)),
        (&["retry-after: 0"], Some(1)), // A second at least, so that a loop of refusals is none.
        (&["retry-after: 0.2"], Some(1)),
        (&["retry-after: 1e9"], Some(900)),
        (&["retry-after: 99999999999999999999"], Some(900)),
        (&["retry-after: "], None),
        (&["retry-after:  7 "], Some(7)),
        (&[DATE, "retry-after: Wed, 25 Nov 2026 12:01:30 GMT"], Some(90)),
        (&[DATE, "retry-after: Wed, 25 Nov 2026 12:00:00 GMT"], Some(1)),
        // One that is over, and one that cannot be compared, for our own clock may be another.
        (&[DATE, "retry-after: Wed, 25 Nov 2026 11:59:59 GMT"], None),
        (&["retry-after: Wed, 25 Nov 2026 12:01:30 GMT"], None),
        (&["date: today", "retry-after: Wed, 25 Nov 2026 12:01:30 GMT"], None),
        (&[DATE, "retry-after: -5"], None),
        (&[DATE, "retry-after: in a while"], None),
    ] {
        assert_eq!(limits::retry_after(&headers(lines)), seconds.map(Duration::from_secs), "{lines:?}");
    }
}
