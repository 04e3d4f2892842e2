//! Follow-ups: what a posted decision brings about elsewhere, one loop a destination.
//!
//! # Why no comment is doubled or lost
//!
//! 1. *It is due when the note stands, and not before.* A follow-up is planned before the note is written, and the
//!    transaction that says that the note stands makes it due; whatever ends a try early leaves it due, when its lease
//!    ends at the latest.
//! 2. *One pair of hands.* It is leased, and the lease is lengthened as the last thing before a write, by who still has it.
//! 3. *The comment carries the decision's id.* Before it is written, our own comments on the issue are read; one with that
//!    id means: done. What others write means nothing.
//! 4. *A write that may still be on its way is given time.* GitLab gives a request up after a minute. A lost answer is
//!    tried again after the lease's length at the earliest, and a crash leaves the lease to end.
//! 5. *The label first.* Adding it again changes nothing, so the comment is what tells that all is done.
//! 6. *A verdict that turns takes back what is ours.* Where the newest word is that a STAR is in order, the label goes with
//!    one comment, if GitLab's own record says that we put it there; whoever else did has their reasons.
//!
//! A chat cannot be asked what was said there. Its messages come **at least once**: where an answer is lost, or the bot is
//! killed between the message and its record, the message comes again, with the same decision's id.

mod chat;
pub mod named;
pub mod plan;
mod star_issue;
pub mod words;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;

use super::Shared;
use super::retry::backoff;
use crate::decide::policy::Policy;
use crate::decide::policy::decision::Decision;
use crate::elsewhere::CallError;
use crate::elsewhere::chat::Chat;
use crate::elsewhere::gitlab::GitLab;
use crate::helpdesk::addresses::Addresses;
use crate::metrics;
use crate::store::StoreError;
use crate::store::decisions::DecisionRow;
use crate::store::feedback::Opinion;
use crate::store::follow_ups::{Came, Destination, FollowUpClaim, TicketIs};
use words::{Said, Seen};

/// How often due follow-ups are looked for.
const EVERY: Duration = Duration::from_secs(2);

/// How long to wait before a destination that refused us, or an unusable store, is tried again.
const PATIENCE: Duration = Duration::from_secs(30);

/// One destination as its loop needs it.
pub struct Follower {
    /// Where it goes.
    pub to: To,
    /// Where tickets are at their helpdesks.
    pub addresses: Addresses,
    /// How often in a row a follow-up may fail before it becomes a dead letter; at least 1.
    pub tries: u32,
    /// How long one stays with a replica that gives no sign of life; longer than two calls may take.
    pub lease: Duration,
}

/// Where follow-ups go, with what is needed there.
pub enum To {
    /// To STAR issues, which get this label.
    StarIssues {
        /// Their project.
        gitlab: GitLab,
        /// The label.
        label: String,
    },
    /// To a chat's channel.
    Chat(Chat),
}

impl To {
    /// Which destination it is.
    pub fn destination(&self) -> Destination {
        match self {
            To::StarIssues { .. } => Destination::StarIssue,
            To::Chat(_) => Destination::Chat,
        }
    }
}

/// What ends a try early.
enum Stop {
    /// A call that changes nothing failed.
    Asking(CallError),
    /// A write failed, or its answer did not come.
    Writing(CallError),
    /// The store cannot say, or the lease is gone.
    Store(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Stop {
        Stop::Store(error)
    }
}

/// A follow-up in hand, with all that is needed to do it.
struct InHand<'a> {
    shared: &'a Shared,
    follower: &'a Follower,
    claim: &'a FollowUpClaim,
    policy: &'a Policy,
    decision: Decision,
    row: DecisionRow,
    seen: Seen,
}

