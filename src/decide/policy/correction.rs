//! Which answer, put right, would change a verdict.

use chrono::{DateTime, Utc};

use super::Policy;
use super::graph::{Graph, Known, Range, Step};
use super::keys::{Settled, settle};
use crate::decide::facts::fact::{Facts, Spoken};

/// An answer to put in the place of the one a verdict rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// The fact.
    pub fact: String,
    /// The other answer; none for an instant, of which only a person knows the right one.
    pub answer: Option<String>,
}

impl Policy {
    /// Of the answers the verdict on `facts` at `now` rests on, the least certain that would change it if it were put right.
    ///
    /// A choice of several comes last, for nothing says which of the others is right; among equals the one nearest to the end
    /// of the way comes first.
    pub fn correction(&self, facts: &Facts, spoken: &Spoken, now: DateTime<Utc>) -> Option<Correction> {
        let (graph, now) = (&self.graph, now.timestamp_millis());
        let matter = graph.matter(&self.binding, facts, spoken);
        let settled = settle(graph, &matter, now);
        let verdict = settled.verdict;
        let mut candidates = rested_on(graph, &settled);
        let several = |fact: usize| match graph.facts.get(fact).map(|asked| &asked.range) {
            Some(Range::Words(words)) => words.len() > 2,
            Some(Range::Instant(_)) | None => false,
        };
        candidates
            .sort_by_key(|&fact| (several(fact), matter.given.get(fact).copied().flatten().map(|given| given.trust)));
        candidates.into_iter().find_map(|fact| {
            let stands = settled.slots.get(fact).copied().flatten();
            let others = graph.values(fact, now).into_iter().filter(|&value| Some(value) != stands);
            let changes = |value: &Known| settle(graph, &matter.stating(fact, *value), now).verdict != verdict;
            let other = others.into_iter().find(changes)?;
            let answer = match other {
                Known::Word(_) => Some(graph.value(fact, other).into_owned()),
                Known::At(_) => None,
            };
            Some(Correction { fact: graph.facts.get(fact)?.name.clone(), answer })
        })
    }
}

/// The given facts that answers on the way rest on, each once, the last first.
fn rested_on(graph: &Graph, settled: &Settled<'_>) -> Vec<usize> {
    let mut rested_on = Vec::new();
    for &node in settled.explored.answered.iter().rev() {
        let Some(Step::Ask { fact, .. }) = graph.steps.get(node) else { continue };
        for basis in graph.basis(*fact, &settled.slots) {
            if !rested_on.contains(&basis) {
                rested_on.push(basis);
            }
        }
    }
    rested_on
}
