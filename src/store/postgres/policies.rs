//! The statements of [`crate::store::policies`].

use async_trait::async_trait;

use super::Postgres;
use super::values::{column, text};
use crate::store::StoreError;
use crate::store::policies::{Policies, PolicyVersion};
use crate::store::values::{instant, millis};

const RECORD: &str = "INSERT INTO policies (hash, since, binding, diagram) VALUES ($1, $2, $3, $4)
     ON CONFLICT (hash) DO UPDATE SET since = excluded.since, binding = excluded.binding, diagram = excluded.diagram
     WHERE policies.since < (SELECT max(since) FROM policies)";

const LIST: &str = "SELECT hash, since, binding, diagram FROM policies ORDER BY since DESC, hash LIMIT $1";

#[async_trait]
impl Policies for Postgres {
    async fn record_policy(&self, version: &PolicyVersion) -> Result<(), StoreError> {
        let (hash, since) = (text(&version.hash), millis(version.since));
        let (binding, diagram) = (text(&version.binding), text(&version.diagram));
        self.connection().await?.execute(RECORD, &[&hash, &since, &binding, &diagram]).await?;
        Ok(())
    }

    async fn policies(&self, limit: usize) -> Result<Vec<PolicyVersion>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.connection().await?.query(LIST, &[&limit]).await?;
        let version = |row: &tokio_postgres::Row| {
            Ok(PolicyVersion {
                hash: column(row, 0)?,
                since: instant(column(row, 1)?)?,
                binding: column(row, 2)?,
                diagram: column(row, 3)?,
            })
        };
        rows.iter().map(version).collect()
    }
}
