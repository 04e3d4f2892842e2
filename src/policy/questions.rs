//! The open questions that matter, and what each answer would lead to.

use std::collections::{BTreeMap, BTreeSet};

use super::Policy;
use super::decision::Missing;
use super::given::{AllGiven, Given};
use super::graph::{Graph, Known, Range, Step, Test, YES_NO};
use super::settle::{Settled, settle};
use super::walk::{Stand, with};
use crate::facts::fact::Trust;

/// How many combinations of open facts are gone through to see which questions matter; beyond that all are asked.
const MOST_COMBINATIONS: usize = 4096;

impl Policy {
    /// The open questions that matter, the one that settles most first.
    pub(super) fn missing(&self, given: &[Option<Given<'_>>], settled: &Settled, now: i64) -> Vec<Missing> {
        let graph = &self.graph;
        let mut asked: Vec<(f64, Missing)> = Vec::new();
        for &node in &settled.explored.open {
            let Some(Step::Ask { fact, test, .. }) = graph.steps.get(node) else { continue };
            let Some(about) = graph.facts.get(*fact) else { continue };
            if asked.iter().any(|(_, missing)| missing.fact == about.name) || !matters(graph, settled, *fact, now) {
                continue;
            }
            let mut leads_to: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
            let mut left = 0_u32;
            let values = graph.values(*fact, now);
            for &value in &values {
                let outcomes = settle(graph, &stating(given, *fact, value), now).explored.outcomes();
                left += u32::try_from(outcomes.len()).unwrap_or(u32::MAX);
                leads_to.entry(answer_word(&about.range, *test, value, now)).or_default().extend(outcomes);
            }
            let guess = given.get(*fact).copied().flatten().filter(|_| settled.guessed.contains(fact));
            asked.push((
                f64::from(left) / f64::from(u32::try_from(values.len()).unwrap_or(u32::MAX)),
                Missing {
                    fact: about.name.clone(),
                    question: self.question(&about.name, node),
                    settles: usize::try_from(left).is_ok_and(|left| left == values.len()),
                    suggested: guess.map(|guess| graph.value(*fact, guess.value).into_owned()),
                    leads_to: leads_to
                        .into_iter()
                        .map(|(answer, outcomes)| {
                            (answer, outcomes.into_iter().map(|it| graph.name(it).to_owned()).collect())
                        })
                        .collect(),
                },
            ));
        }
        asked.sort_by(|(one, _), (other, _)| one.total_cmp(other)); // Stable: among equals the first met stays first.
        asked.into_iter().map(|(_, missing)| missing).collect()
    }
}

/// The same facts, with one of them a manager's answer.
pub(super) fn stating<'a>(given: &[Option<Given<'a>>], fact: usize, value: Known) -> AllGiven<'a> {
    let mut given = given.to_vec();
    if let Some(slot) = given.get_mut(fact) {
        *slot = Some(Given { value, trust: Trust::Stated, source: "", quote: None });
    }
    given
}

/// Whether, with everything else settled some way, this fact alone can still change the outcome.
fn matters(graph: &Graph, settled: &Settled, fact: usize, now: i64) -> bool {
    let mut completions = vec![settled.slots.clone()];
    for &root in settled.explored.roots.iter().filter(|&&root| root != fact) {
        let values = graph.values(root, now);
        if completions.len() * values.len() > MOST_COMBINATIONS {
            return true;
        }
        completions =
            completions.iter().flat_map(|slots| values.iter().map(|&value| with(slots, root, value))).collect();
    }
    let values = graph.values(fact, now);
    let mut trace = Vec::new();
    completions.iter_mut().any(|slots| {
        let mut outcomes = values.iter().map(|&value| {
            if let Some(slot) = slots.get_mut(fact) {
                *slot = Some(value);
            }
            trace.clear();
            match graph.follow(graph.start, slots, now, &mut trace) {
                Stand::Ended(ending) => vec![ending.outcome],
                // What this value leaves open could not be met before: it follows from the fact itself.
                Stand::Open { .. } | Stand::Nowhere => graph.explore(slots, now).outcomes(),
            }
        });
        let first = outcomes.next();
        outcomes.any(|other| Some(other) != first)
    })
}

/// What a value answers, in words.
fn answer_word(range: &Range, test: Test, value: Known, now: i64) -> String {
    match (range, test, value) {
        (Range::Words(words), _, Known::Word(word)) => words.get(word).cloned().unwrap_or_default(),
        (_, Test::More(span), Known::At(at)) => {
            YES_NO.get(usize::from(at <= now.saturating_add(span))).map_or_else(String::new, |&word| word.to_owned())
        }
        _ => String::new(),
    }
}
