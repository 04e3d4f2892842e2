//! Deliveries: what the helpdesk told, kept before it is answered.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::StoreError;
use crate::helpdesk::ticket::TicketKey;

/// A verified delivery to be recorded. An event is a hint: only which ticket and why is kept, no customer text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// Which ticket it speaks of.
    pub ticket: TicketKey,
    /// What a repeat of the same delivery shares with it: invocation id, else event id; none where the
    /// sender gave neither.
    pub key: Option<String>,
    /// What happened, as the sender names it: `zen:event-type:ticket.tags_changed`, or `trigger`.
    pub kind: String,
    /// When it was received.
    pub received_at: DateTime<Utc>,
    /// From when on the ticket may be looked at because of it: a burst settles before the look.
    pub due_at: DateTime<Utc>,
    /// Whether it matters for a ticket that is not watched yet.
    pub relevance: Relevance,
}

/// Whether a delivery shows a ticket of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relevance {
    /// It may be ours: watch it.
    Ours,
    /// It shows a ticket that is not ours; it matters only where the ticket is already watched.
    OnlyIfWatched,
}

/// What recording a delivery came to. Everything but [`Recorded::Ignored`] is durable when it is returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It is on disk and its ticket is due.
    Accepted,
    /// It was on disk already.
    Duplicate,
    /// [`Relevance::OnlyIfWatched`], and the ticket is not watched; nothing was kept.
    Ignored,
}

/// The time by which keys are kept, milliseconds: a week.
const WEEK: i64 = 7 * 24 * 60 * 60 * 1000;

/// How many keys that are too old go with each delivery, so that they go faster than they come.
pub(super) const FORGOTTEN_WITH_EACH: i64 = 2;

/// The week a moment is in, since 1970.
pub(super) fn week(at: DateTime<Utc>) -> i64 {
    at.timestamp_millis().div_euclid(WEEK)
}

/// Keeps deliveries.
///
/// A repeat is known by its key in this week, the last, and the next, for clocks differ: so for a week at least. The helpdesk tries again within minutes,
/// and keeps what it sent for a week; a signature is too old after [`replay_window`] anyway. What came later still would be
/// one look more, which changes nothing.
///
/// [`replay_window`]: crate::config::Account::replay_window
#[async_trait]
pub trait Deliveries: Send + Sync {
    /// Keeps a delivery and marks its ticket due; durable when it returns.
    async fn record(&self, delivery: NewDelivery) -> Result<Recorded, StoreError>;
}
