//! Policies that were in force, with their texts, so that what changed between two can be seen.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::StoreError;

/// A policy as it was when it came into force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyVersion {
    /// Its hash.
    pub hash: String,
    /// When it came into force, the last time that it did.
    pub since: DateTime<Utc>,
    /// The text of its binding.
    pub binding: String,
    /// The text of its diagram.
    pub diagram: String,
}

/// Keeps policies.
#[async_trait]
pub trait Policies: Send + Sync {
    /// Says that a policy is in force from then on; where it is the newest already, nothing changes.
    async fn record_policy(&self, version: &PolicyVersion) -> Result<(), StoreError>;

    /// Up to `limit` policies, the newest in force first.
    async fn policies(&self, limit: usize) -> Result<Vec<PolicyVersion>, StoreError>;
}
