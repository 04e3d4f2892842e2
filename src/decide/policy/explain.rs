//! An answered question in the terms of a decision: what was asked, what answered it, and from where.

use chrono::{DateTime, Utc};

use super::Policy;
use super::decide::instant;
use super::decision::Answered;
use super::given::Given;
use super::graph::{Exit, Known, Step};
use super::keys::settle;
use super::walk::{Answer, Slots, grace_ends_at};
use crate::decide::facts::fact::{Facts, Spoken};
use crate::decide::facts::source::{Dated, Grace, Source};

/// Why a manager is asked for a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// It is open.
    Open,
    /// Somebody cries out, and the record is perhaps about something else.
    CriedOut,
}

impl Policy {
    /// The question at `node` with its answer; none for other nodes and for open questions.
    pub(super) fn answered(
        &self,
        node: usize,
        given: &[Option<Given<'_>>],
        slots: &[Option<Known>],
        now: DateTime<Utc>,
    ) -> Option<Answered> {
        let Some(Step::Ask { fact, test, .. }) = self.graph.steps.get(node) else { return None };
        let answer = self.graph.answer(*fact, *test, slots, now.timestamp_millis());
        let answer = self.graph.word(*fact, *test, answer)?;
        let of = |index: usize| {
            slots.get(index).copied().flatten()?; // A guess that was set aside answers nothing.
            given.get(index).copied().flatten()
        };
        let (value, trust, source, quote) = match (of(*fact), self.graph.grace) {
            (Some(given), _) => (self.graph.shown(*fact, &given), given.trust, given.source.clone(), given.quote),
            (None, Some(grace)) => {
                let end = grace_ends_at(grace, slots)?;
                let (expiry, stated_end) = (of(grace.expires_at), of(grace.grace_ends_at));
                let weakest = [expiry, stated_end].into_iter().flatten().min_by_key(|given| given.trust)?;
                let value = if *fact == grace.in_grace { answer.to_owned() } else { instant(end) };
                let quote = weakest.quote.filter(|_| weakest.is_guess());
                let (expiry, end) = (expiry.and_then(dated), stated_end.and_then(dated));
                let reckoned = Grace { expiry, end, period: grace.period, now };
                (value, weakest.trust, Source::Grace(Box::new(reckoned)), quote)
            }
            (None, None) => return None,
        };
        let fact = self.graph.facts.get(*fact).map(|asked| asked.name.clone())?;
        let node = self.diagram.nodes.get(node)?;
        Some(Answered {
            node: node.id.clone(),
            text: node.text.clone(),
            fact,
            answer: answer.to_owned(),
            value,
            trust,
            source,
            quote: quote.map(str::to_owned),
        })
    }

    /// The known facts an answer to `fact` rests on: itself, or those it follows from.
    pub fn basis<'a>(&'a self, fact: &str, facts: &Facts) -> Vec<&'a str> {
        let Some(fact) = self.graph.facts.iter().position(|asked| asked.name == fact) else { return Vec::new() };
        let spoken = Spoken::default();
        let given = self.graph.matter(&self.binding, facts, &spoken).given;
        let slots: Slots = given.iter().map(|given| given.map(|given| given.value)).collect();
        let name = |fact: usize| self.graph.facts.get(fact).map(|asked| asked.name.as_str());
        self.graph.basis(fact, &slots).into_iter().filter_map(name).collect()
    }

    /// The unknown facts the walk over `facts` at `now` hangs on, the first met first.
    pub fn open_facts<'a>(&'a self, facts: &Facts, spoken: &Spoken, now: DateTime<Utc>) -> Vec<&'a str> {
        let matter = self.graph.matter(&self.binding, facts, spoken);
        let settled = settle(&self.graph, &matter, now.timestamp_millis());
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
    pub(super) fn question(&self, fact: usize, why: Why) -> String {
        let doubted = self.binding.dismissal.as_ref().and_then(|dismissal| dismissal.question.clone());
        let name = self.graph.facts.get(fact).map(|asked| asked.name.as_str()).unwrap_or_default();
        let bound = || self.binding.fact(name).and_then(|fact| fact.question.clone());
        let drawn = || {
            let mut steps = self.graph.steps.iter();
            let node = steps.position(|step| matches!(step, Step::Ask { fact: asked, .. } if *asked == fact));
            node.and_then(|node| self.diagram.nodes.get(node)).map(|node| node.text.clone())
        };
        doubted.filter(|_| why == Why::CriedOut).or_else(bound).or_else(drawn).unwrap_or_default()
    }
}

/// An instant with where it was read.
fn dated(given: Given<'_>) -> Option<Dated> {
    let Known::At(at) = given.value else { return None };
    let quote = given.quote.filter(|_| given.is_guess()).map(str::to_owned);
    Some(Dated { at: DateTime::from_timestamp_millis(at)?, source: given.source.clone(), quote })
}
