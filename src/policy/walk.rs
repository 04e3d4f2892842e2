//! The three-valued walk: every branch that could still happen is followed.

use std::collections::{BTreeSet, HashSet};

use super::graph::{Exit, Grace, Graph, Known, Range, Step, Test};

/// What is known of each fact of the graph, by its index.
pub(super) type Slots = Vec<Option<Known>>;

/// The answer to one question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// Known: an index into the question's exits.
    Is(usize),
    /// It hangs on this fact, which is unknown.
    Open(usize),
}

/// Where a walk can end: the outcome, and the node it is reached at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ending {
    /// An index into the graph's outcomes.
    pub outcome: usize,
    /// An index into its steps.
    pub node: usize,
}

/// Everything met on every branch that could still happen.
#[derive(Debug, Default)]
pub(super) struct Explored {
    /// Where the branches end.
    pub endings: BTreeSet<Ending>,
    /// The one way up to the first open question, or to the end: every node on it.
    pub trunk: Vec<usize>,
    /// Questions on any branch whose answer was known beforehand, in the order they were met.
    pub answered: Vec<usize>,
    /// Questions on any branch whose answer was not, in the order they were met.
    pub open: Vec<usize>,
    /// The unknown facts those hang on.
    pub roots: BTreeSet<usize>,
    /// Tasks met on the way, before any outcome.
    pub tasks: Vec<String>,
}

impl Explored {
    /// The outcomes, without where they are reached.
    pub(super) fn outcomes(&self) -> BTreeSet<usize> {
        self.endings.iter().map(|ending| ending.outcome).collect()
    }
}

impl Graph {
    /// Follows every branch that `slots` leave possible at `now` (milliseconds since 1970, UTC).
    pub(super) fn explore(&self, slots: &Slots, now: i64) -> Explored {
        let mut explored = Explored::default();
        let mut seen = HashSet::new();
        let mut branches = vec![(self.start, slots.clone())];
        let mut on_trunk = true;
        while let Some((start, assumed)) = branches.pop() {
            let mut node = start;
            loop {
                if on_trunk {
                    explored.trunk.push(node);
                }
                let Some(step) = self.steps.get(node) else { break };
                match step {
                    Step::Pass(to) => node = *to,
                    Step::Task(task, to) => {
                        note(&mut explored.tasks, task.clone());
                        node = *to;
                    }
                    Step::End { outcome, .. } => {
                        explored.endings.insert(Ending { outcome: *outcome, node });
                        break;
                    }
                    Step::Past => break,
                    Step::Ask { fact, test, exits } => {
                        // Known beforehand, or only under an assumption of this branch?
                        let beforehand = self.answer(*fact, *test, slots, now);
                        match beforehand {
                            Answer::Is(_) => note(&mut explored.answered, node),
                            Answer::Open(_) => note(&mut explored.open, node),
                        }
                        match self.answer(*fact, *test, &assumed, now) {
                            Answer::Is(answer) => match exits.get(answer) {
                                Some(Exit::Node(to)) => node = *to,
                                Some(Exit::Rest(outcome)) => {
                                    explored.endings.insert(Ending { outcome: *outcome, node });
                                    break;
                                }
                                None => break,
                            },
                            Answer::Open(root) => {
                                explored.roots.insert(root);
                                if seen.insert((node, self.still_asked(node, &assumed))) {
                                    let values = self.values(root, now);
                                    branches.extend(
                                        values.into_iter().rev().map(|value| (node, with(&assumed, root, value))),
                                    );
                                }
                                break;
                            }
                        }
                    }
                }
            }
            on_trunk = false;
        }
        explored
    }

    /// Answers a question asked of `fact` at `now`.
    ///
    /// `in_grace` and `grace_ends_at`, where nothing gives them, follow from `expires_at`: before expiry not in
    /// grace; from expiry until the grace ends in grace; after that not.
    pub(super) fn answer(&self, fact: usize, test: Test, slots: &Slots, now: i64) -> Answer {
        match (test, known(slots, fact), self.grace) {
            (Test::Word, Some(Known::Word(word)), _) => Answer::Is(word),
            (Test::More(span), Some(Known::At(at)), _) => later(at, now.saturating_add(span)),
            (Test::Word, _, Some(grace)) if fact == grace.in_grace => in_grace(grace, slots, now),
            (Test::More(span), _, Some(grace)) if fact == grace.grace_ends_at => match grace_ends_at(grace, slots) {
                Some(end) => later(end, now.saturating_add(span)),
                None => Answer::Open(grace.expires_at),
            },
            (Test::Word | Test::More(_), _, _) => Answer::Open(fact),
        }
    }

    /// The given facts an answer of `fact` rests on.
    pub(super) fn basis(&self, fact: usize, slots: &Slots) -> Vec<usize> {
        let candidates = match self.grace {
            _ if known(slots, fact).is_some() => vec![fact],
            Some(grace) if fact == grace.in_grace => vec![grace.expires_at, grace.grace_ends_at],
            Some(grace) if fact == grace.grace_ends_at => vec![grace.expires_at],
            _ => Vec::new(),
        };
        candidates.into_iter().filter(|&index| known(slots, index).is_some()).collect()
    }

    /// One value for each way a fact can turn out at `now`: every word, or an instant for each stretch of time
    /// within which all answers are the same.
    pub(super) fn values(&self, fact: usize, now: i64) -> Vec<Known> {
        match self.facts.get(fact).map(|asked| &asked.range) {
            None => Vec::new(),
            Some(Range::Words(words)) => (0..words.len()).map(Known::Word).collect(),
            Some(Range::Instant(distances)) => {
                let last = distances.last().map_or(0, |distance| distance.saturating_add(1));
                distances
                    .iter()
                    .copied()
                    .chain([last])
                    .map(|distance| Known::At(now.saturating_add(distance)))
                    .collect()
            }
        }
    }

    /// The part of what is assumed that can still make a difference from `node` on.
    fn still_asked(&self, node: usize, slots: &Slots) -> Vec<Option<Known>> {
        self.live.get(node).map(|live| live.iter().map(|&fact| known(slots, fact)).collect()).unwrap_or_default()
    }
}

/// `slots` with one more thing known.
pub(super) fn with(slots: &Slots, fact: usize, value: Known) -> Slots {
    let mut slots = slots.clone();
    if let Some(slot) = slots.get_mut(fact) {
        *slot = Some(value);
    }
    slots
}

/// When the grace ends: as given, else that long after expiry.
pub(super) fn grace_ends_at(grace: Grace, slots: &Slots) -> Option<i64> {
    match (known(slots, grace.grace_ends_at), known(slots, grace.expires_at)) {
        (Some(Known::At(end)), _) => Some(end),
        (_, Some(Known::At(expiry))) => Some(expiry.saturating_add(grace.period)),
        _ => None,
    }
}

fn in_grace(grace: Grace, slots: &Slots, now: i64) -> Answer {
    match (known(slots, grace.expires_at), grace_ends_at(grace, slots)) {
        (_, Some(end)) if now >= end => Answer::Is(1),
        (Some(Known::At(expiry)), Some(_)) => Answer::Is(usize::from(expiry > now)),
        _ => Answer::Open(grace.expires_at),
    }
}

fn known(slots: &Slots, fact: usize) -> Option<Known> {
    slots.get(fact).copied().flatten()
}

/// Yes where `at` is later than `limit`.
fn later(at: i64, limit: i64) -> Answer {
    Answer::Is(usize::from(at <= limit))
}

/// Adds to a list what is not in it yet.
fn note<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}
