//! The statements of [`crate::store::pauses`].

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rusqlite::params;

use super::Sqlite;
use crate::store::StoreError;
use crate::store::pauses::{Paused, Pauses};
use crate::store::values::{instant, millis};

#[async_trait]
impl Pauses for Sqlite {
    async fn pause(&self, account: &str, by: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
        let (account, by) = (account.to_owned(), by.to_owned());
        let insert = "INSERT INTO pauses (account, by, since) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        self.writer.run(move |connection| Ok(connection.execute(insert, params![account, by, millis(at)])?)).await?;
        Ok(())
    }

    async fn resume(&self, account: &str) -> Result<bool, StoreError> {
        let name = account.to_owned();
        let delete = "DELETE FROM pauses WHERE account = ?1";
        let ended = self.writer.run(move |connection| Ok(connection.execute(delete, [name])?)).await?;
        self.bells.of(account).notify_one();
        Ok(ended > 0)
    }

    async fn paused(&self) -> Result<BTreeMap<String, Paused>, StoreError> {
        self.readers
            .run(move |connection| {
                let mut paused = connection.prepare_cached("SELECT account, by, since FROM pauses")?;
                let mut rows = paused.query([])?;
                let mut all = BTreeMap::new();
                while let Some(row) = rows.next()? {
                    all.insert(row.get(0)?, Paused { by: row.get(1)?, since: instant(row.get(2)?)? });
                }
                Ok(all)
            })
            .await
    }
}
