//! The open questions that matter, and what each answer would lead to.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::Policy;
use super::decision::Missing;
use super::given::{AllGiven, Given};
use super::graph::{Graph, Known, Range, Step, Test, YES_NO};
use super::settle::{Settled, guesses, settle};
use super::walk::{Stand, with};
use crate::decide::facts::fact::{Facts, Trust};
use crate::decide::facts::source::{self, Source};

/// How many combinations of open facts are gone through to see which questions matter; beyond that all are asked.
const MOST_COMBINATIONS: usize = 4096;

/// A question as it is put to a manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What is asked; suggested is what was guessed, whether the answers rest on it or not.
    pub missing: Missing,
    /// What could still be reached if the guess is right; empty where nothing was guessed.
    pub if_right: Vec<String>,
}

/// A question with how much knowing its answer leaves open.
struct Weighed {
    fact: usize,
    /// How many outcomes an answer leaves possible, on average.
    left: f64,
    missing: Missing,
}

impl Weighed {
    /// Whether it makes no difference what the answer is, as long as the others are open.
    fn alike(&self) -> bool {
        let mut outcomes = self.missing.leads_to.values();
        let first = outcomes.next();
        outcomes.all(|other| Some(other) == first)
    }
}

impl Policy {
    /// The open questions that matter, the one that settles most first.
    pub(super) fn missing(&self, given: &[Option<Given<'_>>], settled: &Settled, now: i64) -> Vec<Missing> {
        self.open(given, settled, now).into_iter().map(|weighed| weighed.missing).collect()
    }

    /// What a manager is asked about `facts` at `now`, the most telling question first.
    ///
    /// Where none of the open questions settles the verdict by itself, the guesses their answers rest on are asked as well: in
    /// the end one of them can have to be confirmed.
    pub fn questions(&self, facts: &Facts, now: DateTime<Utc>) -> Vec<Question> {
        let (graph, given, now) = (&self.graph, self.graph.given(facts), now.timestamp_millis());
        let settled = settle(graph, &given, now);
        let mut asked = self.open(&given, &settled, now);
        if !asked.iter().any(|weighed| weighed.missing.settles) {
            asked.extend(self.unconfirmed(&given, &settled, now));
        }
        asked.sort_by(|one, other| one.alike().cmp(&other.alike()).then(one.left.total_cmp(&other.left)));
        let question = |Weighed { fact, missing, .. }: Weighed| {
            let guess = given.get(fact).copied().flatten().filter(|_| missing.suggested.is_some());
            let outcomes =
                guess.map(|guess| settle(graph, &stating(&given, fact, guess.value), now).explored.outcomes());
            let names = outcomes.into_iter().flatten().map(|outcome| graph.name(outcome).to_owned());
            Question { if_right: names.collect(), missing }
        };
        asked.into_iter().map(question).collect()
    }

    /// The open questions that matter, the one that settles most first.
    fn open(&self, given: &[Option<Given<'_>>], settled: &Settled, now: i64) -> Vec<Weighed> {
        let mut asked: Vec<Weighed> = Vec::new();
        for &node in &settled.explored.open {
            let Some(Step::Ask { fact, test, .. }) = self.graph.steps.get(node) else { continue };
            if asked.iter().any(|weighed| weighed.fact == *fact) || !matters(&self.graph, settled, *fact, now) {
                continue;
            }
            let guess = given.get(*fact).copied().flatten().filter(|_| settled.guessed.contains(fact));
            asked.extend(self.weighed(given, node, (*fact, *test), guess, now));
        }
        asked.sort_by(|one, other| one.left.total_cmp(&other.left)); // Stable: among equals the first met stays first.
        asked
    }

    /// The guesses the branches rest on, where knowing better could narrow what is possible.
    fn unconfirmed(&self, given: &[Option<Given<'_>>], settled: &Settled, now: i64) -> Vec<Weighed> {
        let graph = &self.graph;
        let possible: Vec<&str> = settled.explored.outcomes().into_iter().map(|it| graph.name(it)).collect();
        let rested_on = guesses(graph, given, &settled.slots, &settled.explored).into_iter();
        let asked = rested_on.filter_map(|guess| {
            let mut steps = graph.steps.iter().enumerate();
            let (node, test) = steps.find_map(|(node, step)| match step {
                Step::Ask { fact, test, .. } if *fact == guess => Some((node, *test)),
                Step::Ask { .. } | Step::Pass(_) | Step::Task(..) | Step::End { .. } | Step::Past => None,
            })?;
            self.weighed(given, node, (guess, test), given.get(guess).copied().flatten(), now)
        });
        asked.filter(|weighed| weighed.missing.leads_to.values().any(|outcomes| *outcomes != possible)).collect()
    }

    /// A question about a fact, by the node that asks it.
    fn weighed(
        &self,
        given: &[Option<Given<'_>>],
        node: usize,
        (fact, test): (usize, Test),
        guess: Option<Given<'_>>,
        now: i64,
    ) -> Option<Weighed> {
        let graph = &self.graph;
        let about = graph.facts.get(fact)?;
        let mut leads_to: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        let mut left = 0_u32;
        let values = graph.values(fact, now);
        for &value in &values {
            let outcomes = settle(graph, &stating(given, fact, value), now).explored.outcomes();
            left += u32::try_from(outcomes.len()).unwrap_or(u32::MAX);
            leads_to.entry(answer_word(&about.range, test, value, now)).or_default().extend(outcomes);
        }
        let names = |outcomes: BTreeSet<usize>| outcomes.into_iter().map(|it| graph.name(it).to_owned()).collect();
        let missing = Missing {
            fact: about.name.clone(),
            question: self.question(&about.name, node),
            settles: usize::try_from(left).is_ok_and(|left| left == values.len()),
            suggested: guess.map(|guess| graph.value(fact, guess.value).into_owned()),
            leads_to: leads_to.into_iter().map(|(answer, outcomes)| (answer, names(outcomes))).collect(),
        };
        let left = f64::from(left) / f64::from(u32::try_from(values.len()).unwrap_or(u32::MAX));
        Some(Weighed { fact, left, missing })
    }
}

/// The same facts, with one of them a manager's answer.
pub(super) fn stating<'a>(given: &[Option<Given<'a>>], fact: usize, value: Known) -> AllGiven<'a> {
    let mut given = given.to_vec();
    if let Some(slot) = given.get_mut(fact) {
        *slot = Some(Given { value, trust: Trust::Stated, source: &Source::Given(source::Given::Form), quote: None });
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
