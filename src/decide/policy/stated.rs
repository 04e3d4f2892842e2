//! Deciding where there is no ticket: on stated facts, and on the policy's own word for the rest.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::Policy;
use super::binding::Kind;
use super::decision::Decision;
use super::given::{AllGiven, Given};
use super::graph::{Known, Range};
use super::source::Place;
use super::walk::{Slots, Stand};
use crate::decide::facts::expiry;
use crate::decide::facts::fact::{Facts, Trust};

/// What stands where nothing is stated; made once for many decisions.
#[derive(Debug)]
pub struct Unstated<'a> {
    policy: &'a Policy,
    facts: &'a Facts,
    given: AllGiven<'a>,
    /// Whether the policy's own word for a fact hangs on other facts, which takes gathering.
    conditional: bool,
}

impl Policy {
    /// What stands where nothing is stated: `facts` as they are gathered without a ticket.
    pub fn unstated<'a>(&'a self, facts: &'a Facts) -> Unstated<'a> {
        let own_words = self.graph.facts.iter().flat_map(|asked| self.own_words(&asked.name));
        let conditional = own_words.into_iter().any(|(when, _)| !when.is_empty());
        Unstated { policy: self, facts, given: self.graph.given(facts), conditional }
    }

    /// What it says itself of a fact where nothing else answers, each with its condition.
    fn own_words(&self, fact: &str) -> impl Iterator<Item = (&BTreeMap<String, String>, &str)> {
        let sources = self.binding.fact(fact).map(|fact| fact.sources.as_slice()).unwrap_or_default();
        sources.iter().filter_map(|source| {
            let Place::Otherwise(word) = &source.place else { return None };
            Some((&source.when, word.as_str()))
        })
    }
}

/// What is known of the facts a policy asks for, and nothing of where it was read.
#[derive(Debug, Clone)]
pub struct Knowledge(Slots);

impl Policy {
    /// Walks the one way that `known` gives at `now` (milliseconds since 1970, UTC), every node on it in `trace`.
    ///
    /// The outcome; none at an open question. This is the walk by itself, as [`Policy::decide`] begins with it.
    pub fn walk(&self, known: &Knowledge, now: i64, trace: &mut Vec<usize>) -> Option<&str> {
        trace.clear();
        match self.graph.follow(self.graph.start, &known.0, now, trace) {
            Stand::Ended(ending) => Some(self.graph.name(ending.outcome)),
            Stand::Open { .. } | Stand::Nowhere => None,
        }
    }
}

impl<'a> Unstated<'a> {
    /// What is known once facts and their values are stated besides; none where one is not plainly an answer.
    pub fn knowing(&self, stated: &[(&str, &str)]) -> Option<Knowledge> {
        let mut slots: Slots = self.given.iter().map(|given| given.map(|given| given.value)).collect();
        for (name, text) in stated {
            let fact = self.policy.graph.facts.iter().position(|asked| asked.name == *name)?;
            *slots.get_mut(fact)? = Some(self.plain(fact, text)?);
        }
        Some(Knowledge(slots))
    }

    /// Decides at `now` on facts and their values as `source` states them, a later one before an earlier.
    ///
    /// None where one of them is not plainly an answer the policy asks for: that takes a sentence, and gathering.
    pub fn decide(
        &self,
        stated: impl Iterator<Item = (&'a str, &'a str)>,
        source: &'a str,
        now: DateTime<Utc>,
    ) -> Option<Decision<Cow<'a, str>>> {
        if self.conditional {
            return None;
        }
        let (mut given, mut workflow) = (self.given.clone(), None);
        for (name, text) in stated {
            match self.policy.graph.facts.iter().position(|asked| asked.name == name) {
                Some(fact) => {
                    let value = self.plain(fact, text)?;
                    *given.get_mut(fact)? = Some(Given { value, trust: Trust::Stated, source, quote: None });
                }
                None if name == "workflow" && is_plain(text) => workflow = Some(text),
                None => return None,
            }
        }
        let workflow = workflow.or_else(|| self.workflow(&given));
        let mut decision = self.policy.decide_given(&given, workflow, now);
        decision.tags = self.policy.tags(&decision.verdict, &[]);
        Some(decision)
    }

    fn plain(&self, fact: usize, text: &str) -> Option<Known> {
        let asked = self.policy.graph.facts.get(fact)?;
        match &asked.range {
            Range::Words(words) => Some(Known::Word(words.iter().position(|word| word == text)?)),
            Range::Instant(_) => {
                let bound = self.policy.binding.fact(&asked.name).filter(|bound| bound.kind == Kind::Instant)?;
                // Which end of its day a bare date means may hang on other facts.
                let exact = text.contains('T') || bound.day_ends_when.is_empty();
                exact.then(|| Some(Known::At(expiry::instant(text, bound.day)?.timestamp_millis())))?
            }
        }
    }

    /// The handbook case: without a ticket only the policy's own word can say it, which may hang on what is stated.
    fn workflow(&self, given: &[Option<Given<'_>>]) -> Option<&'a str> {
        let holds = |(fact, answer): (&String, &String)| {
            let word = match self.policy.graph.facts.iter().position(|asked| asked.name == *fact) {
                Some(fact) => self.policy.graph.value(fact, given.get(fact).copied().flatten()?.value),
                None => Cow::Borrowed(self.facts.get(fact)?.known()?.value.word()?),
            };
            Some(word == answer.as_str())
        };
        let mut words = self.policy.own_words("workflow");
        words.find(|(when, _)| when.iter().all(|condition| holds(condition) == Some(true))).map(|(_, word)| word)
    }
}

/// A word as a binding writes it.
fn is_plain(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}
