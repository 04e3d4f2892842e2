//! Which link each answer of a node takes; a link that no answer takes is a fault.

use crate::decide::near::nearest;
use toml::Spanned;

use super::binding::Meaning;
use super::diagram::{Edge, Points};
use super::fault::Fault;
use super::graph::YES_NO;
use super::joined::Joined;
use super::texts;

/// For one node, the link of each answer, in the order of the answers (yes before no); of a node that asks nothing, the
/// one link on. Indices into the diagram's edges.
pub(super) type Taken = Vec<Option<usize>>;

/// Finds for every node which link each of its answers takes.
pub(super) fn taken(joined: &Joined<'_>, faults: &mut Vec<Fault>) -> Vec<Taken> {
    faults.extend(joined.links().filter_map(|edge| arrow(joined, edge)));
    (0..joined.diagram.nodes.len()).map(|node| of(joined, node, faults)).collect()
}

/// A walk goes one way along a link: its line must end in an arrow.
fn arrow(joined: &Joined<'_>, edge: &Edge) -> Option<Fault> {
    let (from, to) = (joined.id(edge.from), joined.id(edge.to));
    let (message, help) = match edge.points {
        Points::Forward => return None,
        Points::Both => {
            (format!("the link between `{from}` and `{to}` points both ways"), "a walk goes one way; draw it as `-->`")
        }
        Points::Nowhere => (
            format!("the line between `{from}` and `{to}` has no arrow"),
            "draw it as `-->`, or lay nodes out with `~~~`",
        ),
        Points::Circle => (format!("the line between `{from}` and `{to}` ends in a circle"), "draw it as `-->`"),
        Points::Cross => {
            (format!("the line between `{from}` and `{to}` is crossed out"), "take it away, or draw it as `-->`")
        }
    };
    Some(Fault::diagram(edge.span.clone(), message, help))
}

fn of(joined: &Joined<'_>, node: usize, faults: &mut Vec<Fault>) -> Taken {
    let id = joined.id(node);
    let exits: Vec<(usize, &Edge)> = joined.exits(node).collect();
    match joined.meaning(node) {
        None => match exits.as_slice() {
            [(only, edge)] if edge.label.is_none() => vec![Some(*only)],
            [] if follows_outcome(joined, node) => Vec::new(), // The link that leads here is the fault.
            [] => {
                let message = format!("the path ends at `{id}` without an outcome");
                let help = format!("bind it: [nodes.{id}] outcome = \"…\", or link it on");
                faults.push(Fault::diagram(joined.span(node), message, help));
                Vec::new()
            }
            _ => {
                let message = format!("`{id}` asks something and nothing says what");
                let help = format!("bind it: [nodes.{id}] yes_no = \"…\" (or choose, more_than, only_if)");
                faults.push(Fault::diagram(joined.span(node), message, help));
                Vec::new()
            }
        },
        Some(Meaning::YesNo { .. } | Meaning::MoreThan { .. }) => yes_no(joined, node, &exits, faults),
        Some(Meaning::Choose { fact, exits: answers }) => {
            let answers: Vec<(&Spanned<String>, &Spanned<String>)> = answers.iter().collect();
            choose(joined, node, fact.get_ref(), &answers, faults)
        }
        Some(Meaning::OnlyIf { fact, .. }) => only_if(joined, node, fact.get_ref(), &exits, faults),
        Some(Meaning::Outcome(_)) => after_outcome(joined, node, &exits, faults),
        Some(Meaning::Task(_)) => after_task(joined, node, &exits, faults),
    }
}

fn follows_outcome(joined: &Joined<'_>, node: usize) -> bool {
    joined.links().any(|edge| edge.to == node && matches!(joined.meaning(edge.from), Some(Meaning::Outcome(_))))
}

