//! The statements of [`crate::store::history`].

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, ToSql, params};

use super::Sqlite;
use super::decisions::{decision, of_ticket};
use crate::decide::ticket::TicketKey;
use crate::store::StoreError;
use crate::store::history::{Backlog, DeliveryRow, FailureRow, Histories, History, WatchFilter, WatchRow};
use crate::store::values::{Outcome, instant, millis, number, ticket_number};
use crate::store::watches::Watch;

#[async_trait]
impl Histories for Sqlite {
    async fn history(&self, ticket: &TicketKey) -> Result<Option<History>, StoreError> {
        let ticket = ticket.clone();
        self.readers.run(move |connection| history(connection, &ticket)).await
    }

    async fn watched(
        &self,
        filter: &WatchFilter,
        after: Option<&TicketKey>,
        limit: u32,
    ) -> Result<Vec<WatchRow>, StoreError> {
        let (filter, after) = (filter.clone(), after.cloned());
        self.readers.run(move |connection| watched(connection, &filter, after.as_ref(), limit)).await
    }

    async fn backlog(&self, account: &str, now: DateTime<Utc>) -> Result<Backlog, StoreError> {
        let account = account.to_owned();
        self.readers.run(move |connection| backlog(connection, &account, now)).await
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
    let watch = Watch::read(&state, due_at.map(instant).transpose()?, why)?;
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
        decisions.push(decision(row)?);
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

fn watched(
    connection: &Connection,
    filter: &WatchFilter,
    after: Option<&TicketKey>,
    limit: u32,
) -> Outcome<Vec<WatchRow>> {
    let state = filter.state.map(|state| format!("state = '{}'", state.word())); // As text, so that its index is seen.
    let mut conditions = vec![state.as_deref().unwrap_or("TRUE")];
    let mut values: Vec<(&str, &dyn ToSql)> = vec![(":limit", &limit)];
    if let Some(account) = &filter.account {
        conditions.push("account = :account");
        values.push((":account", account));
    }
    if let Some(verdict) = &filter.verdict {
        conditions.push("verdict = :verdict");
        values.push((":verdict", verdict));
    }
    let after = after.map(|after| Ok::<_, StoreError>((&after.account, number(after.id)?))).transpose()?;
    if let Some((account, ticket)) = &after {
        conditions.push("(account, ticket) > (:after_account, :after_ticket)");
        values.extend([(":after_account", account as &dyn ToSql), (":after_ticket", ticket)]);
    }
    let conditions = conditions.join(" AND ");
    let mut statement = connection.prepare_cached(&format!(
        "SELECT account, ticket, state, due_at, why, failures, last_error, verdict FROM watches
         WHERE {conditions} ORDER BY account, ticket LIMIT :limit"
    ))?;
    let mut rows = statement.query(values.as_slice())?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let due_at = row.get::<_, Option<i64>>(3)?.map(instant).transpose()?;
        found.push(WatchRow {
            ticket: TicketKey { account: row.get(0)?, id: ticket_number(row.get(1)?)? },
            watch: Watch::read(&row.get::<_, String>(2)?, due_at, row.get(4)?)?,
            failures: row.get(5)?,
            last_error: row.get(6)?,
            verdict: row.get(7)?,
        });
    }
    Ok(found)
}

fn backlog(connection: &Connection, account: &str, now: DateTime<Utc>) -> Outcome<Backlog> {
    let now = millis(now);
    let mut statement = connection.prepare_cached(
        "SELECT count(*) FILTER (WHERE due_at <= ?2), count(*) FILTER (WHERE due_at > ?2),
                count(*) FILTER (WHERE lease_until > ?2), min(due_at) FILTER (WHERE due_at <= ?2),
                (SELECT count(*) FROM watches WHERE account = ?1 AND state = 'dead')
         FROM watches WHERE account = ?1 AND state = 'due'",
    )?;
    let mut rows = statement.query(params![account, now])?;
    let Some(row) = rows.next()? else { return Ok(Backlog::default()) };
    Ok(Backlog {
        due: row.get::<_, i64>(0)?.unsigned_abs(),
        later: row.get::<_, i64>(1)?.unsigned_abs(),
        in_hand: row.get::<_, i64>(2)?.unsigned_abs(),
        oldest_due: row.get::<_, Option<i64>>(3)?.map(instant).transpose()?,
        dead: row.get::<_, i64>(4)?.unsigned_abs(),
    })
}
