//! A ticket's reading brought to a decision: replies, facts, walk, tags.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::facts::fact::{Facts, Heard};
use crate::facts::gather::{self, Stated};
use crate::facts::replies::{self, Reply};
use crate::facts::sources::{self, Ids};
use crate::helpdesk::ticket::Reading;
use crate::note::Subject;
use crate::policy::Policy;
use crate::policy::decision::Decision;

/// A decision with what it was made from.
#[derive(Debug)]
pub struct Judged {
    /// The decision, its tags against those the ticket bears.
    pub decision: Decision,
    /// The facts.
    pub facts: Facts,
    /// What every source said, by fact.
    pub heard: BTreeMap<String, Vec<Heard>>,
    /// Answers that could not be used, a sentence each.
    pub problems: Vec<String>,
    /// What managers wrote back.
    pub replies: Vec<Reply>,
}

impl Judged {
    /// What its note is written from where no ticket is written upon: without an id, a link, or a note before it.
    pub fn subject<'a>(
        &'a self,
        policy: &'a Policy,
        ids: &'a Ids,
        reading: Option<&'a Reading>,
        now: DateTime<Utc>,
    ) -> Subject<'a> {
        Subject {
            policy,
            ids,
            decision: &self.decision,
            facts: &self.facts,
            reading,
            problems: &self.problems,
            was: None,
            reference: None,
            link: None,
            now,
        }
    }
}

/// The decision at `now` on a ticket by itself, sooner than [`ticket`] for nothing of it is shown: its workflow is left out.
pub fn decision(policy: &Policy, ids: &Ids, reading: &Reading, stated: &[Stated], now: DateTime<Utc>) -> Decision {
    if sources::not_ours(&policy.binding, ids, &reading.ticket).is_some() {
        return policy.not_applicable();
    }
    let mut replies = replies::read(reading, None);
    replies.sort_by_key(|reply| reply.at);
    let (mut answers, _) = gather::stated(&replies);
    answers.extend_from_slice(stated);
    policy.decide(&gather::findings(policy, ids, reading, &answers, now), now)
}

/// Decides at `now` on a ticket, where there is one, and on what is stated besides.
///
/// `bot` is the helpdesk's id of ourselves: what we wrote is never read as an answer. `elsewhere` are replies that were
/// not made on the ticket: of all replies the later stands above the earlier, and `stated` above them.
pub fn ticket(
    policy: &Policy,
    ids: &Ids,
    reading: Option<&Reading>,
    elsewhere: &[Reply],
    stated: &[Stated],
    bot: Option<u64>,
    now: DateTime<Utc>,
) -> Judged {
    let mut replies = reading.map(|reading| replies::read(reading, bot)).unwrap_or_default();
    replies.extend_from_slice(elsewhere);
    replies.sort_by_key(|reply| reply.at); // Stable: within a note the lines stay in their order.
    let (mut answers, mut problems) = gather::stated(&replies);
    answers.extend_from_slice(stated);
    let gathered = gather::facts(policy, ids, reading, &answers, now);
    problems.extend(gathered.problems);
    let tags = reading.map(|reading| reading.ticket.tags.as_slice()).unwrap_or_default();
    let mut decision = match reading {
        Some(reading) if sources::not_ours(&policy.binding, ids, &reading.ticket).is_some() => policy.not_applicable(),
        _ => policy.decide(&gathered.facts, now),
    };
    decision.tags = policy.tags(&decision.verdict, tags);
    Judged { decision, facts: gathered.facts, heard: gathered.heard, problems, replies }
}
