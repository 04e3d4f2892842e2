//! The statements of [`crate::store::retention`]. What was deleted is given back by the server's autovacuum.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::Postgres;
use super::sums::{added, waited};
use super::values::count;
use crate::store::StoreError;
use crate::store::overview::day;
use crate::store::retention::{Retention, Swept};
use crate::store::values::millis;

/// Deliveries and failures come in the order of their ids, so the oldest are found without an index by time.
const DELIVERIES: &str =
    "DELETE FROM deliveries WHERE received_at < $1 AND id IN (SELECT id FROM deliveries ORDER BY id LIMIT $2)";

const DECISIONS: &str = concat!(
    "WITH gone AS (
        DELETE FROM decisions WHERE id IN (
            SELECT decisions.id FROM decisions JOIN watches USING (account, ticket)
            WHERE decisions.decided_at < $1 AND state = 'stopped' ORDER BY decisions.decided_at LIMIT $2)
        RETURNING id
    ), forgotten AS (
        DELETE FROM counted USING gone WHERE decision_id = gone.id RETURNING decided_at / 86400000 AS day, counted.*
    ), summed AS (
        INSERT INTO sums (day, gist, decisions, tickets, saved, agreed, disagreed)
        SELECT day, gist, -count(*), -sum(opens), -sum((settles = 1 AND opinion IS DISTINCT FROM 'disagree')::int),
            -count(*) FILTER (WHERE opinion = 'agree'), -count(*) FILTER (WHERE opinion = 'disagree')
        FROM forgotten WHERE opens IS NOT NULL GROUP BY day, gist ORDER BY day, gist ",
    added!(),
    " RETURNING 1), told AS (
        INSERT INTO waits (day, seconds, tickets) SELECT day, waited, -count(*)
        FROM forgotten WHERE waited IS NOT NULL AND (SELECT count(*) FROM summed) >= 0
        GROUP BY day, waited ORDER BY day, waited ",
    waited!(),
    ") SELECT count(*) FROM gone"
);

const EMPTY_SUMS: &str = "DELETE FROM sums WHERE day <= $1 AND decisions = 0";
const EMPTY_WAITS: &str = "DELETE FROM waits WHERE day <= $1 AND tickets = 0";

const COMPARISONS: &str = "DELETE FROM comparisons WHERE id IN (SELECT id FROM comparisons WHERE decided_at < $1 ORDER BY decided_at LIMIT $2)";

const FAILURES: &str = "DELETE FROM failures WHERE at < $1 AND id IN (SELECT id FROM failures ORDER BY id LIMIT $2)";

const WATCHES: &str = "WITH gone AS (DELETE FROM watches WHERE state = 'stopped' AND lease IS NULL AND (account, ticket) IN (
    SELECT account, ticket FROM watches WHERE state = 'stopped' AND coalesce(looked_at, 0) < $1
        AND NOT EXISTS (SELECT FROM deliveries WHERE deliveries.account = watches.account AND deliveries.ticket = watches.ticket)
        AND NOT EXISTS (SELECT FROM decisions WHERE decisions.account = watches.account AND decisions.ticket = watches.ticket)
    LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING account, ticket
), its_feedback AS (DELETE FROM feedback USING gone WHERE feedback.account = gone.account AND feedback.ticket = gone.ticket
), its_follow_ups AS (DELETE FROM follow_ups USING gone WHERE follow_ups.account = gone.account AND follow_ups.ticket = gone.ticket
), its_failures AS (DELETE FROM failures USING gone WHERE failures.account = gone.account AND failures.ticket = gone.ticket
) SELECT count(*) FROM gone";

#[async_trait]
impl Retention for Postgres {
    async fn sweep(&self, before: DateTime<Utc>, limit: u32) -> Result<Swept, StoreError> {
        let (day, before, limit) = (day(before), millis(before), i64::from(limit));
        let client = self.connection().await?;
        let swept = Swept {
            deliveries: client.execute(DELIVERIES, &[&before, &limit]).await?,
            decisions: count(&client.query_one(DECISIONS, &[&before, &limit]).await?, 0)?,
            comparisons: client.execute(COMPARISONS, &[&before, &limit]).await?,
            watches: count(&client.query_one(WATCHES, &[&before, &limit]).await?, 0)?,
            failures: client.execute(FAILURES, &[&before, &limit]).await?,
        };
        client.execute(EMPTY_SUMS, &[&day]).await?;
        client.execute(EMPTY_WAITS, &[&day]).await?;
        Ok(swept)
    }
}
