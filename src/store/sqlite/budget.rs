//! The budget of [`crate::store::budget`]: a SQLite file has one process, so its memory is enough.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::Sqlite;
use crate::store::StoreError;
use crate::store::budget::{Budget, Cost, Taken};

#[async_trait]
impl Budget for Sqlite {
    async fn take(&self, account: &str, calls: u32, per_minute: u32, now: DateTime<Utc>) -> Result<Taken, StoreError> {
        Ok(self.budgets.of(account, |spent| spent.take(Cost::of(calls, per_minute), now)))
    }

    async fn hold_until(&self, account: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
        self.budgets.of(account, |spent| spent.held = spent.held.max(at));
        Ok(())
    }
}
