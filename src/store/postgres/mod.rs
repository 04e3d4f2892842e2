//! The store in a PostgreSQL database, for any number of replicas: a pool of connections, and one that listens.

pub(super) mod deliveries;
mod listener;
mod teller;
mod tls;

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::DateTime;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime};
use tokio::task::JoinSet;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Config, Row, Statement};

use super::bells::Bells;
use super::clock::Clock;
use super::database::{Outcome, Session, Value, for_one};
use super::{Schema, StoreError};
use deliveries::Batches;
use listener::CHANNEL;
use teller::Teller;
use tls::Rustls;

/// Whoever migrates holds this advisory lock; the number is ours by chance.
const MIGRATING: i64 = 0x5354_4152_5741_5244;

/// How many connections a replica keeps at most, besides the listener's.
const CONNECTIONS: usize = 8;

/// How long a connection is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long an answer is waited for. The server breaks a statement off after 30 s; this is for one that says nothing any
/// more, though its connection stands.
const ANSWER: Duration = Duration::from_secs(35);

/// How often the server's clock is looked at.
const LOOK_AT_CLOCK: Duration = Duration::from_secs(30);

/// A store in a PostgreSQL database. A connection that broke is replaced when it is next needed.
pub(super) struct Postgres {
    pool: Pool,
    batches: Batches,
    pub(super) bells: Arc<Bells>,
    teller: Arc<Teller>,
    pub(super) clock: Arc<Clock>,
    /// Those that go on for as long as the store is open.
    _tasks: JoinSet<()>,
}

impl Postgres {
    /// Connects, brings the schema up to date, and listens for what other replicas record.
    pub(super) async fn open(url: &str, schema: Schema<'_>) -> Outcome<Postgres> {
        // What the driver says of a bad URL may quote it, and it holds a password.
        let mut config: Config = url.parse().map_err(|_| {
            StoreError::Unavailable("store.url cannot be read: write postgres://USER:PASSWORD@HOST/DATABASE".into())
        })?;
        config.application_name("starwarden").connect_timeout(PATIENCE).tcp_user_timeout(2 * PATIENCE);
        config.keepalives_idle(ANSWER); // The one that listens says nothing by itself.
        // Durable before 200, whatever the server's default is; and nothing may hold a connection, or what a transaction
        // has locked, for ever: neither a statement nor a replica that was stopped between two.
        let own = "-c synchronous_commit=on -c statement_timeout=30s -c idle_in_transaction_session_timeout=60s";
        let options = format!("{own} {}", config.get_options().unwrap_or_default());
        config.options(options.trim_end());
        let tls = Rustls::new()?;
        let pool = pool(&config, &tls, CONNECTIONS)?;
        // Deliveries come in batches of any size, which would have the server plan their one statement every time anew.
        let mut planned = config.clone();
        planned.options(format!("{options} -c plan_cache_mode=force_generic_plan"));
        let batches = Batches::start(self::pool(&planned, &tls, 1)?, pool.clone());
        migrate(&mut connection(&pool).await?, schema).await?;
        let (bells, clock) = (Arc::new(Bells::default()), Arc::new(Clock::of_this_machine()));
        set(&clock, &pool).await?;
        let (teller, telling) = (Arc::<Teller>::default(), pool.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(listener::listen(config, tls, bells.clone()));
        tasks.spawn({
            let teller = teller.clone();
            async move { teller.tell(telling).await }
        });
        tasks.spawn({
            let (clock, pool) = (clock.clone(), pool.clone());
            async move {
                loop {
                    tokio::time::sleep(LOOK_AT_CLOCK).await;
                    let _tried_again = set(&clock, &pool).await;
                }
            }
        });
        Ok(Postgres { batches, pool, bells, teller, clock, _tasks: tasks })
    }

    /// Takes the steps in a transaction, and wakes whom they say.
    pub(super) async fn transaction<T, F, Steps>(&self, steps: F) -> Outcome<T>
    where
        F: FnOnce(Session) -> Steps,
        Steps: Future<Output = Outcome<T>>,
    {
        let held = Arc::new(Held { object: Some(connection(&self.pool).await?), open: AtomicBool::new(true) });
        let session = Session::from(held.clone());
        held.say("BEGIN").await?;
        let taken = steps(session.clone()).await;
        let done = match taken {
            Ok(done) => done,
            Err(error) => {
                held.say("ROLLBACK").await?;
                held.open.store(false, Ordering::Relaxed);
                return Err(error);
            }
        };
        let woken = session.woken();
        for account in &woken {
            let values = [Value::from(CHANNEL), Value::from(account)];
            held.query("SELECT count(pg_notify($1, $2))", &values).await?;
        }
        held.say("COMMIT").await?;
        held.open.store(false, Ordering::Relaxed);
        for account in woken {
            self.bells.of(&account).notify_one();
        }
        Ok(done)
    }

    /// Takes the steps one by one, each for itself.
    pub(super) async fn steps<T, F, Steps>(&self, steps: F) -> Outcome<T>
    where
        F: FnOnce(Session) -> Steps,
        Steps: Future<Output = Outcome<T>>,
    {
        let object = connection(&self.pool).await?;
        steps(Session::from(Arc::new(Held { object: Some(object), open: AtomicBool::new(false) }))).await
    }
}

/// A connection out of the pool. Where its transaction was broken off, or the server did not answer, it does not go back:
/// it is closed.
pub(super) struct Held {
    object: Option<Object>,
    open: AtomicBool,
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.open.load(Ordering::Relaxed)
            && let Some(object) = self.object.take()
        {
            let _closed = Object::take(object);
        }
    }
}

