//! When a reading is good enough to write upon.
//!
//! The helpdesk refuses a write whose `updated_stamp` is not the ticket's own any more. Two things weaken that guard:
//! the stamp has whole seconds, and the list of comments may lag behind the ticket. Both are cured by waiting until the
//! last change is old enough, and reading again.

use chrono::{DateTime, TimeDelta, Utc};

/// Whether a write of ours is unaccounted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Earlier {
    /// Every decision recorded before stands on the ticket, or was never sent.
    Settled,
    /// One was recorded and may have been sent, and its note has not been seen.
    Unconfirmed,
}

/// What a look saw, as far as it says how fresh it is.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// When the ticket last changed: whole seconds, by the helpdesk's clock.
    pub updated_at: DateTime<Utc>,
    /// The helpdesk's own time when it gave the ticket, whole seconds.
    pub server_time: DateTime<Utc>,
    /// How many comments the ticket says it has, where it says so.
    pub comments_counted: Option<usize>,
    /// How many comments were read.
    pub comments_read: usize,
}

/// How long to wait before this reading may be written upon; none where it may be at once.
///
/// - A stamp younger than 2 s guards nothing: a change within the same second would leave it as it is.
/// - With a write unaccounted for, a change in the last 10 s may have been that write, its note not yet in the list.
/// - Where fewer comments came than the ticket counts, the list lags: it is given a minute. (The count is never waited
///   for longer, for it may count what the list leaves out.)
///
/// A stamp of the future is by a clock that is wrong, and is not waited for.
pub fn wait(seen: &Seen, earlier: Earlier) -> Option<TimeDelta> {
    let lags = seen.comments_counted.is_some_and(|counted| counted > seen.comments_read);
    let least = match earlier {
        _ if lags => TimeDelta::seconds(60),
        Earlier::Unconfirmed => TimeDelta::seconds(10),
        Earlier::Settled => TimeDelta::seconds(2),
    };
    let age = seen.server_time - seen.updated_at;
    if age < TimeDelta::seconds(-2) || age >= least {
        return None;
    }
    // A lagging list usually catches up soon, so it is read again before the whole wait is over.
    Some((least - age).min(TimeDelta::seconds(3)) + TimeDelta::milliseconds(200))
}
