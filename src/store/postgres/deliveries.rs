//! Deliveries in PostgreSQL: all that wait share one statement and one flush.

use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_postgres::Error;
use tokio_postgres::types::ToSql;

use super::{Postgres, connection, is_of_the_data, make_anew, silent, text};
use crate::store::StoreError;
use crate::store::database::Outcome;
use crate::store::deliveries::{NewDelivery, Recorded, Relevance, Waiting, answer};

/// How long an answer is waited for; the helpdesk waits for ours for 12 s.
const ANSWER: Duration = Duration::from_secs(8);

/// How many deliveries share a statement at most.
const MOST_TOGETHER: usize = 512;

/// What becomes of each, by its place: none where it was ignored, whether it is new else. All replicas take rows in the
/// same order, so that none waits for another that waits for it. `OFFSET 0` has each ticket looked up by the index: a new
/// table has no statistics, and would be read whole for every batch.
const RECORD: &str = "
    WITH told AS MATERIALIZED (
        SELECT nextval('deliveries_id_seq') AS id, told.*
        FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::boolean[])
            WITH ORDINALITY AS told (account, ticket, key, kind, happened_at, received_at, due_at, ours, nth)
    ), wanted AS MATERIALIZED (
        SELECT * FROM told WHERE ours OR EXISTS (
            SELECT FROM watches
            WHERE watches.account = told.account AND watches.ticket = told.ticket AND watches.state <> 'stopped' OFFSET 0)
    ), kept AS (
        INSERT INTO deliveries (id, account, ticket, key, kind, happened_at, received_at)
        SELECT id, account, ticket, key, kind, happened_at, received_at FROM wanted ORDER BY account, ticket, key, nth
        ON CONFLICT DO NOTHING RETURNING id
    ), marked AS (
        INSERT INTO watches (account, ticket, state, due_at, marks)
        SELECT account, ticket, 'due', min(due_at), 1 FROM wanted JOIN kept USING (id)
        GROUP BY account, ticket ORDER BY account, ticket
        ON CONFLICT (account, ticket) DO UPDATE SET
            due_at = CASE WHEN watches.state <> 'due' THEN excluded.due_at
                WHEN watches.last_error IS NULL THEN least(watches.due_at, excluded.due_at) ELSE watches.due_at END,
            failures = CASE WHEN watches.state = 'dead' THEN 0 ELSE watches.failures END,
            state = 'due', why = NULL, marks = watches.marks + 1
        WHERE watches.state <> 'due' OR (watches.due_at > excluded.due_at AND watches.last_error IS NULL)
            OR watches.lease IS NOT NULL
    )
    SELECT wanted.id IS NOT NULL, kept.id IS NOT NULL
    FROM told LEFT JOIN wanted USING (id) LEFT JOIN kept USING (id) ORDER BY told.nth";

/// The way to the task that writes them.
pub(super) struct Batches {
    waiting: mpsc::Sender<Waiting>,
}

impl Batches {
    /// Starts the task, with a pool of its own; it ends when the store is gone. What it learns of the server is good for
    /// the `others` too.
    pub(super) fn start(pool: Pool, others: Pool) -> Batches {
        let (waiting, mut come) = mpsc::channel(4 * MOST_TOGETHER);
        tokio::spawn(async move {
            let mut batch = Vec::new();
            while come.recv_many(&mut batch, MOST_TOGETHER).await > 0 {
                write(&pool, &others, std::mem::take(&mut batch)).await;
            }
        });
        Batches { waiting }
    }
}

impl Postgres {
    /// Keeps a delivery with all others that wait, rings its account's bell, and tells the other replicas.
    pub(in crate::store) async fn record(&self, delivery: NewDelivery) -> Outcome<Recorded> {
        let gone = || StoreError::Unavailable("its writer has ended".into());
        let account = delivery.ticket.account.clone();
        let bell = self.bells.of(&account);
        let (waiting, told) = Waiting::new(delivery)?;
        self.batches.waiting.try_send(waiting).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Unavailable("too much waits to be written".into()),
            mpsc::error::TrySendError::Closed(_) => gone(),
        })?;
        let recorded = told.await.unwrap_or_else(|_| Err(gone()))?;
        if recorded == Recorded::Accepted {
            bell.notify_one();
            self.teller.due(&account);
        }
        Ok(recorded)
    }
}

/// Writes a batch and answers each; where the data of one is refused, each is written alone. Where the server does not
/// answer, the connection is closed: what became of the batch is not known, and the helpdesk sends it again.
async fn write(pool: &Pool, others: &Pool, batch: Vec<Waiting>) {
    let client = match connection(pool).await {
        Ok(client) => client,
        Err(error) => return answer(batch, Err(error)),
    };
    let mut parts = vec![batch];
    while let Some(batch) = parts.pop() {
        match timeout(ANSWER, record(&client, &batch)).await {
            Ok(Err(error)) if is_of_the_data(&error) && batch.len() > 1 => {
                parts.extend(batch.into_iter().rev().map(|alone| vec![alone]));
            }
            Ok(recorded) => answer(batch, recorded.map_err(StoreError::from)),
            Err(_) => {
                drop(Object::take(client));
                make_anew(others);
                answer(batch, Err(silent()));
                return parts.into_iter().for_each(|batch| answer(batch, Err(silent())));
            }
        }
    }
}

async fn record(client: &deadpool_postgres::Object, batch: &[Waiting]) -> Result<Vec<Recorded>, Error> {
    let each = || batch.iter().map(|waiting| &waiting.delivery);
    let accounts: Vec<&str> = each().map(|told| told.ticket.account.as_str()).collect();
    let tickets: Vec<i64> = batch.iter().map(|waiting| waiting.ticket).collect();
    let keys: Vec<_> = each().map(|told| told.key.as_deref().map(text)).collect();
    let kinds: Vec<_> = each().map(|told| text(&told.kind)).collect();
    let happened: Vec<Option<i64>> = each().map(|told| Some(told.happened_at?.timestamp_millis())).collect();
    let received: Vec<i64> = each().map(|told| told.received_at.timestamp_millis()).collect();
    let due: Vec<i64> = each().map(|told| told.due_at.timestamp_millis()).collect();
    let ours: Vec<bool> = each().map(|told| told.relevance == Relevance::Ours).collect();
    let statement = client.prepare_cached(RECORD).await?;
    let values: [&(dyn ToSql + Sync); 8] = [&accounts, &tickets, &keys, &kinds, &happened, &received, &due, &ours];
    let rows = client.query(&statement, &values).await?;
    rows.iter()
        .map(|row| {
            Ok(match (row.try_get(0)?, row.try_get(1)?) {
                (false, _) => Recorded::Ignored,
                (true, false) => Recorded::Duplicate,
                (true, true) => Recorded::Accepted,
            })
        })
        .collect()
}
