//! The statements of [`crate::store::policies`].

use async_trait::async_trait;
use rusqlite::params;

use super::Sqlite;
use crate::store::StoreError;
use crate::store::policies::{Policies, PolicyVersion};
use crate::store::values::{instant, millis};

#[async_trait]
impl Policies for Sqlite {
    async fn record_policy(&self, version: &PolicyVersion) -> Result<(), StoreError> {
        let PolicyVersion { hash, since, binding, diagram } = version.clone();
        let record = "INSERT INTO policies (hash, since, binding, diagram) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (hash) DO UPDATE SET since = excluded.since, binding = excluded.binding, diagram = excluded.diagram
             WHERE policies.since < (SELECT max(since) FROM policies)";
        self.writer
            .run(move |connection| {
                connection.execute(record, params![hash, millis(since), binding, diagram])?;
                Ok(())
            })
            .await
    }

    async fn policies(&self, limit: usize) -> Result<Vec<PolicyVersion>, StoreError> {
        let list = "SELECT hash, since, binding, diagram FROM policies ORDER BY since DESC, hash LIMIT ?1";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.readers
            .run(move |connection| {
                let mut statement = connection.prepare_cached(list)?;
                let mut rows = statement.query(params![limit])?;
                let mut versions = Vec::new();
                while let Some(row) = rows.next()? {
                    versions.push(PolicyVersion {
                        hash: row.get(0)?,
                        since: instant(row.get(1)?)?,
                        binding: row.get(2)?,
                        diagram: row.get(3)?,
                    });
                }
                Ok(versions)
            })
            .await
    }
}
