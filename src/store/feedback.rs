//! Feedback: what people thought of a decision.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::database::{Outcome, Session, values};
use super::{Store, StoreError};
use crate::decide::ticket::TicketKey;

/// What somebody thought of one decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Feedback {
    /// Which ticket.
    pub ticket: TicketKey,
    /// The short id of the decision.
    pub reference: String,
    /// What they thought.
    #[serde(flatten)]
    pub opinion: Opinion,
    /// Who: a name, or in words where the helpdesk does not say.
    pub who: String,
    /// When they said so; for a tag, when it was seen.
    pub said_at: DateTime<Utc>,
    /// How they said so.
    #[serde(flatten)]
    pub way: Way,
}

/// What somebody thought of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "opinion", rename_all = "snake_case")]
pub enum Opinion {
    /// It is right.
    Agree,
    /// It is not.
    Disagree {
        /// Why, in their words; may be empty.
        why: String,
    },
    /// Another verdict's tag was put in the place of its own.
    Corrected {
        /// The other verdict.
        to: String,
    },
}

/// How an opinion came to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "way", rename_all = "snake_case")]
pub enum Way {
    /// A `star:` line in an internal note.
    Reply {
        /// The comment's id.
        comment: u64,
    },
    /// A button of the console.
    Console,
    /// Tags changed by hand.
    Tag,
}

impl Opinion {
    /// Its name: `agree`, `disagree` or `corrected`.
    pub fn word(&self) -> &'static str {
        match self {
            Opinion::Agree => "agree",
            Opinion::Disagree { .. } => "disagree",
            Opinion::Corrected { .. } => "corrected",
        }
    }

    /// What stands beside the name: the reason, or the other verdict.
    pub fn detail(&self) -> &str {
        match self {
            Opinion::Agree => "",
            Opinion::Disagree { why } => why,
            Opinion::Corrected { to } => to,
        }
    }
}

impl Way {
    /// Its name: `reply`, `console` or `tag`.
    pub fn word(&self) -> &'static str {
        match self {
            Way::Reply { .. } => "reply",
            Way::Console => "console",
            Way::Tag => "tag",
        }
    }
}

impl Feedback {
    /// What the same opinion shares with itself when it is read, seen or pressed again.
    pub fn key(&self) -> String {
        let (word, reference) = (self.opinion.word(), &self.reference);
        match self.way {
            Way::Reply { comment } => format!("reply {comment} {word}"),
            Way::Console => format!("console {reference} {word} {}", self.who),
            Way::Tag => format!("tag {reference} {}", self.opinion.detail()),
        }
    }
}

/// Feedback with the verdict it speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FeedbackRow {
    /// What was said.
    #[serde(flatten)]
    pub feedback: Feedback,
    /// The decision's verdict.
    pub verdict: String,
}

/// How many decisions people agreed with; of several opinions on one decision the newest counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Agreement {
    /// Somebody agreed.
    pub agreed: u64,
    /// Somebody disagreed, or put another verdict's tag in its place.
    pub disagreed: u64,
}

impl Agreement {
    /// The share that was agreed with, 0 to 1; none where nobody said anything.
    pub fn rate(self) -> Option<f64> {
        let all = self.agreed.saturating_add(self.disagreed);
        #[expect(clippy::cast_precision_loss, reason = "a share needs no more than a float's 52 bits")]
        (all > 0).then(|| self.agreed as f64 / all as f64)
    }
}

/// What a decision must be kept for; what speaks of another is passed over.
const RECORD: &str = "INSERT INTO feedback
        (account, ticket, reference, verdict, decided_at, key, opinion, detail, who, said_at, way, comment)
    SELECT account, ticket, reference, verdict, decided_at, CAST($4 AS TEXT), CAST($5 AS TEXT), CAST($6 AS TEXT),
        CAST($7 AS TEXT), CAST($8 AS BIGINT), CAST($9 AS TEXT), CAST($10 AS BIGINT)
    FROM decisions WHERE account = $1 AND ticket = $2 AND reference = $3
    ON CONFLICT DO NOTHING";

const RENEW: &str = "UPDATE feedback SET said_at = $4, detail = $5
    WHERE account = $1 AND ticket = $2 AND key = $3 AND said_at < $4";

const OF_TICKET: &str = "SELECT account, ticket, reference, verdict, opinion, detail, who, said_at, way, comment
    FROM feedback WHERE account = $1 AND ticket = $2 ORDER BY id";

impl Store {
    /// Keeps feedback, each once by its [`Feedback::key`]; how many were new. Where a button is pressed again its time
    /// and words are renewed. What speaks of a decision that is not kept is passed over.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn record_feedback(&self, feedback: &[Feedback]) -> Result<usize, StoreError> {
        if feedback.is_empty() {
            return Ok(0);
        }
        let feedback = feedback.to_vec();
        self.transaction(move |t| async move {
            let mut new = 0;
            for one in &feedback {
                new += usize::from(record(&t, one).await?);
            }
            Ok(new)
        })
        .await
    }

    /// What was said of a ticket's decisions, oldest first.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn feedback_of(&self, ticket: &TicketKey) -> Result<Vec<FeedbackRow>, StoreError> {
        let rows = self.all(OF_TICKET, values![&ticket.account, ticket.id]).await?;
        rows.into_iter().map(FeedbackRow::of).collect()
    }
}

/// Whether it is new.
async fn record(t: &Session, said: &Feedback) -> Outcome<bool> {
    let comment = match said.way {
        Way::Reply { comment } => Some(comment),
        Way::Console | Way::Tag => None,
    };
    let (TicketKey { account, id }, key, detail) = (&said.ticket, said.key(), said.opinion.detail());
    let which = values![account, *id, &said.reference, &key];
    let what = values![said.opinion.word(), detail, &said.who, said.said_at, said.way.word(), comment];
    let new = t.run(RECORD, [which, what].concat()).await? > 0;
    if !new && said.way == Way::Console {
        t.run(RENEW, values![account, *id, key, said.said_at, detail]).await?;
    }
    Ok(new)
}

/// Account, ticket, reference, verdict, opinion, its detail, who, when, way, comment.
pub(super) type Columns = (String, u64, String, String, String, String, String, DateTime<Utc>, String, Option<u64>);

impl FeedbackRow {
    pub(super) fn of(columns: Columns) -> Outcome<FeedbackRow> {
        let (account, id, reference, verdict, opinion, detail, who, said_at, way, comment) = columns;
        let opinion = match opinion.as_str() {
            "agree" => Opinion::Agree,
            "disagree" => Opinion::Disagree { why: detail },
            "corrected" => Opinion::Corrected { to: detail },
            _ => return Err(StoreError::odd("opinion")),
        };
        let way = match (way.as_str(), comment) {
            ("reply", Some(comment)) => Way::Reply { comment },
            ("console", _) => Way::Console,
            ("tag", _) => Way::Tag,
            _ => return Err(StoreError::odd("way of an opinion")),
        };
        let ticket = TicketKey { account, id };
        Ok(FeedbackRow { feedback: Feedback { ticket, reference, opinion, who, said_at, way }, verdict })
    }
}
