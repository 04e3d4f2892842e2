//! Follow-ups: what a posted decision brings about elsewhere, each once.
//!
//! A follow-up is planned before its decision's note is written, and becomes due in the very transaction that says that
//! the note stands: so none is lost in between, and none comes of a note that never was.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::StoreError;
use crate::decide::ticket::TicketKey;

/// Where follow-ups go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// The ticket's STAR issue in GitLab.
    StarIssue,
    /// The chat's one channel.
    Chat,
}

/// What is done there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The STAR issue gets its label and a comment.
    StarIssue,
    /// The STAR issue loses the label it got, with a comment, for the verdict has turned.
    Unlabel,
    /// The chat hears of a verdict that escalates.
    Escalation,
    /// The chat hears that time alone is about to change a verdict.
    AboutToFlip,
}

/// A follow-up that is to be done once its decision's note stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// What.
    pub kind: Kind,
    /// Not before then; none for at once.
    pub not_before: Option<DateTime<Utc>>,
}

/// A due follow-up in one pair of hands, until the lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowUpClaim {
    /// The store's own number for it.
    pub id: i64,
    /// Which ticket.
    pub ticket: TicketKey,
    /// The decision it follows.
    pub reference: String,
    /// What is to be done.
    pub kind: Kind,
    /// How often it has failed before; 0 at first.
    pub failures: u32,
    /// The fencing token.
    pub lease: String,
    /// Whether the ticket is watched still.
    pub ticket_is: TicketIs,
}

/// Whether a follow-up's ticket is watched still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TicketIs {
    /// It is.
    Watched,
    /// It is not: solved, closed, or left alone.
    LeftAlone,
}

/// How a try leaves a follow-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    /// It is done.
    Done {
        /// What was done: an address where it can be seen, or a few words.
        what: String,
    },
    /// It is needed no longer.
    Moot {
        /// Why.
        why: String,
    },
    /// Nothing was done, for what is to be done is unclear; a person must see to it.
    Unclear {
        /// Why.
        why: String,
    },
    /// Not a failure of its own: the destination takes nothing now.
    Again {
        /// When to try again.
        at: DateTime<Utc>,
        /// What the destination said.
        error: String,
    },
    /// It failed; try again then.
    Retry {
        /// When.
        at: DateTime<Utc>,
        /// What went wrong.
        error: String,
    },
    /// It failed too often; somebody must send it back.
    Dead {
        /// The last error.
        error: String,
    },
}

/// Where a follow-up stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Stage {
    /// Its decision's note is not known to stand yet.
    Planned,
    /// To be done from then on.
    Due {
        /// When.
        at: DateTime<Utc>,
        /// Why the last try failed, if one did.
        last_error: Option<String>,
    },
    /// Done.
    Done {
        /// When.
        at: DateTime<Utc>,
        /// What, or where it can be seen.
        what: String,
    },
    /// Needed no longer.
    Moot {
        /// Why.
        why: String,
    },
    /// Nothing was done; a person must see to it.
    Unclear {
        /// When that was found.
        at: DateTime<Utc>,
        /// Why.
        why: String,
    },
    /// A dead letter.
    Dead {
        /// When it was given up.
        at: DateTime<Utc>,
        /// The last error.
        error: String,
    },
}

/// A follow-up as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FollowUp {
    /// Which ticket.
    pub ticket: TicketKey,
    /// The decision it follows.
    pub reference: String,
    /// What.
    pub kind: Kind,
    /// Where it stands.
    #[serde(flatten)]
    pub stage: Stage,
}

/// How much of a destination waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Follow-ups due now, in hand or not.
    pub due: u64,
    /// Those a person must see to: unclear ones and dead letters.
    pub stuck: u64,
}

/// Keeps follow-ups. What a method wrote is durable when it returns.
#[async_trait]
pub trait FollowUps: Send + Sync {
    /// Plans what follows a decision once its note stands; planning it again changes nothing.
    /// [`posted`](super::decisions::Decisions::posted) makes it due, and the ticket's older follow-ups that are not
    /// done moot: only the newest posted decision acts.
    async fn plan_follow_ups(&self, ticket: &TicketKey, reference: &str, planned: &[Planned])
    -> Result<(), StoreError>;

    /// Takes the follow-up to `destination` that has been due longest at `now` and is in nobody's hands; none of an
    /// account that is paused, and of one ticket one at a time.
    async fn claim_follow_up(
        &self,
        destination: Destination,
        now: DateTime<Utc>,
        lease: Duration,
    ) -> Result<Option<FollowUpClaim>, StoreError>;

    /// Lengthens a lease to `lease` from `now`; [`StoreError::LeaseLost`] where it has passed on, or is due no longer.
    async fn extend_follow_up(
        &self,
        claim: &FollowUpClaim,
        now: DateTime<Utc>,
        lease: Duration,
    ) -> Result<(), StoreError>;

