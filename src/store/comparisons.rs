//! Comparisons: what a candidate policy made of decisions of the policy in force.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::StoreError;
use crate::decide::ticket::TicketKey;

/// One decision of the policy in force beside the candidate's, on the same reading at the same time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// Which ticket.
    pub ticket: TicketKey,
    /// The short id of the decision of the policy in force; empty where it does not speak of the ticket and decided nothing.
    pub reference: String,
    /// When it was made.
    pub decided_at: DateTime<Utc>,
    /// Which two policies.
    pub pair: Pair,
    /// What the policy in force decided.
    pub verdict: String,
    /// What the candidate would have decided; none where what it needed to know was not to be had in time.
    pub becomes: Option<String>,
    /// Where the verdicts differ: both reasons and the node where the ways part, as JSON.
    pub difference: Option<String>,
}

/// How it is kept that a verdict could not be told: as a name no outcome has.
pub(super) const NOT_TOLD: &str = "";

/// A verdict as it is kept; none where it could not be told.
pub(super) fn told(kept: String) -> Option<String> {
    Some(kept).filter(|verdict| verdict != NOT_TOLD)
}

/// The hashes of two policies that are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The policy in force.
    pub policy: String,
    /// The candidate.
    pub candidate: String,
}

/// How many decisions had this verdict and would have had that one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The verdict of the policy in force.
    pub verdict: String,
    /// The candidate's; none where it could not be told.
    pub becomes: Option<String>,
    /// Decisions.
    pub decisions: u64,
}

/// Keeps comparisons.
#[async_trait]
pub trait Comparisons: Send + Sync {
    /// Keeps a comparison; where the same decision was compared with the same candidate before, the newer stands.
    async fn record_comparison(&self, comparison: &Comparison) -> Result<(), StoreError>;

    /// How verdicts moved between two policies, in the order of their names.
    async fn moved_verdicts(&self, pair: &Pair) -> Result<Vec<Moved>, StoreError>;

    /// Up to `limit` comparisons of two policies whose verdicts differ, with their numbers, newest first, of those before
    /// the number `before`.
    async fn differing(
        &self,
        pair: &Pair,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<(i64, Comparison)>, StoreError>;
}
