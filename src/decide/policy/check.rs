//! Faults a policy can have: whatever is found sound here, the walk can rely on.
//!
//! What the picture says and what is done are the same: every link is taken by some answer, every label and every span of
//! time in it is the binding's, every name is defined.

use super::binding::Binding;
use super::diagram::Diagram;
use super::fault::Fault;
use super::graph::Graph;
use super::joined::Joined;
use super::spots::Spots;
use super::{asked, build, dismissals, exits, mentions, names, steps, texts, used, ways};

/// Checks that diagram and binding hold together, and joins them; `text` is the binding's.
pub(super) fn graph(diagram: &Diagram, binding: &Binding, text: &str) -> Result<Graph, Vec<Fault>> {
    let (joined, spots) = (Joined::new(diagram, binding), Spots::new(text));
    let mut faults = mentions::faults(binding, &spots);
    faults.extend(names::faults(diagram, binding));
    faults.extend(steps::faults(binding));
    faults.extend(dismissals::faults(binding));
    let facts = asked::facts(binding, &mut faults);
    faults.extend(asked::faults(binding, &facts, &spots));
    faults.extend(used::faults(binding, &facts, &spots));
    let links = exits::taken(&joined, &mut faults);
    faults.extend(texts::faults(&joined));
    let start = ways::start(&joined).map_err(|fault| faults.push(fault));
    let (Ok(start), true) = (start, faults.is_empty()) else { return Err(faults) };
    if let Some(ring) = ways::rings(&joined) {
        return Err(vec![ring]);
    }
    let graph = build::graph(&joined, start, facts, links);
    let faults = ways::faults(&joined, &graph);
    if faults.is_empty() { Ok(graph) } else { Err(faults) }
}

/// Joins a diagram and a binding that are known to be sound but for one small change.
pub(super) fn unchecked(diagram: &Diagram, binding: &Binding) -> Graph {
    let joined = Joined::new(diagram, binding);
    let mut told = Vec::new(); // What a changed policy lacks is for its cases to notice.
    let facts = asked::facts(binding, &mut told);
    let links = exits::taken(&joined, &mut told);
    build::graph(&joined, ways::start(&joined).unwrap_or_default(), facts, links)
}
