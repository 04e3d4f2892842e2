//! Watches: which tickets are looked at, when next, and in whose hands they are.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::StoreError;
use crate::helpdesk::ticket::TicketKey;

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

/// Keeps the tickets being watched.
#[async_trait]
pub trait Watches: Send + Sync {
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
}
