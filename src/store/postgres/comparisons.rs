//! The statements of [`crate::store::comparisons`].

use async_trait::async_trait;

use super::Postgres;
use super::values::{column, count, text};
use crate::decide::ticket::TicketKey;
use crate::store::StoreError;
use crate::store::comparisons::{Comparison, Comparisons, Moved, NOT_TOLD, Pair, told};
use crate::store::values::{instant, millis, number, ticket_number};

const RECORD: &str = "INSERT INTO comparisons
        (account, ticket, reference, decided_at, policy, verdict, candidate, becomes, difference)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (account, ticket, reference, candidate) DO UPDATE SET decided_at = excluded.decided_at,
        policy = excluded.policy, verdict = excluded.verdict, becomes = excluded.becomes, difference = excluded.difference";

const MOVED: &str = "SELECT verdict, becomes, count(*) FROM comparisons WHERE policy = $1 AND candidate = $2
    GROUP BY verdict, becomes ORDER BY verdict COLLATE \"C\", becomes COLLATE \"C\"";

const DIFFERING: &str = "SELECT id, account, ticket, reference, decided_at, verdict, becomes, difference
    FROM comparisons WHERE policy = $1 AND candidate = $2 AND difference IS NOT NULL AND id < $3
    ORDER BY id DESC LIMIT $4";

#[async_trait]
impl Comparisons for Postgres {
    async fn record_comparison(&self, comparison: &Comparison) -> Result<(), StoreError> {
        let Comparison { ticket, reference, decided_at, pair, verdict, becomes, difference } = comparison;
        let (id, at, difference) = (number(ticket.id)?, millis(*decided_at), difference.as_deref().map(text));
        let client = self.connection().await?;
        let record = client.prepare_cached(RECORD).await?;
        let Pair { policy, candidate } = pair;
        let becomes = becomes.as_deref().unwrap_or(NOT_TOLD);
        client
            .execute(
                &record,
                &[&ticket.account, &id, reference, &at, policy, verdict, candidate, &becomes, &difference],
            )
            .await?;
        Ok(())
    }

    async fn moved_verdicts(&self, pair: &Pair) -> Result<Vec<Moved>, StoreError> {
        let rows = self.connection().await?.query(MOVED, &[&pair.policy, &pair.candidate]).await?;
        let moved = |row| {
            let (verdict, becomes) = (column(row, 0)?, told(column(row, 1)?));
            Ok(Moved { verdict, becomes, decisions: count(row, 2)? })
        };
        rows.iter().map(moved).collect()
    }

    async fn differing(
        &self,
        pair: &Pair,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<(i64, Comparison)>, StoreError> {
        let (before, limit) = (before.unwrap_or(i64::MAX), i64::try_from(limit).unwrap_or(i64::MAX));
        let client = self.connection().await?;
        let rows = client.query(DIFFERING, &[&pair.policy, &pair.candidate, &before, &limit]).await?;
        let comparison = |row| {
            let comparison = Comparison {
                ticket: TicketKey { account: column(row, 1)?, id: ticket_number(column(row, 2)?)? },
                reference: column(row, 3)?,
                decided_at: instant(column(row, 4)?)?,
                pair: pair.clone(),
                verdict: column(row, 5)?,
                becomes: told(column(row, 6)?),
                difference: column(row, 7)?,
            };
            Ok((column(row, 0)?, comparison))
        };
        rows.iter().map(comparison).collect()
    }
}
