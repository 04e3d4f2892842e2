//! The store in one SQLite file: one writer, whose every commit is shared by all who wait for it.

mod rows;
mod writer;

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, TransactionBehavior};

use super::{Carried, Claim, DecisionRow, History, NewDelivery, Next, Recorded, Store, StoreError};
use crate::helpdesk::ticket::TicketKey;
use writer::Writer;

/// The schema's versions, oldest first; a file's `user_version` says how many it has.
const MIGRATIONS: [&str; 1] = [include_str!("../migrations/0001.sql")];

/// A store in one SQLite file, for one process at a time.
pub struct Sqlite {
    writer: Writer,
}

impl Sqlite {
    /// Opens the file, makes it where there is none, and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where it cannot be opened or written, [`StoreError::Corrupt`] where a newer
    /// version wrote it.
    pub fn open(path: &Path) -> Result<Sqlite, StoreError> {
        let told = |error: rusqlite::Error| {
            StoreError::Unavailable(format!(
                "{}: {error}; see that its folder exists and can be written",
                path.display()
            ))
        };
        let mut connection = Connection::open(path).map_err(told)?;
        connection.busy_timeout(Duration::from_secs(5)).map_err(told)?;
        connection.pragma_update(None, "journal_mode", "WAL").map_err(told)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(told)?;
        migrate(&mut connection, path)?;
        let writer = Writer::start(connection).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Sqlite { writer })
    }
}

/// Brings the schema up to date in one transaction, so that two who start at once do it once.
fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let told = |error: rusqlite::Error| StoreError::Unavailable(format!("{}: {error}", path.display()));
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(told)?;
    let applied: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(told)?;
    let version = usize::try_from(applied).unwrap_or(usize::MAX);
    if version > MIGRATIONS.len() {
        return Err(StoreError::Corrupt(format!("{} was written by a newer version of this program", path.display())));
    }
    for migration in MIGRATIONS.iter().skip(version) {
        transaction.execute_batch(migration).map_err(told)?;
    }
    transaction
        .pragma_update(None, "user_version", u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX))
        .map_err(told)?;
    transaction.commit().map_err(told)
}

#[async_trait]
impl Store for Sqlite {
    async fn record(&self, delivery: NewDelivery) -> Result<Recorded, StoreError> {
        self.writer.run(move |connection| rows::record(connection, &delivery)).await
    }

    async fn mark_due(&self, ticket: &TicketKey, at: DateTime<Utc>) -> Result<(), StoreError> {
        let ticket = ticket.clone();
        self.writer.run(move |connection| rows::mark_due(connection, &ticket, at)).await
    }

    async fn claim(
        &self,
        account: &str,
        now: DateTime<Utc>,
        lease: Duration,
        limit: usize,
    ) -> Result<Vec<Claim>, StoreError> {
        let account = account.to_owned();
        self.writer.run(move |connection| rows::claim(connection, &account, now, lease, limit)).await
    }

    async fn extend(&self, claim: &Claim, now: DateTime<Utc>, lease: Duration) -> Result<(), StoreError> {
        let claim = claim.clone();
        self.writer.run(move |connection| rows::extend(connection, &claim, now, lease)).await
    }

    async fn settle(&self, claim: &Claim, next: Next, now: DateTime<Utc>) -> Result<(), StoreError> {
        let claim = claim.clone();
        self.writer.run(move |connection| rows::settle(connection, &claim, &next, now)).await
    }

    async fn next_due(&self, account: &str) -> Result<Option<DateTime<Utc>>, StoreError> {
        let account = account.to_owned();
        self.writer.run(move |connection| rows::next_due(connection, &account)).await
    }

    async fn record_decision(&self, claim: &Claim, row: &DecisionRow) -> Result<(), StoreError> {
        let (claim, row) = (claim.clone(), row.clone());
        self.writer.run(move |connection| rows::record_decision(connection, &claim, &row)).await
    }

    async fn carried(&self, ticket: &TicketKey, reference: &str, carried: Carried) -> Result<(), StoreError> {
        let (ticket, reference) = (ticket.clone(), reference.to_owned());
        self.writer.run(move |connection| rows::carried(connection, &ticket, &reference, carried)).await
    }

    async fn last_decision(&self, ticket: &TicketKey) -> Result<Option<DecisionRow>, StoreError> {
        let ticket = ticket.clone();
        self.writer.run(move |connection| rows::last_decision(connection, &ticket)).await
    }

    async fn history(&self, ticket: &TicketKey) -> Result<Option<History>, StoreError> {
        let ticket = ticket.clone();
        self.writer.run(move |connection| rows::history(connection, &ticket)).await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.writer.run(rows::ready).await
    }
}
