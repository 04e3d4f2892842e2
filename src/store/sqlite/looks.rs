//! The statements of [`crate::store::looks`].

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, params};

use super::Sqlite;
use crate::store::StoreError;
use crate::store::looks::{DEAD_RESTS, Looks, SOON};
use crate::store::values::{Outcome, millis, number};
use crate::store::watches::Claim;

#[async_trait]
impl Looks for Sqlite {
    async fn looked(&self, claim: &Claim, at: DateTime<Utc>) -> Result<(), StoreError> {
        let claim = claim.clone();
        self.writer.run(move |connection| looked(connection, &claim, at)).await
    }

    async fn moved(
        &self,
        account: &str,
        found: &[(u64, DateTime<Utc>)],
        now: DateTime<Utc>,
    ) -> Result<Vec<u64>, StoreError> {
        let (account, found) = (account.to_owned(), found.to_vec());
        self.readers.run(move |connection| moved(connection, &account, &found, now)).await
    }
}

fn looked(connection: &Connection, claim: &Claim, at: DateTime<Utc>) -> Outcome<()> {
    let held = connection
        .prepare_cached("UPDATE watches SET looked_at = ?4 WHERE account = ?1 AND ticket = ?2 AND lease = ?3")?
        .execute(params![claim.ticket.account, number(claim.ticket.id)?, claim.lease, millis(at)])?;
    if held == 1 { Ok(()) } else { Err(StoreError::LeaseLost(claim.ticket.clone())) }
}

fn moved(
    connection: &Connection,
    account: &str,
    found: &[(u64, DateTime<Utc>)],
    now: DateTime<Utc>,
) -> Outcome<Vec<u64>> {
    let mut statement = connection.prepare_cached(
        "SELECT ifnull(looked_at <= ?3, 1) AND CASE state
             WHEN 'due' THEN lease IS NULL AND due_at > ?4
             WHEN 'dead' THEN NOT EXISTS (
                 SELECT 1 FROM failures WHERE failures.account = ?1 AND failures.ticket = ?2 AND at > ?5)
             ELSE 1 END
         FROM watches WHERE account = ?1 AND ticket = ?2",
    )?;
    let (soon, rested) = (millis(now + SOON), millis(now - DEAD_RESTS));
    let mut moved = Vec::new();
    for (id, changed) in found {
        let known: Option<bool> = statement
            .query_row(params![account, number(*id)?, millis(*changed), soon, rested], |row| row.get(0))
            .optional()?;
        if known.unwrap_or(true) {
            moved.push(*id);
        }
    }
    Ok(moved)
}