impl Held {
    fn object(&self) -> Outcome<&Object> {
        self.object.as_ref().ok_or_else(|| StoreError::Unavailable("its connection is gone".into()))
    }

    async fn say(&self, statement: &str) -> Outcome<()> {
        self.answer(self.object()?.batch_execute(statement)).await
    }

    /// The server's answer; where there is none, the connection is not used again.
    async fn answer<T>(&self, asked: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Outcome<T> {
        match tokio::time::timeout(ANSWER, asked).await {
            Ok(answer) => Ok(answer?),
            Err(_) => {
                self.open.store(true, Ordering::Relaxed);
                if let Some(pool) = self.object.as_ref().and_then(Object::pool) {
                    make_anew(&pool);
                }
                Err(silent())
            }
        }
    }

    /// The rows of a query.
    pub(super) async fn query(&self, sql: &str, values: &[Value]) -> Outcome<Vec<Vec<Value>>> {
        let object = self.object()?;
        let sql = for_one(sql, "/*postgres ");
        let statement = self.answer(object.prepare_cached(&sql)).await?;
        let typed = typed(&statement, values)?;
        self.answer(object.query(&statement, &borrowed(&typed))).await?.iter().map(columns).collect()
    }

    /// How many rows a statement changed.
    pub(super) async fn run(&self, sql: &str, values: &[Value]) -> Outcome<u64> {
        let object = self.object()?;
        let sql = for_one(sql, "/*postgres ");
        let statement = self.answer(object.prepare_cached(&sql)).await?;
        let typed = typed(&statement, values)?;
        self.answer(object.execute(&statement, &borrowed(&typed))).await
    }
}

type Typed = Box<dyn ToSql + Sync + Send>;

fn borrowed(values: &[Typed]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect()
}

/// Each value as the type that the statement wants.
fn typed(statement: &Statement, values: &[Value]) -> Outcome<Vec<Typed>> {
    let wanted = statement.params();
    if wanted.len() != values.len() {
        return Err(StoreError::odd("number of values for a statement"));
    }
    let number = |value: &Value| match value {
        Value::Null => Ok(None),
        Value::Number(number) => Ok(Some(*number)),
        Value::Text(_) | Value::Bytes(_) | Value::TooHigh => Err(StoreError::odd("value, which is no number")),
    };
    let typed = wanted.iter().zip(values).map(|(wanted, value)| -> Outcome<Typed> {
        Ok(match (wanted, value) {
            (&Type::BOOL, _) => Box::new(number(value)?.map(|number| number != 0)),
            (&Type::INT4, _) => {
                let small = number(value)?.map(i32::try_from).transpose();
                Box::new(small.map_err(|_| StoreError::odd("number, which is too high"))?)
            }
            (&Type::INT8, _) => Box::new(number(value)?),
            (_, Value::Text(value)) => Box::new(text(value).into_owned()),
            (_, Value::Bytes(bytes)) => Box::new(bytes.clone()),
            (&Type::BYTEA, _) => Box::new(None::<Vec<u8>>),
            (_, _) => Box::new(None::<String>),
        })
    });
    typed.collect()
}

/// PostgreSQL's text holds no NUL, which a sender or a customer may well write.
fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

fn columns(row: &Row) -> Outcome<Vec<Value>> {
    let column = |nth, kind: &Type| -> Result<Value, tokio_postgres::Error> {
        Ok(match *kind {
            Type::BOOL => row.try_get::<_, Option<bool>>(nth)?.into(),
            Type::INT4 => row.try_get::<_, Option<i32>>(nth)?.map(i64::from).into(),
            Type::INT8 => row.try_get::<_, Option<i64>>(nth)?.into(),
            Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(nth)?.into(),
            _ => row.try_get::<_, Option<String>>(nth)?.into(),
        })
    };
    let columns = row.columns().iter().enumerate().map(|(nth, told)| column(nth, told.type_()));
    columns.collect::<Result<_, _>>().map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// Closes the connections that nobody uses: what one of them found silent, the others would wait for too, one by one.
fn make_anew(pool: &Pool) {
    let _closed = pool.retain(|_, _| false);
}

/// What a server that says nothing any more comes to.
fn silent() -> StoreError {
    StoreError::Unavailable("the server does not answer".into())
}

/// Sets the clock by the server's.
async fn set(clock: &Clock, pool: &Pool) -> Outcome<()> {
    let (object, asked) = (connection(pool).await?, Instant::now());
    let shown = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)";
    let Ok(shown) = tokio::time::timeout(PATIENCE, object.query_one(shown, &[])).await else {
        drop(Object::take(object));
        make_anew(pool);
        return Err(silent());
    };
    let shown: i64 = shown?.try_get(0)?;
    clock.set(DateTime::from_timestamp_millis(shown).ok_or_else(|| StoreError::odd("instant"))?, asked);
    Ok(())
}

fn pool(config: &Config, tls: &Rustls, connections: usize) -> Outcome<Pool> {
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    Pool::builder(Manager::from_config(config.clone(), tls.clone(), recycling))
        .max_size(connections)
        .wait_timeout(Some(PATIENCE))
        .create_timeout(Some(PATIENCE))
        .recycle_timeout(Some(PATIENCE))
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|error| StoreError::Unavailable(error.to_string()))
}

