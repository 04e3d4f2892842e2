//! The ways through a chart: each ends, each link is on one, and each outcome can be had.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::binding::{FactBinding, Meaning};
use super::decision::{NEEDS_FACTS, NOT_APPLICABLE};
use super::diagram::Edge;
use super::fault::Fault;
use super::graph::{Asked, Exit, Graph, Known, Range, Step};
use super::joined::Joined;
use super::source::SourceBinding;
use super::walk::{Answer, Slots};

/// The one node no link leads to.
///
/// # Errors
/// Where every node has a link into it.
pub(super) fn start(joined: &Joined<'_>) -> Result<usize, Fault> {
    let entered: BTreeSet<usize> = joined.links().map(|edge| edge.to).collect();
    (0..joined.diagram.nodes.len()).find(|node| !entered.contains(node)).ok_or_else(|| {
        let span = joined.diagram.edges.first().map_or(0..0, |edge| edge.span.clone());
        let message = "every node has a link into it, so no walk can start".into();
        Fault::diagram(span, message, "take away the link back to the first node")
    })
}

/// A link that closes a ring, or leads past an outcome to what is no task: no walk could end.
pub(super) fn rings(joined: &Joined<'_>) -> Option<Fault> {
    let mut entries: BTreeMap<usize, usize> = BTreeMap::new();
    joined.links().for_each(|edge| *entries.entry(edge.to).or_default() += 1);
    let mut free: Vec<usize> = (0..joined.diagram.nodes.len()).filter(|node| !entries.contains_key(node)).collect();
    let mut ordered = BTreeSet::new();
    while let Some(node) = free.pop() {
        ordered.insert(node);
        for (_, edge) in joined.exits(node) {
            if let Some(left) = entries.get_mut(&edge.to) {
                *left -= 1;
                if *left == 0 {
                    free.push(edge.to);
                }
            }
        }
    }
    // What cannot be put in order is on a ring or behind one; the last link drawn between two such nodes is named.
    let unordered: Vec<&Edge> = joined.links().filter(|edge| !ordered.contains(&edge.from)).collect();
    let ring = unordered.into_iter().rev().find(|edge| comes_back(joined, edge))?;
    let message =
        format!("the link from `{}` to `{}` goes round in a circle", joined.id(ring.from), joined.id(ring.to));
    Some(Fault::diagram(ring.span.clone(), message, "a walk must end; take this link away or lead it elsewhere"))
}

/// Whether a way leads from an edge's end back to its start.
fn comes_back(joined: &Joined<'_>, edge: &Edge) -> bool {
    let (mut ahead, mut seen) = (vec![edge.to], BTreeSet::new());
    while let Some(node) = ahead.pop() {
        if node == edge.from {
            return true;
        }
        if seen.insert(node) {
            ahead.extend(joined.exits(node).map(|(_, edge)| edge.to));
        }
    }
    false
}

/// Every node is on a way from the start to an outcome, every link is walked for some facts, and every outcome can be had.
pub(super) fn faults(joined: &Joined<'_>, graph: &Graph) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut reached = BTreeSet::new();
    let mut ahead = vec![graph.start];
    while let Some(node) = ahead.pop() {
        if reached.insert(node) {
            ahead.extend(joined.exits(node).map(|(_, edge)| edge.to));
        }
    }
    for node in (0..graph.steps.len()).filter(|node| !reached.contains(node)) {
        let (start, id) = (joined.id(graph.start), joined.id(node));
        let message = format!("nothing leads from `{start}`, where every walk starts, to `{id}`");
        faults.push(Fault::diagram(joined.span(node), message, "link to it, or take it away"));
    }
    let past: BTreeSet<usize> = graph.steps.iter().flat_map(Step::tasks).collect();
    for &node in &reached {
        faults.extend(ends(joined, node, &past));
    }
    if faults.is_empty() {
        faults.extend(never_taken(joined, graph));
    }
    faults.extend(outcomes(joined, graph, &reached));
    faults
}

/// A task is followed by an outcome or follows one; past an outcome come tasks alone.
fn ends(joined: &Joined<'_>, node: usize, past: &BTreeSet<usize>) -> Option<Fault> {
    let Some(Meaning::Task(_)) = joined.meaning(node) else { return None };
    let id = joined.id(node);
    match (past.contains(&node), joined.exits(node).next()) {
        (false, None) => {
            let message = format!("the path ends at the task `{id}` without an outcome");
            Some(Fault::diagram(joined.span(node), message, "let an outcome come before it, or link it on to one"))
        }
        (true, Some((_, edge))) if !matches!(joined.meaning(edge.to), Some(Meaning::Task(_))) => {
            let to = joined.id(edge.to);
            let message = format!("`{id}` follows an outcome, which ends the walk: this exit is never taken");
            Some(Fault::diagram(
                edge.span.clone(),
                message,
                format!("take the link away, or bind [nodes.{to}] task = \"…\""),
            ))
        }
        (true | false, _) => None,
    }
}

/// Exits that no facts lead through: on every way there the question is already answered otherwise.
fn never_taken(joined: &Joined<'_>, graph: &Graph) -> Vec<Fault> {
    let Some(taken) = taken(graph) else { return Vec::new() };
    let mut faults = Vec::new();
    for (node, step) in graph.steps.iter().enumerate() {
        let Step::Ask { fact, exits, .. } = step else { continue };
        for (answer, exit) in exits.iter().enumerate().filter(|(answer, _)| !taken.contains(&(node, *answer))) {
            let link = graph.link(node, answer).and_then(|link| joined.edge(link));
            let span = link.map_or(joined.span(node), |edge| edge.span.clone());
            let fact = graph.facts.get(*fact).map(|asked| asked.name.as_str()).unwrap_or_default();
            let what = match exit {
                Exit::Node(_) => "this exit is never taken",
                Exit::Rest(_) => "no walk ever rests here",
            };
            let message =
                format!("{what}: on every way to `{}` the answer to `{fact}` is already another", joined.id(node));
            faults.push(Fault::diagram(span, message, "take the question or the exit away, or ask it earlier"));
        }
    }
    faults
}

