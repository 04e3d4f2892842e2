//! The statements of [`crate::store::follow_ups`].

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Sqlite;
use crate::decide::ticket::TicketKey;
use crate::store::StoreError;
use crate::store::follow_ups::{Came, Destination, FollowUp, FollowUpClaim, FollowUps, Kind, Planned, Stage};
use crate::store::follow_ups::{TicketIs, Waiting};
use crate::store::values::{Outcome, instant, millis, number, ticket_number, until};

#[async_trait]
impl FollowUps for Sqlite {
    async fn plan_follow_ups(
        &self,
        ticket: &TicketKey,
        reference: &str,
        planned: &[Planned],
    ) -> Result<(), StoreError> {
        let (ticket, reference, planned) = (ticket.clone(), reference.to_owned(), planned.to_vec());
        self.writer
            .run(move |connection| planned.iter().try_for_each(|one| plan(connection, &ticket, &reference, *one)))
            .await
    }

    async fn claim_follow_up(
        &self,
        destination: Destination,
        now: DateTime<Utc>,
        lease: Duration,
    ) -> Result<Option<FollowUpClaim>, StoreError> {
        let due = move |connection: &Connection| {
            let mut due = connection.prepare_cached(
                "SELECT 1 FROM follow_ups WHERE destination = ?1 AND state = 'due' AND due_at <= ?2
                     AND (lease IS NULL OR lease_until <= ?2)
                     AND NOT EXISTS (SELECT 1 FROM pauses WHERE pauses.account = follow_ups.account) LIMIT 1",
            )?;
            Ok(due.exists(params![destination.word(), millis(now)])?)
        };
        // Asked often and seldom answered: the writer is left in peace where nothing waits.
        match self.readers.run(due).await? {
            false => Ok(None),
            true => self.writer.run(move |connection| claim(connection, destination, now, lease)).await,
        }
    }

    async fn extend_follow_up(
        &self,
        claim: &FollowUpClaim,
        now: DateTime<Utc>,
        lease: Duration,
    ) -> Result<(), StoreError> {
        let claim = claim.clone();
        self.writer
            .run(move |connection| {
                let held = connection
                    .prepare_cached(
                        "UPDATE follow_ups SET lease_until = ?3 WHERE id = ?1 AND lease = ?2 AND state = 'due'",
                    )?
                    .execute(params![claim.id, claim.lease, until(now, lease)])?;
                held_by(&claim, held)
            })
            .await
    }

    async fn settle_follow_up(&self, claim: &FollowUpClaim, came: &Came, now: DateTime<Utc>) -> Result<(), StoreError> {
        let (claim, came) = (claim.clone(), came.clone());
        self.writer
            .run(move |connection| {
                let left = came.leaves(&claim);
                let held = connection
                    .prepare_cached(
                        "UPDATE follow_ups SET state = ?3, due_at = ?4, told = ?5, failures = ?6, settled_at = ?7,
                             lease = NULL, lease_until = NULL
                         WHERE id = ?1 AND lease = ?2",
                    )?
                    .execute(params![
                        claim.id,
                        claim.lease,
                        left.state,
                        left.due_at.map(millis),
                        left.told,
                        left.failures,
                        millis(now)
                    ])?;
                held_by(&claim, held)
            })
            .await
    }

    async fn follow_ups_of(&self, ticket: &TicketKey) -> Result<Vec<FollowUp>, StoreError> {
        let ticket = ticket.clone();
        self.readers
            .run(move |connection| {
                let of_ticket = format!("{COLUMNS} WHERE account = ?1 AND ticket = ?2 ORDER BY id");
                rows(connection, &of_ticket, params![ticket.account, number(ticket.id)?])
            })
            .await
    }

    async fn stuck_follow_ups(&self, limit: usize) -> Result<Vec<FollowUp>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.readers
            .run(move |connection| {
                let stuck =
                    format!("{COLUMNS} WHERE state IN ('unclear', 'dead') ORDER BY settled_at DESC, id DESC LIMIT ?1");
                rows(connection, &stuck, params![limit])
            })
            .await
    }

    async fn send_follow_ups_back(&self, ticket: &TicketKey, at: DateTime<Utc>) -> Result<u64, StoreError> {
        let ticket = ticket.clone();
        self.writer
            .run(move |connection| {
                let sent = connection
                    .prepare_cached(
                        "UPDATE follow_ups SET state = 'due', due_at = ?3, told = NULL, failures = 0
                         WHERE account = ?1 AND ticket = ?2 AND state IN ('unclear', 'dead')",
                    )?
                    .execute(params![ticket.account, number(ticket.id)?, millis(at)])?;
                Ok(u64::try_from(sent).unwrap_or(u64::MAX))
            })
            .await
    }

    async fn follow_ups_waiting(&self, destination: Destination, now: DateTime<Utc>) -> Result<Waiting, StoreError> {
        self.readers
            .run(move |connection| {
                let count = |statement: &str, params: &[&dyn rusqlite::ToSql]| -> Outcome<u64> {
                    let count: i64 = connection.prepare_cached(statement)?.query_row(params, |row| row.get(0))?;
                    Ok(count.unsigned_abs())
                };
                Ok(Waiting {
                    due: count(
                        "SELECT count(*) FROM follow_ups WHERE destination = ?1 AND state = 'due' AND due_at <= ?2",
                        params![destination.word(), millis(now)],
                    )?,
                    stuck: count(
                        "SELECT count(*) FROM follow_ups WHERE destination = ?1 AND state IN ('unclear', 'dead')",
                        params![destination.word()],
                    )?,
                })
            })
            .await
    }
}

