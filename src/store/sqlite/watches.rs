//! The statements of [`crate::store::watches`].

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use super::Sqlite;
use super::values::{Outcome, instant, millis, number, odd, until};
use crate::helpdesk::ticket::TicketKey;
use crate::store::StoreError;
use crate::store::watches::{Claim, Next, Watches};

#[async_trait]
impl Watches for Sqlite {
    async fn mark_due(&self, ticket: &TicketKey, at: DateTime<Utc>) -> Result<(), StoreError> {
        let ticket = ticket.clone();
        self.writer.run(move |connection| mark_due(connection, &ticket, at)).await
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
        self.writer.run(move |connection| next_due(connection, &account)).await
    }
}

/// A ticket that is due earlier stays so: a burst of marks is one look.
pub(super) fn mark_due(connection: &Connection, ticket: &TicketKey, at: DateTime<Utc>) -> Outcome<()> {
    connection
        .prepare_cached(
            "INSERT INTO watches (account, ticket, state, due_at, marks) VALUES (?1, ?2, 'due', ?3, 1)
             ON CONFLICT (account, ticket) DO UPDATE SET
                 due_at = CASE WHEN state = 'due' THEN min(due_at, ?3) ELSE ?3 END,
                 failures = CASE WHEN state = 'dead' THEN 0 ELSE failures END,
                 state = 'due', why = NULL, marks = marks + 1",
        )?
        .execute(params![ticket.account, number(ticket.id)?, millis(at)])?;
    Ok(())
}

fn claim(
    connection: &Connection,
    account: &str,
    now: DateTime<Utc>,
    lease: Duration,
    limit: usize,
) -> Outcome<Vec<Claim>> {
    let mut due = connection.prepare_cached(
        "SELECT ticket, failures, marks FROM watches
         WHERE account = ?1 AND state = 'due' AND due_at <= ?2 AND (lease IS NULL OR lease_until <= ?2)
         ORDER BY due_at LIMIT ?3",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let found = due
        .query_map(params![account, millis(now), limit], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?)))?;
    let found: Vec<(i64, u32, i64)> = found.collect::<Result<_, _>>()?;
    let mut claims = Vec::new();
    for (ticket, failures, marks) in found {
        let lease_id = new_lease(account, ticket, marks, now);
        connection
            .prepare_cached("UPDATE watches SET lease = ?3, lease_until = ?4 WHERE account = ?1 AND ticket = ?2")?
            .execute(params![account, ticket, lease_id, until(now, lease)])?;
        let ticket =
            TicketKey { account: account.to_owned(), id: u64::try_from(ticket).map_err(|_| odd("ticket number"))? };
        claims.push(Claim { ticket, failures, lease: lease_id, marks });
    }
    Ok(claims)
}

/// A name for one holding of a ticket that no other holding has.
fn new_lease(account: &str, ticket: i64, marks: i64, now: DateTime<Utc>) -> String {
    static TAKEN: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let nth = TAKEN.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let digest = Sha256::digest(format!("{account} {ticket} {marks} {} {nth} {}", millis(now), std::process::id()));
    digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect()
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
    let ticket = number(claim.ticket.id)?;
    let marks: Option<i64> = connection
        .prepare_cached("SELECT marks FROM watches WHERE account = ?1 AND ticket = ?2 AND lease = ?3")?
        .query_row(params![claim.ticket.account, ticket, claim.lease], |row| row.get(0))
        .optional()?;
    let Some(marks) = marks else { return Err(StoreError::LeaseLost(claim.ticket.clone())) };
    let (mut state, mut due_at, mut why) = match next {
        Next::Settled { look_at: Some(at) } | Next::Again { at } | Next::Retry { at, .. } => {
            ("due", Some(millis(*at)), None)
        }
        Next::Settled { look_at: None } => ("idle", None, None),
        Next::Dead { error } => ("dead", None, Some(error.as_str())),
        Next::Stopped { why } => ("stopped", None, Some(why.as_str())),
    };
    let marked_since = marks != claim.marks;
    if marked_since && !matches!(next, Next::Again { .. } | Next::Retry { .. }) {
        (state, due_at, why) = ("due", Some(millis(now)), None);
    }
    let failures = match next {
        Next::Settled { .. } | Next::Stopped { .. } => 0,
        Next::Again { .. } => claim.failures,
        Next::Retry { .. } | Next::Dead { .. } => claim.failures.saturating_add(1),
    };
    let error = match next {
        Next::Retry { error, .. } | Next::Dead { error } => Some(error.as_str()),
        Next::Settled { .. } | Next::Again { .. } | Next::Stopped { .. } => None,
    };
    connection
        .prepare_cached(
            "UPDATE watches SET state = ?3, due_at = ?4, why = ?5, failures = ?6, last_error = ?7, lease = NULL, lease_until = NULL
             WHERE account = ?1 AND ticket = ?2",
        )?
        .execute(params![claim.ticket.account, ticket, state, due_at, why, failures, error])?;
    if let Some(error) = error {
        connection
            .prepare_cached("INSERT INTO failures (account, ticket, at, error) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![claim.ticket.account, ticket, millis(now), error])?;
    }
    Ok(())
}

fn next_due(connection: &Connection, account: &str) -> Outcome<Option<DateTime<Utc>>> {
    let at: Option<i64> = connection
        .prepare_cached(
            "SELECT min(CASE WHEN lease IS NULL THEN due_at ELSE max(due_at, lease_until) END)
             FROM watches WHERE account = ?1 AND state = 'due'",
        )?
        .query_row(params![account], |row| row.get(0))?;
    at.map(instant).transpose()
}
