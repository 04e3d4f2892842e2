//! The statements of [`crate::store::comparisons`].

use async_trait::async_trait;
use rusqlite::params;

use super::Sqlite;
use crate::decide::ticket::TicketKey;
use crate::store::StoreError;
use crate::store::comparisons::{Comparison, Comparisons, Moved, NOT_TOLD, Pair, told};
use crate::store::values::{instant, millis, number, ticket_number};

const RECORD: &str = "INSERT INTO comparisons
        (account, ticket, reference, decided_at, policy, verdict, candidate, becomes, difference)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
    ON CONFLICT (account, ticket, reference, candidate) DO UPDATE SET decided_at = excluded.decided_at,
        policy = excluded.policy, verdict = excluded.verdict, becomes = excluded.becomes, difference = excluded.difference";

const MOVED: &str = "SELECT verdict, becomes, count(*) FROM comparisons WHERE policy = ?1 AND candidate = ?2
    GROUP BY verdict, becomes ORDER BY verdict, becomes";

const DIFFERING: &str = "SELECT id, account, ticket, reference, decided_at, verdict, becomes, difference
    FROM comparisons WHERE policy = ?1 AND candidate = ?2 AND difference IS NOT NULL AND id < ?3
    ORDER BY id DESC LIMIT ?4";

#[async_trait]
impl Comparisons for Sqlite {
    async fn record_comparison(&self, comparison: &Comparison) -> Result<(), StoreError> {
        let Comparison { ticket, reference, decided_at, pair, verdict, becomes, difference } = comparison.clone();
        let (id, at) = (number(ticket.id)?, millis(decided_at));
        self.writer
            .run(move |connection| {
                let Pair { policy, candidate } = &pair;
                connection.prepare_cached(RECORD)?.execute(params![
                    ticket.account,
                    id,
                    reference,
                    at,
                    policy,
                    verdict,
                    candidate,
                    becomes.as_deref().unwrap_or(NOT_TOLD),
                    difference
                ])?;
                Ok(())
            })
            .await
    }

    async fn moved_verdicts(&self, pair: &Pair) -> Result<Vec<Moved>, StoreError> {
        let Pair { policy, candidate } = pair.clone();
        self.readers
            .run(move |connection| {
                let mut statement = connection.prepare_cached(MOVED)?;
                let moved = statement.query_map(params![policy, candidate], |row| {
                    let decisions: i64 = row.get(2)?;
                    Ok(Moved { verdict: row.get(0)?, becomes: told(row.get(1)?), decisions: decisions.unsigned_abs() })
                })?;
                Ok(moved.collect::<Result<_, _>>()?)
            })
            .await
    }

    async fn differing(
        &self,
        pair: &Pair,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<(i64, Comparison)>, StoreError> {
        let (pair, limit) = (pair.clone(), i64::try_from(limit).unwrap_or(i64::MAX));
        self.readers
            .run(move |connection| {
                let mut statement = connection.prepare_cached(DIFFERING)?;
                let mut rows =
                    statement.query(params![pair.policy, pair.candidate, before.unwrap_or(i64::MAX), limit])?;
                let mut found = Vec::new();
                while let Some(row) = rows.next()? {
                    let comparison = Comparison {
                        ticket: TicketKey { account: row.get(1)?, id: ticket_number(row.get(2)?)? },
                        reference: row.get(3)?,
                        decided_at: instant(row.get(4)?)?,
                        pair: pair.clone(),
                        verdict: row.get(5)?,
                        becomes: told(row.get(6)?),
                        difference: row.get(7)?,
                    };
                    found.push((row.get(0)?, comparison));
                }
                Ok(found)
            })
            .await
    }
}
