//! The statements of [`crate::store::deliveries`].

use async_trait::async_trait;
use rusqlite::{Connection, params};

use super::Sqlite;
use super::watches::mark_due;
use crate::helpdesk::ticket::TicketKey;
use crate::store::StoreError;
use crate::store::deliveries::{Deliveries, FORGOTTEN_WITH_EACH, NewDelivery, Recorded, Relevance, week};
use crate::store::values::{Outcome, millis, number};

#[async_trait]
impl Deliveries for Sqlite {
    async fn record(&self, delivery: NewDelivery) -> Result<Recorded, StoreError> {
        let bell = self.bells.of(&delivery.ticket.account);
        let recorded = self.writer.run(move |connection| record(connection, &delivery)).await?;
        if recorded == Recorded::Accepted {
            bell.notify_one();
        }
        Ok(recorded)
    }
}

fn record(connection: &Connection, delivery: &NewDelivery) -> Outcome<Recorded> {
    let TicketKey { account, id } = &delivery.ticket;
    if delivery.relevance == Relevance::OnlyIfWatched {
        let watched = connection
            .prepare_cached("SELECT 1 FROM watches WHERE account = ?1 AND ticket = ?2 AND state <> 'stopped'")?
            .exists(params![account, number(*id)?])?;
        if !watched {
            return Ok(Recorded::Ignored);
        }
    }
    if let Some(key) = &delivery.key
        && heard(connection, account, key, week(delivery.received_at))? == Heard::Before
    {
        return Ok(Recorded::Duplicate);
    }
    connection
        .prepare_cached("INSERT INTO deliveries (account, ticket, key, kind, received_at) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![account, number(*id)?, delivery.key, delivery.kind, millis(delivery.received_at)])?;
    mark_due(connection, &delivery.ticket, delivery.due_at)?;
    Ok(Recorded::Accepted)
}

#[derive(PartialEq, Eq)]
enum Heard {
    Before,
    Now,
}

/// Keeps a key, and forgets a few that are too old.
fn heard(connection: &Connection, account: &str, key: &str, week: i64) -> Outcome<Heard> {
    let new = connection
        .prepare_cached(
            "INSERT INTO heard (account, week, key) SELECT ?1, ?2, ?3
             WHERE NOT EXISTS (SELECT 1 FROM heard WHERE account = ?1 AND week IN (?2 - 1, ?2 + 1) AND key = ?3)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![account, week, key])?;
    if new == 0 {
        return Ok(Heard::Before);
    }
    connection
        .prepare_cached(
            "DELETE FROM heard WHERE (account, week, key) IN (
                 SELECT account, week, key FROM heard WHERE account = ?1 AND week < ?2 - 1 LIMIT ?3)",
        )?
        .execute(params![account, week, FORGOTTEN_WITH_EACH])?;
    Ok(Heard::Now)
}
