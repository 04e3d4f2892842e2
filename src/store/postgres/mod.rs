//! The store in a PostgreSQL database, for any number of replicas.

mod budget;
mod comparisons;
mod decisions;
mod deliveries;
mod feedback;
mod follow_ups;
mod history;
mod listener;
mod looks;
mod operators;
mod overview;
mod own_users;
mod pauses;
mod policies;
mod promotions;
mod retention;
mod sums;
mod teller;
mod tls;
mod values;
mod watches;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_postgres::Config;
use tokio_postgres::error::SqlState;

use super::wakes::{Bells, Wakes};
use super::{Readiness, StoreError};
use deliveries::Batches;
use teller::Teller;
use tls::Rustls;

/// The schema's versions, oldest first; the table `migrations` says which a database has.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/postgres/0001_deliveries_watches_decisions.sql"),
    include_str!("../migrations/postgres/0002_pauses_budgets.sql"),
    include_str!("../migrations/postgres/0004_feedback.sql"),
    include_str!("../migrations/postgres/0005_console.sql"),
    include_str!("../migrations/postgres/0006_policies.sql"),
    include_str!("../migrations/postgres/0007_open_questions.sql"),
    include_str!("../migrations/postgres/0008_looks.sql"),
    include_str!("../migrations/postgres/0009_candidates.sql"),
    include_str!("../migrations/postgres/0010_heard.sql"),
    include_str!("../migrations/postgres/0011_follow_ups.sql"),
    include_str!("../migrations/postgres/0012_tickets_by_state.sql"),
    include_str!("../migrations/postgres/0013_sums.sql"),
    include_str!("../migrations/postgres/0014_repeats_by_ticket.sql"),
    include_str!("../migrations/postgres/0015_lean_watches.sql"),
    include_str!("../migrations/postgres/0016_own_users.sql"),
];

/// Whoever migrates holds this advisory lock; the number is ours by chance.
const MIGRATING: i64 = 0x5354_4152_5741_5244;

/// How many connections a replica keeps at most, besides the listener's.
const CONNECTIONS: usize = 8;

/// How long a connection, or an answer of the server, is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// A store in a PostgreSQL database. A connection that broke is replaced when it is next needed.
pub struct Postgres {
    pool: Pool,
    batches: Batches,
    bells: Arc<Bells>,
    teller: Arc<Teller>,
    /// Those that go on for as long as the store is open.
    _tasks: JoinSet<()>,
}

impl Postgres {
    /// Connects to `postgres://…`, brings the schema up to date, and listens for what other replicas record.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where the URL is none or the server cannot be used, [`StoreError::Corrupt`] where a
    /// newer version wrote the database.
    pub async fn open(url: &str) -> Result<Postgres, StoreError> {
        // What the driver says of a bad URL may quote it, and it holds a password.
        let mut config: Config = url.parse().map_err(|_| {
            StoreError::Unavailable("store.url cannot be read: write postgres://USER:PASSWORD@HOST/DATABASE".into())
        })?;
        config.application_name("starwarden").connect_timeout(PATIENCE).tcp_user_timeout(2 * PATIENCE);
        // Durable before 200, whatever the server's default is; and no statement may hold a connection for ever.
        let own = "-c synchronous_commit=on -c statement_timeout=30s";
        let options = format!("{own} {}", config.get_options().unwrap_or_default());
        config.options(options.trim_end());
        let tls = Rustls::new()?;
        let pool = pool(&config, &tls, CONNECTIONS)?;
        // Deliveries come in batches of any size, which would have the server plan their one statement every time anew.
        let mut planned = config.clone();
        planned.options(format!("{options} -c plan_cache_mode=force_generic_plan"));
        let batches = Batches::start(self::pool(&planned, &tls, 1)?);
        migrate(&mut connection(&pool).await?).await?;
        let bells = Arc::new(Bells::default());
        let (teller, telling) = (Arc::<Teller>::default(), pool.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(listener::listen(config, tls, bells.clone()));
        tasks.spawn({
            let teller = teller.clone();
            async move { teller.tell(telling).await }
        });
        Ok(Postgres { batches, pool, bells, teller, _tasks: tasks })
    }

    async fn connection(&self) -> Result<Object, StoreError> {
        connection(&self.pool).await
    }
}

fn pool(config: &Config, tls: &Rustls, connections: usize) -> Result<Pool, StoreError> {
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

async fn connection(pool: &Pool) -> Result<Object, StoreError> {
    pool.get().await.map_err(|error| match error {
        PoolError::Backend(error) => error.into(), // What the server or the network says, without the pool's words.
        other @ (PoolError::Timeout(_)
        | PoolError::Closed
        | PoolError::NoRuntimeSpecified
        | PoolError::PostCreateHook(_)) => StoreError::Unavailable(chain(&other)),
    })
}

/// Brings the schema up to date in one transaction and under one lock, so that two who start at once do it once.
async fn migrate(client: &mut Object) -> Result<(), StoreError> {
    let transaction = client.transaction().await?;
    // What was stored before is counted there, and whoever comes second waits for the first: neither has a time limit.
    transaction.batch_execute("SET LOCAL statement_timeout = 0").await?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&MIGRATING]).await?;
    transaction.batch_execute("CREATE TABLE IF NOT EXISTS migrations (version BIGINT PRIMARY KEY)").await?;
    let applied: i64 = transaction.query_one("SELECT coalesce(max(version), 0) FROM migrations", &[]).await?.get(0);
    let version = usize::try_from(applied).unwrap_or(usize::MAX);
    if version > MIGRATIONS.len() {
        return Err(StoreError::Corrupt("the database was written by a newer version of this program".into()));
    }
    for (version, migration) in (1_i64..).zip(MIGRATIONS).skip(version) {
        transaction.batch_execute(migration).await?;
        transaction.execute("INSERT INTO migrations VALUES ($1)", &[&version]).await?;
    }
    Ok(transaction.commit().await?)
}

/// Writes a row: a standby, a read-only database or a full disk still answers reads.
const READY: &str = "INSERT INTO readiness (one, at) VALUES (TRUE, now()) ON CONFLICT (one) DO UPDATE SET at = now()";

#[async_trait]
impl Readiness for Postgres {
    async fn ready(&self) -> Result<(), StoreError> {
        self.connection().await?.execute(READY, &[]).await?;
        Ok(())
    }
}

impl Wakes for Postgres {
    fn wake(&self, account: &str) -> Arc<Notify> {
        self.bells.of(account)
    }
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        StoreError::Unavailable(chain(&error))
    }
}

/// An error and what lies beneath it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
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
