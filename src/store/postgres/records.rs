//! The statement of [`crate::store::records`].

use async_trait::async_trait;
use tokio_postgres::Row;

use super::Postgres;
use super::feedback::feedback;
use super::values::{column, count};
use crate::helpdesk::ticket::TicketKey;
use crate::store::StoreError;
use crate::store::records::{Place, Record, Records};
use crate::store::values::{instant, millis, ticket_number};

/// The first ten columns are those of feedback.
const RECORDS: &str = "
    SELECT d.account, d.ticket, d.reference, d.verdict, f.opinion, f.detail, f.who, f.said_at, f.way, f.comment,
        d.id, d.decided_at, d.decision, d.posted_at,
        (SELECT min(received_at) FROM deliveries v WHERE v.account = d.account AND v.ticket = d.ticket),
        (SELECT count(*) FROM decisions e WHERE e.account = d.account AND e.ticket = d.ticket AND e.id < d.id
            AND e.carried IN ('posted', 'shadow')),
        (SELECT count(*) FROM decisions e WHERE e.account = d.account AND e.ticket = d.ticket AND e.id < d.id
            AND e.carried IN ('posted', 'shadow') AND e.verdict NOT IN ('needs_facts', 'not_applicable'))
    FROM decisions d LEFT JOIN feedback f ON f.id =
        (SELECT id FROM feedback g WHERE g.account = d.account AND g.ticket = d.ticket AND g.reference = d.reference
         ORDER BY said_at DESC, id DESC LIMIT 1)
    WHERE (d.decided_at, d.id) > ($1, $2) AND d.carried IN ('posted', 'shadow')
    ORDER BY d.decided_at, d.id LIMIT $3";

#[async_trait]
impl Records for Postgres {
    async fn records(&self, after: Place, limit: usize) -> Result<Vec<Record>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.connection().await?.query(RECORDS, &[&millis(after.decided_at), &after.id, &limit]).await?;
        rows.iter().map(record).collect()
    }
}

fn record(row: &Row) -> Result<Record, StoreError> {
    let when = |nth| column::<Option<i64>>(row, nth)?.map(instant).transpose();
    Ok(Record {
        ticket: TicketKey { account: column(row, 0)?, id: ticket_number(column(row, 1)?)? },
        reference: column(row, 2)?,
        feedback: match column::<Option<&str>>(row, 4)? {
            Some(_) => Some(feedback(row)?.feedback),
            None => None,
        },
        place: Place { id: column(row, 10)?, decided_at: instant(column(row, 11)?)? },
        decision: column(row, 12)?,
        posted_at: when(13)?,
        starred_at: when(14)?,
        earlier: count(row, 15)?,
        earlier_verdicts: count(row, 16)?,
    })
}
