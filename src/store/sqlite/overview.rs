//! The statements of [`crate::store::overview`].

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Sqlite;
use super::decisions::{COLUMNS, decision};
use crate::decide::ticket::TicketKey;
use crate::store::StoreError;
use crate::store::decisions::DecisionRow;
use crate::store::overview::{
    ACCOUNTS, DecisionFilter, Listed, ListedTicket, Overviews, Place, Standing, Tally, day, day_of,
};
use crate::store::values::{Outcome, instant, millis, number, ticket_number};
use crate::store::watches::Watch;

#[async_trait]
impl Overviews for Sqlite {
    async fn tallies(&self, from: NaiveDate, to: NaiveDate) -> Result<Vec<Tally>, StoreError> {
        self.readers.run(move |connection| tallies(connection, from, to)).await
    }

    async fn standing(&self, now: DateTime<Utc>, soon: DateTime<Utc>) -> Result<Standing, StoreError> {
        self.readers.run(move |connection| standing(connection, now, soon)).await
    }

    async fn decisions(&self, filter: &DecisionFilter, limit: usize) -> Result<Vec<(Place, DecisionRow)>, StoreError> {
        let filter = filter.clone();
        self.readers.run(move |connection| decisions(connection, &filter, limit)).await
    }

    async fn tickets(&self, listed: &Listed, skip: usize, limit: usize) -> Result<Vec<ListedTicket>, StoreError> {
        let listed = listed.clone();
        self.readers.run(move |connection| tickets(connection, &listed, skip, limit)).await
    }
}

/// Counts a decision that was just kept, and puts what it says beside its ticket.
pub(super) fn count(connection: &Connection, row: &DecisionRow) -> Outcome<()> {
    let counted = row.counted()?;
    let nodes = serde_json::to_string(&counted.walked).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    let known: Option<i64> = connection
        .prepare_cached("SELECT id FROM walks WHERE policy = ?1 AND verdict = ?2 AND nodes = ?3")?
        .query_row(params![counted.policy, row.verdict, nodes], |row| row.get(0))
        .optional()?;
    let walk = match known {
        Some(walk) => walk,
        None => connection
            .prepare_cached("INSERT INTO walks (policy, verdict, nodes) VALUES (?1, ?2, ?3)")?
            .insert(params![counted.policy, row.verdict, nodes])?,
    };
    connection
        .prepare_cached(
            "INSERT INTO tallies (day, walk, decisions) VALUES (?1, ?2, 1)
             ON CONFLICT (day, walk) DO UPDATE SET decisions = decisions + 1",
        )?
        .execute(params![day(row.decided_at), walk])?;
    let (account, ticket) = (&row.ticket.account, number(row.ticket.id)?);
    connection
        .prepare_cached("UPDATE decisions SET walk = ?4 WHERE account = ?1 AND ticket = ?2 AND reference = ?3")?
        .execute(params![account, ticket, row.reference, walk])?;
    connection
        .prepare_cached(
            "UPDATE watches SET verdict = ?3, decided_at = ?4, valid_until = ?5, subject = ?6
             WHERE account = ?1 AND ticket = ?2",
        )?
        .execute(params![
            account,
            ticket,
            row.verdict,
            millis(row.decided_at),
            counted.valid_until.map(millis),
            row.titled()?.subject
        ])?;
    Ok(())
}

fn tallies(connection: &Connection, from: NaiveDate, to: NaiveDate) -> Outcome<Vec<Tally>> {
    let mut statement = connection.prepare_cached(
        "SELECT policy, verdict, nodes, total FROM walks
         JOIN (SELECT walk, sum(decisions) AS total FROM tallies WHERE day BETWEEN ?1 AND ?2 GROUP BY walk) ON walk = id
         ORDER BY total DESC, id",
    )?;
    let mut rows = statement.query(params![day_of(from), day_of(to)])?;
    let mut tallies = Vec::new();
    while let Some(row) = rows.next()? {
        let nodes = serde_json::from_str(&row.get::<_, String>(2)?).map_err(|_| StoreError::odd("walk"))?;
        let decisions = u64::try_from(row.get::<_, i64>(3)?).map_err(|_| StoreError::odd("count"))?;
        tallies.push(Tally { policy: row.get(0)?, verdict: row.get(1)?, nodes, decisions });
    }
    Ok(tallies)
}

fn standing(connection: &Connection, now: DateTime<Utc>, soon: DateTime<Utc>) -> Outcome<Standing> {
    let count = |statement: &str, params: &[&dyn rusqlite::ToSql]| -> Outcome<u64> {
        let count: i64 = connection.prepare_cached(statement)?.query_row(params, |row| row.get(0))?;
        u64::try_from(count).map_err(|_| StoreError::odd("count"))
    };
    let oldest: Option<i64> = connection
        .prepare_cached(&format!(
            "SELECT min(oldest) FROM (
                 SELECT (SELECT min(due_at) FROM watches INDEXED BY watches_due
                         WHERE watches.account = accounts.account AND state = 'due') AS oldest FROM ({ACCOUNTS}) AS accounts)
             WHERE oldest <= ?1"
        ))?
        .query_row(params![millis(now)], |row| row.get(0))?;
    Ok(Standing {
        open_questions: count(
            "SELECT count(*) FROM watches INDEXED BY watches_asking WHERE verdict = 'needs_facts' AND state IN ('due', 'idle')",
            &[],
        )?,
        flipping: count(
            "SELECT count(*) FROM watches INDEXED BY watches_flipping WHERE state IN ('due', 'idle') AND valid_until IS NOT NULL AND valid_until <= ?1",
            &[&millis(soon)],
        )?,
        dead: count("SELECT count(*) FROM watches WHERE state = 'dead'", &[])?,
        oldest_due: oldest.map(instant).transpose()?,
    })
}

