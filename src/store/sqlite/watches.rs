//! The statements of [`crate::store::watches`].

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use super::Sqlite;
use crate::decide::ticket::TicketKey;
use crate::store::StoreError;
use crate::store::values::{Outcome, instant, millis, number, ticket_number, until};
use crate::store::watches::{Claim, DeadLetters, Next, Watches, Yields};

#[async_trait]
impl Watches for Sqlite {
    async fn mark_due(&self, ticket: &TicketKey, at: DateTime<Utc>) -> Result<(), StoreError> {
        let (bell, ticket) = (self.bells.of(&ticket.account), ticket.clone());
        self.writer.run(move |connection| mark_due(connection, &ticket, at)).await?;
        bell.notify_one();
        Ok(())
    }

    async fn claim(
        &self,
        account: &str,
        now: DateTime<Utc>,
        lease: Duration,
        limit: usize,
    ) -> Result<Vec<Claim>, StoreError> {
        let account = account.to_owned();
        self.writer.run(move |connection| claim(connection, &account, now, lease, limit)).await
    }

    async fn extend(&self, claim: &Claim, now: DateTime<Utc>, lease: Duration) -> Result<(), StoreError> {
        let claim = claim.clone();
        self.writer.run(move |connection| extend(connection, &claim, now, lease)).await
    }

    async fn settle(&self, claim: &Claim, next: Next, now: DateTime<Utc>) -> Result<(), StoreError> {
        let claim = claim.clone();
        self.writer.run(move |connection| settle(connection, &claim, &next, now)).await
    }

    async fn next_due(&self, account: &str) -> Result<Option<DateTime<Utc>>, StoreError> {
        let account = account.to_owned();
        self.readers.run(move |connection| next_due(connection, &account)).await
    }

    async fn send_back(&self, which: &DeadLetters, at: DateTime<Utc>) -> Result<u64, StoreError> {
        let which = which.clone();
        let sent = self.writer.run(move |connection| send_back(connection, &which, at)).await?;
        self.bells.ring_all();
        Ok(sent)
    }
}

pub(super) fn mark_due(connection: &Connection, ticket: &TicketKey, at: DateTime<Utc>) -> Outcome<()> {
    mark(connection, &ticket.account, number(ticket.id)?, millis(at), Wait::Ends)
}

/// Whether a ticket that failed or is held back waits for its time all the same.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    Stands,
    Ends,
}

/// A ticket that is due earlier stays so, and in nobody's hands as it is: a burst of marks is one look, and one write.
pub(super) fn mark(connection: &Connection, account: &str, ticket: i64, due_at: i64, wait: Wait) -> Outcome<()> {
    connection
        .prepare_cached(
            "INSERT INTO watches (account, ticket, state, due_at, marks) VALUES (?1, ?2, 'due', ?3, 1)
             ON CONFLICT (account, ticket) DO UPDATE SET
                 due_at = CASE WHEN state <> 'due' THEN ?3 WHEN last_error IS NULL OR ?4 THEN min(due_at, ?3) ELSE due_at END,
                 failures = CASE WHEN state = 'dead' THEN 0 ELSE failures END,
                 state = 'due', why = NULL, marks = marks + 1
             WHERE state <> 'due' OR (due_at > ?3 AND (last_error IS NULL OR ?4)) OR lease IS NOT NULL",
        )?
        .execute(params![account, ticket, due_at, wait == Wait::Ends])?;
    Ok(())
}

