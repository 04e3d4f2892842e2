//! Our share of a helpdesk's API limit: one budget an account, in the store, so that all replicas share it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use crate::helpdesk::error::CallError;
use crate::helpdesk::limits::Scope;
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
    /// Until when the account's limit is nearly spent, so that no new work is begun.
    spared: Arc<Mutex<Option<DateTime<Utc>>>>,
}

/// How long new work waits at most where little is left: on a busy account little may be left all day.
const LONGEST_SPARED: TimeDelta = TimeDelta::seconds(15);

/// How long after the limit was nearly spent only one ticket is worked at a time.
const TIGHT: TimeDelta = TimeDelta::seconds(60);

impl Share {
    /// So many calls a minute of an account.
    pub fn new(store: Store, account: &str, per_minute: u32) -> Share {
        Share { store, account: account.to_owned(), per_minute, spared: Arc::default() }
    }

    /// When new work may be begun, where it may not be begun at once; nothing is taken.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn not_before(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let spared = self.spared_until().filter(|until| *until > Utc::now());
        Ok(self.take(0).await?.again().max(spared))
    }

    /// Whether half of what may be called at once is left, so that work that can wait leaves enough for what is new.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn is_ample(&self) -> Result<bool, StoreError> {
        Ok(match self.take(0).await? {
            Taken::Now { left } => left >= self.per_minute / 20,
            Taken::NotBefore(_) | Taken::Held(_) => false,
        })
    }

    /// Until when the helpdesk wants no calls of this account.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn held_until(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        Ok(match self.take(0).await? {
            Taken::Held(at) => Some(at),
            Taken::Now { .. } | Taken::NotBefore(_) => None,
        })
    }

    /// Whether so little of the account's limit is left that one ticket is worked after the other.
    pub fn is_tight(&self) -> bool {
        self.spared_until().is_some_and(|until| until + TIGHT > Utc::now())
    }

    fn spared_until(&self) -> Option<DateTime<Utc>> {
        *self.spared.lock().unwrap_or_else(PoisonError::into_inner)
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
                Ok(Taken::Held(at)) => {
                    return Err(CallError::Limited { retry_after: from_now(at), scope: Scope::Account });
                }
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

    async fn spare(&self, length: Duration) {
        let until = Utc::now() + TimeDelta::from_std(length).unwrap_or(LONGEST_SPARED).min(LONGEST_SPARED);
        let mut spared = self.spared.lock().unwrap_or_else(PoisonError::into_inner);
        *spared = (*spared).max(Some(until));
    }
}
