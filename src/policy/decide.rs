//! From facts to a decision: the walk, the rule that a guess never dismisses, and the questions left.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::Policy;
use super::decision::{Decision, Missing, NEEDS_FACTS, NOT_APPLICABLE, TagChange};
use super::graph::{Graph, Known, Range, Step, Test, YES_NO};
use super::walk::{Answer, Ending, Explored, Slots, with};
use crate::facts::fact::{Fact, Facts, Trust, Value};

/// How many combinations of open facts are gone through to see which questions matter; beyond that all are asked.
const MOST_COMBINATIONS: usize = 4096;

/// A fact as it was given, in the walk's terms.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    pub value: Known,
    pub fact: &'a Fact,
}

/// A walk after the guesses that would have dismissed were set aside.
pub(super) struct Settled {
    pub slots: Slots,
    pub explored: Explored,
    /// Facts set aside.
    pub guessed: BTreeSet<usize>,
    /// The dismissing outcome they would have led to.
    pub likely: Option<usize>,
}

impl Policy {
    /// Decides on `facts` at `now`; the tags are left to [`Policy::tags`].
    pub fn decide(&self, facts: &Facts, now: DateTime<Utc>) -> Decision {
        let graph = &self.graph;
        let millis = now.timestamp_millis();
        let given: Vec<Option<Given<'_>>> =
            graph.facts.iter().map(|asked| taken(&asked.name, &asked.range, facts)).collect();
        let settled = settle(graph, &given, millis);
        let outcomes = settled.explored.outcomes();
        let one = (outcomes.len() == 1).then(|| outcomes.first().copied()).flatten();
        let (walked, tasks) = ways(graph, &settled.explored, one);
        let trunk = &settled.explored.trunk;
        let answered = |node: &usize| self.answered(*node, &given, &settled.slots, now);
        let path: Vec<_> = trunk.iter().filter_map(answered).collect();
        let beyond: Vec<_> =
            settled.explored.answered.iter().filter(|node| !trunk.contains(node)).filter_map(answered).collect();
        let nodes: BTreeSet<usize> = settled.explored.endings.iter().map(|ending| ending.node).collect();
        Decision {
            verdict: one.map_or_else(|| NEEDS_FACTS.to_owned(), |outcome| graph.name(outcome)),
            likely: settled.likely.filter(|_| one.is_none()).map(|outcome| graph.name(outcome)),
            possible: outcomes.iter().map(|&outcome| graph.name(outcome)).collect(),
            outcome_node: nodes.first().filter(|_| one.is_some() && nodes.len() == 1).map(|&node| self.node_id(node)),
            trust: path.iter().chain(&beyond).map(|answered| answered.trust).min(),
            path,
            beyond,
            walked: walked.into_iter().map(|node| self.node_id(node)).collect(),
            missing: if one.is_some() { Vec::new() } else { self.missing(&given, &settled, millis) },
            tasks,
            workflow: facts.get("workflow").and_then(|finding| finding.known()).map(|fact| fact.value.to_string()),
            valid_until: valid_until(graph, &given, millis).and_then(DateTime::from_timestamp_millis),
            tags: TagChange::default(),
            policy: self.hash.clone(),
        }
    }

    /// The decision on a ticket the policy does not speak of.
    pub fn not_applicable(&self) -> Decision {
        Decision {
            verdict: NOT_APPLICABLE.to_owned(),
            likely: None,
            possible: Vec::new(),
            outcome_node: None,
            trust: None,
            path: Vec::new(),
            beyond: Vec::new(),
            walked: Vec::new(),
            missing: Vec::new(),
            tasks: Vec::new(),
            workflow: None,
            valid_until: None,
            tags: TagChange::default(),
            policy: self.hash.clone(),
        }
    }

    /// How the tags of a ticket that bears `present` should change for a verdict.
    pub fn tags(&self, verdict: &str, present: &[String]) -> TagChange {
        let wanted = self.outcome(verdict).map(|outcome| outcome.add_tags.as_slice()).unwrap_or_default();
        let ours = self.binding.outcomes.values().flat_map(|outcome| &outcome.add_tags);
        let others: BTreeSet<&String> = ours.filter(|tag| !wanted.contains(tag)).collect();
        TagChange {
            add: wanted.iter().filter(|tag| !present.contains(tag)).cloned().collect(),
            remove: present.iter().filter(|tag| others.contains(tag)).cloned().collect(),
        }
    }

    /// The open questions that matter, the one that settles most first.
    fn missing(&self, given: &[Option<Given<'_>>], settled: &Settled, now: i64) -> Vec<Missing> {
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
                    suggested: guess.map(|guess| guess.fact.value.to_string()),
                    leads_to: leads_to
                        .into_iter()
                        .map(|(answer, outcomes)| (answer, outcomes.into_iter().map(|it| graph.name(it)).collect()))
                        .collect(),
                },
            ));
        }
        asked.sort_by(|(one, _), (other, _)| one.total_cmp(other)); // Stable: among equals the first met stays first.
        asked.into_iter().map(|(_, missing)| missing).collect()
    }
}

