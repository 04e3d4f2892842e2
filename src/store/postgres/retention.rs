//! The statements of [`crate::store::retention`]. What was deleted is given back by the server's autovacuum.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::Postgres;
use super::values::count;
use crate::store::StoreError;
use crate::store::retention::{Retention, Swept};
use crate::store::values::millis;

/// Deliveries come in the order of their ids, so the oldest are found without an index by time.
const DELIVERIES: &str =
    "DELETE FROM deliveries WHERE received_at < $1 AND id IN (SELECT id FROM deliveries ORDER BY id LIMIT $2)";

const DECISIONS: &str = "DELETE FROM decisions WHERE id IN (
    SELECT decisions.id FROM decisions JOIN watches USING (account, ticket)
    WHERE decisions.decided_at < $1 AND state = 'stopped' ORDER BY decisions.decided_at LIMIT $2)";

const COMPARISONS: &str = "DELETE FROM comparisons WHERE id IN (SELECT id FROM comparisons WHERE decided_at < $1 ORDER BY decided_at LIMIT $2)";

const WATCHES: &str = "WITH gone AS (DELETE FROM watches WHERE state = 'stopped' AND lease IS NULL AND (account, ticket) IN (
    SELECT account, ticket FROM watches WHERE state = 'stopped'
        AND NOT EXISTS (SELECT FROM deliveries WHERE deliveries.account = watches.account AND deliveries.ticket = watches.ticket)
        AND NOT EXISTS (SELECT FROM decisions WHERE decisions.account = watches.account AND decisions.ticket = watches.ticket)
    LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING account, ticket
), its_feedback AS (DELETE FROM feedback USING gone WHERE feedback.account = gone.account AND feedback.ticket = gone.ticket
), its_follow_ups AS (DELETE FROM follow_ups USING gone WHERE follow_ups.account = gone.account AND follow_ups.ticket = gone.ticket
), its_failures AS (DELETE FROM failures USING gone WHERE failures.account = gone.account AND failures.ticket = gone.ticket
) SELECT count(*) FROM gone";

#[async_trait]
impl Retention for Postgres {
    async fn sweep(&self, before: DateTime<Utc>, limit: u32) -> Result<Swept, StoreError> {
        let (before, limit) = (millis(before), i64::from(limit));
        let client = self.connection().await?;
        Ok(Swept {
            deliveries: client.execute(DELIVERIES, &[&before, &limit]).await?,
            decisions: client.execute(DECISIONS, &[&before, &limit]).await?,
            comparisons: client.execute(COMPARISONS, &[&before, &limit]).await?,
            watches: count(&client.query_one(WATCHES, &[&limit]).await?, 0)?,
        })
    }
}
