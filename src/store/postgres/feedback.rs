//! The statements of [`crate::store::feedback`].

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio_postgres::Row;

use super::Postgres;
use super::values::{column, count, text};
use crate::helpdesk::ticket::TicketKey;
use crate::store::StoreError;
use crate::store::feedback::{Agreement, Feedback, FeedbackRow, Feedbacks, Opinion, Way};
use crate::store::values::{instant, millis, number, ticket_number};

const FEEDBACK: &str =
    "SELECT account, ticket, reference, verdict, opinion, detail, who, said_at, way, comment FROM feedback";

/// Of several opinions on one decision the newest.
const NEWEST: &str = "id = (SELECT newest.id FROM feedback newest WHERE newest.account = feedback.account
    AND newest.ticket = feedback.ticket AND newest.reference = feedback.reference
    ORDER BY newest.said_at DESC, newest.id DESC LIMIT 1)";

const RECORD: &str = "INSERT INTO feedback
        (account, ticket, reference, verdict, decided_at, key, opinion, detail, who, said_at, way, comment)
    SELECT account, ticket, reference, verdict, decided_at,
        $4::text, $5::text, $6::text, $7::text, $8::bigint, $9::text, $10::bigint
    FROM decisions WHERE account = $1 AND ticket = $2 AND reference = $3
    ON CONFLICT DO NOTHING";

const RENEW: &str = "UPDATE feedback SET said_at = $4, detail = $5
    WHERE account = $1 AND ticket = $2 AND key = $3 AND said_at < $4";

#[async_trait]
impl Feedbacks for Postgres {
    async fn record_feedback(&self, feedback: &[Feedback]) -> Result<usize, StoreError> {
        if feedback.is_empty() {
            return Ok(0);
        }
        let mut client = self.connection().await?;
        let transaction = client.transaction().await?;
        let mut kept = 0;
        for one in feedback {
            let comment = match one.way {
                Way::Reply { comment } => Some(number(comment)?),
                Way::Console | Way::Tag => None,
            };
            let (account, ticket, said_at) = (&one.ticket.account, number(one.ticket.id)?, millis(one.said_at));
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
        transaction.commit().await?;
        Ok(kept)
    }

    async fn feedback_of(&self, ticket: &TicketKey) -> Result<Vec<FeedbackRow>, StoreError> {
        let list = format!("{FEEDBACK} WHERE account = $1 AND ticket = $2 ORDER BY id");
        let rows = self.connection().await?.query(&list, &[&ticket.account, &number(ticket.id)?]).await?;
        rows.iter().map(feedback).collect()
    }

    async fn agreement(&self, since: DateTime<Utc>) -> Result<Agreement, StoreError> {
        // Open questions are no verdict to agree with.
        let counts = format!(
            "SELECT count(*) FILTER (WHERE opinion = 'agree'), count(*) FILTER (WHERE opinion <> 'agree')
             FROM feedback WHERE decided_at >= $1 AND verdict <> 'needs_facts' AND {NEWEST}"
        );
        let row = self.connection().await?.query_one(&counts, &[&millis(since)]).await?;
        Ok(Agreement { agreed: count(&row, 0)?, disagreed: count(&row, 1)? })
    }

    async fn disagreements(&self, since: DateTime<Utc>, limit: usize) -> Result<Vec<FeedbackRow>, StoreError> {
        let newest =
            format!("{FEEDBACK} WHERE decided_at >= $1 AND opinion <> 'agree' AND {NEWEST} ORDER BY id DESC LIMIT $2");
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.connection().await?.query(&newest, &[&millis(since), &limit]).await?;
        rows.iter().map(feedback).collect()
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
