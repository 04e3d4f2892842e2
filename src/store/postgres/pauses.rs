//! The statements of [`crate::store::pauses`].

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::Postgres;
use super::listener::CHANNEL;
use super::values::{column, text};
use crate::store::StoreError;
use crate::store::pauses::{Paused, Pauses};
use crate::store::values::{instant, millis};

#[async_trait]
impl Pauses for Postgres {
    async fn pause(&self, account: &str, by: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
        let insert = "INSERT INTO pauses (account, by, since) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        self.connection().await?.execute(insert, &[&account, &text(by), &millis(at)]).await?;
        Ok(())
    }

    async fn resume(&self, account: &str) -> Result<bool, StoreError> {
        let delete = "WITH ended AS (DELETE FROM pauses WHERE account = $1 RETURNING account)
            SELECT count(*) > 0, max(pg_notify($2, $1)::text) FROM ended";
        let row = self.connection().await?.query_one(delete, &[&account, &CHANNEL]).await?;
        self.bells.of(account).notify_one();
        column(&row, 0)
    }

    async fn paused(&self) -> Result<BTreeMap<String, Paused>, StoreError> {
        let client = self.connection().await?;
        let select = client.prepare_cached("SELECT account, by, since FROM pauses").await?;
        let rows = client.query(&select, &[]).await?;
        let paused = |row| Ok((column(row, 0)?, Paused { by: column(row, 1)?, since: instant(column(row, 2)?)? }));
        rows.iter().map(paused).collect()
    }
}
