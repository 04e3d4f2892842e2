//! Deliveries: what the helpdesk told, kept before it is answered.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::StoreError;
use crate::decide::ticket::TicketKey;

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

/// Keeps deliveries.
///
/// A repeat is known among the deliveries of its ticket, for as long as they are kept: the signature covers the ticket, and
/// not the invocation id, so the same id with another ticket is no repeat.
#[async_trait]
pub trait Deliveries: Send + Sync {
    /// Keeps a delivery and marks its ticket due; durable when it returns.
    async fn record(&self, delivery: NewDelivery) -> Result<Recorded, StoreError>;
}
