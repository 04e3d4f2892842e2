//! A ticket's whole history, for people.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::StoreError;
use super::decisions::DecisionRow;
use super::watches::Watch;
use crate::helpdesk::ticket::TicketKey;

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

/// Reads histories.
#[async_trait]
pub trait Histories: Send + Sync {
    /// A ticket's whole history; none where it was never heard of.
    async fn history(&self, ticket: &TicketKey) -> Result<Option<History>, StoreError>;
}
