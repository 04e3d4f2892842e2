//! The statements of [`crate::store::deliveries`]: all deliveries that wait share one statement and one flush.

use async_trait::async_trait;
use deadpool_postgres::Pool;
use tokio::sync::{mpsc, oneshot};
use tokio_postgres::Error;

use super::listener::CHANNEL;
use super::values::text;
use super::{Postgres, chain, connection, is_of_the_data};
use crate::store::StoreError;
use crate::store::deliveries::{Deliveries, FORGOTTEN_WITH_EACH, NewDelivery, Recorded, Relevance, week};
use crate::store::values::{millis, number};

/// How many deliveries share a statement at most.
const MOST_TOGETHER: usize = 512;

/// What becomes of each, by its place: none where it was ignored, whether it is new else. All replicas take rows in the
/// same order, so that none waits for another that waits for it. `OFFSET 0` has each key and ticket looked up by the
/// index: a new table has no statistics, and would be read whole for every batch.
const RECORD: &str = "
    WITH told AS MATERIALIZED (
        SELECT nextval(pg_get_serial_sequence('deliveries', 'id')) AS id, told.*
        FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::boolean[], $9::bigint[])
            WITH ORDINALITY AS told (account, ticket, key, kind, received_at, due_at, ours, week, nth)
    ), wanted AS MATERIALIZED (
        SELECT * FROM told WHERE ours OR EXISTS (
            SELECT FROM watches
            WHERE watches.account = told.account AND watches.ticket = told.ticket AND watches.state <> 'stopped' OFFSET 0)
    ), first AS MATERIALIZED (
        SELECT DISTINCT ON (account, key) account, week, key, id FROM wanted
        WHERE key IS NOT NULL ORDER BY account, key, nth
    ), hears AS (
        INSERT INTO heard (account, week, key) SELECT account, week, key FROM first
        WHERE NOT EXISTS (SELECT FROM heard
            WHERE heard.account = first.account AND heard.week = first.week - 1 AND heard.key = first.key OFFSET 0)
        AND NOT EXISTS (SELECT FROM heard
            WHERE heard.account = first.account AND heard.week = first.week + 1 AND heard.key = first.key OFFSET 0)
        ORDER BY account, week, key
        ON CONFLICT DO NOTHING RETURNING account, week, key
    ), forgotten AS (
        DELETE FROM heard WHERE (account, week, key) IN (
            SELECT old.account, old.week, old.key
            FROM (SELECT account, max(week) AS week, count(*) AS told FROM first GROUP BY account) AS now,
                LATERAL (SELECT account, week, key FROM heard
                    WHERE heard.account = now.account AND heard.week < now.week - 1
                    ORDER BY week, key LIMIT $10 * now.told FOR UPDATE SKIP LOCKED) AS old)
    ), kept AS (
        INSERT INTO deliveries (id, account, ticket, key, kind, received_at)
        SELECT id, account, ticket, key, kind, received_at FROM wanted
        WHERE key IS NULL OR id IN (SELECT id FROM first JOIN hears USING (account, week, key)) ORDER BY nth
        RETURNING id
    ), marked AS (
        INSERT INTO watches (account, ticket, state, due_at, marks)
        SELECT account, ticket, 'due', min(due_at), count(*) FROM wanted JOIN kept USING (id)
        GROUP BY account, ticket ORDER BY account, ticket
        ON CONFLICT (account, ticket) DO UPDATE SET
            due_at = CASE WHEN watches.state = 'due' THEN least(watches.due_at, excluded.due_at) ELSE excluded.due_at END,
            failures = CASE WHEN watches.state = 'dead' THEN 0 ELSE watches.failures END,
            state = 'due', why = NULL, marks = watches.marks + excluded.marks
        RETURNING account
    )
    SELECT wanted.id IS NOT NULL, kept.id IS NOT NULL,
        (SELECT count(pg_notify($8, account)) FROM (SELECT DISTINCT account FROM marked) AS accounts)
    FROM told LEFT JOIN wanted USING (id) LEFT JOIN kept USING (id) ORDER BY told.nth";

