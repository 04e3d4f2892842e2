//! The three-valued walk: every branch that could still happen is followed.

use std::collections::HashSet;

use super::graph::{Exit, Grace, Graph, Known, Range, Step, Test};

/// What is known of each fact of the graph, by its index.
pub(super) type Slots = Vec<Option<Known>>;

/// Where one way through the graph comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stand {
    /// An outcome.
    Ended(Ending),
    /// A question that hangs on an unknown fact.
    Open {
        /// The node that asks: an index into the graph's steps.
        node: usize,
        /// The unknown fact: an index into the graph's facts.
        root: usize,
    },
    /// Past an outcome, or at an answer without an exit; a sound graph has no way here.
    Nowhere,
}

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
    /// Where the branches end, in order, each once.
    pub endings: Vec<Ending>,
    /// The one way up to the first open question, or to the end: every node on it.
    pub trunk: Vec<usize>,
    /// Questions on any branch whose answer was known beforehand, in the order they were met.
    pub answered: Vec<usize>,
    /// Questions on any branch whose answer was not, in the order they were met.
    pub open: Vec<usize>,
    /// The unknown facts those hang on.
    pub roots: Vec<usize>,
    /// Tasks met on the way, before any outcome.
    pub tasks: Vec<usize>,
}

impl Explored {
    /// The outcomes in order, each once, without where they are reached.
    pub(super) fn outcomes(&self) -> Vec<usize> {
        let mut outcomes: Vec<usize> = self.endings.iter().map(|ending| ending.outcome).collect();
        outcomes.dedup(); // Endings are ordered by their outcomes.
        outcomes
    }

    /// The outcome, where all branches end alike.
    pub(super) fn sole_outcome(&self) -> Option<usize> {
        let outcome = self.endings.first()?.outcome;
        self.endings.iter().all(|ending| ending.outcome == outcome).then_some(outcome)
    }
}

impl Graph {
    /// Follows the one way from `node` that `slots` give at `now` (milliseconds since 1970, UTC), and notes every node
    /// on it in `trace`.
    pub(super) fn follow(&self, mut node: usize, slots: &[Option<Known>], now: i64, trace: &mut Vec<usize>) -> Stand {
        loop {
            trace.push(node);
            match self.steps.get(node) {
                Some(Step::Pass(to) | Step::Task(_, to)) => node = *to,
                Some(Step::End { outcome, .. }) => return Stand::Ended(Ending { outcome: *outcome, node }),
                Some(Step::Ask { fact, test, exits }) => match self.answer(*fact, *test, slots, now) {
                    Answer::Open(root) => return Stand::Open { node, root },
                    Answer::Is(answer) => match exits.get(answer) {
                        Some(Exit::Node(to)) => node = *to,
                        Some(Exit::Rest(outcome)) => return Stand::Ended(Ending { outcome: *outcome, node }),
                        None => return Stand::Nowhere,
                    },
                },
                Some(Step::Past) | None => return Stand::Nowhere,
            }
        }
    }

    /// Follows every branch that `slots` leave possible at `now`.
    pub(super) fn explore(&self, slots: &[Option<Known>], now: i64) -> Explored {
        let mut explored = Explored::default();
        let mut seen = HashSet::new();
        let mut branches = Vec::new();
        let mut trunk = Vec::with_capacity(self.steps.len());
        let mut stand = self.follow(self.start, slots, now, &mut trunk);
        self.note(&trunk, slots, now, &mut explored);
        explored.trunk = trunk;
        let (mut assumed, mut way) = (slots.to_vec(), Vec::new());
        loop {
            match stand {
                Stand::Ended(ending) => {
                    if let Err(place) = explored.endings.binary_search(&ending) {
                        explored.endings.insert(place, ending);
                    }
                }
                Stand::Open { node, root } => {
                    add(&mut explored.roots, root);
                    if seen.insert((node, self.still_asked(node, &assumed))) {
                        let values = self.values(root, now);
                        branches.extend(values.into_iter().rev().map(|value| (node, with(&assumed, root, value))));
                    }
                }
                Stand::Nowhere => {}
            }
            let Some((node, further)) = branches.pop() else { return explored };
            assumed = further;
            way.clear();
            stand = self.follow(node, &assumed, now, &mut way);
            self.note(&way, slots, now, &mut explored);
        }
    }

