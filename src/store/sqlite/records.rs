//! The statement of [`crate::store::records`].

use async_trait::async_trait;
use rusqlite::{Connection, Row, params};

use super::Sqlite;
use super::feedback::feedback;
use crate::helpdesk::ticket::TicketKey;
use crate::store::StoreError;
use crate::store::records::{Place, Record, Records};
use crate::store::values::{Outcome, instant, millis, ticket_number};

#[async_trait]
impl Records for Sqlite {
    async fn records(&self, after: Place, limit: usize) -> Result<Vec<Record>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.readers.run(move |connection| records(connection, after, limit)).await
    }
}

const RECORDS: &str = "
    SELECT d.id, d.decided_at, d.account, d.ticket, d.reference, d.verdict, d.decision, d.posted_at,
        (SELECT min(received_at) FROM deliveries v WHERE v.account = d.account AND v.ticket = d.ticket) AS starred_at,
        (SELECT count(*) FROM decisions e WHERE e.account = d.account AND e.ticket = d.ticket AND e.id < d.id
            AND e.carried IN ('posted', 'shadow')) AS earlier,
        (SELECT count(*) FROM decisions e WHERE e.account = d.account AND e.ticket = d.ticket AND e.id < d.id
            AND e.carried IN ('posted', 'shadow') AND e.verdict NOT IN ('needs_facts', 'not_applicable')) AS earlier_verdicts,
        f.opinion, f.detail, f.who, f.said_at, f.way, f.comment
    FROM decisions d LEFT JOIN feedback f ON f.id =
        (SELECT id FROM feedback g WHERE g.account = d.account AND g.ticket = d.ticket AND g.reference = d.reference
         ORDER BY said_at DESC, id DESC LIMIT 1)
    WHERE (d.decided_at, d.id) > (?1, ?2) AND d.carried IN ('posted', 'shadow')
    ORDER BY d.decided_at, d.id LIMIT ?3";

fn records(connection: &Connection, after: Place, limit: i64) -> Outcome<Vec<Record>> {
    let mut statement = connection.prepare_cached(RECORDS)?;
    let mut rows = statement.query(params![millis(after.decided_at), after.id, limit])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(record(row)?);
    }
    Ok(records)
}

fn record(row: &Row<'_>) -> Outcome<Record> {
    let when = |name| row.get::<_, Option<i64>>(name)?.map(instant).transpose();
    let id = ticket_number(row.get("ticket")?)?;
    Ok(Record {
        place: Place { decided_at: instant(row.get("decided_at")?)?, id: row.get("id")? },
        ticket: TicketKey { account: row.get("account")?, id },
        reference: row.get("reference")?,
        decision: row.get("decision")?,
        posted_at: when("posted_at")?,
        starred_at: when("starred_at")?,
        earlier: row.get::<_, i64>("earlier")?.unsigned_abs(),
        earlier_verdicts: row.get::<_, i64>("earlier_verdicts")?.unsigned_abs(),
        feedback: match row.get::<_, Option<String>>("opinion")? {
            Some(_) => Some(feedback(row)?.feedback),
            None => None,
        },
    })
}
