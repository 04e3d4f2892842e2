//! Retention: what is old goes, a little at a time.

use chrono::{DateTime, Utc};

use super::database::{list, values};
use super::{Store, StoreError, vectors};

/// What one sweep took away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Deliveries received before.
    pub deliveries: u64,
    /// Decisions made before, of tickets that are watched no longer; they count no longer either.
    pub decisions: u64,
    /// Tickets watched no longer and last read before, of which no delivery and no decision is left; their feedback, follow-ups and failures go with them.
    pub watches: u64,
    /// Comparisons with a candidate made before.
    pub comparisons: u64,
    /// Failures of before.
    pub failures: u64,
    /// Vectors kept before.
    pub vectors: u64,
    /// Refusals at sign-in of before; what people did stays.
    pub refusals: u64,
}

impl Swept {
    /// All that went.
    pub fn total(self) -> u64 {
        self.deliveries
            + self.decisions
            + self.watches
            + self.comparisons
            + self.failures
            + self.vectors
            + self.refusals
    }
}

/// Deliveries and failures come in the order of their ids, so the oldest are found without an index by time.
const DELIVERIES: &str =
    "DELETE FROM deliveries WHERE received_at < $1 AND id IN (SELECT id FROM deliveries ORDER BY id LIMIT $2)";

const FAILURES: &str = "DELETE FROM failures WHERE at < $1 AND id IN (SELECT id FROM failures ORDER BY id LIMIT $2)";

const REFUSALS: &str = "DELETE FROM operator_events WHERE id IN (
    SELECT id FROM operator_events WHERE at < $1 AND did = '{\"did\":\"sign_in_refused\"}' ORDER BY id LIMIT $2)";

const COMPARISONS: &str = "DELETE FROM comparisons WHERE id IN (
    SELECT id FROM comparisons WHERE decided_at < $1 ORDER BY decided_at LIMIT $2)";

const OLD_DECISIONS: &str = "SELECT decisions.id FROM decisions JOIN watches USING (account, ticket)
    WHERE decisions.decided_at < $1 AND state = 'stopped' ORDER BY decisions.decided_at LIMIT $2";

const DECISIONS: &str = "DELETE FROM decisions WHERE id IN (
        SELECT CAST(value AS BIGINT)
        FROM /*sqlite json_each($1)*/ /*postgres jsonb_array_elements(CAST(CAST($1 AS TEXT) AS JSONB))*/ AS old)
    AND EXISTS (SELECT 1 FROM watches
        WHERE watches.account = decisions.account AND watches.ticket = decisions.ticket AND state = 'stopped')";

const BARE_WATCHES: &str = "SELECT account, ticket FROM watches
    WHERE state = 'stopped' AND coalesce(looked_at, 0) < $1
        AND NOT EXISTS (SELECT 1 FROM deliveries
            WHERE deliveries.account = watches.account AND deliveries.ticket = watches.ticket)
        AND NOT EXISTS (SELECT 1 FROM decisions
            WHERE decisions.account = watches.account AND decisions.ticket = watches.ticket)
    LIMIT $2";

/// Tickets in a list, as rows of an account and a number.
macro_rules! told {
    () => {
        "(account, ticket) IN (
            SELECT value ->> 0, CAST(value ->> 1 AS BIGINT)
            FROM /*sqlite json_each($1)*/ /*postgres jsonb_array_elements(CAST(CAST($1 AS TEXT) AS JSONB))*/ AS told)"
    };
}

const WATCHES: &str = concat!(
    "DELETE FROM watches WHERE state = 'stopped' AND lease IS NULL AND ",
    told!(),
    " RETURNING account, ticket"
);

/// What goes with a ticket.
const WITH_IT: [&str; 3] = [
    concat!("DELETE FROM feedback WHERE ", told!()),
    concat!("DELETE FROM follow_ups WHERE ", told!()),
    concat!("DELETE FROM failures WHERE ", told!()),
];

impl Store {
    /// Deletes what is older than `before`, at most `limit` rows of each kind and the oldest first, so that the receiver
    /// waits for no more than that; sweep again until nothing goes. A ticket that is watched keeps its decisions.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn sweep(&self, before: DateTime<Utc>, limit: u32) -> Result<Swept, StoreError> {
        // What takes a search is searched for beside the writer.
        let decisions: Vec<(i64,)> = self.all(OLD_DECISIONS, values![before, limit]).await?;
        let decisions = list(&decisions.into_iter().map(|(id,)| id).collect::<Vec<_>>())?;
        let watches: Vec<(String, u64)> = self.all(BARE_WATCHES, values![before, limit]).await?;
        let watches = list(&watches)?;
        self.transaction(move |t| async move {
            let swept = Swept {
                deliveries: t.run(DELIVERIES, values![before, limit]).await?,
                comparisons: t.run(COMPARISONS, values![before, limit]).await?,
                failures: t.run(FAILURES, values![before, limit]).await?,
                vectors: t.run(vectors::SWEEP, values![before, limit]).await?,
                refusals: t.run(REFUSALS, values![before, limit]).await?,
                decisions: t.run(DECISIONS, values![decisions]).await?,
                watches: 0,
            };
            let gone: Vec<(String, u64)> = t.all(WATCHES, values![watches]).await?;
            let watches = u64::try_from(gone.len()).unwrap_or(u64::MAX);
            let gone = list(&gone)?;
            for statement in WITH_IT {
                t.run(statement, values![&gone]).await?;
            }
            Ok(Swept { watches, ..swept })
        })
        .await
    }
}
