//! Decisions with what happened around them, in pages: for reports that read all of them in little memory.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::StoreError;
use super::feedback::Feedback;
use crate::helpdesk::ticket::TicketKey;

/// A decision that was posted, or recorded in shadow mode, with what happened around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where it stands in the order of all.
    pub place: Place,
    /// Which ticket.
    pub ticket: TicketKey,
    /// The short id its note carries.
    pub reference: String,
    /// The decision, as JSON in the shape of the interface.
    pub decision: String,
    /// When its note was known to stand on the ticket; none in shadow mode.
    pub posted_at: Option<DateTime<Utc>>,
    /// When the ticket's first delivery that is kept came.
    pub starred_at: Option<DateTime<Utc>>,
    /// How many decisions of the ticket were carried out before it.
    pub earlier: u64,
    /// How many of these gave a verdict, and not questions.
    pub earlier_verdicts: u64,
    /// The newest opinion on it.
    pub feedback: Option<Feedback>,
}

/// A place in the order of all decisions, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// When the decision was made.
    pub decided_at: DateTime<Utc>,
    /// Tells decisions of one moment apart; 0 stands before all of them.
    pub id: i64,
}

/// Reads records.
#[async_trait]
pub trait Records: Send + Sync {
    /// The next records after a place, oldest first, at most `limit`.
    async fn records(&self, after: Place, limit: usize) -> Result<Vec<Record>, StoreError>;
}