async fn connection(pool: &Pool) -> Outcome<Object> {
    pool.get().await.map_err(|error| match error {
        PoolError::Backend(error) => error.into(), // What the server or the network says, without the pool's words.
        other @ (PoolError::Timeout(_)
        | PoolError::Closed
        | PoolError::NoRuntimeSpecified
        | PoolError::PostCreateHook(_)) => StoreError::Unavailable(chain(&other)),
    })
}

/// Brings the schema up to date in one transaction and under one lock, so that two who start at once do it once. The table
/// `migrations` says which versions a database has.
async fn migrate(client: &mut Object, Schema(versions): Schema<'_>) -> Outcome<()> {
    let transaction = client.transaction().await?;
    // A version may have much to do, and whoever comes second waits for the first: neither has a time limit.
    transaction.batch_execute("SET LOCAL statement_timeout = 0").await?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&MIGRATING]).await?;
    transaction.batch_execute("CREATE TABLE IF NOT EXISTS migrations (version BIGINT PRIMARY KEY)").await?;
    let applied: i64 = transaction.query_one("SELECT coalesce(max(version), 0) FROM migrations", &[]).await?.get(0);
    let applied = usize::try_from(applied).unwrap_or(usize::MAX);
    if applied > versions.len() {
        return Err(StoreError::Corrupt("the database was written by a newer version of this program".into()));
    }
    for (number, version) in (1_i64..).zip(versions).skip(applied) {
        transaction.batch_execute(version).await?;
        transaction.execute("INSERT INTO migrations VALUES ($1)", &[&number]).await?;
    }
    Ok(transaction.commit().await?)
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        StoreError::Unavailable(chain(&error))
    }
}

/// An error and what lies beneath it, in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut beneath = error.source();
    while let Some(error) = beneath {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        beneath = error.source();
    }
    text
}

/// Whether the statement itself was refused, and would be again, rather than the server being out of reach or of space.
fn is_of_the_data(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|code| code.code().starts_with("22") || *code == SqlState::T_R_DEADLOCK_DETECTED)
}
