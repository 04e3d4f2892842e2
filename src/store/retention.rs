//! Retention: what is old goes, a little at a time.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::StoreError;

/// What one sweep took away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Deliveries received before.
    pub deliveries: u64,
    /// Decisions made before, of tickets that are watched no longer; they count no longer either.
    pub decisions: u64,
    /// Tickets watched no longer and last read before, of which no delivery and no decision is left; their feedback, follow-ups and failures go with them.
    pub watches: u64,
    /// Comparisons with a candidate made before.
    pub comparisons: u64,
    /// Failures of before.
    pub failures: u64,
}

impl Swept {
    /// All that went.
    pub fn total(self) -> u64 {
        self.deliveries + self.decisions + self.watches + self.comparisons + self.failures
    }
}

/// Forgets by age.
#[async_trait]
pub trait Retention: Send + Sync {
    /// Deletes what is older than `before`, at most `limit` rows of each kind and the oldest first, so that the receiver
    /// waits for no more than that; sweep again until nothing goes. A ticket that is watched keeps its decisions.
    async fn sweep(&self, before: DateTime<Utc>, limit: u32) -> Result<Swept, StoreError>;
}
