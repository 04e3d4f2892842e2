//! The statements of [`crate::store::promotions`].

use async_trait::async_trait;
use tokio_postgres::Row;

use super::Postgres;
use super::values::{column, text};
use crate::store::StoreError;
use crate::store::policies::PolicyVersion;
use crate::store::promotions::{NewPromotion, Promotion, Promotions, Put, Step};
use crate::store::values::{instant, millis};

/// Two who promote at once do it one after the other, and the second sees that it is.
const LOCK: &str = "LOCK TABLE promotions IN EXCLUSIVE MODE";

const FORMER: &str =
    "INSERT INTO policies (hash, since, binding, diagram) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";

const POLICY: &str = "INSERT INTO policies (hash, since, binding, diagram) VALUES ($1, $2, $3, $4)
    ON CONFLICT (hash) DO UPDATE SET since = excluded.since, binding = excluded.binding, diagram = excluded.diagram";

const PROMOTE: &str =
    "INSERT INTO promotions (at, who, policy, former, undoes, backtest) VALUES ($1, $2, $3, $4, $5, $6)";

const NEWEST: &str = "SELECT max(id) FROM promotions";

const ALL: &str = "SELECT id, at, who, policy, former, undoes, backtest FROM promotions ORDER BY id DESC";

const TEXT: &str = "SELECT hash, since, binding, diagram FROM policies WHERE hash = $1";

#[async_trait]
impl Promotions for Postgres {
    async fn promote(&self, new: &NewPromotion) -> Result<Put, StoreError> {
        let mut client = self.connection().await?;
        let transaction = client.transaction().await?;
        transaction.batch_execute(LOCK).await?;
        let newest: Option<i64> = column(&transaction.query_one(NEWEST, &[]).await?, 0)?;
        if newest != new.seen {
            return Ok(Put::Overtaken);
        }
        for (statement, version) in [(FORMER, &new.former), (POLICY, &new.policy)] {
            let (binding, diagram) = (text(&version.binding), text(&version.diagram));
            let since = millis(version.since);
            transaction.execute(statement, &[&version.hash, &since, &binding, &diagram]).await?;
        }
        let (undoes, backtest) = match &new.step {
            Step::Forward { backtest } => (None, backtest.as_deref().map(text)),
            Step::Back { undoes } => (Some(*undoes), None),
        };
        let (at, who) = (millis(new.policy.since), text(&new.who));
        transaction.execute(PROMOTE, &[&at, &who, &new.policy.hash, &new.former.hash, &undoes, &backtest]).await?;
        transaction.commit().await?;
        Ok(Put::InForce)
    }

    async fn promotions(&self) -> Result<Vec<Promotion>, StoreError> {
        self.connection().await?.query(ALL, &[]).await?.iter().map(promotion).collect()
    }

    async fn newest_promotion(&self) -> Result<Option<i64>, StoreError> {
        column(&self.connection().await?.query_one(NEWEST, &[]).await?, 0)
    }

    async fn policy(&self, hash: &str) -> Result<Option<PolicyVersion>, StoreError> {
        let row = self.connection().await?.query_opt(TEXT, &[&hash]).await?;
        let version = |row: Row| {
            Ok(PolicyVersion {
                hash: column(&row, 0)?,
                since: instant(column(&row, 1)?)?,
                binding: column(&row, 2)?,
                diagram: column(&row, 3)?,
            })
        };
        row.map(version).transpose()
    }
}

fn promotion(row: &Row) -> Result<Promotion, StoreError> {
    Ok(Promotion {
        number: column(row, 0)?,
        at: instant(column(row, 1)?)?,
        who: column(row, 2)?,
        policy: column(row, 3)?,
        former: column(row, 4)?,
        step: match column(row, 5)? {
            Some(undoes) => Step::Back { undoes },
            None => Step::Forward { backtest: column(row, 6)? },
        },
    })
}