/// Does what is due at one destination until `stop` says so, and ends what is in hand.
pub async fn run(shared: Arc<Shared>, follower: Follower, mut stop: watch::Receiver<bool>) {
    let destination = follower.to.destination();
    shared.destinations.well(destination.word());
    while !*stop.borrow() {
        let wait = match one(&shared, &follower).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::error!(destination = destination.word(), %error, "follow-ups cannot be taken or given back");
                PATIENCE
            }
        };
        tokio::select! {
            told = stop.changed() => if told.is_err() { return },
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Does the one that has been due longest; how long to wait before the next.
async fn one(shared: &Shared, follower: &Follower) -> Result<Duration, StoreError> {
    let destination = follower.to.destination();
    let Some(claim) = shared.store.claim_follow_up(destination, Utc::now(), follower.lease).await? else {
        return Ok(EVERY);
    };
    let (came, pause) = match tried(shared, follower, &claim).await {
        Ok(came) => {
            shared.destinations.well(destination.word());
            (came, None)
        }
        Err(Stop::Store(StoreError::LeaseLost(_))) => return Ok(Duration::ZERO), // Somebody else has it.
        Err(Stop::Store(error)) => return Err(error),
        Err(Stop::Asking(error)) => follower.failed(shared, &claim, &error, Duration::ZERO),
        // A chat's message cannot be looked for, so there is nothing to wait for.
        Err(Stop::Writing(error)) => {
            let lands = matches!(destination, Destination::StarIssue) && error.leaves_open();
            follower.failed(shared, &claim, &error, if lands { follower.lease } else { Duration::ZERO })
        }
    };
    tracing::info!(ticket = %claim.ticket, destination = destination.word(), reference = claim.reference, came = came.name(), "a follow-up was tried");
    metrics::follow_up(destination.word(), came.name());
    match shared.store.settle_follow_up(&claim, &came, Utc::now()).await {
        Err(StoreError::LeaseLost(_)) | Ok(()) => Ok(pause.unwrap_or_default()),
        Err(error) => Err(error),
    }
}

async fn tried(shared: &Shared, follower: &Follower, claim: &FollowUpClaim) -> Result<Came, Stop> {
    let moot = |why: &str| Ok(Came::Moot { why: why.to_owned() });
    let newest = shared.store.last_decision(&claim.ticket).await?;
    let Some(row) = newest.filter(|row| row.reference == claim.reference) else {
        return moot("a newer decision stands");
    };
    if claim.ticket_is == TicketIs::LeftAlone {
        return moot("the ticket is watched no longer");
    }
    let opinions = shared.store.feedback_of(&claim.ticket).await?;
    let on_it = opinions.into_iter().map(|row| row.feedback).filter(|said| said.reference == claim.reference);
    match on_it.max_by_key(|said| said.said_at).map(|said| said.opinion) {
        Some(Opinion::Disagree { .. } | Opinion::Corrected { .. }) => {
            return moot("somebody disagreed with the decision");
        }
        Some(Opinion::Agree) | None => {}
    }
    let decision = serde_json::from_str(&row.decision).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    let Some(seen) = seen(shared, follower, claim) else {
        return moot("its account is configured no longer");
    };
    let policy = shared.rule.now();
    let in_hand = InHand { shared, follower, claim, policy: &policy, decision, row, seen };
    match &follower.to {
        To::StarIssues { gitlab, label } => star_issue::bring(&in_hand, gitlab, label).await,
        To::Chat(chat) => chat::say(&in_hand, chat).await,
    }
}

/// Where a ticket can be seen; none where its account is configured no longer.
fn seen(shared: &Shared, follower: &Follower, claim: &FollowUpClaim) -> Option<Seen> {
    let (account, id) = (&claim.ticket.account, claim.ticket.id);
    Some(Seen {
        ticket: follower.addresses.ticket(&claim.ticket)?,
        console: shared.public_url.as_ref().map(|url| format!("{}/tickets/{account}/{id}", url.trim_end_matches('/'))),
    })
}

impl InHand<'_> {
    fn said(&self) -> Said<'_> {
        Said { policy: self.policy, decision: &self.decision, row: &self.row, seen: &self.seen }
    }

    /// The last word before a write: who has lost the follow-up meanwhile does not write.
    async fn still_ours(&self) -> Result<DateTime<Utc>, StoreError> {
        let now = Utc::now();
        self.shared.store.extend_follow_up(self.claim, now, self.follower.lease).await?;
        Ok(now)
    }

    /// Nothing was found to act on, which may come yet: tried again, and in the end left to a person.
    fn not_there(&self, why: String) -> Came {
        let failures = self.claim.failures.saturating_add(1);
        if failures >= self.follower.tries {
            return Came::Unclear { why };
        }
        Came::Retry { at: Utc::now() + backoff(failures, fastrand::u64(..)), error: why }
    }
}

impl Follower {
    /// What a failed call means for the follow-up, and how long the whole destination is to wait.
    fn failed(
        &self,
        shared: &Shared,
        claim: &FollowUpClaim,
        error: &CallError,
        at_least: Duration,
    ) -> (Came, Option<Duration>) {
        let (now, destination, why) = (Utc::now(), self.to.destination().word(), error.to_string());
        tracing::warn!(ticket = %claim.ticket, destination, error = why, "a follow-up failed");
        let wait = match error {
            CallError::Refused(_) => {
                shared.destinations.refused(destination, &why);
                PATIENCE
            }
            CallError::Limited { retry_after } => *retry_after,
            CallError::Unreachable(_) | CallError::Failed(_) | CallError::Rejected(_) | CallError::Unreadable(_) => {
                let failures = claim.failures.saturating_add(1);
                if failures >= self.tries {
                    return (Came::Dead { error: why }, None);
                }
                let wait = backoff(failures, fastrand::u64(..)).max(at_least);
                return (Came::Retry { at: now + wait, error: why }, None);
            }
        };
        (Came::Again { at: now + wait, error: why }, Some(wait))
    }
}
