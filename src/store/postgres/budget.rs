//! The statements of [`crate::store::budget`]: one row an account, changed in one statement.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::Postgres;
use super::values::column;
use crate::store::StoreError;
use crate::store::budget::{Budget, Cost, Taken};
use crate::store::values::{instant, millis};

const TAKE: &str = "INSERT INTO budgets (account, spent_until, held_until) VALUES ($1, $2::bigint + $3::bigint, 0)
    ON CONFLICT (account) DO UPDATE SET spent_until = greatest(budgets.spent_until, $2) + $3
    WHERE budgets.held_until <= $2 AND greatest(budgets.spent_until, $2) + $3 <= $2 + $4::bigint RETURNING spent_until";

/// After a hold or a spent budget: when the same calls would be granted, and until when the helpdesk wants none.
const WHEN: &str =
    "SELECT greatest(spent_until, $2::bigint) + $3::bigint - $4::bigint, held_until FROM budgets WHERE account = $1";

const HOLD: &str = "INSERT INTO budgets (account, spent_until, held_until) VALUES ($1, 0, $2)
    ON CONFLICT (account) DO UPDATE SET held_until = greatest(budgets.held_until, $2)";

#[async_trait]
impl Budget for Postgres {
    async fn take(&self, account: &str, calls: u32, per_minute: u32, now: DateTime<Utc>) -> Result<Taken, StoreError> {
        let cost @ Cost { ms, burst_ms, .. } = Cost::of(calls, per_minute);
        let client = self.connection().await?;
        let take = client.prepare_cached(TAKE).await?;
        if let Some(row) = client.query_opt(&take, &[&account, &millis(now), &ms, &burst_ms]).await? {
            return Ok(cost.granted(instant(column(&row, 0)?)?, now));
        }
        let when = client.prepare_cached(WHEN).await?;
        let row = client.query_one(&when, &[&account, &millis(now), &ms, &burst_ms]).await?;
        let held = instant(column(&row, 1)?)?;
        if held > now {
            return Ok(Taken::Held(held));
        }
        // Where it has become free in between, the next asking takes it.
        Ok(Taken::NotBefore(instant(column(&row, 0)?)?.max(now + TimeDelta::milliseconds(1))))
    }

    async fn hold_until(&self, account: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
        self.connection().await?.execute(HOLD, &[&account, &millis(at)]).await?;
        Ok(())
    }
}
