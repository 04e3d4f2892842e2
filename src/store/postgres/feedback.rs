//! The statements of [`crate::store::feedback`].

use async_trait::async_trait;
use tokio_postgres::Row;

use super::Postgres;
use super::sums::added;
use super::values::{column, text};
use crate::decide::ticket::TicketKey;
use crate::store::StoreError;
use crate::store::feedback::{Feedback, FeedbackRow, Feedbacks, Opinion, Way};
use crate::store::values::{instant, millis, number, ticket_number};

const FEEDBACK: &str =
    "SELECT account, ticket, reference, verdict, opinion, detail, who, said_at, way, comment FROM feedback";

const RECORD: &str = "INSERT INTO feedback
        (account, ticket, reference, verdict, decided_at, key, opinion, detail, who, said_at, way, comment)
    SELECT account, ticket, reference, verdict, decided_at,
        $4::text, $5::text, $6::text, $7::text, $8::bigint, $9::text, $10::bigint
    FROM decisions WHERE account = $1 AND ticket = $2 AND reference = $3
    ON CONFLICT DO NOTHING";

const RENEW: &str = "UPDATE feedback SET said_at = $4, detail = $5
    WHERE account = $1 AND ticket = $2 AND key = $3 AND said_at < $4";

/// Who has an opinion at the same time waits, so that which is the newest is seen by the last.
const ONE_AT_A_TIME: &str = "SELECT FROM counted JOIN decisions ON decision_id = decisions.id
    WHERE account = $1 AND ticket = $2 AND reference = ANY($3) ORDER BY decision_id FOR UPDATE OF counted";

/// Counts the newest opinion on each decision in the place of the one before.
const JUDGE: &str = concat!(
    "WITH judged AS (
        SELECT decision_id, counted.decided_at / 86400000 AS day, gist, opens, settles, opinion AS was,
            (SELECT CASE opinion WHEN 'agree' THEN 'agree' ELSE 'disagree' END FROM feedback
             WHERE feedback.account = $1 AND feedback.ticket = $2 AND feedback.reference = decisions.reference
             ORDER BY said_at DESC, feedback.id DESC LIMIT 1) AS newest
        FROM counted JOIN decisions ON decision_id = decisions.id
        WHERE account = $1 AND ticket = $2 AND reference = ANY($3)
    ), now AS (
        UPDATE counted SET opinion = newest FROM judged
        WHERE counted.decision_id = judged.decision_id AND newest IS DISTINCT FROM was
    ) INSERT INTO sums (day, gist, decisions, tickets, saved, agreed, disagreed)
    SELECT day, gist, 0, 0,
        sum(settles * ((newest IS DISTINCT FROM 'disagree')::int - (was IS DISTINCT FROM 'disagree')::int)),
        sum((newest IS NOT DISTINCT FROM 'agree')::int - (was IS NOT DISTINCT FROM 'agree')::int),
        sum((newest IS NOT DISTINCT FROM 'disagree')::int - (was IS NOT DISTINCT FROM 'disagree')::int)
    FROM judged WHERE opens IS NOT NULL AND newest IS DISTINCT FROM was GROUP BY day, gist ORDER BY day, gist ",
    added!()
);

#[async_trait]
impl Feedbacks for Postgres {
    async fn record_feedback(&self, feedback: &[Feedback]) -> Result<usize, StoreError> {
        let mut kept = 0;
        for of_ticket in feedback.chunk_by(|one, next| one.ticket == next.ticket) {
            kept += self.record_feedback_of(of_ticket).await?;
        }
        Ok(kept)
    }

    async fn feedback_of(&self, ticket: &TicketKey) -> Result<Vec<FeedbackRow>, StoreError> {
        let list = format!("{FEEDBACK} WHERE account = $1 AND ticket = $2 ORDER BY id");
        let rows = self.connection().await?.query(&list, &[&ticket.account, &number(ticket.id)?]).await?;
        rows.iter().map(feedback).collect()
    }
}

impl Postgres {
    /// The same on one ticket, in one transaction.
    async fn record_feedback_of(&self, feedback: &[Feedback]) -> Result<usize, StoreError> {
        let Some(TicketKey { account, id }) = feedback.first().map(|one| &one.ticket) else { return Ok(0) };
        let ticket = number(*id)?;
        let references: Vec<&str> = feedback.iter().map(|one| one.reference.as_str()).collect();
        let mut client = self.connection().await?;
        let transaction = client.transaction().await?;
        transaction.execute(ONE_AT_A_TIME, &[account, &ticket, &references]).await?;
        let mut kept = 0;
        for one in feedback {
            let comment = match one.way {
                Way::Reply { comment } => Some(number(comment)?),
                Way::Console | Way::Tag => None,
            };
            let said_at = millis(one.said_at);
            let (key, detail, who) = (one.key(), text(one.opinion.detail()), text(&one.who));
            let (key, opinion, way) = (text(&key), one.opinion.word(), one.way.word());
            let new = transaction
                .execute(
                    RECORD,
                    &[account, &ticket, &one.reference, &key, &opinion, &detail, &who, &said_at, &way, &comment],
                )
                .await?;
            if new == 0 && one.way == Way::Console {
                transaction.execute(RENEW, &[account, &ticket, &key, &said_at, &detail]).await?;
            }
            kept += usize::try_from(new).unwrap_or(usize::MAX);
        }
        transaction.execute(JUDGE, &[account, &ticket, &references]).await?;
        transaction.commit().await?;
        Ok(kept)
    }
}

pub(super) fn feedback(row: &Row) -> Result<FeedbackRow, StoreError> {
    let detail: String = column(row, 5)?;
    Ok(FeedbackRow {
        verdict: column(row, 3)?,
        feedback: Feedback {
            ticket: TicketKey { account: column(row, 0)?, id: ticket_number(column(row, 1)?)? },
            reference: column(row, 2)?,
            opinion: match column(row, 4)? {
                "agree" => Opinion::Agree,
                "disagree" => Opinion::Disagree { why: detail },
                "corrected" => Opinion::Corrected { to: detail },
                _ => return Err(StoreError::odd("opinion")),
            },
            who: column(row, 6)?,
            said_at: instant(column(row, 7)?)?,
            way: match (column(row, 8)?, column::<Option<i64>>(row, 9)?) {
                ("reply", Some(comment)) => Way::Reply { comment: ticket_number(comment)? },
                ("console", _) => Way::Console,
                ("tag", _) => Way::Tag,
                _ => return Err(StoreError::odd("way of an opinion")),
            },
        },
    })
}