fn decisions(connection: &Connection, filter: &DecisionFilter, limit: usize) -> Outcome<Vec<(Place, DecisionRow)>> {
    let before = filter.before.unwrap_or(Place { decided_at: i64::MAX, number: i64::MAX });
    let since = filter.since.map_or(i64::MIN, millis);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut found = Vec::new();
    let page = "decided_at >= ?1 AND (decided_at, id) < (?2, ?3) ORDER BY decided_at DESC, id DESC LIMIT ?4";
    if filter.verdict.is_none() && filter.node.is_none() {
        let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM decisions WHERE {page}"))?;
        let mut rows = statement.query(params![since, before.decided_at, before.number, limit])?;
        while let Some(row) = rows.next()? {
            found.push(placed(row)?);
        }
        return Ok(found);
    }
    // A page of each way that fits, and of those the newest: a policy has few ways.
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM decisions WHERE walk = ?5 AND {page}"))?;
    for walk in walks(connection, filter)? {
        let mut rows = statement.query(params![since, before.decided_at, before.number, limit, walk])?;
        while let Some(row) = rows.next()? {
            found.push(placed(row)?);
        }
    }
    found.sort_by_key(|(place, _)| std::cmp::Reverse((place.decided_at, place.number)));
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(found)
}

/// The numbers of the ways that fit a filter.
fn walks(connection: &Connection, filter: &DecisionFilter) -> Outcome<Vec<i64>> {
    let mut statement = connection.prepare_cached(
        "SELECT id FROM walks WHERE (?1 IS NULL OR verdict = ?1)
         AND (?2 IS NULL OR EXISTS (SELECT 1 FROM json_each(nodes) WHERE value = ?2))",
    )?;
    let walks = statement.query_map(params![filter.verdict, filter.node], |row| row.get(0))?;
    Ok(walks.collect::<Result<_, _>>()?)
}

fn placed(row: &Row<'_>) -> Outcome<(Place, DecisionRow)> {
    let place = Place { decided_at: row.get("decided_at")?, number: row.get("id")? };
    Ok((place, decision(row)?))
}

fn tickets(connection: &Connection, listed: &Listed, skip: usize, limit: usize) -> Outcome<Vec<ListedTicket>> {
    let of_number = format!("ticket = ?3 AND account IN ({ACCOUNTS})");
    let (which, order, bound) = match listed {
        Listed::All => ("decided_at IS NOT NULL", "decided_at DESC, account DESC, ticket DESC", None),
        Listed::OpenQuestions => {
            ("verdict = 'needs_facts' AND state IN ('due', 'idle')", "decided_at, account, ticket", None)
        }
        Listed::Flipping(soon) => (
            "state IN ('due', 'idle') AND valid_until IS NOT NULL AND valid_until <= ?3",
            "valid_until, account, ticket",
            Some(millis(*soon)),
        ),
        Listed::Dead => ("state = 'dead'", "decided_at DESC, account DESC, ticket DESC", None),
        Listed::Stopped => ("state = 'stopped'", "decided_at DESC, account DESC, ticket DESC", None),
        Listed::Number(id) => (of_number.as_str(), "account", Some(number(*id).unwrap_or(-1))),
    };
    // Without statistics the planner takes the states for the narrower condition.
    let index = match listed {
        Listed::Flipping(_) => "INDEXED BY watches_flipping",
        Listed::OpenQuestions => "INDEXED BY watches_asking",
        Listed::All | Listed::Dead | Listed::Stopped | Listed::Number(_) => "",
    };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT account, ticket, subject, verdict, decided_at, valid_until, state, due_at, why FROM watches {index}
         WHERE {which} AND (?3 IS NULL OR ?3 = ?3) ORDER BY {order} LIMIT ?2 OFFSET ?1"
    ))?;
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![number(skip), number(limit), bound])?;
    let mut tickets = Vec::new();
    while let Some(row) = rows.next()? {
        let moment = |at: Option<i64>| at.map(instant).transpose();
        tickets.push(ListedTicket {
            ticket: TicketKey { account: row.get(0)?, id: ticket_number(row.get(1)?)? },
            subject: row.get::<_, Option<String>>(2)?.unwrap_or_default(),
            verdict: row.get(3)?,
            decided_at: moment(row.get(4)?)?,
            valid_until: moment(row.get(5)?)?,
            watch: Watch::read(&row.get::<_, String>(6)?, moment(row.get(7)?)?, row.get(8)?)?,
        });
    }
    Ok(tickets)
}
