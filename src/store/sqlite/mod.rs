//! The store in one SQLite file: one writer, whose every commit is shared by all who wait for it.

mod budget;
mod comparisons;
pub mod copy;
mod decisions;
mod deliveries;
mod feedback;
mod follow_ups;
mod history;
mod looks;
mod operators;
mod overview;
mod own_users;
mod pauses;
mod policies;
mod promotions;
mod readers;
mod retention;
mod sums;
mod watches;
mod writer;

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::Notify;

use super::budget::Budgets;
use super::wakes::{Bells, Wakes};
use super::{Readiness, StoreError};
use deliveries::Arrivals;
use readers::Readers;
use writer::Writer;

/// The schema's versions, oldest first; a file's `user_version` says how many it has.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/sqlite/0001_deliveries_watches_decisions.sql"),
    include_str!("../migrations/sqlite/0002_pauses.sql"),
    include_str!("../migrations/sqlite/0004_feedback.sql"),
    include_str!("../migrations/sqlite/0005_console.sql"),
    include_str!("../migrations/sqlite/0006_policies.sql"),
    include_str!("../migrations/sqlite/0007_open_questions.sql"),
    include_str!("../migrations/sqlite/0008_looks.sql"),
    include_str!("../migrations/sqlite/0009_candidates.sql"),
    include_str!("../migrations/sqlite/0010_heard.sql"),
    include_str!("../migrations/sqlite/0011_follow_ups.sql"),
    include_str!("../migrations/sqlite/0013_sums.sql"),
    include_str!("../migrations/sqlite/0014_repeats_by_ticket.sql"),
    include_str!("../migrations/sqlite/0015_lean_watches.sql"),
    include_str!("../migrations/sqlite/0016_holds.sql"),
    include_str!("../migrations/sqlite/0017_own_users.sql"),
];

/// How long another process's writing is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many statements are kept prepared: there are fewer.
const STATEMENTS: usize = 128;

/// A store in one SQLite file, for one process at a time.
pub struct Sqlite {
    writer: Writer,
    arrivals: Arc<Arrivals>,
    readers: Readers,
    budgets: Budgets,
    bells: Arc<Bells>,
}

impl Sqlite {
    /// Opens the file, makes it where there is none, for its owner alone, and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where it cannot be opened or written, [`StoreError::Corrupt`] where a newer
    /// version wrote it.
    pub fn open(path: &Path) -> Result<Sqlite, StoreError> {
        let unusable = |error: &dyn std::fmt::Display| {
            StoreError::Unavailable(format!(
                "{}: {error}; see that its folder exists and can be written",
                path.display()
            ))
        };
        let told = |error: rusqlite::Error| unusable(&error);
        // For its owner alone, as its logs then are too: it holds customers' words.
        let new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        if let Err(error) = new.as_ref()
            && error.kind() != ErrorKind::AlreadyExists
        {
            return Err(unusable(error));
        }
        let mut connection = Connection::open(path).map_err(told)?;
        prepare(&connection).map_err(told)?;
        write_ahead(&connection).map_err(told)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(told)?;
        migrate(&mut connection, path)?;
        let budgets = budget::held(&connection)?;
        let bells = Arc::new(Bells::default());
        let writer =
            Writer::start(connection, bells.clone()).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Sqlite { writer, arrivals: Arc::default(), readers: Readers::of(path), budgets, bells })
    }
}

/// What every connection is told: to wait for others, to keep its statements, and to plan each once instead of anew for
/// every value it is run with.
fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Turns the write-ahead log on. SQLite does not wait for this by itself where another process is at the same.
fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    let begun = std::time::Instant::now();
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error)
                if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy)
                    && begun.elapsed() < PATIENCE =>
            {
                std::thread::sleep(Duration::from_millis(10));
            }
            done => return done,
        }
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
impl Readiness for Sqlite {
    async fn ready(&self) -> Result<(), StoreError> {
        self.writer.run(ready).await
    }
}

impl Wakes for Sqlite {
    fn wake(&self, account: &str) -> Arc<Notify> {
        self.bells.of(account)
    }
}

/// Writes and takes back a row: reading alone would not see a full disk or a read-only file.
fn ready(connection: &Connection) -> Result<(), StoreError> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS readiness (at INTEGER); INSERT INTO readiness VALUES (0); DELETE FROM readiness;",
    )?;
    Ok(())
}
