//! Building a policy's graph: what is done here is only right for a diagram and a binding without faults.

use std::collections::BTreeSet;

use toml::Spanned;

use super::asked;
use super::binding::Meaning;
use super::exits::Taken;
use super::graph::{Asked, Exit, Grace, Graph, Outcome, Step, Test};
use super::joined::Joined;

/// Joins a diagram and its binding, with the link each answer takes.
pub(super) fn graph(joined: &Joined<'_>, start: usize, facts: Vec<Asked>, links: Vec<Taken>) -> Graph {
    let outcomes: Vec<Outcome> = joined
        .binding
        .outcomes
        .iter()
        .map(|(name, outcome)| Outcome { name: name.get_ref().clone(), dismisses: outcome.dismisses() })
        .collect();
    let steps: Vec<Step> =
        (0..joined.diagram.nodes.len()).map(|node| step(joined, node, &facts, &outcomes, &links)).collect();
    let grace = asked::grace(joined.binding, &facts);
    let live = live(&steps, grace);
    Graph { start, steps, facts, outcomes, grace, live, links }
}

/// What happens at a node.
fn step(joined: &Joined<'_>, node: usize, facts: &[Asked], outcomes: &[Outcome], links: &[Taken]) -> Step {
    let fact =
        |name: &Spanned<String>| facts.iter().position(|asked| asked.name == *name.get_ref()).unwrap_or_default();
    let outcome = |name: &Spanned<String>| {
        outcomes.iter().position(|outcome| outcome.name == *name.get_ref()).unwrap_or_default()
    };
    let ends: Vec<usize> = ends(joined, node, links);
    let exits = || ends.iter().map(|to| Exit::Node(*to)).collect::<Vec<_>>();
    match (joined.meaning(node), ends.first()) {
        (None, Some(to)) => Step::Pass(*to),
        (None, None) => Step::Past,
        (Some(Meaning::YesNo { fact: asked } | Meaning::Choose { fact: asked, .. }), _) => {
            Step::Ask { fact: fact(asked), test: Test::Word, exits: exits() }
        }
        (Some(Meaning::MoreThan { span, until }), _) => {
            Step::Ask { fact: fact(until), test: Test::More(span.0), exits: exits() }
        }
        (Some(Meaning::OnlyIf { fact: asked, otherwise }), _) => {
            let exits = exits().into_iter().chain([Exit::Rest(outcome(otherwise))]).collect();
            Step::Ask { fact: fact(asked), test: Test::Word, exits }
        }
        (Some(Meaning::Outcome(name)), _) => Step::End { outcome: outcome(name), tasks: tasks(joined, node, links) },
        (Some(Meaning::Task(task)), Some(to)) => Step::Task(task.clone(), *to),
        (Some(Meaning::Task(_)), None) => Step::Past,
    }
}

/// Where the links of a node's answers end.
fn ends(joined: &Joined<'_>, node: usize, links: &[Taken]) -> Vec<usize> {
    let taken = links.get(node).into_iter().flatten().flatten();
    taken.filter_map(|&link| joined.edge(link)).map(|edge| edge.to).collect()
}

/// The tasks that follow an outcome.
fn tasks(joined: &Joined<'_>, outcome: usize, links: &[Taken]) -> Vec<(String, usize)> {
    let mut tasks: Vec<(String, usize)> = Vec::new();
    let mut node = outcome;
    while let Some(&to) = ends(joined, node, links).first() {
        match joined.meaning(to) {
            Some(Meaning::Task(task)) if !tasks.iter().any(|(_, at)| *at == to) => tasks.push((task.clone(), to)),
            _ => break,
        }
        node = to;
    }
    tasks
}

/// For each node, the facts whose values can still make a difference from there on.
fn live(steps: &[Step], grace: Option<Grace>) -> Vec<Vec<usize>> {
    let mut live: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); steps.len()];
    let mut changed = true;
    while changed {
        changed = false;
        for (node, step) in steps.iter().enumerate().rev() {
            let mut here = BTreeSet::new();
            let mut follow = |to: &usize| here.extend(live.get(*to).into_iter().flatten().copied());
            match step {
                Step::Pass(to) | Step::Task(_, to) => follow(to),
                Step::Ask { fact, exits, .. } => {
                    exits.iter().for_each(|exit| {
                        if let Exit::Node(to) = exit {
                            follow(to)
                        }
                    });
                    here.insert(*fact);
                    if let Some(grace) = grace.filter(|grace| [grace.in_grace, grace.grace_ends_at].contains(fact)) {
                        here.extend([grace.expires_at, grace.grace_ends_at]);
                    }
                }
                Step::End { .. } | Step::Past => {}
            }
            if let Some(before) = live.get_mut(node).filter(|before| before.len() != here.len()) {
                *before = here;
                changed = true;
            }
        }
    }
    live.into_iter().map(|facts| facts.into_iter().collect()).collect()
}
