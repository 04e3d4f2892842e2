//! A policy as the walk needs it: nodes, facts and outcomes by index.

/// A diagram and its binding, found sound.
#[derive(Debug)]
pub(super) struct Graph {
    /// Where every walk starts: an index into `steps`.
    pub start: usize,
    /// What happens at each node, by the node's index in the diagram.
    pub steps: Vec<Step>,
    /// Every fact a question asks for, and those it can be derived from.
    pub facts: Vec<Asked>,
    /// Names of the outcomes, in their order.
    pub outcomes: Vec<Outcome>,
    /// How grace follows from expiry, where the policy has both.
    pub grace: Option<Grace>,
    /// For each node, the facts that can still be asked for from there on.
    pub live: Vec<Vec<usize>>,
    /// For each node, the link each of its answers takes, or its one link on: indices into the diagram's edges.
    pub links: Vec<Vec<Option<usize>>>,
}

impl Graph {
    /// The link an answer takes, by its place among the answers; none where the walk rests there.
    pub(super) fn link(&self, node: usize, answer: usize) -> Option<usize> {
        self.links.get(node)?.get(answer).copied().flatten()
    }
}

/// An outcome a walk can end in.
#[derive(Debug)]
pub(super) struct Outcome {
    /// Its name in the binding.
    pub name: String,
    /// Whether no guess may lead to it.
    pub dismisses: bool,
}

/// What happens at a node.
#[derive(Debug)]
pub(super) enum Step {
    /// On to the next node.
    Pass(usize),
    /// A task is noted, then on to the next node.
    Task(String, usize),
    /// A question; `exits` has one entry an answer, in the order of the fact's answers (yes before no for instants).
    Ask {
        /// An index into [`Graph::facts`].
        fact: usize,
        /// What is asked of it.
        test: Test,
        /// Where each answer leads.
        exits: Vec<Exit>,
    },
    /// An outcome, with the tasks that follow it and their nodes.
    End {
        /// An index into [`Graph::outcomes`].
        outcome: usize,
        /// Task names with their nodes' indices.
        tasks: Vec<(String, usize)>,
    },
    /// A task or a node past an outcome; no walk comes here.
    Past,
}

impl Step {
    /// The nodes of the tasks that follow an outcome.
    pub(super) fn tasks(&self) -> impl Iterator<Item = usize> {
        let tasks = match self {
            Step::End { tasks, .. } => tasks.as_slice(),
            Step::Pass(_) | Step::Task(..) | Step::Ask { .. } | Step::Past => &[],
        };
        tasks.iter().map(|(_, node)| *node)
    }
}

/// What a question asks of its fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Test {
    /// Which word it is.
    Word,
    /// Whether the instant is more than this many milliseconds from now.
    More(i64),
}

/// Where an answer leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// To a node.
    Node(usize),
    /// Nowhere: the walk rests here, with this outcome.
    Rest(usize),
}

impl Exit {
    /// The outcome with which the walk rests here.
    pub(super) fn rest(&self) -> Option<usize> {
        match self {
            Exit::Rest(outcome) => Some(*outcome),
            Exit::Node(_) => None,
        }
    }
}

/// A fact the walk can ask for.
#[derive(Debug)]
pub(super) struct Asked {
    /// Its name.
    pub name: String,
    /// What it can be.
    pub range: Range,
}

/// What a fact can be.
#[derive(Debug)]
pub(super) enum Range {
    /// One of these words.
    Words(Vec<String>),
    /// An instant, and the distances from now (milliseconds, ascending) at which answers change.
    Instant(Vec<i64>),
}

/// How grace follows from expiry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grace {
    /// The fact `expires_at`.
    pub expires_at: usize,
    /// The fact `grace_ends_at`.
    pub grace_ends_at: usize,
    /// The fact `in_grace`.
    pub in_grace: usize,
    /// How long grace lasts, milliseconds.
    pub period: i64,
}

/// A fact's value as the walk compares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Known {
    /// An index into the fact's words.
    Word(usize),
    /// Milliseconds since 1970, UTC.
    At(i64),
}

/// Answers to yes-or-no questions, in the order of their exits.
pub(super) const YES_NO: [&str; 2] = ["yes", "no"];
