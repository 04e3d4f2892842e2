//! What on a ticket is feedback on the bot's own notes: replies, and tags changed by hand.

use chrono::{DateTime, Utc};

use crate::decide::facts::replies::{Reply, Says};
use crate::decide::policy::Policy;
use crate::decide::ticket::{OwnUsers, Reading, TicketKey};
use crate::store::feedback::{Feedback, Opinion, Way};

/// Opinions among managers' replies, each on the newest note of ours that stands before it; before the first there is
/// nothing to have an opinion on. `now` stands in where the helpdesk gives no time.
pub fn replied(
    reading: &Reading,
    own: &OwnUsers,
    ticket: &TicketKey,
    replies: &[Reply],
    now: DateTime<Utc>,
) -> Vec<Feedback> {
    let mut said = Vec::new();
    let mut newest = None;
    for comment in &reading.comments {
        if own.wrote(comment) {
            newest = comment.signature().id().or(newest);
            continue;
        }
        let Some(reference) = newest else { continue };
        for reply in replies.iter().filter(|reply| reply.comment == comment.id) {
            let Some(opinion) = opinion(&reply.says) else { continue };
            said.push(Feedback {
                ticket: ticket.clone(),
                reference: reference.to_owned(),
                opinion,
                who: reply.who.clone(),
                said_at: reply.at.unwrap_or(now),
                way: Way::Reply { comment: reply.comment },
            });
        }
    }
    said
}

/// What a manager says about the newest decision; none where they say something else.
pub fn opinion(says: &Says) -> Option<Opinion> {
    match says {
        Says::Agree => Some(Opinion::Agree),
        Says::Disagree(why) => Some(Opinion::Disagree { why: why.clone() }),
        Says::Answer { .. }
        | Says::Yes
        | Says::No(_)
        | Says::Undo
        | Says::Recheck
        | Says::Stop
        | Says::Unreadable(_) => None,
    }
}

/// The correction where somebody put another verdict's tags in the place of the newest note's.
///
/// None of its own is left, and all of exactly one other's are there. The bot writes its tags whole, so this was
/// somebody's hand; whose, a ticket does not say.
pub fn corrected(
    policy: &Policy,
    ticket: &TicketKey,
    reference: &str,
    verdict: &str,
    tags: &[String],
    now: DateTime<Utc>,
) -> Option<Feedback> {
    let own = &policy.outcome(verdict)?.add_tags;
    if own.is_empty() || own.iter().any(|tag| tags.contains(tag)) {
        return None;
    }
    let mut borne =
        policy.binding.outcomes.iter().filter(|(_, outcome)| {
            !outcome.add_tags.is_empty() && outcome.add_tags.iter().all(|tag| tags.contains(tag))
        });
    let (to, _) = borne.next().filter(|_| borne.next().is_none())?;
    Some(Feedback {
        ticket: ticket.clone(),
        reference: reference.to_owned(),
        opinion: Opinion::Corrected { to: to.get_ref().clone() },
        who: "somebody at the helpdesk".into(),
        said_at: now,
        way: Way::Tag,
    })
}
