//! The statements of [`crate::store::overview`].

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use tokio_postgres::Row;

use super::Postgres;
use super::decisions::{COLUMNS, decision};
use super::values::{column, count};
use crate::decide::ticket::TicketKey;
use crate::store::StoreError;
use crate::store::decisions::DecisionRow;
use crate::store::overview::{
    ACCOUNTS, DecisionFilter, Listed, ListedTicket, Overviews, Place, Standing, Tally, day_of,
};
use crate::store::values::{instant, millis, number, ticket_number};
use crate::store::watches::Watch;

const TALLIES: &str = "SELECT policy, verdict, nodes, total FROM walks
    JOIN (SELECT walk, sum(decisions)::bigint AS total FROM tallies WHERE day BETWEEN $1 AND $2 GROUP BY walk) AS days
        ON walk = id
    ORDER BY total DESC, id";

const PAGE: &str = "decided_at >= $1 AND (decided_at, id) < ($2, $3) ORDER BY decided_at DESC, id DESC LIMIT $4";

#[async_trait]
impl Overviews for Postgres {
    async fn tallies(&self, from: NaiveDate, to: NaiveDate) -> Result<Vec<Tally>, StoreError> {
        let rows = self.connection().await?.query(TALLIES, &[&day_of(from), &day_of(to)]).await?;
        let tallies = rows.iter().map(|row| {
            let nodes = serde_json::from_str(column(row, 2)?).map_err(|_| StoreError::odd("walk"))?;
            Ok(Tally { policy: column(row, 0)?, verdict: column(row, 1)?, nodes, decisions: count(row, 3)? })
        });
        tallies.collect()
    }

    async fn standing(&self, now: DateTime<Utc>, soon: DateTime<Utc>) -> Result<Standing, StoreError> {
        let standing = format!(
            "SELECT
                (SELECT count(*) FROM watches WHERE verdict = 'needs_facts' AND state IN ('due', 'idle')),
                (SELECT count(*) FROM watches WHERE state IN ('due', 'idle') AND valid_until IS NOT NULL AND valid_until <= $2),
                (SELECT count(*) FROM watches WHERE state = 'dead'),
                (SELECT min(oldest) FROM (
                     SELECT (SELECT min(due_at) FROM watches WHERE watches.account = accounts.account AND state = 'due') AS oldest
                     FROM ({ACCOUNTS}) AS accounts) AS each
                 WHERE oldest <= $1)"
        );
        let row = self.connection().await?.query_one(&standing, &[&millis(now), &millis(soon)]).await?;
        Ok(Standing {
            open_questions: count(&row, 0)?,
            flipping: count(&row, 1)?,
            dead: count(&row, 2)?,
            oldest_due: column::<Option<i64>>(&row, 3)?.map(instant).transpose()?,
        })
    }

    async fn decisions(&self, filter: &DecisionFilter, limit: usize) -> Result<Vec<(Place, DecisionRow)>, StoreError> {
        let before = filter.before.unwrap_or(Place { decided_at: i64::MAX, number: i64::MAX });
        let (since, limit) = (filter.since.map_or(i64::MIN, millis), i64::try_from(limit).unwrap_or(i64::MAX));
        let client = self.connection().await?;
        let rows = if filter.verdict.is_none() && filter.node.is_none() {
            let list = format!("SELECT {COLUMNS} FROM decisions WHERE {PAGE}");
            client.query(&list, &[&since, &before.decided_at, &before.number, &limit]).await?
        } else {
            // A page of each way that fits, and of those the newest: a policy has few ways.
            let list = format!(
                "SELECT {COLUMNS} FROM
                    (SELECT id AS way FROM walks
                     WHERE ($5::text IS NULL OR verdict = $5) AND ($6::text IS NULL OR nodes::jsonb ? $6)) AS ways
                 CROSS JOIN LATERAL (SELECT * FROM decisions WHERE walk = way AND {PAGE}) AS page
                 ORDER BY decided_at DESC, id DESC LIMIT $4"
            );
            let (verdict, node) = (&filter.verdict, &filter.node);
            client.query(&list, &[&since, &before.decided_at, &before.number, &limit, verdict, node]).await?
        };
        let placed =
            rows.iter().map(|row| Ok((Place { decided_at: column(row, 1)?, number: column(row, 8)? }, decision(row)?)));
        placed.collect()
    }

    async fn tickets(&self, listed: &Listed, skip: usize, limit: usize) -> Result<Vec<ListedTicket>, StoreError> {
        let of_number = format!("ticket = $3 AND account IN ({ACCOUNTS})");
        let (which, order, bound) = match listed {
            Listed::All => ("decided_at IS NOT NULL", "decided_at DESC, account DESC, ticket DESC", 0),
            Listed::OpenQuestions => {
                ("verdict = 'needs_facts' AND state IN ('due', 'idle')", "decided_at, account, ticket", 0)
            }
            Listed::Flipping(soon) => (
                "state IN ('due', 'idle') AND valid_until IS NOT NULL AND valid_until <= $3",
                "valid_until, account, ticket",
                millis(*soon),
            ),
            Listed::Dead => ("state = 'dead'", "decided_at DESC NULLS LAST, account DESC, ticket DESC", 0),
            Listed::Stopped => ("state = 'stopped'", "decided_at DESC NULLS LAST, account DESC, ticket DESC", 0),
            Listed::Number(id) => (of_number.as_str(), "account", number(*id).unwrap_or(-1)),
        };
        let list = format!(
            "SELECT account, ticket, subject, verdict, decided_at, valid_until, state, due_at, why FROM watches
             WHERE {which} AND $3::bigint IS NOT NULL ORDER BY {order} LIMIT $2 OFFSET $1"
        );
        let whole = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let rows = self.connection().await?.query(&list, &[&whole(skip), &whole(limit), &bound]).await?;
        rows.iter().map(ticket).collect()
    }
}

fn ticket(row: &Row) -> Result<ListedTicket, StoreError> {
    let moment = |nth| column::<Option<i64>>(row, nth)?.map(instant).transpose();
    Ok(ListedTicket {
        ticket: TicketKey { account: column(row, 0)?, id: ticket_number(column(row, 1)?)? },
        subject: column::<Option<String>>(row, 2)?.unwrap_or_default(),
        verdict: column(row, 3)?,
        decided_at: moment(4)?,
        valid_until: moment(5)?,
        watch: Watch::read(column(row, 6)?, moment(7)?, column(row, 8)?)?,
    })
}
