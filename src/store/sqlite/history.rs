//! The statements of [`crate::store::history`].

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};

use super::Sqlite;
use super::decisions::{decision, of_ticket};
use super::values::{Outcome, instant, number, odd};
use crate::helpdesk::ticket::TicketKey;
use crate::store::StoreError;
use crate::store::history::{DeliveryRow, FailureRow, Histories, History};
use crate::store::watches::Watch;

#[async_trait]
impl Histories for Sqlite {
    async fn history(&self, ticket: &TicketKey) -> Result<Option<History>, StoreError> {
        let ticket = ticket.clone();
        self.reader.run(move |connection| history(connection, &ticket)).await
    }
}

fn history(connection: &Connection, ticket: &TicketKey) -> Outcome<Option<History>> {
    let key = params![ticket.account, number(ticket.id)?];
    type Stand = (String, Option<i64>, Option<String>, Option<String>);
    let stand: Option<Stand> = connection
        .prepare_cached("SELECT state, due_at, why, last_error FROM watches WHERE account = ?1 AND ticket = ?2")?
        .query_row(key, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .optional()?;
    let Some((state, due_at, why, last_error)) = stand else { return Ok(None) };
    let watch = watch(&state, due_at, why)?;
    let mut deliveries = Vec::new();
    let mut statement = connection
        .prepare_cached("SELECT kind, received_at FROM deliveries WHERE account = ?1 AND ticket = ?2 ORDER BY id")?;
    let mut rows = statement.query(key)?;
    while let Some(row) = rows.next()? {
        deliveries.push(DeliveryRow { kind: row.get(0)?, received_at: instant(row.get(1)?)? });
    }
    let mut decisions = Vec::new();
    let mut statement = connection.prepare_cached(&of_ticket("ORDER BY id"))?;
    let mut rows = statement.query(key)?;
    while let Some(row) = rows.next()? {
        decisions.push(decision(row, ticket)?);
    }
    let mut failures = Vec::new();
    let mut statement =
        connection.prepare_cached("SELECT at, error FROM failures WHERE account = ?1 AND ticket = ?2 ORDER BY id")?;
    let mut rows = statement.query(key)?;
    while let Some(row) = rows.next()? {
        failures.push(FailureRow { at: instant(row.get(0)?)?, error: row.get(1)? });
    }
    Ok(Some(History { watch, last_error, deliveries, decisions, failures }))
}

/// Where a ticket stands, as its row says it.
pub(super) fn watch(state: &str, due_at: Option<i64>, why: Option<String>) -> Outcome<Watch> {
    Ok(match (state, due_at) {
        ("due", Some(at)) => Watch::Due { at: instant(at)? },
        ("idle", _) => Watch::Idle,
        ("dead", _) => Watch::Dead { error: why.unwrap_or_default() },
        ("stopped", _) => Watch::Stopped { why: why.unwrap_or_default() },
        _ => return Err(odd("watch state")),
    })
}
