//! What a decision was made on, as it is kept beside it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::judge::Judged;
use super::policy::Policy;
use super::policy::decision::Decision;
use crate::decide::facts::fact::Facts;
use crate::decide::facts::replies::Reply;
use crate::decide::facts::span::Span;
use crate::decide::ticket::Reading;

/// What a decision was made on; customers' words in it are shown as text and nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Basis {
    /// The ticket's subject line.
    pub subject: String,
    /// The requester's organisation, by name.
    pub organization: Option<String>,
    /// Who has the ticket at the helpdesk, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// When the time runs out: what ends of the licence, or when time alone may change the verdict, whichever is earlier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline: Option<DateTime<Utc>>,
    /// Whether the customer is known to be locked out, or words say so clearly.
    pub locked_out: bool,
    /// Every fact, known or not.
    pub facts: Facts,
    /// What managers wrote back, oldest first.
    pub replies: Vec<Reply>,
    /// Answers that could not be used, a sentence each.
    pub problems: Vec<String>,
}

impl Basis {
    /// The basis of what was judged on a reading by a policy.
    pub fn of(judged: &Judged, reading: &Reading, policy: &Policy) -> Basis {
        let assignee = reading.ticket.assignee_id.and_then(|id| reading.user(id));
        let cry = policy.cry(&judged.decision);
        Basis {
            assignee: assignee.map(|user| user.name.clone()).filter(|name| !name.is_empty()),
            deadline: deadline(&judged.decision),
            locked_out: cry.is_some_and(|cry| policy.is_clear(cry)),
            subject: reading.ticket.subject.clone(),
            organization: reading.organization.as_ref().map(|organization| organization.name.clone()),
            facts: judged.facts.clone(),
            replies: judged.replies.clone(),
            problems: judged.problems.clone(),
        }
    }
}

/// When the time of a ticket runs out: the first of the instants that its answers, or what is proposed, rest on and of
/// the moment at which time alone may change the verdict. Of a span of time it is the end.
fn deadline(decision: &Decision) -> Option<DateTime<Utc>> {
    let answers = decision.path.iter().chain(&decision.beyond).map(|answered| &answered.value);
    let ends = answers.chain(decision.proposal.values()).filter_map(|value| match value.parse::<Span>() {
        Ok(span) => Some(span.until),
        Err(_) => DateTime::parse_from_rfc3339(value).ok().map(|at| at.to_utc()),
    });
    ends.chain(decision.valid_until).min()
}
