//! What a manager is asked: of the open questions that matter at most two, and what each answer would lead to.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;

use super::Policy;
use super::decision::{LeadsTo, Missing, Stretch};
use super::explain::Why;
use super::given::Matter;
use super::graph::{Graph, Known, Range, Step};
use super::guess::Guess;
use super::keys::{Against, Settled, settle};
use super::walk::{Stand, with};

/// How many questions a note asks.
const MOST_ASKED: usize = 2;

/// How many combinations of open facts are gone through to see which questions matter; beyond that all are asked.
const MOST_COMBINATIONS: usize = 4096;

/// A question with how much knowing its answer leaves open.
struct Weighed {
    fact: usize,
    /// How many outcomes an answer leaves possible, on average.
    left: f64,
    missing: Missing,
}

impl Policy {
    /// What is asked, in this order: first the instant that a cry makes doubtful; then what words dispute; then
    /// what is proposed, or without a proposal what the ticket itself does not answer; of these what settles most.
    pub(super) fn missing(
        &self,
        matter: &Matter<'_>,
        settled: &Settled<'_>,
        guess: Option<&Guess<'_>>,
        now: i64,
    ) -> Vec<Missing> {
        let graph = &self.graph;
        let mut facts = asked(graph, settled, now);
        if facts.is_empty() {
            // Nothing is open but a key: whoever answers this has seen what speaks against it.
            let spoken = settled.against.iter().filter_map(|against| match against {
                Against::Voice(fact, _) => Some(*fact),
                Against::Cry(_) => None,
            });
            let about = matter.about.and_then(|about| about.fact);
            facts.extend(spoken.chain(settled.opened.iter().copied()).chain(about).take(1));
        }
        let suggested = |fact: usize| guess.and_then(|guess| guess.suggested.get(fact).copied().flatten());
        let proposed = guess.is_some_and(|guess| guess.likely.is_some());
        let mut weighed: Vec<Weighed> = facts
            .into_iter()
            .filter_map(|fact| {
                let suggested = suggested(fact).filter(|_| settled.opened.contains(&fact));
                self.weighed(matter, settled, fact, suggested.map(|given| graph.shown(fact, &given)), now)
            })
            .collect();
        weighed.sort_by(|one, other| {
            let rank = |weighed: &Weighed| {
                let Weighed { fact, missing, .. } = weighed;
                (!settled.first.contains(fact), !disputed(settled, *fact), missing.suggested.is_some() != proposed)
            };
            // Stable: among equals the first met stays first.
            rank(one).cmp(&rank(other)).then(one.left.total_cmp(&other.left))
        });
        let Some(first) = weighed.first().map(|weighed| weighed.fact) else { return Vec::new() };
        let others = weighed.into_iter().enumerate();
        let stays = others.filter(|(place, weighed)| *place == 0 || !moot(graph, matter, first, weighed.fact, now));
        stays.map(|(_, weighed)| weighed.missing).take(MOST_ASKED).collect()
    }

    /// A question about a fact.
    fn weighed(
        &self,
        matter: &Matter<'_>,
        settled: &Settled<'_>,
        fact: usize,
        suggested: Option<String>,
        now: i64,
    ) -> Option<Weighed> {
        let graph = &self.graph;
        let about = graph.facts.get(fact)?;
        let possible = settled.explored.outcomes();
        let values = graph.values(fact, now);
        let mut left = 0_u32;
        let outcomes: Vec<BTreeSet<usize>> = values
            .iter()
            .map(|&value| {
                let stated = settle(graph, &matter.stating(fact, value), now);
                let mut outcomes: BTreeSet<usize> = match stated.verdict {
                    Some(verdict) => BTreeSet::from([verdict]),
                    None => stated.explored.outcomes().into_iter().collect(),
                };
                outcomes.retain(|outcome| possible.contains(outcome));
                left += u32::try_from(outcomes.len()).unwrap_or(u32::MAX);
                outcomes
            })
            .collect();
        let names = |outcomes: &BTreeSet<usize>| outcomes.iter().map(|&it| graph.name(it).to_owned()).collect();
        let leads_to = match &about.range {
            Range::Words(words) => {
                let each = words.iter().zip(&outcomes).map(|(word, outcomes)| (word.clone(), names(outcomes)));
                LeadsTo::Words(each.collect::<BTreeMap<String, Vec<String>>>())
            }
            Range::Instant(_) => LeadsTo::Stretches(stretches(&values, &outcomes, names)),
        };
        let missing = Missing {
            fact: about.name.clone(),
            question: self.question(fact, if settled.first.contains(&fact) { Why::CriedOut } else { Why::Open }),
            settles: usize::try_from(left).is_ok_and(|left| left == values.len()),
            suggested,
            leads_to,
        };
        let left = f64::from(left) / f64::from(u32::try_from(values.len()).unwrap_or(u32::MAX));
        Some(Weighed { fact, left, missing })
    }
}

/// Whether words give a fact another answer than it had.
fn disputed(settled: &Settled<'_>, fact: usize) -> bool {
    settled.against.iter().any(|against| matches!(against, Against::Voice(about, _) if *about == fact))
}

/// Open questions that matter, by their facts, in the order in which they are met.
fn asked(graph: &Graph, settled: &Settled<'_>, now: i64) -> Vec<usize> {
    let mut asked = Vec::new();
    for &node in &settled.explored.open {
        let Some(Step::Ask { fact, .. }) = graph.steps.get(node) else { continue };
        if !asked.contains(fact) && matters(graph, settled, *fact, now) {
            asked.push(*fact);
        }
    }
    asked
}

/// Whether some answer to the first question makes the other one moot.
fn moot(graph: &Graph, matter: &Matter<'_>, first: usize, other: usize, now: i64) -> bool {
    graph.values(first, now).into_iter().any(|value| {
        let stated = settle(graph, &matter.stating(first, value), now);
        stated.verdict.is_some() || !asked(graph, &stated, now).contains(&other)
    })
}

/// The stretches between the instants at which answers change, those that lead to the same joined.
fn stretches(
    values: &[Known],
    outcomes: &[BTreeSet<usize>],
    names: impl Fn(&BTreeSet<usize>) -> Vec<String>,
) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    for (place, (value, outcomes)) in values.iter().zip(outcomes).enumerate() {
        // Each value is the last moment of its stretch: to the second, the next one begins a second later.
        let end = match value {
            Known::At(at) if place + 1 < values.len() => {
                DateTime::from_timestamp_millis(at.div_euclid(1000).saturating_add(1).saturating_mul(1000))
            }
            Known::At(_) | Known::Word(_) => None,
        };
        let outcomes = names(outcomes);
        match stretches.last_mut() {
            Some(last) if last.outcomes == outcomes => last.until = end,
            last => {
                let from = last.and_then(|last| last.until);
                stretches.push(Stretch { from, until: end, outcomes });
            }
        }
    }
    stretches
}

/// Whether, with everything else settled some way, this fact alone can still change the outcome.
fn matters(graph: &Graph, settled: &Settled<'_>, fact: usize, now: i64) -> bool {
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
