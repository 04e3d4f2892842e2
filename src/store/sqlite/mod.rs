//! The store in one SQLite file: one thread that writes, whose every commit is shared by all who wait for it, and a few
//! connections that read.

pub mod copy;
pub(super) mod deliveries;
mod readers;
mod writer;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, TransactionBehavior};

use super::bells::Bells;
use super::budget::{self, Budgets};
use super::clock::Clock;
use super::database::{Outcome, Session, Value, for_one};
use super::{Schema, StoreError};
use deliveries::Arrivals;
use readers::Readers;
use writer::Writer;

/// How long another process's writing is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many statements are kept prepared: there are fewer.
const STATEMENTS: usize = 128;

/// A store in one SQLite file, for one process at a time.
pub(super) struct Sqlite {
    /// Closed before the writer, which then empties the log as the last.
    readers: Readers,
    writer: Writer,
    arrivals: Arc<Arrivals>,
    pub(super) bells: Arc<Bells>,
    pub(super) clock: Clock,
    /// Held while the file has its bot.
    _lock: Option<File>,
}

/// Takes the lock by which one bot a file is known; it is given back when the file of it is closed, however that ends.
pub(super) fn lock(path: &Path) -> Outcome<File> {
    let lock = beside(path, "-lock");
    let told = |error: &dyn std::fmt::Display| StoreError::Unavailable(format!("{}: {error}", lock.display()));
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&lock);
    let file = file.map_err(|error| unusable(path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Unavailable(format!(
            "{}: another bot works on it, and a SQLite file is for one: stop the other, or let them share a PostgreSQL server",
            path.display()
        ))),
        Err(TryLockError::Error(error)) => Err(told(&error)),
    }
}

/// The file beside another whose name has an ending more.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn unusable(path: &Path, error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Unavailable(format!("{}: {error}; see that its folder exists and can be written", path.display()))
}

impl Sqlite {
    /// Opens the file, and what the helpdesk said of calls before.
    pub(super) fn open(path: &Path, schema: Schema<'_>) -> Outcome<(Sqlite, Budgets)> {
        let told = |error: rusqlite::Error| {
            if is_damage(&error) { damaged(path, &error) } else { unusable(path, &error) }
        };
        // For its owner alone, as its logs then are too: it holds customers' words.
        let new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        if let Err(error) = new.as_ref()
            && error.kind() != ErrorKind::AlreadyExists
        {
            return Err(unusable(path, error));
        }
        let mut connection = Connection::open(path).map_err(told)?;
        prepare(&connection).map_err(told)?;
        write_ahead(&connection).map_err(told)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(told)?;
        connection.pragma_update(None, "secure_delete", "ON").map_err(told)?; // What is deleted is overwritten.
        migrate(&mut connection, path, schema)?;
        let connection = Shared::of(connection);
        let budgets = Budgets::held(connection.query(budget::HOLDS, Vec::new())?)?;
        let bells = Arc::new(Bells::default());
        let writer =
            Writer::start(connection, bells.clone()).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let (readers, clock) = (Readers::of(path), Clock::of_this_machine());
        Ok((Sqlite { readers, writer, arrivals: Arc::default(), bells, clock, _lock: None }, budgets))
    }

    /// Keeps the lock for as long as the store is open.
    pub(super) fn keep(&mut self, lock: File) {
        self._lock = Some(lock);
    }

    /// Reads the whole file once.
    pub(super) async fn sound(&self) -> Outcome<()> {
        self.readers
            .run(|shared| {
                let connection = shared.lock();
                let says = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0));
                match says {
                    Ok(says) if says == "ok" => Ok(()),
                    Ok(says) => Err(StoreError::Damaged(format!("{} ({says})", place(&connection)))),
                    Err(error) if is_damage(&error) => Err(damaged(Path::new(&place(&connection)), &error)),
                    Err(error) => Err(error.into()),
                }
            })
            .await
    }

    /// Empties the log into the file, so that what was overwritten there is not kept here.
    pub(super) async fn empty_log(&self) -> Outcome<()> {
        self.writer.run_alone(empty_log).await
    }

    /// Takes the steps in a transaction, and wakes whom they say.
    pub(super) async fn transaction<T, F, Steps>(&self, steps: F) -> Outcome<T>
    where
        T: Send + 'static,
        F: FnOnce(Session) -> Steps + Send + 'static,
        Steps: Future<Output = Outcome<T>>,
    {
        let (done, woken) = self
            .writer
            .run(move |connection| {
                let session = Session::from(connection.clone());
                Ok((at_once(steps(session.clone()))?, session.woken()))
            })
            .await?;
        for account in woken {
            self.bells.of(&account).notify_one();
        }
        Ok(done)
    }

    /// Takes the steps on a connection that only reads.
    pub(super) async fn read<T, F, Steps>(&self, steps: F) -> Outcome<T>
    where
        T: Send + 'static,
        F: FnOnce(Session) -> Steps + Send + 'static,
        Steps: Future<Output = Outcome<T>>,
    {
        self.readers.run(move |connection| at_once(steps(Session::from(connection.clone())))).await
    }
}