struct Waiting {
    delivery: NewDelivery,
    ticket: i64,
    reply: oneshot::Sender<Result<Recorded, StoreError>>,
}

/// The way to the task that writes them.
pub(super) struct Batches {
    waiting: mpsc::Sender<Waiting>,
}

impl Batches {
    /// Starts the task; it ends when the store is gone.
    pub(super) fn start(pool: Pool) -> Batches {
        let (waiting, mut come) = mpsc::channel(4 * MOST_TOGETHER);
        tokio::spawn(async move {
            let mut batch = Vec::new();
            while come.recv_many(&mut batch, MOST_TOGETHER).await > 0 {
                write(&pool, std::mem::take(&mut batch)).await;
            }
        });
        Batches { waiting }
    }
}

#[async_trait]
impl Deliveries for Postgres {
    async fn record(&self, delivery: NewDelivery) -> Result<Recorded, StoreError> {
        let gone = || StoreError::Unavailable("its writer has ended".into());
        let bell = self.bells.of(&delivery.ticket.account);
        let ticket = number(delivery.ticket.id)?;
        let (reply, answer) = oneshot::channel();
        self.batches.waiting.try_send(Waiting { delivery, ticket, reply }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Unavailable("too much waits to be written".into()),
            mpsc::error::TrySendError::Closed(_) => gone(),
        })?;
        let recorded = answer.await.unwrap_or_else(|_| Err(gone()))?;
        if recorded == Recorded::Accepted {
            bell.notify_one();
        }
        Ok(recorded)
    }
}

/// Writes a batch and answers each; where the data of one is refused, each is written alone.
async fn write(pool: &Pool, batch: Vec<Waiting>) {
    let client = match connection(pool).await {
        Ok(client) => client,
        Err(error) => return refuse(batch, &error.to_string()),
    };
    match record(&client, &batch).await {
        Ok(recorded) => {
            for (waiting, recorded) in batch.into_iter().zip(recorded) {
                let _caller_gone = waiting.reply.send(Ok(recorded));
            }
        }
        Err(error) if is_of_the_data(&error) && batch.len() > 1 => {
            for alone in batch {
                let alone = vec![alone];
                match record(&client, &alone).await {
                    Ok(recorded) => {
                        for (waiting, recorded) in alone.into_iter().zip(recorded) {
                            let _caller_gone = waiting.reply.send(Ok(recorded));
                        }
                    }
                    Err(error) => refuse(alone, &chain(&error)),
                }
            }
        }
        Err(error) => refuse(batch, &chain(&error)),
    }
}

fn refuse(batch: Vec<Waiting>, why: &str) {
    for waiting in batch {
        let _caller_gone = waiting.reply.send(Err(StoreError::Unavailable(why.to_owned())));
    }
}

async fn record(client: &deadpool_postgres::Object, batch: &[Waiting]) -> Result<Vec<Recorded>, Error> {
    let each = || batch.iter().map(|waiting| &waiting.delivery);
    let accounts: Vec<&str> = each().map(|told| told.ticket.account.as_str()).collect();
    let tickets: Vec<i64> = batch.iter().map(|waiting| waiting.ticket).collect();
    let keys: Vec<_> = each().map(|told| told.key.as_deref().map(text)).collect();
    let kinds: Vec<_> = each().map(|told| text(&told.kind)).collect();
    let received: Vec<i64> = each().map(|told| millis(told.received_at)).collect();
    let due: Vec<i64> = each().map(|told| millis(told.due_at)).collect();
    let ours: Vec<bool> = each().map(|told| told.relevance == Relevance::Ours).collect();
    let weeks: Vec<i64> = each().map(|told| week(told.received_at)).collect();
    let statement = client.prepare_cached(RECORD).await?;
    let rows = client
        .query(
            &statement,
            &[&accounts, &tickets, &keys, &kinds, &received, &due, &ours, &CHANNEL, &weeks, &FORGOTTEN_WITH_EACH],
        )
        .await?;
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
