//! Our share of a helpdesk's API limit: one budget an account, in the store, so that all replicas share it.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use crate::helpdesk::client::CallError;
use crate::helpdesk::pace::Pace;
use crate::metrics;
use crate::store::budget::Taken;
use crate::store::{Store, StoreError};

/// An account's calls, out of the store's budget.
#[derive(Clone)]
pub struct Share {
    store: Store,
    account: String,
    per_minute: u32,
}

impl Share {
    /// So many calls a minute of an account.
    pub fn new(store: Store, account: &str, per_minute: u32) -> Share {
        Share { store, account: account.to_owned(), per_minute }
    }

    /// When a call may be made, where it may not be made at once; nothing is taken.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn not_before(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        Ok(self.take(0).await?.again())
    }

    async fn take(&self, calls: u32) -> Result<Taken, StoreError> {
        let taken = self.store.take(&self.account, calls, self.per_minute, Utc::now()).await?;
        let left = match taken {
            Taken::Now { left } => left,
            Taken::NotBefore(_) | Taken::Held(_) => 0,
        };
        metrics::budget_left(&self.account, left);
        Ok(taken)
    }
}

#[async_trait]
impl Pace for Share {
    async fn turn(&self) -> Result<(), CallError> {
        loop {
            let from_now = |at: DateTime<Utc>| (at - Utc::now()).to_std().unwrap_or_default();
            match self.take(1).await {
                Ok(Taken::Now { .. }) => return Ok(()),
                Ok(Taken::NotBefore(at)) => tokio::time::sleep(from_now(at)).await,
                Ok(Taken::Held(at)) => return Err(CallError::Limited { retry_after: from_now(at) }),
                Err(error) => return Err(CallError::NoTurn(error.to_string())),
            }
        }
    }

    async fn hold(&self, length: Duration) {
        let until = Utc::now() + TimeDelta::from_std(length).unwrap_or(TimeDelta::days(1));
        if let Err(error) = self.store.hold_until(&self.account, until).await {
            tracing::warn!(account = self.account, %error, "other replicas, and this one after a restart, do not know that the helpdesk wants no calls");
        }
    }
}
