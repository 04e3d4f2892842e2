//! An answered question in the terms of a decision: what was asked, what answered it, and from where.

use chrono::{DateTime, Utc};

use super::Policy;
use super::decide::Given;
use super::decision::Answered;
use super::graph::{Grace, Step};
use super::walk::{Slots, grace_ends_at};
use crate::facts::expiry;
use crate::facts::fact::{Fact, Trust, Value};

impl Policy {
    /// The question at `node` with its answer; none for other nodes and for open questions.
    pub(super) fn answered(
        &self,
        node: usize,
        given: &[Option<Given<'_>>],
        slots: &Slots,
        now: DateTime<Utc>,
    ) -> Option<Answered> {
        let Some(Step::Ask { fact, test, .. }) = self.graph.steps.get(node) else { return None };
        let answer = self.graph.answer(*fact, *test, slots, now.timestamp_millis());
        let answer = self.graph.word(*fact, *test, answer)?;
        let of = |index: usize| {
            slots.get(index).copied().flatten()?; // A guess that was set aside answers nothing.
            given.get(index).copied().flatten().map(|given| given.fact)
        };
        let (value, trust, source, quote) = match (of(*fact), self.graph.grace) {
            (Some(fact), _) => (fact.value.to_string(), fact.trust, fact.source.clone(), fact.quote.clone()),
            (None, Some(grace)) => {
                let end = grace_ends_at(grace, slots).and_then(DateTime::from_timestamp_millis)?;
                let (expiry, stated_end) = (of(grace.expires_at), of(grace.grace_ends_at));
                let basis: Vec<&Fact> = [expiry, stated_end].into_iter().flatten().collect();
                let weakest = basis.iter().min_by_key(|fact| fact.trust)?;
                let value = if *fact == grace.in_grace { answer.clone() } else { Value::Instant(end).to_string() };
                let trust = weakest.trust;
                let quote = weakest.quote.clone().filter(|_| trust == Trust::Inferred);
                (value, trust, derivation(grace, expiry, stated_end, now), quote)
            }
            (None, None) => return None,
        };
        let fact = self.graph.facts.get(*fact).map(|asked| asked.name.clone())?;
        let (node, text) = self.diagram.nodes.get(node).map(|node| (node.id.clone(), node.text.clone()))?;
        Some(Answered { node, text, fact, answer, value, trust, source, quote })
    }

    /// How a manager is asked for a fact: the binding's words, else the diagram's.
    pub(super) fn question(&self, fact: &str, node: usize) -> String {
        let bound = self.binding.fact(fact).and_then(|fact| fact.question.clone());
        bound.or_else(|| self.diagram.nodes.get(node).map(|node| node.text.clone())).unwrap_or_default()
    }
}

/// How grace was reckoned: `expired 19 Nov 2026 (organisation's expiration date) + 14 days`.
fn derivation(grace: Grace, expiry: Option<&Fact>, stated_end: Option<&Fact>, now: DateTime<Utc>) -> String {
    let expires = expiry.map(|fact| match &fact.value {
        Value::Instant(at) => {
            let verb = if *at <= now { "expired" } else { "expires" };
            format!("{verb} {} ({})", expiry::moment(*at), fact.source)
        }
        Value::Word(word) => word.clone(),
    });
    let ends = match stated_end {
        Some(fact) => match &fact.value {
            Value::Instant(at) => format!("grace until {} ({})", expiry::moment(*at), fact.source),
            Value::Word(word) => word.clone(),
        },
        None => format!("{} of grace", expiry::length(grace.period)),
    };
    match (expires, stated_end) {
        (Some(expires), None) => format!("{expires} + {ends}"),
        (Some(expires), Some(_)) => format!("{expires}, {ends}"),
        (None, _) => ends,
    }
}
