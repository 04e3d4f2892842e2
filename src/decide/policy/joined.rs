//! A diagram beside its binding, while the two are held against each other.

use std::ops::Range;

use super::binding::{Binding, Meaning};
use super::diagram::{Diagram, Edge};

/// A diagram and its binding.
pub(super) struct Joined<'a> {
    pub diagram: &'a Diagram,
    pub binding: &'a Binding,
    /// For each node, the links that leave it: indices into the diagram's edges, in the order of the text.
    exits: Vec<Vec<usize>>,
}

impl<'a> Joined<'a> {
    pub(super) fn new(diagram: &'a Diagram, binding: &'a Binding) -> Joined<'a> {
        let mut exits = vec![Vec::new(); diagram.nodes.len()];
        for (index, edge) in diagram.edges.iter().enumerate().filter(|(_, edge)| edge.carries_meaning()) {
            if let Some(exits) = exits.get_mut(edge.from) {
                exits.push(index);
            }
        }
        Joined { diagram, binding, exits }
    }

    /// The links a walk can follow.
    pub(super) fn links(&self) -> impl Iterator<Item = &'a Edge> + use<'a> {
        self.diagram.edges.iter().filter(|edge| edge.carries_meaning())
    }

    /// The links that leave a node, each with its index.
    pub(super) fn exits(&self, node: usize) -> impl Iterator<Item = (usize, &'a Edge)> {
        let edges = &self.diagram.edges;
        self.exits.get(node).into_iter().flatten().filter_map(move |&index| Some((index, edges.get(index)?)))
    }

    pub(super) fn edge(&self, index: usize) -> Option<&'a Edge> {
        self.diagram.edges.get(index)
    }

    pub(super) fn id(&self, node: usize) -> &'a str {
        self.diagram.nodes.get(node).map(|node| node.id.as_str()).unwrap_or_default()
    }

    pub(super) fn text(&self, node: usize) -> &'a str {
        self.diagram.nodes.get(node).map(|node| node.text.as_str()).unwrap_or_default()
    }

    /// Where a node is defined.
    pub(super) fn span(&self, node: usize) -> Range<usize> {
        self.diagram.nodes.get(node).map_or(0..0, |node| node.span.clone())
    }

    /// Where a node's text stands.
    pub(super) fn told(&self, node: usize) -> Range<usize> {
        self.diagram.nodes.get(node).map_or(0..0, |node| node.told.clone())
    }

    pub(super) fn meaning(&self, node: usize) -> Option<&'a Meaning> {
        self.binding.nodes.get(self.id(node))
    }

    /// Whether the label on an exit says yes (`yes`) or no (`no`), in English or in the binding's own words.
    pub(super) fn says(&self, label: &str, answer: &str) -> bool {
        let label = label.trim().to_lowercase();
        label == answer || self.binding.labels.words(answer).iter().any(|word| word.trim().to_lowercase() == label)
    }
}
