//! The statements of [`crate::store::retention`].

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use super::{Sqlite, sums};
use crate::store::StoreError;
use crate::store::retention::{Retention, Swept};
use crate::store::values::{Outcome, millis};

/// Deliveries and failures come in the order of their ids, so the oldest are found without an index by time.
const OLD_DELIVERIES: &str =
    "DELETE FROM deliveries WHERE received_at < ?1 AND id IN (SELECT id FROM deliveries ORDER BY id LIMIT ?2)";

const OLD_DECISIONS: &str = "SELECT decisions.id FROM decisions JOIN watches USING (account, ticket)
    WHERE decisions.decided_at < ?1 AND state = 'stopped' ORDER BY decisions.decided_at LIMIT ?2";

const DECISION_OF_A_STOPPED_TICKET: &str = "DELETE FROM decisions WHERE id = ?1 AND EXISTS (
    SELECT 1 FROM watches WHERE watches.account = decisions.account AND watches.ticket = decisions.ticket AND state = 'stopped')";

const BARE_WATCHES: &str = "SELECT account, ticket FROM watches WHERE state = 'stopped' AND ifnull(looked_at, 0) < ?1
    AND NOT EXISTS (SELECT 1 FROM deliveries WHERE deliveries.account = watches.account AND deliveries.ticket = watches.ticket)
    AND NOT EXISTS (SELECT 1 FROM decisions WHERE decisions.account = watches.account AND decisions.ticket = watches.ticket)
    LIMIT ?2";

const OLD_FAILURES: &str =
    "DELETE FROM failures WHERE at < ?1 AND id IN (SELECT id FROM failures ORDER BY id LIMIT ?2)";

const STOPPED_WATCH: &str =
    "DELETE FROM watches WHERE account = ?1 AND ticket = ?2 AND state = 'stopped' AND lease IS NULL";

const OLD_COMPARISONS: &str = "DELETE FROM comparisons WHERE id IN (
    SELECT id FROM comparisons WHERE decided_at < ?1 ORDER BY decided_at LIMIT ?2)";

const ITS_FEEDBACK: &str = "DELETE FROM feedback WHERE account = ?1 AND ticket = ?2";
const ITS_FOLLOW_UPS: &str = "DELETE FROM follow_ups WHERE account = ?1 AND ticket = ?2";
const ITS_FAILURES: &str = "DELETE FROM failures WHERE account = ?1 AND ticket = ?2";

#[async_trait]
impl Retention for Sqlite {
    async fn sweep(&self, before: DateTime<Utc>, limit: u32) -> Result<Swept, StoreError> {
        let before = millis(before);
        // What takes a search is searched for beside the writer.
        let (decisions, watches) = self.readers.run(move |connection| search(connection, before, limit)).await?;
        self.writer
            .run(move |connection| {
                let deliveries = connection.prepare_cached(OLD_DELIVERIES)?.execute(params![before, limit])?;
                let mut swept = Swept { deliveries: u64::try_from(deliveries).unwrap_or(u64::MAX), ..Swept::default() };
                swept.comparisons +=
                    connection.prepare_cached(OLD_COMPARISONS)?.execute(params![before, limit])? as u64;
                swept.failures += connection.prepare_cached(OLD_FAILURES)?.execute(params![before, limit])? as u64;
                for id in decisions {
                    let gone = connection.prepare_cached(DECISION_OF_A_STOPPED_TICKET)?.execute([id])?;
                    if gone > 0 {
                        swept.decisions += 1;
                        sums::forget(connection, id)?;
                    }
                }
                for (account, ticket) in watches {
                    let gone = connection.prepare_cached(STOPPED_WATCH)?.execute(params![account, ticket])?;
                    if gone > 0 {
                        swept.watches += 1;
                        connection.prepare_cached(ITS_FEEDBACK)?.execute(params![account, ticket])?;
                        connection.prepare_cached(ITS_FOLLOW_UPS)?.execute(params![account, ticket])?;
                        connection.prepare_cached(ITS_FAILURES)?.execute(params![account, ticket])?;
                    }
                }
                Ok(swept)
            })
            .await
    }
}

type Found = (Vec<i64>, Vec<(String, i64)>);

fn search(connection: &Connection, before: i64, limit: u32) -> Outcome<Found> {
    let mut decisions = connection.prepare_cached(OLD_DECISIONS)?;
    let decisions = decisions.query_map(params![before, limit], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut watches = connection.prepare_cached(BARE_WATCHES)?;
    let watches =
        watches.query_map(params![before, limit], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    Ok((decisions, watches))
}
