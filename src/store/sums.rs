//! Sums: what decisions said, counted by day as it happens, so that no report reads the decisions.
//!
//! A decision counts from when it was carried out, on the day it was made, and no longer than it is kept.

use async_trait::async_trait;
use chrono::NaiveDate;

use super::StoreError;
use super::feedback::{Agreement, FeedbackRow};
use crate::learn::report::Sum;
use crate::learn::report::gist::Gist;

/// What was counted in a period.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums {
    /// What decisions said, and how many of them said so; what was said first comes first.
    pub gists: Vec<(Gist, Sum)>,
    /// Seconds from a ticket's first delivery to the note of its first verdict, and how many tickets waited so long.
    pub waits: Vec<(u64, u64)>,
}

/// Reads sums. A period goes from a day on, UTC; without one it is all that is kept.
#[async_trait]
pub trait Summed: Send + Sync {
    /// What was counted of the decisions of a period.
    async fn sums(&self, since: Option<NaiveDate>) -> Result<Sums, StoreError>;

    /// Agreement on the verdicts of a period. Open questions are no verdict: they are left out.
    async fn agreement(&self, since: NaiveDate) -> Result<Agreement, StoreError>;

    /// Verdicts of a period that somebody disagreed with, each with the newest opinion on it, the newest decision first,
    /// at most `limit`.
    async fn disagreements(&self, since: Option<NaiveDate>, limit: usize) -> Result<Vec<FeedbackRow>, StoreError>;
}