/// Walks, and walks again with guesses unknown for as long as they alone would dismiss the request.
fn settle(graph: &Graph, given: &[Option<Given<'_>>], now: i64) -> Settled {
    let mut guessed = BTreeSet::new();
    let mut likely = None;
    loop {
        let taken = |(index, given): (usize, &Option<Given<'_>>)| {
            given.filter(|_| !guessed.contains(&index)).map(|given| given.value)
        };
        let slots: Slots = given.iter().enumerate().map(taken).collect();
        let explored = graph.explore(&slots, now);
        let outcomes = explored.outcomes();
        let dismissed = match outcomes.first() {
            Some(&outcome) if outcomes.len() == 1 && graph.dismisses(outcome) => Some(outcome),
            _ => None,
        };
        let guesses = guesses(graph, given, &slots, &explored);
        if dismissed.is_none() || guesses.is_empty() {
            return Settled { slots, explored, guessed, likely };
        }
        likely = likely.or(dismissed);
        guessed.extend(guesses);
    }
}

/// The inferred facts any branch rests on.
fn guesses(graph: &Graph, given: &[Option<Given<'_>>], slots: &Slots, explored: &Explored) -> BTreeSet<usize> {
    let met = explored.answered.iter().chain(&explored.open);
    let asked = met.filter_map(|&node| match graph.steps.get(node) {
        Some(Step::Ask { fact, .. }) => Some(*fact),
        _ => None,
    });
    asked
        .flat_map(|fact| graph.basis(fact, slots))
        .filter(|&fact| given.get(fact).copied().flatten().is_some_and(|given| given.fact.trust == Trust::Inferred))
        .collect()
}

/// The same facts, with one of them a manager's answer.
fn stating<'a>(given: &[Option<Given<'a>>], fact: usize, value: Known) -> Vec<Option<Given<'a>>> {
    let mut given = given.to_vec();
    if let Some(slot) = given.get_mut(fact) {
        *slot = Some(Given { value, fact: &STATED });
    }
    given
}

/// Stands for a manager's answer where only its trust counts.
static STATED: Fact =
    Fact { value: Value::Word(String::new()), trust: Trust::Stated, source: String::new(), quote: None };

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
    completions.iter().any(|slots| {
        let mut outcomes = values.iter().map(|&value| graph.explore(&with(slots, fact, value), now).outcomes());
        let first = outcomes.next();
        outcomes.any(|other| Some(other) != first)
    })
}

/// The first later instant at which the verdict would be another one with the same facts.
///
/// An answer can only turn where now passes a given instant by one of the distances questions ask for.
fn valid_until(graph: &Graph, given: &[Option<Given<'_>>], now: i64) -> Option<i64> {
    let verdict = |at| {
        let outcomes = settle(graph, given, at).explored.outcomes();
        (outcomes.len() == 1).then(|| outcomes.first().copied()).flatten()
    };
    let mut turns = BTreeSet::new();
    for (asked, given) in graph.facts.iter().zip(given) {
        if let (Range::Instant(distances), Some(Given { value: Known::At(at), .. })) = (&asked.range, given) {
            turns.extend(distances.iter().map(|distance| at.saturating_sub(*distance)).filter(|&turn| turn > now));
        }
    }
    let current = verdict(now);
    turns.into_iter().find(|&turn| verdict(turn) != current)
}

/// Every node on the way, and the tasks of a decided outcome.
fn ways(graph: &Graph, explored: &Explored, decided: Option<usize>) -> (Vec<usize>, Vec<String>) {
    let mut walked = explored.trunk.clone();
    let mut tasks = explored.tasks.clone();
    for Ending { node, .. } in explored.endings.iter().filter(|_| decided.is_some()) {
        if let Some(Step::End { tasks: after, .. }) = graph.steps.get(*node) {
            for (task, at) in std::iter::once((None, *node)).chain(after.iter().map(|(task, at)| (Some(task), *at))) {
                if !walked.contains(&at) {
                    walked.push(at);
                }
                tasks.extend(task.filter(|task| !tasks.contains(task)).cloned().into_iter().collect::<Vec<_>>());
            }
        }
    }
    (walked, tasks)
}

/// A fact's value in the walk's terms; none where it is unknown or no answer to what is asked.
fn taken<'a>(name: &str, range: &Range, facts: &'a Facts) -> Option<Given<'a>> {
    let fact = facts.get(name)?.known()?;
    let value = match (range, &fact.value) {
        (Range::Words(words), Value::Word(word)) => Known::Word(words.iter().position(|known| known == word)?),
        (Range::Instant(_), Value::Instant(at)) => Known::At(at.timestamp_millis()),
        (Range::Words(_), Value::Instant(_)) | (Range::Instant(_), Value::Word(_)) => return None,
    };
    Some(Given { value, fact })
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

impl Graph {
    /// The words for an answer.
    pub(super) fn word(&self, fact: usize, test: Test, answer: Answer) -> Option<String> {
        match (answer, test, self.facts.get(fact).map(|asked| &asked.range)) {
            (Answer::Is(index), Test::Word, Some(Range::Words(words))) => words.get(index).cloned(),
            (Answer::Is(index), ..) => YES_NO.get(index).map(|&word| word.to_owned()),
            (Answer::Open(_), ..) => None,
        }
    }

    fn name(&self, outcome: usize) -> String {
        self.outcomes.get(outcome).map(|outcome| outcome.name.clone()).unwrap_or_default()
    }

    fn dismisses(&self, outcome: usize) -> bool {
        self.outcomes.get(outcome).is_some_and(|outcome| outcome.dismisses)
    }
}
