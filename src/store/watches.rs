//! Watches: which tickets are looked at, when next, and in whose hands they are.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::StoreError;
use crate::decide::ticket::TicketKey;

/// A due ticket in one pair of hands, until the lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Which ticket.
    pub ticket: TicketKey,
    /// How often it has failed in a row before this look; 0 at first.
    pub failures: u32,
    /// The fencing token: no other holding of any ticket has it. Whatever the holder writes is refused once the ticket
    /// has been claimed anew.
    pub lease: String,
    /// How often the ticket had been marked due when it was claimed, where that changed something: of a ticket that is
    /// due already and in nobody's hands, nothing is written.
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
    /// Not a failure: the moment was not right (a young stamp, a spent budget, a helpdesk that is away); look again then.
    Again {
        /// When.
        at: DateTime<Utc>,
    },
    /// Not a failure either, but worth showing: the ticket flaps and is held back until then.
    Held {
        /// Until when.
        at: DateTime<Utc>,
        /// Why, in a sentence.
        why: String,
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

impl Next {
    /// When the ticket is looked at again though nothing happens.
    pub fn look_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Next::Settled { look_at } => *look_at,
            Next::Again { at } | Next::Held { at, .. } | Next::Retry { at, .. } => Some(*at),
            Next::Dead { .. } | Next::Stopped { .. } => None,
        }
    }

    /// Why it is not as it should be, or is watched no longer.
    pub fn why(&self) -> Option<&str> {
        match self {
            Next::Settled { .. } | Next::Again { .. } => None,
            Next::Held { why, .. } | Next::Stopped { why } => Some(why),
            Next::Retry { error, .. } | Next::Dead { error } => Some(error),
        }
    }

    /// What it is called where looks are counted.
    pub fn name(&self) -> &'static str {
        match self {
            Next::Settled { .. } => "settled",
            Next::Again { .. } => "again",
            Next::Held { .. } => "held",
            Next::Retry { .. } => "retry",
            Next::Dead { .. } => "dead",
            Next::Stopped { .. } => "stopped",
        }
    }
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

/// What a settled claim leaves in its row.
pub(super) struct Left<'a> {
    pub state: &'static str,
    pub due_at: Option<DateTime<Utc>>,
    pub why: Option<&'a str>,
    pub failures: u32,
    pub last_error: Option<&'a str>,
    /// Whether a mark made since the claim comes first.
    pub yields: Yields,
}

/// Whether what a look came to gives way to a mark made during it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Yields {
    ToMarks,
    Never,
}

impl Next {
    pub(super) fn leaves(&self, claim: &Claim) -> Left<'_> {
        let failed = claim.failures.saturating_add(1);
        let left = |state, due_at, why, failures, last_error, yields| Left {
            state,
            due_at,
            why,
            failures,
            last_error,
            yields,
        };
        match self {
            Next::Settled { look_at: None } => left("idle", None, None, 0, None, Yields::ToMarks),
            Next::Settled { look_at } => left("due", *look_at, None, 0, None, Yields::ToMarks),
            Next::Again { at } => left("due", Some(*at), None, claim.failures, None, Yields::Never),
            Next::Held { at, why } => left("due", Some(*at), None, claim.failures, Some(why), Yields::Never),
            Next::Retry { at, error } => left("due", Some(*at), None, failed, Some(error), Yields::Never),
            Next::Dead { error } => left("dead", None, Some(error), failed, Some(error), Yields::ToMarks),
            Next::Stopped { why } => left("stopped", None, Some(why), 0, None, Yields::ToMarks),
        }
    }
}

impl Watch {
    /// Reads a row's columns.
    pub(super) fn read(state: &str, due_at: Option<DateTime<Utc>>, why: Option<String>) -> Result<Watch, StoreError> {
        match (state, due_at) {
            ("due", Some(at)) => Ok(Watch::Due { at }),
            ("idle", _) => Ok(Watch::Idle),
            ("dead", _) => Ok(Watch::Dead { error: why.unwrap_or_default() }),
            ("stopped", _) => Ok(Watch::Stopped { why: why.unwrap_or_default() }),
            _ => Err(StoreError::odd("watch state")),
        }
    }
}

/// Keeps the tickets being watched. What a method wrote is durable when it returns.
#[async_trait]
pub trait Watches: Send + Sync {
    /// Marks a ticket due without a delivery: a catch-up, or an operator's "look again". One that is due earlier stays so;
    /// one that failed or is held back waits no longer, as it does after a delivery.
    async fn mark_due(&self, ticket: &TicketKey, at: DateTime<Utc>) -> Result<(), StoreError>;

    /// Takes up to `limit` tickets of `account` that are due at `now` and in nobody's hands, longest due first; none
    /// while the account is paused. However many ask at once, a ticket is given to one of them.
    async fn claim(
        &self,
        account: &str,
        now: DateTime<Utc>,
        lease: Duration,
        limit: usize,
    ) -> Result<Vec<Claim>, StoreError>;

    /// Lengthens a lease to `lease` from `now`; [`StoreError::LeaseLost`] where the ticket has been claimed anew or given back.
    async fn extend(&self, claim: &Claim, now: DateTime<Utc>, lease: Duration) -> Result<(), StoreError>;

    /// Gives a ticket back; [`StoreError::LeaseLost`] and no change where it is no longer the holder's to give. Where it
    /// was marked due since it was claimed, it is due again at once, its failures forgotten, unless `next` is later by
    /// nature ([`Next::Retry`], [`Next::Again`], [`Next::Held`]): those a delivery does not bring forward, now or later.
    async fn settle(&self, claim: &Claim, next: Next, now: DateTime<Utc>) -> Result<(), StoreError>;

    /// When the next ticket of `account` can be claimed; none where nothing waits or the account is paused.
    async fn next_due(&self, account: &str) -> Result<Option<DateTime<Utc>>, StoreError>;

    /// Makes dead letters due at `at`, with their failures forgotten; how many. All or none.
    async fn send_back(&self, which: &DeadLetters, at: DateTime<Utc>) -> Result<u64, StoreError>;
}

/// Which dead letters; what is left out does not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeadLetters {
    /// Of one account.
    pub account: Option<String>,
    /// Of one ticket number.
    pub ticket: Option<u64>,
    /// Whose last error holds this text, in whatever case.
    pub error_has: Option<String>,
}