/// How many stands of a walk are looked at; a chart a person can read has some hundred.
const MOST_STANDS: usize = 50_000;

/// The exits that are taken for some facts, each fact ranging freely; none where there are too many ways to look at.
fn taken(graph: &Graph) -> Option<HashSet<(usize, usize)>> {
    let (mut taken, mut seen) = (HashSet::new(), HashSet::new());
    let mut ahead: Vec<(usize, Slots)> = vec![(graph.start, vec![None; graph.facts.len()])];
    while let Some((node, slots)) = ahead.pop() {
        let live: Vec<Option<Known>> =
            graph.live.get(node).into_iter().flatten().map(|&fact| slots.get(fact).copied().flatten()).collect();
        if !seen.insert((node, live)) {
            continue;
        }
        if seen.len() > MOST_STANDS {
            return None;
        }
        match graph.steps.get(node) {
            Some(Step::Pass(to) | Step::Task(_, to)) => ahead.push((*to, slots)),
            Some(Step::Ask { fact, test, exits }) => {
                let values = match slots.get(*fact).copied().flatten() {
                    Some(known) => vec![known],
                    None => graph.values(*fact, 0),
                };
                for value in values {
                    let slots = super::walk::with(&slots, *fact, value);
                    if let Answer::Is(answer) = graph.answer(*fact, *test, &slots, 0) {
                        taken.insert((node, answer));
                        if let Some(Exit::Node(to)) = exits.get(answer) {
                            ahead.push((*to, slots));
                        }
                    }
                }
            }
            Some(Step::End { .. } | Step::Past) | None => {}
        }
    }
    Some(taken)
}

/// Every outcome can be had, and every dismissal without a guess.
fn outcomes(joined: &Joined<'_>, graph: &Graph, reached: &BTreeSet<usize>) -> Vec<Fault> {
    let ends = |node: &usize| -> Vec<usize> {
        match graph.steps.get(*node) {
            Some(Step::End { outcome, .. }) => vec![*outcome],
            Some(Step::Ask { exits, .. }) => exits.iter().filter_map(Exit::rest).collect(),
            _ => Vec::new(),
        }
    };
    let had: BTreeSet<usize> = reached.iter().flat_map(ends).collect();
    let known = had_by_knowledge(joined, graph);
    let mut faults = Vec::new();
    for (index, outcome) in graph.outcomes.iter().enumerate() {
        let Some((name, _)) = joined.binding.outcomes.get_key_value(outcome.name.as_str()) else { continue };
        let special = [NEEDS_FACTS, NOT_APPLICABLE].contains(&outcome.name.as_str());
        if !had.contains(&index) && !special {
            let message = format!("no path ends in the outcome `{}`", outcome.name);
            faults.push(Fault::binding(name.span(), message, "bind a node to it, or take it away"));
        } else if outcome.dismisses && !known.contains(&index) && !special {
            let message = format!("`{}` dismisses, and only guesses lead to it", outcome.name);
            let help = "give a fact on the way a source that is not `text_any`";
            faults.push(Fault::binding(name.span(), message, help));
        }
    }
    faults
}

/// Outcomes that can be had without any fact whose only sources are words.
fn had_by_knowledge(joined: &Joined<'_>, graph: &Graph) -> BTreeSet<usize> {
    let mut had = BTreeSet::new();
    let (mut ahead, mut seen) = (vec![graph.start], BTreeSet::new());
    while let Some(node) = ahead.pop() {
        if !seen.insert(node) {
            continue;
        }
        match graph.steps.get(node) {
            Some(Step::Pass(to) | Step::Task(_, to)) => ahead.push(*to),
            Some(Step::End { outcome, .. }) => {
                had.insert(*outcome);
            }
            Some(Step::Ask { fact, exits, .. }) => {
                let bound = graph.facts.get(*fact).and_then(|asked| joined.binding.fact(&asked.name));
                for (exit, answer) in exits.iter().zip(answer_names(graph.facts.get(*fact))) {
                    if bound.is_some_and(|fact| !only_guessed(fact, answer.as_deref())) {
                        match exit {
                            Exit::Node(to) => ahead.push(*to),
                            Exit::Rest(outcome) => {
                                had.insert(*outcome);
                            }
                        }
                    }
                }
            }
            Some(Step::Past) | None => {}
        }
    }
    had
}

/// Whether an answer can only come from words; an answer no source gives is a manager's to give.
fn only_guessed(fact: &FactBinding, answer: Option<&str>) -> bool {
    let mut giving = fact
        .sources
        .iter()
        .filter(|source| answer.is_none() || source.answer().is_none() || source.answer() == answer)
        .peekable();
    giving.peek().is_some() && giving.all(SourceBinding::guesses)
}

fn answer_names(asked: Option<&Asked>) -> Vec<Option<String>> {
    match asked.map(|asked| &asked.range) {
        Some(Range::Words(words)) => words.iter().cloned().map(Some).collect(),
        Some(Range::Instant(_)) | None => vec![None, None],
    }
}
