//! Pauses: an account whose deliveries are kept and whose tickets are left alone.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::StoreError;

/// An account at rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Paused {
    /// Who paused it.
    pub by: String,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// Keeps which accounts are paused. While one is, [`claim`](super::watches::Watches::claim) gives nothing of it and
/// [`next_due`](super::watches::Watches::next_due) says that nothing waits.
#[async_trait]
pub trait Pauses: Send + Sync {
    /// Pauses an account; durable when it returns. Pausing it again changes nothing: who was first stands.
    async fn pause(&self, account: &str, by: &str, at: DateTime<Utc>) -> Result<(), StoreError>;

    /// Ends a pause, durably, and wakes the account; whether there was one.
    async fn resume(&self, account: &str) -> Result<bool, StoreError>;

    /// The paused accounts, by name, with who paused each and when.
    async fn paused(&self) -> Result<BTreeMap<String, Paused>, StoreError>;
}
