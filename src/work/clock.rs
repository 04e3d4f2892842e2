//! What time it is at the helpdesk, and how far this machine's clock is from that.
//!
//! A verdict hangs on the helpdesk's time, for its dates are there and its agents read them by its clock. When to look
//! again is kept by this machine's. Where the two differ by more than a minute one of them is wrong, and nobody here can
//! say which: then no dismissal is written, and it is told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwap;
use chrono::{DateTime, TimeDelta, Utc};

use crate::helpdesk::ahead::Ahead;

/// How far the clocks may be from each other. Answers take a while, and their dates have whole seconds.
pub const TOLERATED: TimeDelta = TimeDelta::seconds(60);

/// The helpdesk's time, from an answer on.
#[derive(Debug, Clone, Copy)]
pub struct HelpdeskTime {
    then: DateTime<Utc>,
    since: Instant,
}

impl HelpdeskTime {
    /// By an answer that has just come; without a date in it, by this machine's clock and what is known of its fault.
    pub fn of(answered: Option<DateTime<Utc>>, ahead: Option<TimeDelta>) -> HelpdeskTime {
        let then = answered.unwrap_or_else(|| Utc::now() + ahead.unwrap_or_default());
        HelpdeskTime { then, since: Instant::now() }
    }

    /// What time it is there.
    pub fn now(&self) -> DateTime<Utc> {
        let passed = TimeDelta::from_std(self.since.elapsed()).unwrap_or_default();
        self.then.checked_add_signed(passed).unwrap_or(self.then)
    }

    /// When it is so late there, by this machine's clock.
    pub fn here(&self, there: DateTime<Utc>) -> DateTime<Utc> {
        Utc::now().checked_add_signed(there - self.now()).unwrap_or(there)
    }
}

/// Why no dismissal is written now, in a sentence: the clocks differ too much.
pub fn doubt(ahead: Option<TimeDelta>) -> Option<String> {
    let ahead = ahead.filter(|ahead| ahead.abs() > TOLERATED)?;
    let seconds = ahead.abs().num_seconds();
    let far = match seconds {
        0..7_200 => format!("{seconds} s"),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    };
    let which = if ahead > TimeDelta::zero() { "behind" } else { "ahead of" };
    Some(format!(
        "this machine's clock is {far} {which} the helpdesk's: no dismissal is written until it is set right (NTP)"
    ))
}

/// How far each account's helpdesk is ahead of this machine's clock; clones share it.
#[derive(Clone, Default)]
pub struct Clocks(Arc<ArcSwap<BTreeMap<String, Ahead>>>);

impl Clocks {
    /// These are the accounts from here on.
    pub fn replace(&self, accounts: BTreeMap<String, Ahead>) {
        self.0.store(Arc::new(accounts));
    }

    /// By how much each helpdesk is ahead, as far as it is known.
    pub fn ahead(&self) -> Vec<(String, TimeDelta)> {
        self.0.load().iter().filter_map(|(name, ahead)| Some((name.clone(), ahead.now()?))).collect()
    }
}
