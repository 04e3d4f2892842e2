//! The statements of [`crate::store::sums`].

use async_trait::async_trait;
use chrono::NaiveDate;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Sqlite;
use super::feedback::rows;
use crate::decide::ticket::TicketKey;
use crate::learn::report::Sum;
use crate::learn::report::gist::{Gist, Gives};
use crate::store::StoreError;
use crate::store::decisions::DecisionRow;
use crate::store::feedback::{Agreement, FeedbackRow};
use crate::store::overview::day_of;
use crate::store::sums::{Summed, Sums};
use crate::store::values::{Outcome, millis, number};

/// A day in milliseconds.
const DAY: i64 = 86_400_000;

#[async_trait]
impl Summed for Sqlite {
    async fn sums(&self, since: Option<NaiveDate>) -> Result<Sums, StoreError> {
        self.readers.run(move |connection| sums(connection, since.map_or(0, day_of))).await
    }

    async fn agreement(&self, since: NaiveDate) -> Result<Agreement, StoreError> {
        self.readers
            .run(move |connection| {
                let (agreed, disagreed): (i64, i64) = connection
                    .prepare_cached(
                        "SELECT coalesce(sum(agreed), 0), coalesce(sum(disagreed), 0) FROM sums JOIN gists ON id = sums.gist
                         WHERE day >= ?1 AND given = 1",
                    )?
                    .query_row([day_of(since)], |row| Ok((row.get(0)?, row.get(1)?)))?;
                Ok(Agreement { agreed: agreed.unsigned_abs(), disagreed: disagreed.unsigned_abs() })
            })
            .await
    }

    async fn disagreements(&self, since: Option<NaiveDate>, limit: usize) -> Result<Vec<FeedbackRow>, StoreError> {
        let (since, limit) = (since.map_or(0, day_of) * DAY, i64::try_from(limit).unwrap_or(i64::MAX));
        self.readers.run(move |connection| rows(connection, DISAGREEMENTS, params![since, limit])).await
    }
}

const DISAGREEMENTS: &str = "
    SELECT f.account, f.ticket, f.reference, f.verdict, f.opinion, f.detail, f.who, f.said_at, f.way, f.comment
    FROM (SELECT decision_id, decided_at FROM counted INDEXED BY counted_disagreed JOIN gists ON gists.id = counted.gist
          WHERE opinion = 'disagree' AND opens IS NOT NULL AND decided_at >= ?1 AND given = 1
          ORDER BY decided_at DESC, decision_id DESC LIMIT ?2) AS newest
    JOIN decisions AS d ON d.id = newest.decision_id
    JOIN feedback AS f ON f.id = (SELECT id FROM feedback AS g
        WHERE g.account = d.account AND g.ticket = d.ticket AND g.reference = d.reference ORDER BY said_at DESC, id DESC LIMIT 1)
    ORDER BY newest.decided_at DESC, newest.decision_id DESC";

