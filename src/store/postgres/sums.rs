//! The statements of [`crate::store::sums`], and the pieces of others that count with what they do.

use async_trait::async_trait;
use chrono::NaiveDate;

use super::Postgres;
use super::feedback::feedback;
use super::values::{column, count};
use crate::learn::report::Sum;
use crate::store::StoreError;
use crate::store::feedback::{Agreement, FeedbackRow};
use crate::store::overview::day_of;
use crate::store::sums::{Summed, Sums};

/// How many decisions of the ticket count already, and how many verdicts, as `earlier`.
macro_rules! earlier {
    () => {
        "earlier AS (
        SELECT count(*) AS decisions, count(*) FILTER (WHERE given = 1) AS verdicts
        FROM decisions JOIN counted ON decision_id = decisions.id JOIN gists ON gists.id = counted.gist
        WHERE account = $1 AND ticket = $2 AND opens IS NOT NULL
    )"
    };
}

/// What is inserted is added to what is there; each who adds takes the rows in their order, and those of waits last.
macro_rules! added {
    () => {
        "ON CONFLICT (day, gist) DO UPDATE SET decisions = sums.decisions + excluded.decisions,
            tickets = sums.tickets + excluded.tickets, saved = sums.saved + excluded.saved,
            agreed = sums.agreed + excluded.agreed, disagreed = sums.disagreed + excluded.disagreed"
    };
}

/// The same of waits.
macro_rules! waited {
    () => {
        "ON CONFLICT (day, seconds) DO UPDATE SET tickets = waits.tickets + excluded.tickets"
    };
}

pub(super) use {added, earlier, waited};

const SUMS: &str = "
    SELECT gists.gist, decisions, tickets, saved, agreed, disagreed FROM gists
    JOIN (SELECT gist, min(day) AS first, sum(decisions)::bigint AS decisions, sum(tickets)::bigint AS tickets,
              sum(saved)::bigint AS saved, sum(agreed)::bigint AS agreed, sum(disagreed)::bigint AS disagreed
          FROM sums WHERE day >= $1 GROUP BY gist) AS days ON days.gist = gists.id
    ORDER BY first, gists.id";

const WAITS: &str = "SELECT seconds, sum(tickets)::bigint FROM waits WHERE day >= $1 GROUP BY seconds ORDER BY seconds";

const AGREEMENT: &str = "SELECT coalesce(sum(agreed), 0)::bigint, coalesce(sum(disagreed), 0)::bigint
    FROM sums JOIN gists ON id = sums.gist WHERE day >= $1 AND given = 1";

const DISAGREEMENTS: &str = "
    SELECT f.account, f.ticket, f.reference, f.verdict, f.opinion, f.detail, f.who, f.said_at, f.way, f.comment
    FROM (SELECT decision_id, decided_at FROM counted JOIN gists ON gists.id = counted.gist
          WHERE opinion = 'disagree' AND opens IS NOT NULL AND decided_at >= $1 AND given = 1
          ORDER BY decided_at DESC, decision_id DESC LIMIT $2) AS newest
    JOIN decisions AS d ON d.id = newest.decision_id
    CROSS JOIN LATERAL (SELECT * FROM feedback AS g
        WHERE g.account = d.account AND g.ticket = d.ticket AND g.reference = d.reference
        ORDER BY said_at DESC, id DESC LIMIT 1) AS f
    ORDER BY newest.decided_at DESC, newest.decision_id DESC";

#[async_trait]
impl Summed for Postgres {
    async fn sums(&self, since: Option<NaiveDate>) -> Result<Sums, StoreError> {
        let (since, client) = (since.map_or(0, day_of), self.connection().await?);
        let mut found = Sums::default();
        for row in client.query(SUMS, &[&since]).await? {
            let gist = serde_json::from_str(column(&row, 0)?).map_err(|_| StoreError::odd("gist"))?;
            let [decisions, tickets, saved, agreed, disagreed] = [1, 2, 3, 4, 5].map(|nth| count(&row, nth));
            let sum =
                Sum { decisions: decisions?, tickets: tickets?, saved: saved?, agreed: agreed?, disagreed: disagreed? };
            found.gists.push((gist, sum));
        }
        for row in client.query(WAITS, &[&since]).await? {
            found.waits.push((count(&row, 0)?, count(&row, 1)?));
        }
        Ok(found)
    }

    async fn agreement(&self, since: NaiveDate) -> Result<Agreement, StoreError> {
        let row = self.connection().await?.query_one(AGREEMENT, &[&day_of(since)]).await?;
        Ok(Agreement { agreed: count(&row, 0)?, disagreed: count(&row, 1)? })
    }

    async fn disagreements(&self, since: Option<NaiveDate>, limit: usize) -> Result<Vec<FeedbackRow>, StoreError> {
        let (since, limit) = (since.map_or(0, day_of) * 86_400_000, i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = self.connection().await?.query(DISAGREEMENTS, &[&since, &limit]).await?;
        rows.iter().map(feedback).collect()
    }
}
