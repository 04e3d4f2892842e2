//! What is kept: deliveries, the tickets being watched, and every decision.
//!
//! One file an idea, with its types and its steps; [`database`] runs them on SQLite or PostgreSQL.

pub mod anew;
mod bells;
pub mod budget;
mod clock;
pub mod comparisons;
pub mod counts;
mod database;
pub mod decisions;
pub mod deliveries;
pub mod feedback;
pub mod follow_ups;
mod forget;
pub mod hands;
pub mod history;
pub mod looks;
pub mod operators;
pub mod overview;
pub mod pauses;
pub mod policies;
mod postgres;
pub mod promotions;
pub mod retention;
pub mod sqlite;
pub mod vectors;
pub mod watches;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::decide::ticket::TicketKey;
use bells::Bells;
use budget::Budgets;
use chrono::{DateTime, Utc};
use clock::Clock;
use database::{Database, FromRow, Outcome, Session, Value, values};
use postgres::Postgres;
use sqlite::Sqlite;
use tokio::sync::Notify;

/// Everything that outlives a restart; a clone is the same store. One suite of tests runs on either database.
#[derive(Clone)]
pub struct Store(Arc<Open>);

struct Open {
    database: Database,
    /// What is spent, where the process is the only one.
    budgets: Budgets,
    /// What was found when the file was last read through.
    damage: Mutex<Option<StoreError>>,
    /// Rings when something was forgotten.
    forgot: Notify,
}

impl Open {
    fn new(database: Database, budgets: Budgets) -> Open {
        Open { database, budgets, damage: Mutex::default(), forgot: Notify::new() }
    }
}

/// The schema of a database: its versions, oldest first, each in the words of that database.
#[derive(Debug, Clone, Copy)]
pub struct Schema<'a>(pub &'a [&'a str]);

impl Schema<'static> {
    /// For SQLite.
    pub const SQLITE: Schema<'static> = Schema(&[
        include_str!("migrations/sqlite/0001_baseline.sql"),
        include_str!("migrations/sqlite/0002_decided_by.sql"),
        include_str!("migrations/sqlite/0003_star_to_note.sql"),
        include_str!("migrations/sqlite/0004_desk.sql"),
    ]);
    /// For PostgreSQL.
    pub const POSTGRES: Schema<'static> = Schema(&[
        include_str!("migrations/postgres/0001_baseline.sql"),
        include_str!("migrations/postgres/0002_decided_by.sql"),
        include_str!("migrations/postgres/0003_star_to_note.sql"),
        include_str!("migrations/postgres/0004_desk.sql"),
    ]);
}

impl Store {
    /// Opens the SQLite file, makes it where there is none, for its owner alone, and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where it cannot be opened or written, [`StoreError::Corrupt`] where a newer
    /// version wrote it.
    pub fn sqlite(file: &Path) -> Result<Store, StoreError> {
        Store::sqlite_with(file, Schema::SQLITE)
    }

    /// The same with another schema.
    ///
    /// # Errors
    /// As above.
    pub fn sqlite_with(file: &Path, schema: Schema<'_>) -> Result<Store, StoreError> {
        let (sqlite, budgets) = Sqlite::open(file, schema)?;
        Ok(Store(Arc::new(Open::new(Database::Sqlite(sqlite), budgets))))
    }

    /// Opens the SQLite file for the bot, of which there is one a file, and frees what a bot before had in hand.
    ///
    /// # Errors
    /// As [`Store::sqlite`]; [`StoreError::Unavailable`] where another bot works on the file.
    pub async fn sqlite_for_bot(file: &Path) -> Result<Store, StoreError> {
        let lock = sqlite::lock(file)?;
        let (mut sqlite, budgets) = Sqlite::open(file, Schema::SQLITE)?;
        sqlite.keep(lock);
        let store = Store(Arc::new(Open::new(Database::Sqlite(sqlite), budgets)));
        store.run("UPDATE watches SET lease = NULL, lease_until = NULL WHERE lease IS NOT NULL", values![]).await?;
        store.run("UPDATE follow_ups SET lease = NULL, lease_until = NULL WHERE lease IS NOT NULL", values![]).await?;
        Ok(store)
    }

    /// Connects to `postgres://…`, brings the schema up to date, and listens for what other replicas record.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where the URL is none or the server cannot be used, [`StoreError::Corrupt`] where a
    /// newer version wrote the database.
    pub async fn postgres(url: &str) -> Result<Store, StoreError> {
        Store::postgres_with(url, Schema::POSTGRES).await
    }

    /// The same with another schema.
    ///
    /// # Errors
    /// As above.
    pub async fn postgres_with(url: &str, schema: Schema<'_>) -> Result<Store, StoreError> {
        let database = Database::Postgres(Postgres::open(url, schema).await?);
        Ok(Store(Arc::new(Open::new(database, Budgets::default()))))
    }

