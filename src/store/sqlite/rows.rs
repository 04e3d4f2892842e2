//! The statements, one function each.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, params};
use sha2::{Digest, Sha256};

use crate::helpdesk::ticket::TicketKey;
use crate::store::{
    Carried, Claim, DecisionRow, DeliveryRow, History, NewDelivery, Next, Recorded, Relevance, StoreError, Watch,
};

type Outcome<T> = Result<T, StoreError>;

pub(super) fn record(connection: &Connection, delivery: &NewDelivery) -> Outcome<Recorded> {
    let TicketKey { account, id } = &delivery.ticket;
    if delivery.relevance == Relevance::OnlyIfWatched {
        let watched = connection
            .prepare_cached("SELECT 1 FROM watches WHERE account = ?1 AND ticket = ?2 AND state <> 'stopped'")?
            .exists(params![account, number(*id)?])?;
        if !watched {
            return Ok(Recorded::Ignored);
        }
    }
    let new = connection
        .prepare_cached("INSERT INTO deliveries (account, ticket, key, kind, received_at) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING")?
        .execute(params![account, number(*id)?, delivery.key, delivery.kind, millis(delivery.received_at)])?;
    if new == 0 {
        return Ok(Recorded::Duplicate);
    }
    mark_due(connection, &delivery.ticket, delivery.due_at)?;
    Ok(Recorded::Accepted)
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

pub(super) fn claim(
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

pub(super) fn extend(connection: &Connection, claim: &Claim, now: DateTime<Utc>, lease: Duration) -> Outcome<()> {
    let held = connection
        .prepare_cached("UPDATE watches SET lease_until = ?4 WHERE account = ?1 AND ticket = ?2 AND lease = ?3")?
        .execute(params![claim.ticket.account, number(claim.ticket.id)?, claim.lease, until(now, lease)])?;
    if held == 1 { Ok(()) } else { Err(StoreError::LeaseLost(claim.ticket.clone())) }
}

pub(super) fn settle(connection: &Connection, claim: &Claim, next: &Next, now: DateTime<Utc>) -> Outcome<()> {
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
    Ok(())
}

pub(super) fn next_due(connection: &Connection, account: &str) -> Outcome<Option<DateTime<Utc>>> {
    let at: Option<i64> = connection
        .prepare_cached(
            "SELECT min(CASE WHEN lease IS NULL THEN due_at ELSE max(due_at, lease_until) END)
             FROM watches WHERE account = ?1 AND state = 'due'",
        )?
        .query_row(params![account], |row| row.get(0))?;
    at.map(instant).transpose()
}

pub(super) fn record_decision(connection: &Connection, claim: &Claim, row: &DecisionRow) -> Outcome<()> {
    let (account, ticket) = (&row.ticket.account, number(row.ticket.id)?);
    let held = connection
        .prepare_cached("SELECT 1 FROM watches WHERE account = ?1 AND ticket = ?2 AND lease = ?3")?
        .exists(params![account, ticket, claim.lease])?;
    if !held {
        return Err(StoreError::LeaseLost(claim.ticket.clone()));
    }
    connection
        .prepare_cached("UPDATE decisions SET carried = 'overtaken' WHERE account = ?1 AND ticket = ?2 AND carried = 'open' AND reference <> ?3")?
        .execute(params![account, ticket, row.reference])?;
    connection
        .prepare_cached(
            "INSERT INTO decisions (account, ticket, reference, decided_at, verdict, fingerprint, decision, note, carried)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
        )?
        .execute(params![account, ticket, row.reference, millis(row.decided_at), row.verdict, row.fingerprint, row.decision, row.note, word(row.carried)])?;
    Ok(())
}

pub(super) fn carried(connection: &Connection, ticket: &TicketKey, reference: &str, carried: Carried) -> Outcome<()> {
    connection
        .prepare_cached("UPDATE decisions SET carried = ?4 WHERE account = ?1 AND ticket = ?2 AND reference = ?3")?
        .execute(params![ticket.account, number(ticket.id)?, reference, word(carried)])?;
    Ok(())
}

const DECISION: &str = "SELECT reference, decided_at, verdict, fingerprint, decision, note, carried FROM decisions WHERE account = ?1 AND ticket = ?2";

pub(super) fn last_decision(connection: &Connection, ticket: &TicketKey) -> Outcome<Option<DecisionRow>> {
    let newest = format!("{DECISION} AND carried IN ('posted', 'shadow') ORDER BY id DESC LIMIT 1");
    let mut statement = connection.prepare_cached(&newest)?;
    let mut rows = statement.query(params![ticket.account, number(ticket.id)?])?;
    rows.next()?.map(|row| decision(row, ticket)).transpose()
}

pub(super) fn history(connection: &Connection, ticket: &TicketKey) -> Outcome<Option<History>> {
    let key = params![ticket.account, number(ticket.id)?];
    type Stand = (String, Option<i64>, Option<String>, Option<String>);
    let stand: Option<Stand> = connection
        .prepare_cached("SELECT state, due_at, why, last_error FROM watches WHERE account = ?1 AND ticket = ?2")?
        .query_row(key, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .optional()?;
    let Some((state, due_at, why, last_error)) = stand else { return Ok(None) };
    let watch = match (state.as_str(), due_at) {
        ("due", Some(at)) => Watch::Due { at: instant(at)? },
        ("idle", _) => Watch::Idle,
        ("dead", _) => Watch::Dead { error: why.unwrap_or_default() },
        ("stopped", _) => Watch::Stopped { why: why.unwrap_or_default() },
        _ => return Err(odd("watch state")),
    };
    let mut deliveries = Vec::new();
    let mut statement = connection
        .prepare_cached("SELECT kind, received_at FROM deliveries WHERE account = ?1 AND ticket = ?2 ORDER BY id")?;
    let mut rows = statement.query(key)?;
    while let Some(row) = rows.next()? {
        deliveries.push(DeliveryRow { kind: row.get(0)?, received_at: instant(row.get(1)?)? });
    }
    let mut decisions = Vec::new();
    let mut statement = connection.prepare_cached(&format!("{DECISION} ORDER BY id"))?;
    let mut rows = statement.query(key)?;
    while let Some(row) = rows.next()? {
        decisions.push(decision(row, ticket)?);
    }
    Ok(Some(History { watch, last_error, deliveries, decisions }))
}

/// Writes and takes back a row: reading alone would not see a full disk or a read-only file.
pub(super) fn ready(connection: &Connection) -> Outcome<()> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS readiness (at INTEGER); INSERT INTO readiness VALUES (0); DELETE FROM readiness;",
    )?;
    Ok(())
}

fn decision(row: &Row<'_>, ticket: &TicketKey) -> Outcome<DecisionRow> {
    Ok(DecisionRow {
        reference: row.get(0)?,
        ticket: ticket.clone(),
        decided_at: instant(row.get(1)?)?,
        verdict: row.get(2)?,
        fingerprint: row.get(3)?,
        decision: row.get(4)?,
        note: row.get(5)?,
        carried: match row.get::<_, String>(6)?.as_str() {
            "open" => Carried::Open,
            "posted" => Carried::Posted,
            "shadow" => Carried::Shadow,
            "overtaken" => Carried::Overtaken,
            _ => return Err(odd("decision state")),
        },
    })
}

fn word(carried: Carried) -> &'static str {
    match carried {
        Carried::Open => "open",
        Carried::Posted => "posted",
        Carried::Shadow => "shadow",
        Carried::Overtaken => "overtaken",
    }
}

fn number(ticket: u64) -> Outcome<i64> {
    i64::try_from(ticket).map_err(|_| odd("ticket number"))
}

fn millis(at: DateTime<Utc>) -> i64 {
    at.timestamp_millis()
}

fn until(now: DateTime<Utc>, lease: Duration) -> i64 {
    millis(now).saturating_add(i64::try_from(lease.as_millis()).unwrap_or(i64::MAX))
}

fn instant(millis: i64) -> Outcome<DateTime<Utc>> {
    DateTime::from_timestamp_millis(millis).ok_or_else(|| odd("instant"))
}

fn odd(what: &str) -> StoreError {
    StoreError::Corrupt(format!("an impossible {what}"))
}