    /// Gives a follow-up back; [`StoreError::LeaseLost`] and no change where it is no longer the holder's.
    async fn settle_follow_up(&self, claim: &FollowUpClaim, came: &Came, now: DateTime<Utc>) -> Result<(), StoreError>;

    /// A ticket's follow-ups, oldest first.
    async fn follow_ups_of(&self, ticket: &TicketKey) -> Result<Vec<FollowUp>, StoreError>;

    /// Up to `limit` follow-ups a person must see to, newest first.
    async fn stuck_follow_ups(&self, limit: usize) -> Result<Vec<FollowUp>, StoreError>;

    /// Makes a ticket's follow-ups that a person must see to due at `at`, their failures forgotten; how many.
    async fn send_follow_ups_back(&self, ticket: &TicketKey, at: DateTime<Utc>) -> Result<u64, StoreError>;

    /// How much of `destination` waits at `now`.
    async fn follow_ups_waiting(&self, destination: Destination, now: DateTime<Utc>) -> Result<Waiting, StoreError>;
}

impl Destination {
    /// All of them.
    pub const ALL: [Destination; 2] = [Destination::StarIssue, Destination::Chat];

    /// Its word in rows and metrics.
    pub fn word(self) -> &'static str {
        match self {
            Destination::StarIssue => "star_issue",
            Destination::Chat => "chat",
        }
    }
}

impl Kind {
    /// Where it is done.
    pub fn destination(self) -> Destination {
        match self {
            Kind::StarIssue | Kind::Unlabel => Destination::StarIssue,
            Kind::Escalation | Kind::AboutToFlip => Destination::Chat,
        }
    }

    /// Its word in a row.
    pub(super) fn word(self) -> &'static str {
        match self {
            Kind::StarIssue => "star_issue",
            Kind::Unlabel => "unlabel",
            Kind::Escalation => "escalation",
            Kind::AboutToFlip => "about_to_flip",
        }
    }

    pub(super) fn read(word: &str) -> Result<Kind, StoreError> {
        match word {
            "star_issue" => Ok(Kind::StarIssue),
            "unlabel" => Ok(Kind::Unlabel),
            "escalation" => Ok(Kind::Escalation),
            "about_to_flip" => Ok(Kind::AboutToFlip),
            _ => Err(StoreError::odd("kind of a follow-up")),
        }
    }
}

impl Came {
    /// What it is called where tries are counted.
    pub fn name(&self) -> &'static str {
        match self {
            Came::Done { .. } => "done",
            Came::Moot { .. } => "moot",
            Came::Unclear { .. } => "unclear",
            Came::Again { .. } => "again",
            Came::Retry { .. } => "retry",
            Came::Dead { .. } => "dead",
        }
    }

    /// What it leaves in the row.
    pub(super) fn leaves(&self, claim: &FollowUpClaim) -> Left<'_> {
        let failed = claim.failures.saturating_add(1);
        match self {
            Came::Done { what } => Left { state: "done", due_at: None, told: Some(what), failures: claim.failures },
            Came::Moot { why } => Left { state: "moot", due_at: None, told: Some(why), failures: claim.failures },
            Came::Unclear { why } => Left { state: "unclear", due_at: None, told: Some(why), failures: failed },
            Came::Again { at, error } => {
                Left { state: "due", due_at: Some(*at), told: Some(error), failures: claim.failures }
            }
            Came::Retry { at, error } => Left { state: "due", due_at: Some(*at), told: Some(error), failures: failed },
            Came::Dead { error } => Left { state: "dead", due_at: None, told: Some(error), failures: failed },
        }
    }
}

/// What a settled claim leaves in its row.
pub(super) struct Left<'a> {
    pub state: &'static str,
    pub due_at: Option<DateTime<Utc>>,
    pub told: Option<&'a str>,
    pub failures: u32,
}

impl Stage {
    /// Whether a person must see to it.
    pub fn is_stuck(&self) -> bool {
        match self {
            Stage::Unclear { .. } | Stage::Dead { .. } => true,
            Stage::Planned | Stage::Due { .. } | Stage::Done { .. } | Stage::Moot { .. } => false,
        }
    }

    /// Reads a row's columns.
    pub(super) fn read(
        state: &str,
        due_at: Option<DateTime<Utc>>,
        settled_at: Option<DateTime<Utc>>,
        told: Option<String>,
    ) -> Result<Stage, StoreError> {
        let words = told.clone().unwrap_or_default();
        match (state, due_at, settled_at) {
            ("planned", ..) => Ok(Stage::Planned),
            ("due", Some(at), _) => Ok(Stage::Due { at, last_error: told }),
            ("done", _, Some(at)) => Ok(Stage::Done { at, what: words }),
            ("moot", ..) => Ok(Stage::Moot { why: words }),
            ("unclear", _, Some(at)) => Ok(Stage::Unclear { at, why: words }),
            ("dead", _, Some(at)) => Ok(Stage::Dead { at, error: words }),
            _ => Err(StoreError::odd("state of a follow-up")),
        }
    }
}
