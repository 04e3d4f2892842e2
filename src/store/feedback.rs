//! Feedback: what people thought of a decision.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::StoreError;
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

/// Keeps feedback.
#[async_trait]
pub trait Feedbacks: Send + Sync {
    /// Keeps feedback, each once by its [`Feedback::key`]; how many were new. Where a button is pressed again its time
    /// and words are renewed. What speaks of a decision that is not kept is passed over.
    async fn record_feedback(&self, feedback: &[Feedback]) -> Result<usize, StoreError>;

    /// What was said of a ticket's decisions, oldest first.
    async fn feedback_of(&self, ticket: &TicketKey) -> Result<Vec<FeedbackRow>, StoreError>;
}
