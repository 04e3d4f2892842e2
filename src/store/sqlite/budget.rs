//! The budget of [`crate::store::budget`]: a SQLite file has one process, so its memory is enough for what is spent; what
//! the helpdesk said outlives it.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use super::Sqlite;
use crate::store::StoreError;
use crate::store::budget::{Budget, Budgets, Cost, Taken};
use crate::store::values::{Outcome, instant, millis};

#[async_trait]
impl Budget for Sqlite {
    async fn take(&self, account: &str, calls: u32, per_minute: u32, now: DateTime<Utc>) -> Result<Taken, StoreError> {
        Ok(self.budgets.of(account, |spent| spent.take(Cost::of(calls, per_minute), now)))
    }

    async fn hold_until(&self, account: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
        self.budgets.of(account, |spent| spent.held = spent.held.max(at));
        let account = account.to_owned();
        self.writer.run(move |connection| hold(connection, &account, at)).await
    }
}

fn hold(connection: &Connection, account: &str, at: DateTime<Utc>) -> Outcome<()> {
    connection
        .prepare_cached(
            "INSERT INTO holds (account, until) VALUES (?1, ?2)
             ON CONFLICT (account) DO UPDATE SET until = max(until, excluded.until)",
        )?
        .execute(params![account, millis(at)])?;
    Ok(())
}

/// Budgets of which nothing is spent, held as the file says.
pub(super) fn held(connection: &Connection) -> Outcome<Budgets> {
    let budgets = Budgets::default();
    let mut holds = connection.prepare("SELECT account, until FROM holds")?;
    let mut rows = holds.query([])?;
    while let Some(row) = rows.next()? {
        let (account, until): (String, i64) = (row.get(0)?, row.get(1)?);
        let until = instant(until)?;
        budgets.of(&account, |spent| spent.held = until);
    }
    Ok(budgets)
}