const COLUMNS: &str = "SELECT account, ticket, reference, kind, state, due_at, settled_at, told FROM follow_ups";

fn plan(connection: &Connection, ticket: &TicketKey, reference: &str, planned: Planned) -> Outcome<()> {
    let kind = planned.kind;
    connection
        .prepare_cached(
            "INSERT INTO follow_ups (account, ticket, reference, kind, destination, state, due_at)
             VALUES (?1, ?2, ?3, ?4, ?5, 'planned', ?6) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            ticket.account,
            number(ticket.id)?,
            reference,
            kind.word(),
            kind.destination().word(),
            planned.not_before.map(millis)
        ])?;
    Ok(())
}

/// A decision's note stands: what was planned is due, and what an older one left is needed no longer.
pub(super) fn begin(connection: &Connection, ticket: &TicketKey, reference: &str, at: DateTime<Utc>) -> Outcome<()> {
    let id = number(ticket.id)?;
    connection
        .prepare_cached(
            "UPDATE follow_ups SET state = 'due', due_at = max(coalesce(due_at, ?4), ?4)
             WHERE account = ?1 AND ticket = ?2 AND reference = ?3 AND state = 'planned'",
        )?
        .execute(params![ticket.account, id, reference, millis(at)])?;
    connection
        .prepare_cached(
            "UPDATE follow_ups SET state = 'moot', told = 'a newer decision stands', settled_at = ?4
             WHERE account = ?1 AND ticket = ?2 AND reference <> ?3 AND state IN ('due', 'unclear', 'dead')",
        )?
        .execute(params![ticket.account, id, reference, millis(at)])?;
    Ok(())
}

fn claim(
    connection: &Connection,
    destination: Destination,
    now: DateTime<Utc>,
    lease: Duration,
) -> Outcome<Option<FollowUpClaim>> {
    let mut take = connection.prepare_cached(
        "UPDATE follow_ups SET lease = lower(hex(randomblob(12))), lease_until = ?3
         WHERE id = (
             SELECT id FROM follow_ups
             WHERE destination = ?1 AND state = 'due' AND due_at <= ?2 AND (lease IS NULL OR lease_until <= ?2)
                     AND NOT EXISTS (SELECT 1 FROM pauses WHERE pauses.account = follow_ups.account)
                     AND NOT EXISTS (SELECT 1 FROM follow_ups AS other WHERE other.account = follow_ups.account
                         AND other.ticket = follow_ups.ticket AND other.destination = ?1 AND other.lease_until > ?2)
             ORDER BY due_at LIMIT 1)
         RETURNING id, account, ticket, reference, kind, failures, lease, EXISTS (
             SELECT 1 FROM watches WHERE watches.account = follow_ups.account
                 AND watches.ticket = follow_ups.ticket AND watches.state = 'stopped')",
    )?;
    type Taken = (i64, String, i64, String, String, u32, String, bool);
    let taken: Option<Taken> = take
        .query_row(params![destination.word(), millis(now), until(now, lease)], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?))
        })
        .optional()?;
    let Some((id, account, ticket, reference, kind, failures, lease, stopped)) = taken else { return Ok(None) };
    Ok(Some(FollowUpClaim {
        id,
        ticket: TicketKey { account, id: ticket_number(ticket)? },
        reference,
        kind: Kind::read(&kind)?,
        failures,
        lease,
        ticket_is: if stopped { TicketIs::LeftAlone } else { TicketIs::Watched },
    }))
}

fn held_by(claim: &FollowUpClaim, rows: usize) -> Outcome<()> {
    if rows == 1 { Ok(()) } else { Err(StoreError::LeaseLost(claim.ticket.clone())) }
}

fn rows(connection: &Connection, sql: &str, parameters: &[&dyn rusqlite::ToSql]) -> Outcome<Vec<FollowUp>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = statement.query(parameters)?;
    let mut all = Vec::new();
    while let Some(row) = found.next()? {
        all.push(follow_up(row)?);
    }
    Ok(all)
}

fn follow_up(row: &Row<'_>) -> Outcome<FollowUp> {
    let moment = |at: Option<i64>| at.map(instant).transpose();
    let (state, due_at, settled_at) = (row.get::<_, String>(4)?, moment(row.get(5)?)?, moment(row.get(6)?)?);
    Ok(FollowUp {
        ticket: TicketKey { account: row.get(0)?, id: ticket_number(row.get(1)?)? },
        reference: row.get(2)?,
        kind: Kind::read(&row.get::<_, String>(3)?)?,
        stage: Stage::read(&state, due_at, settled_at, row.get(7)?)?,
    })
}
