//! A ticket's reading brought to a decision: replies, facts, walk, tags.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::decide::facts::fact::{Facts, Heard};
use crate::decide::facts::gather::{self, Gathering, Stated};
use crate::decide::facts::replies::{self, Reply};
use crate::decide::facts::sources::{self, Ids};
use crate::decide::note::Subject;
use crate::decide::policy::Policy;
use crate::decide::policy::alike::Alike;
use crate::decide::policy::decision::{Decision, NEEDS_FACTS};
use crate::decide::ticket::{OwnUsers, Reading};

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

/// A ticket by itself, decided sooner than by [`ticket`] for nothing of it is shown: tags, workflow and how long it holds
/// are left out.
pub struct Briefly<'a> {
    /// The decision; how it tells its answers may be an earlier ticket's, see [`Policy::decide_alike`].
    pub decision: Arc<Decision>,
    policy: &'a Policy,
    now: DateTime<Utc>,
    /// None where the policy does not speak of the ticket.
    facts: Option<Gathering<'a>>,
}

impl<'a> Briefly<'a> {
    /// Decides a ticket at `now` on what it says and what is stated besides.
    pub fn new(
        policy: &'a Policy,
        ids: &'a Ids,
        reading: &'a Reading,
        stated: &'a [Stated],
        now: DateTime<Utc>,
        alike: &mut Alike,
    ) -> Briefly<'a> {
        if sources::not_ours(&policy.binding, ids, &reading.ticket).is_some() {
            return Briefly { decision: policy.not_applicable_alike(alike), policy, now, facts: None };
        }
        let mut replies = replies::read(reading, &OwnUsers::none(), &policy.lexicon.languages);
        replies.sort_by_key(|reply| reply.at);
        let (mut answers, _) = gather::stated(&replies);
        let stated = if answers.is_empty() {
            Cow::Borrowed(stated)
        } else {
            answers.extend_from_slice(stated);
            Cow::Owned(answers)
        };
        let mut facts = Gathering::new(policy, ids, reading, stated, now);
        Briefly { decision: policy.decide_alike(alike, &mut facts, now), policy, now, facts: Some(facts) }
    }

    /// The decision in its own words, for its reason.
    pub fn in_own_words(&mut self) -> Arc<Decision> {
        match &mut self.facts {
            Some(facts) if self.decision.verdict != NEEDS_FACTS => {
                Arc::new(self.policy.decide_as_asked(facts, self.now))
            }
            Some(_) | None => self.decision.clone(), // Its reason is what is asked, and that tells nothing of the ticket.
        }
    }
}

/// Decides at `now` on a ticket, where there is one, and on what is stated besides.
///
/// What our `own` users wrote is never read as an answer. `elsewhere` are replies that were
/// not made on the ticket: of all replies the later stands above the earlier, and `stated` above them.
pub fn ticket(
    policy: &Policy,
    ids: &Ids,
    reading: Option<&Reading>,
    elsewhere: &[Reply],
    stated: &[Stated],
    own: &OwnUsers,
    now: DateTime<Utc>,
) -> Judged {
    let mut replies = reading.map(|reading| replies::read(reading, own, &policy.lexicon.languages)).unwrap_or_default();
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
