//! Policies that were in force, with their texts, so that what changed between two can be seen.

use chrono::{DateTime, Utc};

use super::database::{Value, values};
use super::{Store, StoreError};

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

const RECORD: &str = "INSERT INTO policies (hash, since, binding, diagram) VALUES ($1, $2, $3, $4)
    ON CONFLICT (hash) DO UPDATE SET since = excluded.since, binding = excluded.binding, diagram = excluded.diagram
    WHERE policies.since < (SELECT max(since) FROM policies)";

type Columns = (String, DateTime<Utc>, String, String);

impl Store {
    /// Says that a policy is in force from then on; where it is the newest already, nothing changes.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn record_policy(&self, version: &PolicyVersion) -> Result<(), StoreError> {
        self.run(RECORD, version.values()).await.map(drop)
    }

    /// Up to `limit` policies, the newest in force first.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn policies(&self, limit: usize) -> Result<Vec<PolicyVersion>, StoreError> {
        let list = "SELECT hash, since, binding, diagram FROM policies ORDER BY since DESC, hash LIMIT $1";
        Ok(self.all(list, values![limit]).await?.into_iter().map(PolicyVersion::of).collect())
    }

    /// The text of a policy that is or was in force.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn policy(&self, hash: &str) -> Result<Option<PolicyVersion>, StoreError> {
        let text = "SELECT hash, since, binding, diagram FROM policies WHERE hash = $1";
        Ok(self.one(text, values![hash]).await?.map(PolicyVersion::of))
    }
}

impl PolicyVersion {
    fn of((hash, since, binding, diagram): Columns) -> PolicyVersion {
        PolicyVersion { hash, since, binding, diagram }
    }

    /// Its columns, in their order.
    pub(super) fn values(&self) -> Vec<Value> {
        values![&self.hash, self.since, &self.binding, &self.diagram]
    }
}
