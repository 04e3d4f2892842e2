//! Looks: when a watched ticket was last read, so that what moved since is found without a delivery.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::StoreError;
use super::watches::Claim;

/// Keeps when tickets were looked at, by the helpdesk's clock.
#[async_trait]
pub trait Looks: Send + Sync {
    /// Keeps when the claimed ticket was read; [`StoreError::LeaseLost`] where the lease is gone.
    async fn looked(&self, claim: &Claim, at: DateTime<Utc>) -> Result<(), StoreError>;

    /// Those of `found`, a ticket's number and when it last changed, that were never heard of, or changed since they
    /// were last read. A change within the very second of the reading counts. Left out is what is due anyway, and a
    /// dead letter that has not moved.
    async fn moved(&self, account: &str, found: &[(u64, DateTime<Utc>)]) -> Result<Vec<u64>, StoreError>;
}
