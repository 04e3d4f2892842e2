//! An answered question in the terms of a decision: what was asked, what answered it, and from where.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::Policy;
use super::decide::instant;
use super::decision::Answered;
use super::given::Given;
use super::graph::{Exit, Grace, Known, Step};
use super::settle::settle;
use super::walk::{Answer, Slots, grace_ends_at};
use crate::decide::facts::fact::Facts;
use crate::decide::facts::{expiry, words};

impl Policy {
    /// The question at `node` with its answer; none for other nodes and for open questions.
    pub(super) fn answered<'a>(
        &'a self,
        node: usize,
        given: &[Option<Given<'a>>],
        slots: &[Option<Known>],
        now: DateTime<Utc>,
    ) -> Option<Answered<Cow<'a, str>>> {
        let Some(Step::Ask { fact, test, .. }) = self.graph.steps.get(node) else { return None };
        let answer = self.graph.answer(*fact, *test, slots, now.timestamp_millis());
        let answer = self.graph.word(*fact, *test, answer)?;
        let of = |index: usize| {
            slots.get(index).copied().flatten()?; // A guess that was set aside answers nothing.
            given.get(index).copied().flatten()
        };
        let (value, trust, source, quote) = match (of(*fact), self.graph.grace) {
            (Some(Given { value, trust, source, quote }), _) => {
                (self.graph.value(*fact, value), trust, Cow::Borrowed(source), quote)
            }
            (None, Some(grace)) => {
                let end = grace_ends_at(grace, slots)?;
                let (expiry, stated_end) = (of(grace.expires_at), of(grace.grace_ends_at));
                let weakest = [expiry, stated_end].into_iter().flatten().min_by_key(|given| given.trust)?;
                let value = if *fact == grace.in_grace { Cow::Borrowed(answer) } else { Cow::Owned(instant(end)) };
                let quote = weakest.quote.filter(|_| weakest.is_guess());
                (value, weakest.trust, Cow::Owned(derivation(grace, expiry, stated_end, end, now)), quote)
            }
            (None, None) => return None,
        };
        let fact = self.graph.facts.get(*fact).map(|asked| asked.name.as_str())?;
        let node = self.diagram.nodes.get(node)?;
        Some(Answered {
            node: Cow::Borrowed(&node.id),
            text: Cow::Borrowed(&node.text),
            fact: Cow::Borrowed(fact),
            answer: Cow::Borrowed(answer),
            value,
            trust,
            source,
            quote: quote.cloned(),
        })
    }

    /// The known facts an answer to `fact` rests on: itself, or those it follows from.
    pub fn basis<'a>(&'a self, fact: &str, facts: &Facts) -> Vec<&'a str> {
        let Some(fact) = self.graph.facts.iter().position(|asked| asked.name == fact) else { return Vec::new() };
        let slots: Slots = self.graph.given(facts).iter().map(|given| given.map(|given| given.value)).collect();
        let name = |fact: usize| self.graph.facts.get(fact).map(|asked| asked.name.as_str());
        self.graph.basis(fact, &slots).into_iter().filter_map(name).collect()
    }

    /// The unknown facts the walk over `facts` at `now` hangs on, the first met first.
    pub fn open_facts<'a>(&'a self, facts: &Facts, now: DateTime<Utc>) -> Vec<&'a str> {
        let settled = settle(&self.graph, &self.graph.given(facts), now.timestamp_millis());
        let name = |fact: usize| self.graph.facts.get(fact).map(|asked| asked.name.as_str());
        settled.explored.roots.into_iter().filter_map(name).collect()
    }

    /// Whether an answer leads straight to an outcome, with nothing more to ask.
    pub fn settles(&self, answered: &Answered) -> bool {
        let Some(node) = self.diagram.nodes.iter().position(|node| node.id == answered.node) else { return false };
        let Some(Step::Ask { fact, test, exits }) = self.graph.steps.get(node) else { return false };
        let named = |place: &usize| self.graph.word(*fact, *test, Answer::Is(*place)) == Some(&answered.answer);
        let mut next = match (0..exits.len()).find(named).and_then(|place| exits.get(place)) {
            Some(Exit::Rest(_)) => return true,
            Some(Exit::Node(next)) => *next,
            None => return false,
        };
        while let Some(Step::Pass(to) | Step::Task(_, to)) = self.graph.steps.get(next) {
            next = *to;
        }
        matches!(self.graph.steps.get(next), Some(Step::End { .. }))
    }

    /// How a manager is asked for a fact: the binding's words, else the diagram's.
    pub(super) fn question(&self, fact: &str, node: usize) -> String {
        let bound = self.binding.fact(fact).and_then(|fact| fact.question.clone());
        bound.or_else(|| self.diagram.nodes.get(node).map(|node| node.text.clone())).unwrap_or_default()
    }
}

impl Answered {
    /// Whether it follows from an expiry instead of being read anywhere, by how [`derivation`] begins and ends.
    pub fn is_derived(&self) -> bool {
        ["expired ", "expires ", "grace until "].iter().any(|begins| self.source.starts_with(begins))
            || self.source.contains(" of grace")
    }
}

/// Where it was read, as it stands behind a date: a guess with its words.
fn read(given: Given<'_>) -> String {
    match given.quote.filter(|_| given.is_guess()) {
        Some(quote) => format!(", a guess from {},", words::cited(quote)),
        None => format!(" ({})", given.source),
    }
}

/// How grace was reckoned to end at `end`: `expired 19 Nov 2026 (organisation's expiration date) + 14 days`.
fn derivation(
    grace: Grace,
    expiry: Option<Given<'_>>,
    stated_end: Option<Given<'_>>,
    end: i64,
    now: DateTime<Utc>,
) -> String {
    let at = |given: Given<'_>| match given.value {
        Known::At(at) => DateTime::from_timestamp_millis(at),
        Known::Word(_) => None,
    };
    let expires = expiry.and_then(|given| {
        let at = at(given)?;
        let verb = if at <= now { "expired" } else { "expires" };
        Some(format!("{verb} {}{}", expiry::moment(at), read(given)))
    });
    let ends = stated_end.and_then(|given| Some(format!("grace until {}{}", expiry::moment(at(given)?), read(given))));
    let reckoned = || format!("{} of grace", expiry::length(grace.period));
    let runs = expiry.and_then(at).is_some_and(|expiry| expiry > now);
    match (expires, ends) {
        (Some(expires), None) if runs => expires, // Grace is not reckoned with before its time.
        (Some(expires), None) => {
            let end = DateTime::from_timestamp_millis(end).filter(|end| *end <= now);
            let ended = end.map(|end| format!(", which ended {}", expiry::moment(end)));
            format!("{expires} + {}{}", reckoned(), ended.unwrap_or_default())
        }
        (Some(expires), Some(ends)) => format!("{expires}, {ends}"),
        (None, ends) => ends.unwrap_or_else(reckoned),
    }
}
