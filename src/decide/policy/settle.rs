//! The rule that a guess may escalate and never dismisses, and how long a verdict holds.

use super::given::Given;
use super::graph::{Graph, Known, Range, Step};
use super::walk::{Explored, Slots, Stand};

/// A walk after the guesses that would have dismissed were set aside.
pub(super) struct Settled {
    /// What is known, without the guesses set aside.
    pub slots: Slots,
    pub explored: Explored,
    /// Facts set aside.
    pub guessed: Vec<usize>,
    /// The dismissing outcome they would have led to.
    pub likely: Option<usize>,
}

/// Walks, and walks again with guesses unknown for as long as they alone would dismiss the request.
pub(super) fn settle(graph: &Graph, given: &[Option<Given<'_>>], now: i64) -> Settled {
    let mut slots: Slots = given.iter().map(|given| given.map(|given| given.value)).collect();
    let mut guessed = Vec::new();
    let mut likely = None;
    loop {
        let explored = graph.explore(&slots, now);
        let dismissed = explored.sole_outcome().filter(|&outcome| graph.dismisses(outcome));
        let guesses = if dismissed.is_some() { guesses(graph, given, &slots, &explored) } else { Vec::new() };
        if guesses.is_empty() {
            return Settled { slots, explored, guessed, likely };
        }
        likely = likely.or(dismissed);
        for guess in guesses {
            if let Some(slot) = slots.get_mut(guess) {
                *slot = None;
            }
            guessed.push(guess);
        }
    }
}

/// The guesses any branch rests on.
pub(super) fn guesses(
    graph: &Graph,
    given: &[Option<Given<'_>>],
    slots: &[Option<Known>],
    explored: &Explored,
) -> Vec<usize> {
    let guess = |fact: &usize| given.get(*fact).copied().flatten().is_some_and(|given| given.is_guess());
    if !(0..given.len()).any(|fact| guess(&fact)) {
        return Vec::new();
    }
    let met = explored.answered.iter().chain(&explored.open);
    let asked = met.filter_map(|&node| match graph.steps.get(node) {
        Some(Step::Ask { fact, .. }) => Some(*fact),
        _ => None,
    });
    let mut guesses: Vec<usize> = asked.flat_map(|fact| graph.basis(fact, slots)).filter(guess).collect();
    guesses.sort_unstable();
    guesses.dedup();
    guesses
}

/// The first later instant at which the verdict would be another one with the same facts.
///
/// An answer can only turn where now passes a given instant by one of the distances questions ask for.
pub(super) fn valid_until(graph: &Graph, given: &[Option<Given<'_>>], current: Option<usize>, now: i64) -> Option<i64> {
    let mut turns = Vec::new();
    for (asked, given) in graph.facts.iter().zip(given) {
        if let (Range::Instant(distances), Some(Given { value: Known::At(at), .. })) = (&asked.range, given) {
            turns.extend(distances.iter().map(|distance| at.saturating_sub(*distance)).filter(|&turn| turn > now));
        }
    }
    turns.sort_unstable();
    let slots: Slots = given.iter().map(|given| given.map(|given| given.value)).collect();
    let guessing = given.iter().flatten().any(Given::is_guess);
    let mut trace = Vec::with_capacity(graph.steps.len());
    turns.into_iter().find(|&turn| {
        trace.clear();
        let outcome = match graph.follow(graph.start, &slots, turn, &mut trace) {
            Stand::Ended(ending) if !guessing => Some(ending.outcome),
            Stand::Ended(_) | Stand::Open { .. } | Stand::Nowhere => settle(graph, given, turn).explored.sole_outcome(),
        };
        outcome != current
    })
}
