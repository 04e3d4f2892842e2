//! The statements of [`crate::store::feedback`].

use async_trait::async_trait;
use rusqlite::{Connection, Row, params};

use super::{Sqlite, sums};
use crate::decide::ticket::TicketKey;
use crate::store::StoreError;
use crate::store::feedback::{Feedback, FeedbackRow, Feedbacks, Opinion, Way};
use crate::store::values::{Outcome, instant, millis, number, ticket_number};

#[async_trait]
impl Feedbacks for Sqlite {
    async fn record_feedback(&self, feedback: &[Feedback]) -> Result<usize, StoreError> {
        if feedback.is_empty() {
            return Ok(0);
        }
        let feedback = feedback.to_vec();
        self.writer.run(move |connection| feedback.iter().map(|one| record(connection, one)).sum()).await
    }

    async fn feedback_of(&self, ticket: &TicketKey) -> Result<Vec<FeedbackRow>, StoreError> {
        let ticket = ticket.clone();
        self.readers
            .run(move |connection| {
                let ticket = params![ticket.account, number(ticket.id)?];
                rows(connection, &format!("{FEEDBACK} WHERE account = ?1 AND ticket = ?2 ORDER BY id"), ticket)
            })
            .await
    }
}

const FEEDBACK: &str =
    "SELECT account, ticket, reference, verdict, opinion, detail, who, said_at, way, comment FROM feedback";

fn record(connection: &Connection, feedback: &Feedback) -> Outcome<usize> {
    let comment = match feedback.way {
        Way::Reply { comment } => Some(number(comment)?),
        Way::Console | Way::Tag => None,
    };
    let ticket = number(feedback.ticket.id)?;
    let new = connection
        .prepare_cached(
            "INSERT INTO feedback (account, ticket, reference, verdict, decided_at, key, opinion, detail, who, said_at, way, comment)
             SELECT account, ticket, reference, verdict, decided_at, ?4, ?5, ?6, ?7, ?8, ?9, ?10
             FROM decisions WHERE account = ?1 AND ticket = ?2 AND reference = ?3
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            feedback.ticket.account, ticket, feedback.reference, feedback.key(), feedback.opinion.word(),
            feedback.opinion.detail(), feedback.who, millis(feedback.said_at), feedback.way.word(), comment,
        ])?;
    if new == 0 && feedback.way == Way::Console {
        connection
            .prepare_cached("UPDATE feedback SET said_at = ?4, detail = ?5 WHERE account = ?1 AND ticket = ?2 AND key = ?3 AND said_at < ?4")?
            .execute(params![feedback.ticket.account, ticket, feedback.key(), millis(feedback.said_at), feedback.opinion.detail()])?;
    }
    sums::judge(connection, &feedback.ticket, &feedback.reference)?;
    Ok(new)
}

pub(super) fn rows(
    connection: &Connection,
    sql: &str,
    parameters: &[&dyn rusqlite::ToSql],
) -> Outcome<Vec<FeedbackRow>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = statement.query(parameters)?;
    let mut all = Vec::new();
    while let Some(row) = found.next()? {
        all.push(feedback(row)?);
    }
    Ok(all)
}

fn feedback(row: &Row<'_>) -> Outcome<FeedbackRow> {
    let (opinion, detail): (String, String) = (row.get("opinion")?, row.get("detail")?);
    let way: String = row.get("way")?;
    Ok(FeedbackRow {
        verdict: row.get("verdict")?,
        feedback: Feedback {
            ticket: TicketKey { account: row.get("account")?, id: ticket_number(row.get("ticket")?)? },
            reference: row.get("reference")?,
            opinion: match opinion.as_str() {
                "agree" => Opinion::Agree,
                "disagree" => Opinion::Disagree { why: detail },
                "corrected" => Opinion::Corrected { to: detail },
                _ => return Err(StoreError::odd("opinion")),
            },
            who: row.get("who")?,
            said_at: instant(row.get("said_at")?)?,
            way: match (way.as_str(), row.get::<_, Option<i64>>("comment")?) {
                ("reply", Some(comment)) => Way::Reply { comment: ticket_number(comment)? },
                ("console", _) => Way::Console,
                ("tag", _) => Way::Tag,
                _ => return Err(StoreError::odd("way of an opinion")),
            },
        },
    })
}
