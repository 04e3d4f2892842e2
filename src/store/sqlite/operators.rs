//! The statements of [`crate::store::operators`].

use async_trait::async_trait;
use rusqlite::{Connection, Row, params};

use super::Sqlite;
use super::watches::mark_due;
use crate::decide::ticket::TicketKey;
use crate::store::StoreError;
use crate::store::operators::{OperatorEvent, Operators};
use crate::store::values::{Outcome, instant, millis, number, ticket_number};

#[async_trait]
impl Operators for Sqlite {
    async fn record_operator(&self, event: &OperatorEvent) -> Result<(), StoreError> {
        let bell = event.ticket.as_ref().map(|ticket| self.bells.of(&ticket.account));
        let event = event.clone();
        self.writer.run(move |connection| record(connection, &event)).await?;
        if let Some(bell) = bell {
            bell.notify_one();
        }
        Ok(())
    }

    async fn operators_on(&self, ticket: &TicketKey) -> Result<Vec<OperatorEvent>, StoreError> {
        let ticket = ticket.clone();
        self.readers.run(move |connection| on(connection, &ticket)).await
    }

    async fn operator_events(
        &self,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<(i64, OperatorEvent)>, StoreError> {
        self.readers.run(move |connection| newest(connection, before, limit)).await
    }

    async fn own_key(&self, name: &str, fresh: &[u8]) -> Result<Vec<u8>, StoreError> {
        let (name, fresh) = (name.to_owned(), fresh.to_vec());
        self.writer
            .run(move |connection| {
                connection.execute(
                    "INSERT INTO own_keys (name, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                    params![name, fresh],
                )?;
                Ok(connection
                    .query_row("SELECT value FROM own_keys WHERE name = ?1", params![name], |row| row.get(0))?)
            })
            .await
    }
}

fn record(connection: &Connection, event: &OperatorEvent) -> Outcome<()> {
    let ticket = event.ticket.as_ref().map(|ticket| number(ticket.id)).transpose()?;
    let account = event.ticket.as_ref().map(|ticket| &ticket.account);
    let did = serde_json::to_string(&event.did).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    connection
        .prepare_cached("INSERT INTO operator_events (at, who, account, ticket, did) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![millis(event.at), event.who, account, ticket, did])?;
    match &event.ticket {
        Some(ticket) => mark_due(connection, ticket, event.at),
        None => Ok(()),
    }
}

const EVENT: &str = "SELECT id, at, who, account, ticket, did FROM operator_events";

fn on(connection: &Connection, ticket: &TicketKey) -> Outcome<Vec<OperatorEvent>> {
    let mut statement =
        connection.prepare_cached(&format!("{EVENT} WHERE account = ?1 AND ticket = ?2 ORDER BY id"))?;
    let mut rows = statement.query(params![ticket.account, number(ticket.id)?])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        events.push(event(row)?.1);
    }
    Ok(events)
}

fn newest(connection: &Connection, before: Option<i64>, limit: usize) -> Outcome<Vec<(i64, OperatorEvent)>> {
    let mut statement = connection.prepare_cached(&format!("{EVENT} WHERE id < ?1 ORDER BY id DESC LIMIT ?2"))?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![before.unwrap_or(i64::MAX), limit])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        events.push(event(row)?);
    }
    Ok(events)
}

fn event(row: &Row<'_>) -> Outcome<(i64, OperatorEvent)> {
    let ticket = match (row.get::<_, Option<String>>(3)?, row.get::<_, Option<i64>>(4)?) {
        (Some(account), Some(id)) => Some(TicketKey { account, id: ticket_number(id)? }),
        _ => None,
    };
    let did = serde_json::from_str(&row.get::<_, String>(5)?).map_err(|_| StoreError::odd("operator event"))?;
    Ok((row.get(0)?, OperatorEvent { at: instant(row.get(1)?)?, who: row.get(2)?, ticket, did }))
}