    /// Whether the store can be read and written right now, and was sound when it was last read through: reading alone
    /// would not see a full disk, a read-only file or a standby.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn ready(&self) -> Result<(), StoreError> {
        let write =
            "INSERT INTO readiness (one, at) VALUES (1, 0) ON CONFLICT (one) DO UPDATE SET at = readiness.at + 1";
        self.run(write, values![]).await?;
        self.damage().clone().map_or(Ok(()), Err)
    }

    fn damage(&self) -> MutexGuard<'_, Option<StoreError>> {
        self.0.damage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many tickets the store knows.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn tickets_known(&self) -> Result<u64, StoreError> {
        Ok(self.one("SELECT count(*) FROM watches", values![]).await?.map(|(count,)| count).unwrap_or_default())
    }

    /// Reads a SQLite file through once, and remembers what it found; a server looks after its own.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with what is wrong; a store that cannot be used.
    pub async fn sound(&self) -> Result<(), StoreError> {
        let found = match &self.0.database {
            Database::Sqlite(sqlite) => sqlite.sound().await,
            Database::Postgres(_) => Ok(()),
        };
        *self.damage() = found.clone().err().filter(|error| matches!(error, StoreError::Damaged(_)));
        found
    }

    fn clock(&self) -> &Clock {
        match &self.0.database {
            Database::Sqlite(sqlite) => &sqlite.clock,
            Database::Postgres(postgres) => &postgres.clock,
        }
    }

    /// An instant of this machine's clock by the clock that all who share the store go by.
    fn shared(&self, own: DateTime<Utc>) -> DateTime<Utc> {
        self.clock().shared(own)
    }

    fn bells(&self) -> &Arc<Bells> {
        match &self.0.database {
            Database::Sqlite(sqlite) => &sqlite.bells,
            Database::Postgres(postgres) => &postgres.bells,
        }
    }

    /// Takes the steps in one transaction: what they wrote is durable when this returns well, and gone where they fail.
    async fn transaction<T, F, Steps>(&self, steps: F) -> Outcome<T>
    where
        T: Send + 'static,
        F: FnOnce(Session) -> Steps + Send + 'static,
        Steps: Future<Output = Outcome<T>> + Send,
    {
        match &self.0.database {
            Database::Sqlite(sqlite) => sqlite.transaction(steps).await,
            Database::Postgres(postgres) => postgres.transaction(steps).await,
        }
    }

    /// Takes steps that only read, without waiting for writers; each sees all that was committed before.
    async fn read<T, F, Steps>(&self, steps: F) -> Outcome<T>
    where
        T: Send + 'static,
        F: FnOnce(Session) -> Steps + Send + 'static,
        Steps: Future<Output = Outcome<T>> + Send,
    {
        match &self.0.database {
            Database::Sqlite(sqlite) => sqlite.read(steps).await,
            Database::Postgres(postgres) => postgres.steps(steps).await,
        }
    }

    /// Runs one statement that changes rows, durably; how many.
    async fn run(&self, sql: &'static str, values: Vec<Value>) -> Outcome<u64> {
        let step = move |t: Session| async move { t.run(sql, values).await };
        match &self.0.database {
            Database::Sqlite(sqlite) => sqlite.transaction(step).await,
            Database::Postgres(postgres) => postgres.steps(step).await,
        }
    }

    /// Runs one statement that changes rows, durably, and reads what it returns of them.
    async fn returning<T: FromRow + Send + 'static>(&self, sql: &'static str, values: Vec<Value>) -> Outcome<Vec<T>> {
        let step = move |t: Session| async move { t.all(sql, values).await };
        match &self.0.database {
            Database::Sqlite(sqlite) => sqlite.transaction(step).await,
            Database::Postgres(postgres) => postgres.steps(step).await,
        }
    }

    /// Reads every row of a query.
    async fn all<T: FromRow + Send + 'static>(&self, sql: &str, values: Vec<Value>) -> Outcome<Vec<T>> {
        let sql = sql.to_owned();
        self.read(move |t| async move { t.all(&sql, values).await }).await
    }

    /// Reads the first row, if there is one.
    async fn one<T: FromRow + Send + 'static>(&self, sql: &str, values: Vec<Value>) -> Outcome<Option<T>> {
        Ok(self.all(sql, values).await?.into_iter().next())
    }
}

/// Why the store could not do it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached or written: a full disk, a locked or vanished file, a server gone.
    #[error("the store cannot be used: {0}")]
    Unavailable(String),
    /// What it holds is not what this version writes.
    #[error("the store holds something unexpected: {0}")]
    Corrupt(String),
    /// Its file is damaged.
    #[error(
        "the store's file {0} is damaged: stop the bot, move the file and what lies beside it with the endings -wal and -shm away, and put a copy made by `starwarden backup` in its place; without a copy the bot begins with an empty store, and catch-up finds the starred tickets again"
    )]
    Damaged(String),
    /// The lease on the ticket ended and someone else has it now; nothing was written.
    #[error("the lease on ticket {0} is gone")]
    LeaseLost(TicketKey),
}

impl StoreError {
    /// A column holds what no version ever wrote.
    fn odd(what: &str) -> StoreError {
        StoreError::Corrupt(format!("an impossible {what}"))
    }
}