fn claim(
    connection: &Connection,
    account: &str,
    now: DateTime<Utc>,
    lease: Duration,
    limit: usize,
) -> Outcome<Vec<Claim>> {
    let mut take = connection.prepare_cached(
        "UPDATE watches SET lease = lower(hex(randomblob(12))), lease_until = ?4
         WHERE account = ?1 AND ticket IN (
             SELECT ticket FROM watches
             WHERE account = ?1 AND state = 'due' AND due_at <= ?2 AND (lease IS NULL OR lease_until <= ?2)
                 AND NOT EXISTS (SELECT 1 FROM pauses WHERE account = ?1)
             ORDER BY due_at LIMIT ?3)
         RETURNING due_at, ticket, failures, lease, marks",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = take.query(params![account, millis(now), limit, until(now, lease)])?;
    let mut taken: Vec<(i64, Claim)> = Vec::new();
    while let Some(row) = rows.next()? {
        let ticket = TicketKey { account: account.to_owned(), id: ticket_number(row.get(1)?)? };
        taken.push((row.get(0)?, Claim { ticket, failures: row.get(2)?, lease: row.get(3)?, marks: row.get(4)? }));
    }
    taken.sort_by_key(|(due_at, _)| *due_at); // RETURNING keeps no order.
    Ok(taken.into_iter().map(|(_, claim)| claim).collect())
}

/// Refuses what a claim's holder wants to write once its lease has passed on.
pub(super) fn must_hold(connection: &Connection, claim: &Claim) -> Outcome<()> {
    let held = connection
        .prepare_cached("SELECT 1 FROM watches WHERE account = ?1 AND ticket = ?2 AND lease = ?3")?
        .exists(params![claim.ticket.account, number(claim.ticket.id)?, claim.lease])?;
    if held { Ok(()) } else { Err(StoreError::LeaseLost(claim.ticket.clone())) }
}

fn extend(connection: &Connection, claim: &Claim, now: DateTime<Utc>, lease: Duration) -> Outcome<()> {
    let held = connection
        .prepare_cached("UPDATE watches SET lease_until = ?4 WHERE account = ?1 AND ticket = ?2 AND lease = ?3")?
        .execute(params![claim.ticket.account, number(claim.ticket.id)?, claim.lease, until(now, lease)])?;
    if held == 1 { Ok(()) } else { Err(StoreError::LeaseLost(claim.ticket.clone())) }
}

fn settle(connection: &Connection, claim: &Claim, next: &Next, now: DateTime<Utc>) -> Outcome<()> {
    let left = next.leaves(claim);
    let held = connection
        .prepare_cached(
            "UPDATE watches SET
                 state = CASE WHEN ?9 AND marks <> ?10 THEN 'due' ELSE ?4 END,
                 due_at = CASE WHEN ?9 AND marks <> ?10 THEN ?11 ELSE ?5 END,
                 why = CASE WHEN ?9 AND marks <> ?10 THEN NULL ELSE ?6 END,
                 failures = CASE WHEN ?9 AND marks <> ?10 THEN 0 ELSE ?7 END, last_error = ?8, lease = NULL, lease_until = NULL
             WHERE account = ?1 AND ticket = ?2 AND lease = ?3",
        )?
        .execute(params![
            claim.ticket.account,
            number(claim.ticket.id)?,
            claim.lease,
            left.state,
            left.due_at.map(millis),
            left.why,
            left.failures,
            left.last_error,
            left.yields == Yields::ToMarks,
            claim.marks,
            millis(now),
        ])?;
    if held == 0 {
        return Err(StoreError::LeaseLost(claim.ticket.clone()));
    }
    if let Some(error) = left.last_error {
        connection
            .prepare_cached("INSERT INTO failures (account, ticket, at, error) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![claim.ticket.account, number(claim.ticket.id)?, millis(now), error])?;
    }
    Ok(())
}

fn next_due(connection: &Connection, account: &str) -> Outcome<Option<DateTime<Utc>>> {
    let at: Option<i64> = connection
        .prepare_cached(
            "SELECT min(at) FROM (
                 SELECT * FROM (SELECT due_at AS at FROM watches INDEXED BY watches_due
                     WHERE account = ?1 AND state = 'due' AND lease IS NULL ORDER BY due_at LIMIT 1)
                 UNION ALL
                 SELECT max(due_at, lease_until) FROM watches INDEXED BY watches_in_hand
                     WHERE account = ?1 AND state = 'due' AND lease IS NOT NULL)
             WHERE NOT EXISTS (SELECT 1 FROM pauses WHERE account = ?1)",
        )?
        .query_row(params![account], |row| row.get(0))?;
    at.map(instant).transpose()
}

fn send_back(connection: &Connection, which: &DeadLetters, at: DateTime<Utc>) -> Outcome<u64> {
    let sent = connection
        .prepare_cached(
            "UPDATE watches SET state = 'due', due_at = ?1, why = NULL, failures = 0, marks = marks + 1
             WHERE state = 'dead' AND (?2 IS NULL OR account = ?2) AND (?3 IS NULL OR ticket = ?3)
                 AND (?4 IS NULL OR instr(lower(last_error), lower(?4)) > 0)",
        )?
        .execute(params![millis(at), which.account, which.ticket.map(number).transpose()?, which.error_has])?;
    Ok(u64::try_from(sent).unwrap_or(u64::MAX))
}
