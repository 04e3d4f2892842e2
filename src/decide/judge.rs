//! A ticket's reading brought to a decision: replies, facts, walk, tags.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::decide::facts::answers::{self, Answers};
use crate::decide::facts::fact::{Facts, Heard, Spoken};
use crate::decide::facts::gather::{self, Stated};
use crate::decide::facts::replies::{self, Reply};
use crate::decide::facts::sources::{self, Ids};
use crate::decide::facts::texts;
use crate::decide::note::{self, Subject};
use crate::decide::policy::Policy;
use crate::decide::policy::decision::Decision;
use crate::decide::reader::read::Text;
use crate::decide::ticket::{Noted, OwnUsers, Reading};

/// A decision with what it was made from.
#[derive(Debug)]
pub struct Judged {
    /// The decision, its tags against those the ticket bears.
    pub decision: Decision,
    /// The facts.
    pub facts: Facts,
    /// Everything said in words, taken or not.
    pub spoken: Spoken,
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
            spoken: &self.spoken,
            reading,
            problems: &self.problems,
            was: None,
            reference: None,
            link: None,
            now,
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
    let Answers { stated: mut answered, mut problems, refused, replies } =
        answers::of(replies, |reply| note_before(reading?, own, reply));
    answered.extend_from_slice(stated);
    let unread = reading.filter(|reading| reading.words.is_none());
    let read = unread.and_then(|reading| {
        let reader = policy.reader().filter(|_| ours(policy, ids, reading))?;
        let words = reader.read(&texts(policy, ids, reading, own), None);
        Some(Reading { words: Some(words), ..reading.clone() })
    });
    let mut gathered = gather::facts(policy, ids, read.as_ref().or(reading), &answered, now);
    gathered.spoken.refused = refused;
    problems.extend(gathered.problems);
    let tags = reading.map(|reading| reading.ticket.tags.as_slice()).unwrap_or_default();
    let mut decision = match reading {
        Some(reading) if !ours(policy, ids, reading) => policy.not_applicable(),
        _ => policy.decide(&gathered.facts, &gathered.spoken, now),
    };
    decision.tags = policy.tags(&decision.verdict, tags);
    decision.reader = read.as_ref().or(reading).and_then(|reading| reading.words.as_ref()?.read_by.clone());
    Judged { decision, facts: gathered.facts, spoken: gathered.spoken, heard: gathered.heard, problems, replies }
}

/// What people wrote on a ticket, for the policy's reader; nothing where it has none, or does not speak of the ticket.
pub fn texts(policy: &Policy, ids: &Ids, reading: &Reading, own: &OwnUsers) -> Vec<Text> {
    match policy.reader() {
        Some(_) if ours(policy, ids, reading) => texts::of(reading, own, &policy.lexicon.languages),
        Some(_) | None => Vec::new(),
    }
}

/// What our newest note before a reply said, as far as that is kept.
fn note_before<'a>(reading: &'a Reading, own: &OwnUsers, reply: &Reply) -> Option<&'a Noted> {
    let place = reading.comments.iter().position(|comment| comment.id == reply.comment && reply.comment != 0);
    let before = reading.comments.iter().enumerate().filter(|(at, comment)| match place {
        Some(place) => *at < place,
        None => comment.created_at <= reply.at,
    });
    let ours = before.map(|(_, comment)| comment).filter(|comment| own.has(comment.author_id));
    reading.notes.get(ours.filter_map(|comment| note::reference(comment.text())).next_back()?)
}

/// Whether the policy speaks of the ticket.
fn ours(policy: &Policy, ids: &Ids, reading: &Reading) -> bool {
    sources::not_ours(&policy.binding, ids, &reading.ticket).is_none()
}
