//! The statements of [`crate::store::history`].

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio_postgres::types::ToSql;

use super::Postgres;
use super::decisions::{COLUMNS, decision};
use super::values::{column, count};
use crate::decide::ticket::TicketKey;
use crate::store::StoreError;
use crate::store::history::{Backlog, DeliveryRow, FailureRow, Histories, History, WatchFilter, WatchRow};
use crate::store::values::{instant, millis, number, ticket_number};
use crate::store::watches::Watch;

const BACKLOG: &str = "SELECT count(*) FILTER (WHERE due_at <= $2), count(*) FILTER (WHERE due_at > $2),
        count(*) FILTER (WHERE lease_until > $2), (SELECT count(*) FROM watches WHERE account = $1 AND state = 'dead'),
        min(due_at) FILTER (WHERE due_at <= $2)
    FROM watches WHERE account = $1 AND state = 'due'";

#[async_trait]
impl Histories for Postgres {
    async fn history(&self, ticket: &TicketKey) -> Result<Option<History>, StoreError> {
        let (account, id) = (&ticket.account, number(ticket.id)?);
        let client = self.connection().await?;
        let watch = "SELECT state, due_at, why, last_error FROM watches WHERE account = $1 AND ticket = $2";
        let Some(stands) = client.query_opt(watch, &[account, &id]).await? else { return Ok(None) };
        let due_at = column::<Option<i64>>(&stands, 1)?.map(instant).transpose()?;
        let deliveries = "SELECT kind, received_at FROM deliveries WHERE account = $1 AND ticket = $2 ORDER BY id";
        let deliveries = client.query(deliveries, &[account, &id]).await?;
        let decisions = format!("SELECT {COLUMNS} FROM decisions WHERE account = $1 AND ticket = $2 ORDER BY id");
        let decisions = client.query(&decisions, &[account, &id]).await?;
        let failures = "SELECT at, error FROM failures WHERE account = $1 AND ticket = $2 ORDER BY id";
        let failures = client.query(failures, &[account, &id]).await?;
        Ok(Some(History {
            watch: Watch::read(column(&stands, 0)?, due_at, column(&stands, 2)?)?,
            last_error: column(&stands, 3)?,
            deliveries: deliveries
                .iter()
                .map(|row| Ok(DeliveryRow { kind: column(row, 0)?, received_at: instant(column(row, 1)?)? }))
                .collect::<Result<_, StoreError>>()?,
            decisions: decisions.iter().map(decision).collect::<Result<_, _>>()?,
            failures: failures
                .iter()
                .map(|row| Ok(FailureRow { at: instant(column(row, 0)?)?, error: column(row, 1)? }))
                .collect::<Result<_, StoreError>>()?,
        }))
    }

    async fn watched(
        &self,
        filter: &WatchFilter,
        after: Option<&TicketKey>,
        limit: u32,
    ) -> Result<Vec<WatchRow>, StoreError> {
        let limit = i64::from(limit);
        let after = after.map(|after| Ok::<_, StoreError>((&after.account, number(after.id)?))).transpose()?;
        let mut conditions = vec!["TRUE".to_owned()];
        let mut values: Vec<&(dyn ToSql + Sync)> = vec![&limit];
        if let Some(state) = filter.state {
            conditions.push(format!("state = '{}'", state.word())); // As text, so that its index is seen.
        }
        if let Some(account) = &filter.account {
            values.push(account);
            conditions.push(format!("account = ${}", values.len()));
        }
        if let Some(verdict) = &filter.verdict {
            values.push(verdict);
            conditions.push(format!("verdict = ${}", values.len()));
        }
        if let Some((account, ticket)) = &after {
            values.extend([account as &(dyn ToSql + Sync), ticket]);
            conditions.push(format!("(account, ticket) > (${}, ${})", values.len() - 1, values.len()));
        }
        let conditions = conditions.join(" AND ");
        let list = format!(
            "SELECT account, ticket, state, due_at, why, failures, last_error, verdict FROM watches
             WHERE {conditions} ORDER BY account, ticket LIMIT $1"
        );
        let rows = self.connection().await?.query(&list, &values).await?;
        let rows = rows.iter().map(|row| {
            let due_at = column::<Option<i64>>(row, 3)?.map(instant).transpose()?;
            Ok(WatchRow {
                ticket: TicketKey { account: column(row, 0)?, id: ticket_number(column(row, 1)?)? },
                watch: Watch::read(column(row, 2)?, due_at, column(row, 4)?)?,
                failures: u32::try_from(count(row, 5)?).unwrap_or(u32::MAX),
                last_error: column(row, 6)?,
                verdict: column(row, 7)?,
            })
        });
        rows.collect()
    }

    async fn backlog(&self, account: &str, now: DateTime<Utc>) -> Result<Backlog, StoreError> {
        let client = self.connection().await?;
        let backlog = client.prepare_cached(BACKLOG).await?;
        let row = client.query_one(&backlog, &[&account, &millis(now)]).await?;
        Ok(Backlog {
            due: count(&row, 0)?,
            later: count(&row, 1)?,
            in_hand: count(&row, 2)?,
            dead: count(&row, 3)?,
            oldest_due: column::<Option<i64>>(&row, 4)?.map(instant).transpose()?,
        })
    }
}