/// The exits of a yes-or-no question, yes first.
fn yes_no(joined: &Joined<'_>, node: usize, exits: &[(usize, &Edge)], faults: &mut Vec<Fault>) -> Taken {
    let id = joined.id(node);
    let says = |edge: &Edge, answer: &str| joined.says(edge.label.as_deref().unwrap_or_default(), answer);
    let mut strange = 0;
    for (_, edge) in exits.iter().filter(|(_, edge)| !YES_NO.iter().any(|answer| says(edge, answer))) {
        strange += 1;
        let (message, help) = match edge.label.as_deref() {
            None => (format!("this exit of `{id}` has no answer on it"), "label its exits Yes and No".to_owned()),
            Some(label) => (
                format!("`{label}` answers nothing: `{id}` is a yes-or-no question"),
                match nearest(&label.to_lowercase(), &YES_NO) {
                    Some(near) => format!("did you mean {}?", title(near)),
                    None => "label its exits Yes and No; the words of another language stand in [labels]".into(),
                },
            ),
        };
        faults.push(Fault::diagram(edge.span.clone(), message, help));
    }
    YES_NO
        .iter()
        .map(|answer| {
            let taken: Vec<&(usize, &Edge)> = exits.iter().filter(|(_, edge)| says(edge, answer)).collect();
            match taken.as_slice() {
                [] if strange > 0 => None, // The exit that is missing is the one whose label is misspelt.
                [] => {
                    let message = format!("`{id}` has no exit for the answer {answer}");
                    let help = format!("draw it: {id}-->|{}|…", title(answer));
                    faults.push(Fault::diagram(joined.span(node), message, help));
                    None
                }
                [one] => Some(one.0),
                [one, second, ..] => {
                    let message = format!("`{id}` has two exits for the answer {answer}");
                    faults.push(Fault::diagram(second.1.span.clone(), message, "keep one"));
                    Some(one.0)
                }
            }
        })
        .collect()
}

fn title(answer: &str) -> &'static str {
    if answer == "yes" { "Yes" } else { "No" }
}

/// The exits of a choice: an answer takes the link to its node, of several the one that bears its name.
fn choose(
    joined: &Joined<'_>,
    node: usize,
    fact: &str,
    answers: &[(&Spanned<String>, &Spanned<String>)],
    faults: &mut Vec<Fault>,
) -> Taken {
    let id = joined.id(node);
    let names: Vec<&str> = answers.iter().map(|(answer, _)| answer.get_ref().as_str()).collect();
    let mut taken = Taken::new();
    for (answer, to) in answers {
        let links = joined.exits(node).filter(|(_, edge)| joined.id(edge.to) == to.get_ref().as_str());
        let links: Vec<(usize, &Edge)> = links.collect();
        let named = links.iter().find(|(_, edge)| {
            edge.label.as_deref().is_some_and(|label| texts::names(joined, fact, answer.get_ref(), label))
        });
        let link = named.or(links.iter().find(|(_, edge)| edge.label.is_none())).or(links.first());
        if link.is_none() {
            let message =
                format!("`{id}` has no link to `{}`, where the answer `{}` leads", to.get_ref(), answer.get_ref());
            faults.push(Fault::binding(to.span(), message, "draw the link, or name a node it links to"));
        }
        taken.push(link.map(|(index, _)| *index));
    }
    for (index, edge) in joined.exits(node) {
        let mine: Vec<&str> =
            taken.iter().zip(&names).filter(|(link, _)| **link == Some(index)).map(|(_, name)| *name).collect();
        if mine.is_empty() {
            let to = joined.id(edge.to);
            let message = format!("no answer of `{id}` leads to `{to}`");
            let doubled =
                taken.iter().flatten().any(|&other| joined.edge(other).is_some_and(|other| other.to == edge.to));
            let (message, help) = if doubled {
                (
                    format!("this second link from `{id}` to `{to}` is never taken"),
                    format!("keep one, or label each with its answer: {id}-->|answer|{to}"),
                )
            } else {
                (message, format!("add it to `exits` of [nodes.{id}]"))
            };
            faults.push(Fault::diagram(edge.span.clone(), message, help));
        } else if let Some(label) =
            edge.label.as_deref().filter(|label| !mine.iter().all(|answer| texts::names(joined, fact, answer, label)))
        {
            let meant = mine.join(" and ");
            let message = match names
                .iter()
                .find(|other| !mine.contains(other) && texts::names(joined, fact, other, label))
            {
                Some(other) => format!(
                    "the picture says `{label}` here, which is the answer `{other}`; [nodes.{id}] takes this exit for `{meant}`"
                ),
                None => format!("`{label}` is neither the answer `{meant}`, which takes this exit, nor its title"),
            };
            let help = mine.first().map_or_else(String::new, |answer| {
                format!("label it `{}`, or take the label away", texts::called(joined, fact, answer))
            });
            faults.push(Fault::diagram(edge.span.clone(), message, help));
        }
    }
    taken
}