/// Steps on SQLite never wait: the thread they are on does.
fn at_once<T>(steps: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    match pin!(steps).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => Err(StoreError::Unavailable("a step waited for something else".into())),
    }
}

/// A connection that one thread at a time uses.
#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<Connection>>);

impl Shared {
    fn of(connection: Connection) -> Shared {
        Shared(Arc::new(Mutex::new(connection)))
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rows of a query.
    pub(super) fn query(&self, sql: &str, values: Vec<Value>) -> Outcome<Vec<Vec<Value>>> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(&in_sqlite(sql))?;
        let columns = statement.column_count();
        let mut rows = statement.query(rusqlite::params_from_iter(values))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push((0..columns).map(|nth| value(row.get_ref(nth)?)).collect::<Outcome<_>>()?);
        }
        Ok(found)
    }

    /// How many rows a statement changed.
    pub(super) fn run(&self, sql: &str, values: Vec<Value>) -> Outcome<u64> {
        let connection = self.lock();
        let changed = connection.prepare_cached(&in_sqlite(sql))?.execute(rusqlite::params_from_iter(values))?;
        Ok(u64::try_from(changed).unwrap_or(u64::MAX))
    }
}

/// Copies the log into the file and cuts it to nothing.
fn empty_log(shared: &Shared) -> Outcome<()> {
    let connection = shared.lock();
    let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if busy == 0 { Ok(()) } else { Err(StoreError::Unavailable("its log is being read".into())) }
}

fn place(connection: &Connection) -> String {
    connection.path().unwrap_or_default().to_owned()
}

fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
}

fn damaged(path: &Path, error: &rusqlite::Error) -> StoreError {
    StoreError::Damaged(format!("{} ({error})", path.display()))
}

/// A statement as SQLite reads it: it names the numbers of values with `?`.
fn in_sqlite(sql: &str) -> String {
    for_one(sql, "/*sqlite ").replace('$', "?")
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null | Value::TooHigh => ValueRef::Null,
            Value::Number(number) => ValueRef::Integer(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn value(column: ValueRef<'_>) -> Outcome<Value> {
    Ok(match column {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Number(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8(text.to_vec()).map_err(|_| StoreError::odd("text"))?),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
        ValueRef::Real(_) => return Err(StoreError::odd("number")),
    })
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

/// Brings the schema up to date in one transaction, so that two who start at once do it once. The file's `user_version`
/// says how many versions it has.
fn migrate(connection: &mut Connection, path: &Path, Schema(versions): Schema<'_>) -> Outcome<()> {
    let told = |error: rusqlite::Error| match is_damage(&error) {
        true => damaged(path, &error),
        false => StoreError::Unavailable(format!("{}: {error}", path.display())),
    };
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(told)?;
    let applied: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(told)?;
    let applied = usize::try_from(applied).unwrap_or(usize::MAX);
    if applied > versions.len() {
        return Err(StoreError::Corrupt(format!("{} was written by a newer version of this program", path.display())));
    }
    for version in versions.iter().skip(applied) {
        transaction.execute_batch(version).map_err(told)?;
    }
    transaction.pragma_update(None, "user_version", u32::try_from(versions.len()).unwrap_or(u32::MAX)).map_err(told)?;
    transaction.commit().map_err(told)
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        if is_damage(&error) {
            StoreError::Damaged(format!("({error})"))
        } else {
            StoreError::Unavailable(error.to_string())
        }
    }
}
