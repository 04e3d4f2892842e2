//! What the ticket itself suggests where a key to a dismissal is missing: an outcome that a manager can take with one word.

use super::given::{Given, Matter, Voice};
use super::graph::{Graph, Step};
use super::keys::{Against, Settled, settle};

/// What is suggested.
#[derive(Debug)]
pub(super) struct Guess<'a> {
    /// What is suggested of each fact, by its index.
    pub suggested: Vec<Option<Given<'a>>>,
    /// The outcome all of it leads to.
    pub likely: Option<usize>,
    /// Of that, what a manager would take by agreeing: what is not known yet and the outcome rests on.
    pub taken: Vec<(usize, Given<'a>)>,
}

/// What words and doubtful records suggest, and what they lead to.
pub(super) fn guess<'a>(graph: &Graph, matter: &Matter<'a>, settled: &Settled<'a>, now: i64) -> Guess<'a> {
    let refused = matter.refused.is_some();
    let suggested: Vec<Option<Given<'a>>> = (0..matter.given.len())
        .map(|fact| if refused && settled.opened.contains(&fact) { None } else { suggestion(matter, settled, fact) })
        .collect();
    let mut proposed = matter.clone();
    for &fact in &settled.opened {
        proposed = proposed.agreeing(fact, suggested.get(fact).copied().flatten());
    }
    let slots = proposed.slots(graph, now);
    let explored = graph.explore(&slots, now);
    let rests_on = explored.answered.iter().filter_map(|&node| match graph.steps.get(node) {
        Some(Step::Ask { fact, .. }) => Some(*fact),
        Some(Step::Pass(_) | Step::Task(..) | Step::End { .. } | Step::Past) | None => None,
    });
    let mut taken: Vec<usize> = rests_on.flat_map(|fact| graph.basis(fact, &slots)).collect();
    taken.sort_unstable();
    taken.dedup();
    taken.retain(|fact| settled.opened.contains(fact));
    let given = |fact: &usize| Some((*fact, suggested.get(*fact).copied().flatten()?));
    let taken: Vec<(usize, Given<'a>)> = taken.iter().filter_map(given).collect();
    let outcome = explored.sole_outcome().filter(|_| !taken.is_empty());
    let allowed = |&outcome: &usize| {
        let kept = settle(graph, &proposed, now).verdict == Some(outcome); // What is proposed must come of it.
        kept && (!graph.dismisses(outcome) || (settled.against.is_empty() && matter.legible))
    };
    let likely = outcome.filter(allowed);
    Guess { taken: if likely.is_some() { taken } else { Vec::new() }, suggested, likely }
}

/// What is suggested of a fact that counts as unknown: what speaks against its record, else the guess or the record.
fn suggestion<'a>(matter: &Matter<'a>, settled: &Settled<'a>, fact: usize) -> Option<Given<'a>> {
    let against = settled.against.iter().filter_map(|against| match against {
        Against::Voice(about, voice) if *about == fact => Some(voice),
        Against::Voice(..) | Against::Cry(_) => None,
    });
    // A colleague knows more than a customer, and the surest counts; of equals the latest.
    let surest = |voice: &&Voice<'_>| (voice.fact.source.is_colleague(), voice.fact.confidence, voice.at);
    if let Some(voice) = against.max_by_key(surest) {
        return Some(voice.given);
    }
    let given = matter.given.get(fact).copied().flatten()?;
    // Where somebody cries out, the record is perhaps about something else.
    let doubted = settled.first.contains(&fact) && !given.is_guess();
    (!doubted && !given.is_unfounded()).then_some(given)
}