/// The one exit that is taken where a fact is yes; its label says under which condition.
fn only_if(joined: &Joined<'_>, node: usize, fact: &str, exits: &[(usize, &Edge)], faults: &mut Vec<Fault>) -> Taken {
    let id = joined.id(node);
    let [(only, edge)] = exits else {
        let message = format!("`{id}` is bound with `only_if`, which needs exactly one exit, and has {}", exits.len());
        faults.push(Fault::diagram(joined.span(node), message, "draw one exit, or bind it as a question"));
        return Vec::new();
    };
    let said = |message: String, help: String| Fault::diagram(edge.span.clone(), message, help);
    match edge.label.as_deref() {
        None => faults.push(said(
            format!("this exit of `{id}` has no condition on it, and is taken only where `{fact}` is yes"),
            format!("say the condition: {id}-->|{}|…", texts::spoken(fact)),
        )),
        Some(label) if YES_NO.iter().any(|answer| joined.says(label, answer)) => faults.push(said(
            format!("`{label}` on the exit of `{id}` is no condition: `only_if` takes it where `{fact}` is yes"),
            format!(
                "say the condition: {id}-->|{}|…; or draw both exits and bind [nodes.{id}] yes_no = \"{fact}\"",
                texts::spoken(fact)
            ),
        )),
        Some(label) if texts::denies(joined, label) => faults.push(said(
            format!("the picture says `{label}` here, and [nodes.{id}] takes this exit where `{fact}` is yes"),
            format!("say what must be so: {id}-->|{}|…", texts::spoken(fact)),
        )),
        Some(_) => {}
    }
    vec![Some(*only)]
}

/// The chain of tasks that may follow an outcome; every other exit is a fault.
fn after_outcome(joined: &Joined<'_>, node: usize, exits: &[(usize, &Edge)], faults: &mut Vec<Fault>) -> Taken {
    let id = joined.id(node);
    let mut chain = None;
    for (index, edge) in exits {
        let to = joined.id(edge.to);
        let never = || "an outcome ends the walk: this exit is never taken".to_owned();
        let (message, help) = match (joined.meaning(edge.to), edge.label.as_deref(), chain) {
            (Some(Meaning::Task(_)), label, None) => {
                chain = Some(*index);
                let Some(label) = label else { continue };
                let message = format!("an outcome ends the walk: the condition `{label}` is never asked");
                (message, format!("take the label away: {id}-->{to}"))
            }
            (Some(Meaning::Task(_)), _, Some(first)) => {
                let first = joined.edge(first).map_or("", |edge| joined.id(edge.to));
                (never(), format!("draw tasks one after the other: {first}-->{to}"))
            }
            (None, None, None) if joined.exits(edge.to).next().is_none() => (
                format!("the outcome `{id}` is followed by `{to}`, which is no task"),
                format!("bind it: [nodes.{to}] task = \"…\""),
            ),
            (Some(Meaning::Outcome(_)), _, _) => (
                never(),
                format!("take the link away: `{to}` is an outcome too, so ask before `{id}` which of the two it is"),
            ),
            _ => (never(), format!("take the link away, or draw it before `{id}`")),
        };
        faults.push(Fault::diagram(edge.span.clone(), message, help));
    }
    if chain.is_some() { vec![chain] } else { Vec::new() }
}

/// The one exit of a task, which is always taken.
fn after_task(joined: &Joined<'_>, node: usize, exits: &[(usize, &Edge)], faults: &mut Vec<Fault>) -> Taken {
    let id = joined.id(node);
    for (place, (_, edge)) in exits.iter().enumerate() {
        if place > 0 {
            let message = format!("the task `{id}` has several exits");
            faults.push(Fault::diagram(edge.span.clone(), message, "a task has one exit or none"));
        } else if let Some(label) = edge.label.as_deref() {
            let message =
                format!("the condition `{label}` is never asked: `{id}` is a task, and its exit is always taken");
            let help = format!("take the label away, or put a question before `{}`", joined.id(edge.to));
            faults.push(Fault::diagram(edge.span.clone(), message, help));
        }
    }
    exits.first().map(|(index, _)| vec![Some(*index)]).unwrap_or_default()
}