    /// Notes what was met on a way: by what is known beforehand, not under the assumptions of a branch.
    fn note(&self, way: &[usize], slots: &[Option<Known>], now: i64, explored: &mut Explored) {
        for &node in way {
            match self.steps.get(node) {
                Some(Step::Ask { fact, test, .. }) => match self.answer(*fact, *test, slots, now) {
                    Answer::Is(_) => add(&mut explored.answered, node),
                    Answer::Open(_) => add(&mut explored.open, node),
                },
                Some(Step::Task(..)) => add(&mut explored.tasks, node),
                Some(Step::Pass(_) | Step::End { .. } | Step::Past) | None => {}
            }
        }
    }

    /// Answers a question asked of `fact` at `now`.
    ///
    /// `in_grace` and `grace_ends_at`, where nothing gives them, follow from `expires_at`: before expiry not in
    /// grace; from expiry until the grace ends in grace; after that not.
    pub(super) fn answer(&self, fact: usize, test: Test, slots: &[Option<Known>], now: i64) -> Answer {
        match (test, known(slots, fact)) {
            (Test::Word, Some(Known::Word(word))) => Answer::Is(word),
            (Test::More(span), Some(Known::At(at))) => later(at, now.saturating_add(span)),
            (Test::Word | Test::More(_), _) => self.derived(fact, test, slots, now),
        }
    }

    /// Answers a question whose fact is not given by those it follows from.
    fn derived(&self, fact: usize, test: Test, slots: &[Option<Known>], now: i64) -> Answer {
        match (test, self.grace) {
            (Test::Word, Some(grace)) if fact == grace.in_grace => in_grace(grace, slots, now),
            (Test::More(span), Some(grace)) if fact == grace.grace_ends_at => match grace_ends_at(grace, slots) {
                Some(end) => later(end, now.saturating_add(span)),
                None => Answer::Open(grace.expires_at),
            },
            (Test::Word | Test::More(_), _) => Answer::Open(fact),
        }
    }

    /// The given facts an answer of `fact` rests on.
    pub(super) fn basis(&self, fact: usize, slots: &[Option<Known>]) -> Vec<usize> {
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
    fn still_asked(&self, node: usize, slots: &[Option<Known>]) -> Vec<Option<Known>> {
        self.live.get(node).map(|live| live.iter().map(|&fact| known(slots, fact)).collect()).unwrap_or_default()
    }
}

/// `slots` with one more thing known.
pub(super) fn with(slots: &[Option<Known>], fact: usize, value: Known) -> Slots {
    let mut slots = slots.to_vec();
    if let Some(slot) = slots.get_mut(fact) {
        *slot = Some(value);
    }
    slots
}

/// When the grace ends: as given, else that long after expiry.
pub(super) fn grace_ends_at(grace: Grace, slots: &[Option<Known>]) -> Option<i64> {
    match (known(slots, grace.grace_ends_at), known(slots, grace.expires_at)) {
        (Some(Known::At(end)), _) => Some(end),
        (_, Some(Known::At(expiry))) => Some(expiry.saturating_add(grace.period)),
        _ => None,
    }
}

fn in_grace(grace: Grace, slots: &[Option<Known>], now: i64) -> Answer {
    match (known(slots, grace.expires_at), grace_ends_at(grace, slots)) {
        (_, Some(end)) if now >= end => Answer::Is(1),
        (Some(Known::At(expiry)), Some(_)) => Answer::Is(usize::from(expiry > now)),
        _ => Answer::Open(grace.expires_at),
    }
}

fn known(slots: &[Option<Known>], fact: usize) -> Option<Known> {
    slots.get(fact).copied().flatten()
}

/// Yes where `at` is later than `limit`.
fn later(at: i64, limit: i64) -> Answer {
    Answer::Is(usize::from(at <= limit))
}

/// Adds to a list what is not in it yet.
fn add<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}
