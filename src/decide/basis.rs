//! What a decision was made on, as it is kept beside it.

use serde::{Deserialize, Serialize};

use super::judge::Judged;
use crate::decide::facts::fact::Facts;
use crate::decide::facts::replies::Reply;
use crate::decide::ticket::Reading;

/// What a decision was made on; customers' words in it are shown as text and nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Basis {
    /// The ticket's subject line.
    pub subject: String,
    /// The requester's organisation, by name.
    pub organization: Option<String>,
    /// Every fact, known or not.
    pub facts: Facts,
    /// What managers wrote back, oldest first.
    pub replies: Vec<Reply>,
    /// Answers that could not be used, a sentence each.
    pub problems: Vec<String>,
}

impl Basis {
    /// The basis of what was judged on a reading.
    pub fn of(judged: &Judged, reading: &Reading) -> Basis {
        Basis {
            subject: reading.ticket.subject.clone(),
            organization: reading.organization.as_ref().map(|organization| organization.name.clone()),
            facts: judged.facts.clone(),
            replies: judged.replies.clone(),
            problems: judged.problems.clone(),
        }
    }
}
