//! The statements of [`crate::store::deliveries`].

use async_trait::async_trait;
use rusqlite::{Connection, params};

use super::Sqlite;
use super::watches::mark_due;
use crate::helpdesk::ticket::TicketKey;
use crate::store::StoreError;
use crate::store::deliveries::{Deliveries, NewDelivery, Recorded, Relevance};
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
    let new = connection
        .prepare_cached("INSERT INTO deliveries (account, ticket, key, kind, received_at) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING")?
        .execute(params![account, number(*id)?, delivery.key, delivery.kind, millis(delivery.received_at)])?;
    if new == 0 {
        return Ok(Recorded::Duplicate);
    }
    mark_due(connection, &delivery.ticket, delivery.due_at)?;
    Ok(Recorded::Accepted)
}
