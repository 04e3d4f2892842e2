//! Follow-ups: what a posted decision brings about elsewhere, each once.
//!
//! A follow-up is planned before its decision's note is written, and becomes due in the very transaction that says that
//! the note stands: so none is lost in between, and none comes of a note that never was.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::database::{Outcome, Session, token, until, values};
use super::{Store, StoreError};
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
    /// The chat hears that a question is open for as long as a STAR may wait.
    StillOpen,
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
            Kind::Escalation | Kind::AboutToFlip | Kind::StillOpen => Destination::Chat,
        }
    }

    /// Its word in a row.
    fn word(self) -> &'static str {
        match self {
            Kind::StarIssue => "star_issue",
            Kind::Unlabel => "unlabel",
            Kind::Escalation => "escalation",
            Kind::AboutToFlip => "about_to_flip",
            Kind::StillOpen => "still_open",
        }
    }

    fn read(word: &str) -> Outcome<Kind> {
        match word {
            "star_issue" => Ok(Kind::StarIssue),
            "unlabel" => Ok(Kind::Unlabel),
            "escalation" => Ok(Kind::Escalation),
            "about_to_flip" => Ok(Kind::AboutToFlip),
            "still_open" => Ok(Kind::StillOpen),
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
    fn leaves(&self, claim: &FollowUpClaim) -> Left<'_> {
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
struct Left<'a> {
    state: &'static str,
    due_at: Option<DateTime<Utc>>,
    told: Option<&'a str>,
    failures: u32,
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
    fn read(
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

const PLAN: &str = "INSERT INTO follow_ups (account, ticket, reference, kind, destination, state, due_at)
    VALUES ($1, $2, $3, $4, $5, 'planned', $6) ON CONFLICT DO NOTHING";

const BEGIN: &str = "UPDATE follow_ups SET state = 'due', due_at = CASE WHEN due_at > $4 THEN due_at ELSE $4 END
    WHERE account = $1 AND ticket = $2 AND reference = $3 AND state = 'planned'";

const MOOT: &str = "UPDATE follow_ups SET state = 'moot', told = 'a newer decision stands', settled_at = $4
    WHERE account = $1 AND ticket = $2 AND reference <> $3 AND state IN ('due', 'unclear', 'dead')";

const ANY_DUE: &str = "SELECT 1 FROM follow_ups WHERE destination = $1 AND state = 'due' AND due_at <= $2
    AND (lease IS NULL OR lease_until <= $2 OR lease_until > $3)
    AND NOT EXISTS (SELECT 1 FROM pauses WHERE pauses.account = follow_ups.account) LIMIT 1";

const CLAIM: &str = "UPDATE follow_ups SET lease = $4, lease_until = $3
    WHERE id = (
        SELECT id FROM follow_ups
        WHERE destination = $1 AND state = 'due' AND due_at <= $2
            AND (lease IS NULL OR lease_until <= $2 OR lease_until > $5)
            AND NOT EXISTS (SELECT 1 FROM pauses WHERE pauses.account = follow_ups.account)
            AND NOT EXISTS (SELECT 1 FROM follow_ups AS other WHERE other.account = follow_ups.account
                AND other.ticket = follow_ups.ticket AND other.destination = $1
                AND other.lease_until > $2 AND other.lease_until <= $5)
        ORDER BY due_at LIMIT 1 /*postgres FOR UPDATE SKIP LOCKED*/)
    RETURNING id, account, ticket, reference, kind, failures, lease, EXISTS (
        SELECT 1 FROM watches WHERE watches.account = follow_ups.account
            AND watches.ticket = follow_ups.ticket AND watches.state = 'stopped')";

const EXTEND: &str = "UPDATE follow_ups SET lease_until = $3 WHERE id = $1 AND lease = $2 AND state = 'due'";

const SETTLE: &str = "UPDATE follow_ups SET state = $3, due_at = $4, told = $5, failures = $6, settled_at = $7,
        lease = NULL, lease_until = NULL
    WHERE id = $1 AND lease = $2";

const OF_TICKET: &str = "SELECT account, ticket, reference, kind, state, due_at, settled_at, told FROM follow_ups
    WHERE account = $1 AND ticket = $2 ORDER BY id";

const STUCK: &str = "SELECT account, ticket, reference, kind, state, due_at, settled_at, told FROM follow_ups
    WHERE state IN ('unclear', 'dead') ORDER BY settled_at DESC, id DESC LIMIT $1";

const SEND_BACK: &str = "UPDATE follow_ups SET state = 'due', due_at = $3, told = NULL, failures = 0
    WHERE account = $1 AND ticket = $2 AND state IN ('unclear', 'dead')";

const WAITING: &str = "SELECT
    (SELECT count(*) FROM follow_ups WHERE destination = $1 AND state = 'due' AND due_at <= $2),
    (SELECT count(*) FROM follow_ups WHERE destination = $1 AND state IN ('unclear', 'dead'))";

/// Follow-ups. What a method wrote is durable when it returns.
impl Store {
    /// Plans what follows a decision once its note stands; planning it again changes nothing. [`Store::posted`] makes it
    /// due, and the ticket's older follow-ups that are not done moot: only the newest posted decision acts.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn plan_follow_ups(
        &self,
        ticket: &TicketKey,
        reference: &str,
        planned: &[Planned],
    ) -> Result<(), StoreError> {
        let shared = |one: &Planned| Planned { not_before: one.not_before.map(|at| self.shared(at)), ..*one };
        let planned: Vec<Planned> = planned.iter().map(shared).collect();
        let (ticket, reference) = (ticket.clone(), reference.to_owned());
        self.transaction(move |t| async move {
            for Planned { kind, not_before } in planned {
                let (name, destination) = (kind.word(), kind.destination().word());
                t.run(PLAN, values![&ticket.account, ticket.id, &reference, name, destination, not_before]).await?;
            }
            Ok(())
        })
        .await
    }

    /// Takes the follow-up to `destination` that has been due longest at `now` and is in nobody's hands; none of an
    /// account that is paused, and of one ticket one at a time.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn claim_follow_up(
        &self,
        destination: Destination,
        now: DateTime<Utc>,
        lease: Duration,
    ) -> Result<Option<FollowUpClaim>, StoreError> {
        // Asked often and seldom answered: writers are left in peace where nothing waits.
        let now = self.shared(now);
        let longest = until(now, lease.saturating_mul(2)); // What ends later was written by a wrong clock.
        let due: Option<(i64,)> = self.one(ANY_DUE, values![destination.word(), now, longest]).await?;
        if due.is_none() {
            return Ok(None);
        }
        let values = values![destination.word(), now, until(now, lease), token()?, longest];
        type Columns = (i64, String, u64, String, String, u32, String, bool);
        let taken: Option<Columns> = self.returning(CLAIM, values).await?.pop();
        let claim = |(id, account, ticket, reference, kind, failures, lease, stopped): Columns| {
            let (ticket, kind) = (TicketKey { account, id: ticket }, Kind::read(&kind)?);
            let ticket_is = if stopped { TicketIs::LeftAlone } else { TicketIs::Watched };
            Ok(FollowUpClaim { id, ticket, reference, kind, failures, lease, ticket_is })
        };
        taken.map(claim).transpose()
    }

    /// Lengthens a lease to `lease` from `now`.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] where it has passed on, or is due no longer; a store that cannot be used.
    pub async fn extend_follow_up(
        &self,
        claim: &FollowUpClaim,
        now: DateTime<Utc>,
        lease: Duration,
    ) -> Result<(), StoreError> {
        claim.held_by(self.run(EXTEND, values![claim.id, &claim.lease, until(self.shared(now), lease)]).await?)
    }

    /// Gives a follow-up back.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] and no change where it is no longer the holder's; a store that cannot be used.
    pub async fn settle_follow_up(
        &self,
        claim: &FollowUpClaim,
        came: &Came,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let left = came.leaves(claim);
        let due_at = left.due_at.map(|at| self.shared(at));
        let values = values![claim.id, &claim.lease, left.state, due_at, left.told, left.failures, now];
        claim.held_by(self.run(SETTLE, values).await?)
    }

    /// A ticket's follow-ups, oldest first.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn follow_ups_of(&self, ticket: &TicketKey) -> Result<Vec<FollowUp>, StoreError> {
        let all = self.all(OF_TICKET, values![&ticket.account, ticket.id]).await?;
        all.into_iter().map(FollowUp::of).collect()
    }

    /// Up to `limit` follow-ups a person must see to, newest first.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn stuck_follow_ups(&self, limit: usize) -> Result<Vec<FollowUp>, StoreError> {
        self.all(STUCK, values![limit]).await?.into_iter().map(FollowUp::of).collect()
    }

    /// Makes a ticket's follow-ups that a person must see to due at `at`, their failures forgotten; how many.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn send_follow_ups_back(&self, ticket: &TicketKey, at: DateTime<Utc>) -> Result<u64, StoreError> {
        self.run(SEND_BACK, values![&ticket.account, ticket.id, self.shared(at)]).await
    }

    /// How much of `destination` waits at `now`.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn follow_ups_waiting(
        &self,
        destination: Destination,
        now: DateTime<Utc>,
    ) -> Result<Waiting, StoreError> {
        let waiting = self.one(WAITING, values![destination.word(), self.shared(now)]).await?;
        Ok(waiting.map(|(due, stuck)| Waiting { due, stuck }).unwrap_or_default())
    }
}

/// A decision's note stands: what was planned is due, and what an older one left is needed no longer.
pub(super) async fn begin(t: &Session, ticket: &TicketKey, reference: &str, at: DateTime<Utc>) -> Outcome<()> {
    let values = values![&ticket.account, ticket.id, reference, at];
    t.run(BEGIN, values.clone()).await?;
    t.run(MOOT, values).await.map(drop)
}

impl FollowUpClaim {
    fn held_by(&self, rows: u64) -> Outcome<()> {
        if rows == 1 { Ok(()) } else { Err(StoreError::LeaseLost(self.ticket.clone())) }
    }
}

/// Account, ticket, reference, kind, state, due, settled, told.
type Columns = (String, u64, String, String, String, Option<DateTime<Utc>>, Option<DateTime<Utc>>, Option<String>);

impl FollowUp {
    fn of((account, id, reference, kind, state, due_at, settled_at, told): Columns) -> Outcome<FollowUp> {
        let (ticket, kind) = (TicketKey { account, id }, Kind::read(&kind)?);
        Ok(FollowUp { ticket, reference, kind, stage: Stage::read(&state, due_at, settled_at, told)? })
    }
}
