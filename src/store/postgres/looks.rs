//! The statements of [`crate::store::looks`].

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::Postgres;
use super::values::column;
use super::watches::held_by;
use crate::store::StoreError;
use crate::store::looks::{DEAD_RESTS, Looks, SOON};
use crate::store::values::{millis, number, ticket_number};
use crate::store::watches::Claim;

const LOOKED: &str = "UPDATE watches SET looked_at = $4 WHERE account = $1 AND ticket = $2 AND lease = $3";

const MOVED: &str = "SELECT found.ticket FROM unnest($2::bigint[], $3::bigint[]) AS found (ticket, changed)
    LEFT JOIN watches ON watches.account = $1 AND watches.ticket = found.ticket
    WHERE coalesce(looked_at <= changed, TRUE) AND CASE watches.state
        WHEN 'due' THEN lease IS NULL AND due_at > $4
        WHEN 'dead' THEN NOT EXISTS (
            SELECT FROM failures WHERE failures.account = $1 AND failures.ticket = found.ticket AND at > $5)
        ELSE TRUE
    END ORDER BY found.ticket";

#[async_trait]
impl Looks for Postgres {
    async fn looked(&self, claim: &Claim, at: DateTime<Utc>) -> Result<(), StoreError> {
        let client = self.connection().await?;
        let looked = client.prepare_cached(LOOKED).await?;
        let ticket = number(claim.ticket.id)?;
        let held = client.execute(&looked, &[&claim.ticket.account, &ticket, &claim.lease, &millis(at)]).await?;
        held_by(claim, held)
    }

    async fn moved(
        &self,
        account: &str,
        found: &[(u64, DateTime<Utc>)],
        now: DateTime<Utc>,
    ) -> Result<Vec<u64>, StoreError> {
        let tickets = found.iter().map(|(id, _)| number(*id)).collect::<Result<Vec<i64>, _>>()?;
        let changed: Vec<i64> = found.iter().map(|(_, changed)| millis(*changed)).collect();
        let client = self.connection().await?;
        let moved = client.prepare_cached(MOVED).await?;
        let rows = client
            .query(&moved, &[&account, &tickets, &changed, &millis(now + SOON), &millis(now - DEAD_RESTS)])
            .await?;
        rows.iter().map(|row| ticket_number(column(row, 0)?)).collect()
    }
}
