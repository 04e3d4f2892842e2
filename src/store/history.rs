//! A ticket's whole history, and lists of tickets, for people.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::StoreError;
use super::decisions::DecisionRow;
use super::watches::Watch;
use crate::decide::ticket::TicketKey;

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
    /// Looks at it that failed, oldest first.
    pub failures: Vec<FailureRow>,
}

/// A delivery as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeliveryRow {
    /// What happened, as the sender names it.
    pub kind: String,
    /// When it was received.
    pub received_at: DateTime<Utc>,
}

/// A look that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailureRow {
    /// When.
    pub at: DateTime<Utc>,
    /// What went wrong, in a sentence.
    pub error: String,
}

/// A watched ticket in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WatchRow {
    /// Which.
    pub ticket: TicketKey,
    /// Where it stands.
    pub watch: Watch,
    /// How often it has failed in a row.
    pub failures: u32,
    /// The last thing that went wrong, if the last look failed.
    pub last_error: Option<String>,
    /// The verdict of its newest decision, carried out or not.
    pub verdict: Option<String>,
}

/// A state to list by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchState {
    /// [`Watch::Due`].
    Due,
    /// [`Watch::Idle`].
    Idle,
    /// [`Watch::Dead`].
    Dead,
    /// [`Watch::Stopped`].
    Stopped,
}

impl WatchState {
    /// Its word in rows and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            WatchState::Due => "due",
            WatchState::Idle => "idle",
            WatchState::Dead => "dead",
            WatchState::Stopped => "stopped",
        }
    }
}

/// Which watched tickets; what is left out does not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WatchFilter {
    /// Of one account.
    pub account: Option<String>,
    /// In one state.
    pub state: Option<WatchState>,
    /// Whose newest decision has this verdict.
    pub verdict: Option<String>,
}

/// How much waits in one account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Backlog {
    /// Tickets due by now, in hand or not.
    pub due: u64,
    /// Tickets due later.
    pub later: u64,
    /// Tickets with a lease that runs.
    pub in_hand: u64,
    /// Dead letters.
    pub dead: u64,
    /// Since when the ticket that is due longest has been so.
    pub oldest_due: Option<DateTime<Utc>>,
}

/// Reads what people want to see. No method waits for writers.
#[async_trait]
pub trait Histories: Send + Sync {
    /// A ticket's whole history; none where it was never heard of.
    async fn history(&self, ticket: &TicketKey) -> Result<Option<History>, StoreError>;

    /// Up to `limit` watched tickets by account and number, from the one behind `after` on.
    async fn watched(
        &self,
        filter: &WatchFilter,
        after: Option<&TicketKey>,
        limit: u32,
    ) -> Result<Vec<WatchRow>, StoreError>;

    /// How much of `account` waits at `now`.
    async fn backlog(&self, account: &str, now: DateTime<Utc>) -> Result<Backlog, StoreError>;
}
