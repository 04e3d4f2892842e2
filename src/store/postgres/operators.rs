//! The statements of [`crate::store::operators`].

use async_trait::async_trait;
use tokio_postgres::Row;

use super::Postgres;
use super::listener::CHANNEL;
use super::values::{column, text};
use super::watches::MARK_DUE;
use crate::decide::ticket::TicketKey;
use crate::store::StoreError;
use crate::store::operators::{OperatorEvent, Operators};
use crate::store::values::{instant, millis, number, ticket_number};

const RECORD: &str = "INSERT INTO operator_events (at, who, account, ticket, did) VALUES ($1, $2, $3, $4, $5)";

const EVENT: &str = "SELECT id, at, who, account, ticket, did FROM operator_events";

const OWN_KEY: &str = "INSERT INTO own_keys (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING";

#[async_trait]
impl Operators for Postgres {
    async fn record_operator(&self, event: &OperatorEvent) -> Result<(), StoreError> {
        let did = serde_json::to_string(&event.did).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let ticket = event.ticket.as_ref().map(|ticket| number(ticket.id)).transpose()?;
        let (at, account) = (millis(event.at), event.ticket.as_ref().map(|ticket| &ticket.account));
        let mut client = self.connection().await?;
        let transaction = client.transaction().await?;
        transaction.execute(RECORD, &[&at, &text(&event.who), &account, &ticket, &text(&did)]).await?;
        if let (Some(account), Some(ticket)) = (account, ticket) {
            transaction.execute(MARK_DUE, &[account, &ticket, &at, &CHANNEL]).await?;
        }
        transaction.commit().await?;
        if let Some(account) = account {
            self.bells.of(account).notify_one();
        }
        Ok(())
    }

    async fn operators_on(&self, ticket: &TicketKey) -> Result<Vec<OperatorEvent>, StoreError> {
        let list = format!("{EVENT} WHERE account = $1 AND ticket = $2 ORDER BY id");
        let rows = self.connection().await?.query(&list, &[&ticket.account, &number(ticket.id)?]).await?;
        rows.iter().map(|row| Ok(event(row)?.1)).collect()
    }

    async fn operator_events(
        &self,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<(i64, OperatorEvent)>, StoreError> {
        let list = format!("{EVENT} WHERE id < $1 ORDER BY id DESC LIMIT $2");
        let (before, limit) = (before.unwrap_or(i64::MAX), i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = self.connection().await?.query(&list, &[&before, &limit]).await?;
        rows.iter().map(event).collect()
    }

    async fn own_key(&self, name: &str, fresh: &[u8]) -> Result<Vec<u8>, StoreError> {
        let client = self.connection().await?;
        client.execute(OWN_KEY, &[&name, &fresh]).await?;
        column(&client.query_one("SELECT value FROM own_keys WHERE name = $1", &[&name]).await?, 0)
    }
}

fn event(row: &Row) -> Result<(i64, OperatorEvent), StoreError> {
    let ticket = match (column::<Option<String>>(row, 3)?, column::<Option<i64>>(row, 4)?) {
        (Some(account), Some(id)) => Some(TicketKey { account, id: ticket_number(id)? }),
        _ => None,
    };
    let did = serde_json::from_str(column(row, 5)?).map_err(|_| StoreError::odd("operator event"))?;
    Ok((column(row, 0)?, OperatorEvent { at: instant(column(row, 1)?)?, who: column(row, 2)?, ticket, did }))
}
