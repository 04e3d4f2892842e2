//! A fault in a policy, with its place: what is wrong, where, and how to mend it.

use std::ops::Range;

/// Which of a policy's texts a fault is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Document {
    /// The Mermaid text, `star.mmd`.
    Diagram,
    /// What its nodes mean, `star.toml`.
    Binding,
    /// A file of examples, by its number among them.
    Examples(usize),
}

/// One fault of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The text it is in.
    pub document: Document,
    /// Bytes of that text to point at.
    pub span: Range<usize>,
    /// What is wrong, in one sentence.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
}

impl Fault {
    /// A fault of the picture.
    pub(super) fn diagram(span: Range<usize>, message: String, help: impl Into<String>) -> Fault {
        Fault { document: Document::Diagram, span, message, help: Some(help.into()) }
    }

    /// A fault of what the picture means.
    pub(super) fn binding(span: Range<usize>, message: String, help: impl Into<String>) -> Fault {
        Fault { document: Document::Binding, span, message, help: Some(help.into()) }
    }
}