fn sums(connection: &Connection, since: i64) -> Outcome<Sums> {
    let mut found = Sums::default();
    let mut statement = connection.prepare_cached(
        "SELECT gists.gist, decisions, tickets, saved, agreed, disagreed FROM gists
         JOIN (SELECT gist, min(day) AS first, sum(decisions) AS decisions, sum(tickets) AS tickets, sum(saved) AS saved,
                   sum(agreed) AS agreed, sum(disagreed) AS disagreed
               FROM sums WHERE day >= ?1 GROUP BY gist) AS days ON days.gist = gists.id
         ORDER BY first, gists.id",
    )?;
    let mut rows = statement.query([since])?;
    while let Some(row) = rows.next()? {
        let gist = serde_json::from_str(row.get_ref(0)?.as_str().map_err(|_| StoreError::odd("gist"))?);
        let count = |nth| row.get::<_, i64>(nth).map(i64::unsigned_abs);
        found.gists.push((
            gist.map_err(|_| StoreError::odd("gist"))?,
            Sum { decisions: count(1)?, tickets: count(2)?, saved: count(3)?, agreed: count(4)?, disagreed: count(5)? },
        ));
    }
    let mut statement = connection
        .prepare_cached("SELECT seconds, sum(tickets) FROM waits WHERE day >= ?1 GROUP BY seconds ORDER BY seconds")?;
    let waits = statement.query_map([since], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
    for wait in waits {
        let (seconds, tickets) = wait?;
        found.waits.push((seconds.unsigned_abs(), tickets.unsigned_abs()));
    }
    Ok(found)
}

/// Keeps what a decision that was just recorded says. It counts from when it is carried out.
pub(super) fn keep(connection: &Connection, decision: i64, row: &DecisionRow, gist: &Gist) -> Outcome<()> {
    let text = serde_json::to_string(gist).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    let known = connection
        .prepare_cached("SELECT id FROM gists WHERE gist = ?1")?
        .query_row([&text], |row| row.get(0))
        .optional()?;
    let gist: i64 = match known {
        Some(id) => id,
        None => connection
            .prepare_cached("INSERT INTO gists (given, gist) VALUES (?1, ?2)")?
            .insert(params![gist.gives() == Gives::Verdict, text])?,
    };
    connection
        .prepare_cached("INSERT INTO counted (decision_id, decided_at, gist) VALUES (?1, ?2, ?3)")?
        .execute(params![decision, millis(row.decided_at), gist])?;
    Ok(())
}

/// Counts a decision that was carried out, once; and how long its ticket waited, once that is known.
pub(super) fn count(connection: &Connection, ticket: &TicketKey, reference: &str) -> Outcome<()> {
    let Some(mut decision) = of_reference(connection, ticket, reference)? else { return Ok(()) };
    if decision.opens.is_none() {
        let (before, verdict_before): (bool, bool) = connection
            .prepare_cached(
                "SELECT count(*) > 0, coalesce(sum(given), 0) > 0 FROM decisions JOIN counted ON decision_id = decisions.id
                 JOIN gists ON gists.id = counted.gist WHERE account = ?1 AND ticket = ?2 AND opens IS NOT NULL",
            )?
            .query_row(params![ticket.account, number(ticket.id)?], |row| Ok((row.get(0)?, row.get(1)?)))?;
        decision.opens = Some(!before);
        decision.settles = decision.given && !verdict_before;
        connection
            .prepare_cached("UPDATE counted SET opens = ?2, settles = ?3 WHERE decision_id = ?1")?
            .execute(params![decision.id, decision.opens, decision.settles])?;
        add(connection, &decision, decision.counts())?;
    }
    if decision.settles && decision.waited.is_none() {
        let waited: Option<i64> = connection
            .prepare_cached(
                "SELECT (posted_at - (SELECT min(received_at) FROM deliveries WHERE account = ?2 AND ticket = ?3)) / 1000
                 FROM decisions WHERE id = ?1",
            )?
            .query_row(params![decision.id, ticket.account, number(ticket.id)?], |row| row.get(0))?;
        // What ends before it begins is no wait.
        let Some(seconds) = waited.filter(|seconds| *seconds >= 0) else { return Ok(()) };
        connection
            .prepare_cached("UPDATE counted SET waited = ?2 WHERE decision_id = ?1")?
            .execute(params![decision.id, seconds])?;
        wait(connection, &decision, seconds, 1)?;
    }
    Ok(())
}

/// Counts the newest opinion on a decision in the place of the one before.
pub(super) fn judge(connection: &Connection, ticket: &TicketKey, reference: &str) -> Outcome<()> {
    let Some(before) = of_reference(connection, ticket, reference)? else { return Ok(()) };
    let newest: Option<String> = connection
        .prepare_cached(
            "SELECT iif(opinion = 'agree', 'agree', 'disagree') FROM feedback
             WHERE account = ?1 AND ticket = ?2 AND reference = ?3 ORDER BY said_at DESC, id DESC LIMIT 1",
        )?
        .query_row(params![ticket.account, number(ticket.id)?, reference], |row| row.get(0))
        .optional()?;
    if newest == before.opinion {
        return Ok(());
    }
    connection
        .prepare_cached("UPDATE counted SET opinion = ?2 WHERE decision_id = ?1")?
        .execute(params![before.id, newest])?;
    if before.opens.is_none() {
        return Ok(());
    }
    let was = before.counts();
    let now = Counted { opinion: newest, ..before };
    let mut change = now.counts();
    change.iter_mut().zip(was).for_each(|(count, was)| *count -= was);
    add(connection, &now, change)
}

/// Takes back what a decision that is no longer kept counted as.
pub(super) fn forget(connection: &Connection, decision: i64) -> Outcome<()> {
    let found = connection
        .prepare_cached(&format!("{COUNTED} WHERE decision_id = ?1"))?
        .query_row([decision], counted)
        .optional()?;
    let Some(decision) = found else { return Ok(()) };
    connection.prepare_cached("DELETE FROM counted WHERE decision_id = ?1")?.execute([decision.id])?;
    if let Some(seconds) = decision.waited {
        wait(connection, &decision, seconds, -1)?;
        connection
            .prepare_cached("DELETE FROM waits WHERE day = ?1 AND seconds = ?2 AND tickets = 0")?
            .execute([decision.day(), seconds])?;
    }
    if decision.opens.is_some() {
        add(connection, &decision, decision.counts().map(|count| -count))?;
        connection
            .prepare_cached("DELETE FROM sums WHERE day = ?1 AND gist = ?2 AND decisions = 0")?
            .execute([decision.day(), decision.gist])?;
    }
    Ok(())
}

/// What a decision counts as.
struct Counted {
    id: i64,
    decided_at: i64,
    gist: i64,
    given: bool,
    opens: Option<bool>,
    settles: bool,
    waited: Option<i64>,
    opinion: Option<String>,
}

impl Counted {
    fn day(&self) -> i64 {
        self.decided_at.div_euclid(DAY)
    }

    /// Its part of its day's sum, in the order of the columns.
    fn counts(&self) -> [i64; 5] {
        let Some(opens) = self.opens else { return [0; 5] };
        let (agreed, disagreed) =
            (self.opinion.as_deref() == Some("agree"), self.opinion.as_deref() == Some("disagree"));
        [1, opens.into(), (self.settles && !disagreed).into(), agreed.into(), disagreed.into()]
    }
}

const COUNTED: &str =
    "SELECT decision_id, counted.decided_at, counted.gist, given, opens, coalesce(settles, 0), waited, opinion
    FROM counted JOIN gists ON gists.id = counted.gist";

fn of_reference(connection: &Connection, ticket: &TicketKey, reference: &str) -> Outcome<Option<Counted>> {
    let of_reference = format!(
        "{COUNTED} WHERE decision_id = (SELECT id FROM decisions WHERE account = ?1 AND ticket = ?2 AND reference = ?3)"
    );
    let mut statement = connection.prepare_cached(&of_reference)?;
    Ok(statement.query_row(params![ticket.account, number(ticket.id)?, reference], counted).optional()?)
}

fn counted(row: &Row<'_>) -> rusqlite::Result<Counted> {
    Ok(Counted {
        id: row.get(0)?,
        decided_at: row.get(1)?,
        gist: row.get(2)?,
        given: row.get(3)?,
        opens: row.get(4)?,
        settles: row.get(5)?,
        waited: row.get(6)?,
        opinion: row.get(7)?,
    })
}

fn add(
    connection: &Connection,
    decision: &Counted,
    [decisions, tickets, saved, agreed, disagreed]: [i64; 5],
) -> Outcome<()> {
    connection
        .prepare_cached(
            "INSERT INTO sums (day, gist, decisions, tickets, saved, agreed, disagreed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT DO UPDATE SET decisions = decisions + excluded.decisions, tickets = tickets + excluded.tickets,
                 saved = saved + excluded.saved, agreed = agreed + excluded.agreed, disagreed = disagreed + excluded.disagreed",
        )?
        .execute([decision.day(), decision.gist, decisions, tickets, saved, agreed, disagreed])?;
    Ok(())
}

fn wait(connection: &Connection, decision: &Counted, seconds: i64, tickets: i64) -> Outcome<()> {
    connection
        .prepare_cached(
            "INSERT INTO waits (day, seconds, tickets) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET tickets = tickets + excluded.tickets",
        )?
        .execute([decision.day(), seconds, tickets])?;
    Ok(())
}
