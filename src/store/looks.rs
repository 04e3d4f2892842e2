//! Looks: when a watched ticket was last read, so that what moved since is found without a delivery.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::StoreError;
use super::watches::Claim;

/// What is due within this long is looked at anyway: longer than any backoff, or than a ticket is held back.
pub(super) const SOON: TimeDelta = TimeDelta::minutes(15);

/// How long a dead letter rests before what the helpdesk says of it is believed to have changed something.
pub(super) const DEAD_RESTS: TimeDelta = TimeDelta::hours(1);

/// Keeps when tickets were looked at, by the helpdesk's clock.
#[async_trait]
pub trait Looks: Send + Sync {
    /// Keeps when the claimed ticket was read; [`StoreError::LeaseLost`] where the lease is gone.
    async fn looked(&self, claim: &Claim, at: DateTime<Utc>) -> Result<(), StoreError>;

    /// Those of `found`, a ticket's number and when it last changed, that were never heard of, or changed since they
    /// were last read. A change within the very second of the reading counts. Left out at `now` is what is in hand or
    /// due within a quarter of an hour, longer than any ticket waits for another try; and a dead letter that failed
    /// within the last hour.
    async fn moved(
        &self,
        account: &str,
        found: &[(u64, DateTime<Utc>)],
        now: DateTime<Utc>,
    ) -> Result<Vec<u64>, StoreError>;
}
