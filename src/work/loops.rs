//! When the bot leaves a ticket alone on which somebody undoes what it says.
//!
//! A neighbour that takes back each verdict, an automation or another bot, would have a note an hour for ever under a
//! limit by rate. So what is said *again* is counted: three times it is, then after pauses that grow, and then no more.

use chrono::{DateTime, TimeDelta, Utc};

/// What a note of ours said, and when.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// When it was decided.
    pub at: DateTime<Utc>,
    /// What it says; two that are alike say the same.
    pub fingerprint: &'a str,
}

/// What to do about a note that is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// Write it.
    Write,
    /// Not before then.
    NotBefore(DateTime<Utc>),
    /// Never: it was said too often.
    NoMore,
}

/// How often something may be said again at once, and after what pauses it may be then.
const AT_ONCE: usize = 3;
const PAUSES: [TimeDelta; 3] = [TimeDelta::minutes(10), TimeDelta::hours(1), TimeDelta::days(1)];

/// With fewer notes of ours than this nothing was said again too often.
pub const FEWEST: usize = AT_ONCE + 1;

/// For how long what was said counts: longer than all pauses together.
const COUNTS: TimeDelta = TimeDelta::days(3);

/// Whether `next` may be written at `now`, after what our notes `said`, oldest first, since a person last asked us to look.
pub fn again(said: &[Said<'_>], next: &str, now: DateTime<Utc>) -> Again {
    let of_late: Vec<&Said<'_>> = said.iter().filter(|one| one.at > now - COUNTS).collect();
    let before = |index: usize, fingerprint: &str| of_late.iter().take(index).any(|one| one.fingerprint == fingerprint);
    let repeated = of_late.iter().enumerate().filter(|(index, one)| before(*index, one.fingerprint)).count();
    let Some(last) = of_late.last().filter(|_| before(of_late.len(), next)) else { return Again::Write };
    match repeated.checked_sub(AT_ONCE) {
        None => Again::Write,
        Some(index) => match PAUSES.get(index) {
            Some(pause) if last.at + *pause > now => Again::NotBefore(last.at + *pause),
            Some(_) => Again::Write,
            None => Again::NoMore,
        },
    }
}
