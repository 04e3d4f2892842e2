//! The statements of [`crate::store::decisions`].

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row, params};

use super::Sqlite;
use super::follow_ups;
use super::overview;
use super::sums;
use super::watches::must_hold;
use crate::decide::ticket::TicketKey;
use crate::store::StoreError;
use crate::store::decisions::{Carried, DecisionRow, Decisions};
use crate::store::values::{Outcome, instant, millis, number, ticket_number};
use crate::store::watches::Claim;

#[async_trait]
impl Decisions for Sqlite {
    async fn record_decision(&self, claim: &Claim, row: &DecisionRow) -> Result<bool, StoreError> {
        let (claim, row) = (claim.clone(), row.clone());
        self.writer.run(move |connection| record_decision(connection, &claim, &row)).await
    }

    async fn posted(&self, claim: &Claim, reference: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
        let (claim, reference) = (claim.clone(), reference.to_owned());
        self.writer.run(move |connection| posted(connection, &claim, &reference, at)).await
    }

    async fn overtake(&self, claim: &Claim) -> Result<(), StoreError> {
        let claim = claim.clone();
        self.writer.run(move |connection| overtake(connection, &claim)).await
    }

    async fn last_decision(&self, ticket: &TicketKey) -> Result<Option<DecisionRow>, StoreError> {
        let ticket = ticket.clone();
        self.readers.run(move |connection| last_decision(connection, &ticket)).await
    }

    async fn unconfirmed(&self, ticket: &TicketKey) -> Result<bool, StoreError> {
        let ticket = ticket.clone();
        self.readers.run(move |connection| unconfirmed(connection, &ticket)).await
    }
}

fn record_decision(connection: &Connection, claim: &Claim, row: &DecisionRow) -> Outcome<bool> {
    let (account, ticket) = (&row.ticket.account, number(row.ticket.id)?);
    must_hold(connection, claim)?;
    connection
        .prepare_cached("UPDATE decisions SET carried = 'overtaken' WHERE account = ?1 AND ticket = ?2 AND carried = 'open' AND reference <> ?3")?
        .execute(params![account, ticket, row.reference])?;
    if row.carried == Carried::Open {
        connection
            .prepare_cached("UPDATE decisions SET carried = 'open' WHERE account = ?1 AND ticket = ?2 AND reference = ?3 AND carried <> 'posted'")?
            .execute(params![account, ticket, row.reference])?;
    }
    let new = connection
        .prepare_cached(
            "INSERT INTO decisions (account, ticket, reference, decided_at, verdict, fingerprint, decision, note, carried, basis)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING",
        )?
        .execute(params![account, ticket, row.reference, millis(row.decided_at), row.verdict, row.fingerprint, row.decision, row.note, row.carried.word(), row.basis])?;
    if new == 0 {
        return Ok(false);
    }
    let id = connection.last_insert_rowid();
    overview::count(connection, row)?;
    sums::keep(connection, id, row, &row.gist()?)?;
    match row.carried {
        Carried::Posted | Carried::Shadow => sums::count(connection, &row.ticket, &row.reference)?,
        Carried::Open | Carried::Overtaken => {}
    }
    Ok(true)
}

fn posted(connection: &Connection, claim: &Claim, reference: &str, at: DateTime<Utc>) -> Outcome<()> {
    must_hold(connection, claim)?;
    connection
        .prepare_cached(
            "UPDATE decisions SET carried = 'posted', posted_at = coalesce(posted_at, ?4)
             WHERE account = ?1 AND ticket = ?2 AND reference = ?3",
        )?
        .execute(params![claim.ticket.account, number(claim.ticket.id)?, reference, millis(at)])?;
    sums::count(connection, &claim.ticket, reference)?;
    follow_ups::begin(connection, &claim.ticket, reference, at)
}

fn overtake(connection: &Connection, claim: &Claim) -> Outcome<()> {
    must_hold(connection, claim)?;
    connection
        .prepare_cached(
            "UPDATE decisions SET carried = 'overtaken' WHERE account = ?1 AND ticket = ?2 AND carried = 'open'",
        )?
        .execute(params![claim.ticket.account, number(claim.ticket.id)?])?;
    Ok(())
}

pub(super) const COLUMNS: &str =
    "reference, decided_at, verdict, fingerprint, decision, note, carried, basis, id, account, ticket";

pub(super) fn of_ticket(rest: &str) -> String {
    format!("SELECT {COLUMNS} FROM decisions WHERE account = ?1 AND ticket = ?2 {rest}")
}

fn last_decision(connection: &Connection, ticket: &TicketKey) -> Outcome<Option<DecisionRow>> {
    let newest = of_ticket("AND carried IN ('posted', 'shadow') ORDER BY id DESC LIMIT 1");
    let mut statement = connection.prepare_cached(&newest)?;
    let mut rows = statement.query(params![ticket.account, number(ticket.id)?])?;
    rows.next()?.map(decision).transpose()
}

fn unconfirmed(connection: &Connection, ticket: &TicketKey) -> Outcome<bool> {
    let mut open =
        connection.prepare_cached("SELECT 1 FROM decisions WHERE account = ?1 AND ticket = ?2 AND carried = 'open'")?;
    Ok(open.exists(params![ticket.account, number(ticket.id)?])?)
}

pub(super) fn decision(row: &Row<'_>) -> Outcome<DecisionRow> {
    Ok(DecisionRow {
        reference: row.get(0)?,
        ticket: TicketKey { account: row.get(9)?, id: ticket_number(row.get(10)?)? },
        decided_at: instant(row.get(1)?)?,
        verdict: row.get(2)?,
        fingerprint: row.get(3)?,
        decision: row.get(4)?,
        note: row.get(5)?,
        basis: row.get(7)?,
        carried: Carried::read(&row.get::<_, String>(6)?)?,
    })
}
