//! What is kept: deliveries, the tickets being watched, and every decision.

pub mod sqlite;

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Serialize;

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

/// A due ticket in one pair of hands, until the lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Which ticket.
    pub ticket: TicketKey,
    /// How often it has failed in a row before this look; 0 at first.
    pub failures: u32,
    /// Who holds it; a claim that was given back and taken again has another.
    pub lease: String,
    /// How often the ticket had been marked due when it was claimed.
    pub marks: i64,
}

/// How a look at a ticket leaves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// All is as it should be; look again then, or only when something happens.
    Settled {
        /// When the passing of time alone may change something.
        look_at: Option<DateTime<Utc>>,
    },
    /// Not a failure: the moment was not right (a young stamp, a conflict, a spent budget); look again then.
    Again {
        /// When.
        at: DateTime<Utc>,
    },
    /// It failed; try again then.
    Retry {
        /// When.
        at: DateTime<Utc>,
        /// What went wrong, in a sentence.
        error: String,
    },
    /// It failed too often; an operator must send it back.
    Dead {
        /// The last error.
        error: String,
    },
    /// It is no longer ours to watch.
    Stopped {
        /// Why, in a few words: `the ticket is closed`.
        why: String,
    },
}

/// Where a watched ticket stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Watch {
    /// To be looked at from then on.
    Due {
        /// When.
        at: DateTime<Utc>,
    },
    /// Nothing to do until something happens.
    Idle,
    /// A dead letter.
    Dead {
        /// The last error.
        error: String,
    },
    /// Watched no longer.
    Stopped {
        /// Why.
        why: String,
    },
}

/// A decision as it is kept: made once, recorded before it is acted on, never made anew for a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionRow {
    /// The short id its note carries.
    pub reference: String,
    /// Which ticket.
    pub ticket: TicketKey,
    /// When it was made.
    pub decided_at: DateTime<Utc>,
    /// Its verdict, for lists.
    pub verdict: String,
    /// What about it makes a note worth writing: two decisions with the same fingerprint say the same.
    pub fingerprint: String,
    /// The decision, as JSON in the shape of the interface.
    pub decision: String,
    /// The note, as text.
    pub note: String,
    /// What became of it.
    pub carried: Carried,
}

/// What became of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Carried {
    /// Recorded; whether the helpdesk has it is not known yet.
    Open,
    /// Its note stands on the ticket.
    Posted,
    /// Shadow mode: recorded only.
    Shadow,
    /// Overtaken by a newer decision before it was written.
    Overtaken,
}

/// A delivery as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeliveryRow {
    /// What happened, as the sender names it.
    pub kind: String,
    /// When it was received.
    pub received_at: DateTime<Utc>,
}

/// A ticket's whole history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// Where it stands.
    pub watch: Watch,
    /// The last thing that went wrong, if the last look failed.
    pub last_error: Option<String>,
    /// Its deliveries, oldest first.
    pub deliveries: Vec<DeliveryRow>,
    /// Its decisions, oldest first.
    pub decisions: Vec<DecisionRow>,
}

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached or written: a full disk, a locked or vanished file, a server gone.
    #[error("the store cannot be used: {0}")]
    Unavailable(String),
    /// What it holds is not what this version writes.
    #[error("the store holds something unexpected: {0}")]
    Corrupt(String),
    /// The lease on the ticket ended and someone else has it now; nothing was written.
    #[error("the lease on ticket {0} is gone")]
    LeaseLost(TicketKey),
}

/// Everything that outlives a restart. One suite of tests runs on every implementation.
#[async_trait]
pub trait Store: Send + Sync {
    /// Keeps a delivery and marks its ticket due; durable when it returns.
    async fn record(&self, delivery: NewDelivery) -> Result<Recorded, StoreError>;

    /// Marks a ticket due without a delivery: a catch-up, or an operator's "look again".
    async fn mark_due(&self, ticket: &TicketKey, at: DateTime<Utc>) -> Result<(), StoreError>;

    /// Takes up to `limit` tickets of `account` that are due at `now` and in nobody's hands, longest due first.
    async fn claim(
        &self,
        account: &str,
        now: DateTime<Utc>,
        lease: Duration,
        limit: usize,
    ) -> Result<Vec<Claim>, StoreError>;

    /// Lengthens a lease; [`StoreError::LeaseLost`] where it has passed to someone else.
    async fn extend(&self, claim: &Claim, now: DateTime<Utc>, lease: Duration) -> Result<(), StoreError>;

    /// Gives a ticket back. Where it was marked due since it was claimed, it is due again at once, unless `next` is later
    /// by nature ([`Next::Retry`], [`Next::Again`]).
    async fn settle(&self, claim: &Claim, next: Next, now: DateTime<Utc>) -> Result<(), StoreError>;

    /// When the next ticket of `account` will be due; none where nothing waits.
    async fn next_due(&self, account: &str) -> Result<Option<DateTime<Utc>>, StoreError>;

    /// Keeps a decision, before it is acted on. The same reference again is no change.
    /// Fails with [`StoreError::LeaseLost`] where the claim's lease is gone. Older open decisions of the ticket become [`Carried::Overtaken`].
    async fn record_decision(&self, claim: &Claim, row: &DecisionRow) -> Result<(), StoreError>;

    /// Says what became of a decision.
    async fn carried(&self, ticket: &TicketKey, reference: &str, carried: Carried) -> Result<(), StoreError>;

    /// The ticket's newest decision that was posted or, in shadow mode, recorded.
    async fn last_decision(&self, ticket: &TicketKey) -> Result<Option<DecisionRow>, StoreError>;

    /// A ticket's whole history; none where it was never heard of.
    async fn history(&self, ticket: &TicketKey) -> Result<Option<History>, StoreError>;

    /// Whether the store can be read and written right now.
    async fn ready(&self) -> Result<(), StoreError>;
}
