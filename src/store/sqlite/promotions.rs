//! The statements of [`crate::store::promotions`].

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Sqlite;
use crate::store::StoreError;
use crate::store::policies::PolicyVersion;
use crate::store::promotions::{NewPromotion, Promotion, Promotions, Put, Step};
use crate::store::values::{Outcome, instant, millis};

const FORMER: &str =
    "INSERT INTO policies (hash, since, binding, diagram) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";

const POLICY: &str = "INSERT INTO policies (hash, since, binding, diagram) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (hash) DO UPDATE SET since = excluded.since, binding = excluded.binding, diagram = excluded.diagram";

const PROMOTE: &str =
    "INSERT INTO promotions (at, who, policy, former, undoes, backtest) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

const NEWEST: &str = "SELECT max(id) FROM promotions";

const ALL: &str = "SELECT id, at, who, policy, former, undoes, backtest FROM promotions ORDER BY id DESC";

const TEXT: &str = "SELECT hash, since, binding, diagram FROM policies WHERE hash = ?1";

#[async_trait]
impl Promotions for Sqlite {
    async fn promote(&self, new: &NewPromotion) -> Result<Put, StoreError> {
        let new = new.clone();
        self.writer.run(move |connection| promote(connection, &new)).await
    }

    async fn promotions(&self) -> Result<Vec<Promotion>, StoreError> {
        self.readers
            .run(|connection| {
                let mut statement = connection.prepare_cached(ALL)?;
                let mut rows = statement.query([])?;
                let mut promotions = Vec::new();
                while let Some(row) = rows.next()? {
                    promotions.push(promotion(row)?);
                }
                Ok(promotions)
            })
            .await
    }

    async fn newest_promotion(&self) -> Result<Option<i64>, StoreError> {
        self.readers.run(|connection| Ok(connection.prepare_cached(NEWEST)?.query_row([], |row| row.get(0))?)).await
    }

    async fn policy(&self, hash: &str) -> Result<Option<PolicyVersion>, StoreError> {
        let hash = hash.to_owned();
        self.readers
            .run(move |connection| {
                let mut statement = connection.prepare_cached(TEXT)?;
                let version = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, i64>(1)?, row.get(2)?, row.get(3)?));
                let found = statement.query_row([hash], version).optional()?;
                let version = |(hash, since, binding, diagram)| {
                    Ok(PolicyVersion { hash, since: instant(since)?, binding, diagram })
                };
                found.map(version).transpose()
            })
            .await
    }
}

fn promote(connection: &Connection, new: &NewPromotion) -> Outcome<Put> {
    let newest: Option<i64> = connection.query_row(NEWEST, [], |row| row.get(0))?;
    if newest != new.seen {
        return Ok(Put::Overtaken);
    }
    for (statement, PolicyVersion { hash, since, binding, diagram }) in [(FORMER, &new.former), (POLICY, &new.policy)] {
        connection.execute(statement, params![hash, millis(*since), binding, diagram])?;
    }
    let (undoes, backtest) = match &new.step {
        Step::Forward { backtest } => (None, backtest.as_deref()),
        Step::Back { undoes } => (Some(*undoes), None),
    };
    let at = millis(new.policy.since);
    connection.execute(PROMOTE, params![at, new.who, new.policy.hash, new.former.hash, undoes, backtest])?;
    Ok(Put::InForce)
}

fn promotion(row: &Row<'_>) -> Outcome<Promotion> {
    Ok(Promotion {
        number: row.get(0)?,
        at: instant(row.get(1)?)?,
        who: row.get(2)?,
        policy: row.get(3)?,
        former: row.get(4)?,
        step: match row.get(5)? {
            Some(undoes) => Step::Back { undoes },
            None => Step::Forward { backtest: row.get(6)? },
        },
    })
}
