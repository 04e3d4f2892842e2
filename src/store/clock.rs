//! The clock that all who share a store go by: the database server's, or in SQLite one that never goes back.
//!
//! Leases, budgets and due times are kept by it. Callers speak of their own machine's clock, which may be wrong.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};

/// Clocks that differ by less are taken as the same.
const SAME: TimeDelta = TimeDelta::seconds(1);

/// Clocks that differ by more are told of.
const WORTH_TELLING: TimeDelta = TimeDelta::minutes(1);

/// What the shared clock showed, and when by this machine's monotonic clock.
#[derive(Debug)]
pub(super) struct Clock(Mutex<Reading>);

#[derive(Debug, Clone, Copy)]
struct Reading {
    shown: DateTime<Utc>,
    at: Instant,
    kept_by: KeptBy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeptBy {
    Server,
    /// A machine's own clock that is set forward is believed: nothing waits longer for that.
    ThisMachine,
}

impl Clock {
    /// This machine's, as it shows now, and monotonic from here on.
    pub(super) fn of_this_machine() -> Clock {
        Clock(Mutex::new(Reading { shown: Utc::now(), at: Instant::now(), kept_by: KeptBy::ThisMachine }))
    }

    /// A server showed this, half way between `asked` and now.
    pub(super) fn set(&self, shown: DateTime<Utc>, asked: Instant) {
        let at = asked + asked.elapsed() / 2;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Reading { shown, at, kept_by: KeptBy::Server };
        let seconds = self.ahead().num_seconds();
        if seconds.abs() > WORTH_TELLING.num_seconds() {
            tracing::warn!(
                seconds,
                "this machine's clock is ahead of the database's by so many seconds; the database's counts"
            );
        }
    }

    /// How far this machine's clock is ahead now; negative where it is behind.
    fn ahead(&self) -> TimeDelta {
        let mut reading = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Utc::now();
        let passed = TimeDelta::from_std(reading.at.elapsed()).unwrap_or(TimeDelta::MAX);
        let ahead = now - reading.shown.checked_add_signed(passed).unwrap_or(now);
        if ahead.abs() < SAME {
            return TimeDelta::zero();
        }
        if reading.kept_by == KeptBy::ThisMachine && ahead > SAME {
            *reading = Reading { shown: now, at: Instant::now(), kept_by: KeptBy::ThisMachine };
            return TimeDelta::zero();
        }
        ahead
    }

    /// What the shared clock shows when this machine's shows `own`.
    pub(super) fn shared(&self, own: DateTime<Utc>) -> DateTime<Utc> {
        own.checked_sub_signed(self.ahead()).unwrap_or(own)
    }

    /// What this machine's clock shows when the shared one shows `shared`.
    pub(super) fn own(&self, shared: DateTime<Utc>) -> DateTime<Utc> {
        shared.checked_add_signed(self.ahead()).unwrap_or(shared)
    }
}
