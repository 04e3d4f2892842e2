//! Two policies on the same tickets: how verdicts moved, and where two ways part.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::reason;
use super::tally::count;
use crate::decide::policy::Policy;
use crate::decide::policy::decision::Decision;

/// Counts by two names: of the first policy's verdict the second's, or of what managers did what was decided.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Matrix(pub BTreeMap<String, BTreeMap<String, u64>>);

impl Matrix {
    /// Counts one ticket.
    pub fn add(&mut self, row: &str, column: &str) {
        self.add_many(row, column, 1);
    }

    /// Counts so many.
    pub fn add_many(&mut self, row: &str, column: &str, more: u64) {
        match self.0.get_mut(row) {
            Some(columns) => count(columns, column, more),
            None => {
                self.0.insert(row.to_owned(), BTreeMap::from([(column.to_owned(), more)]));
            }
        }
    }

    /// Adds what was counted elsewhere.
    pub fn join(&mut self, other: &Matrix) {
        for (row, columns) in &other.0 {
            let sums = self.0.entry(row.clone()).or_default();
            columns.iter().for_each(|(column, tickets)| count(sums, column, *tickets));
        }
    }

    /// Counted in all.
    pub fn total(&self) -> u64 {
        self.0.values().flat_map(BTreeMap::values).sum()
    }

    /// Counted under two names that are not the same.
    pub fn off_diagonal(&self) -> u64 {
        self.total() - self.0.keys().map(|name| self.at(name, name)).sum::<u64>()
    }

    /// Every column's name, in order.
    pub fn columns(&self) -> Vec<&str> {
        let names = self.0.values().flat_map(BTreeMap::keys).map(String::as_str);
        names.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }

    /// One count.
    pub fn at(&self, row: &str, column: &str) -> u64 {
        self.0.get(row).and_then(|columns| columns.get(column)).copied().unwrap_or_default()
    }
}

/// A ticket on which two policies differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The ticket.
    pub id: String,
    /// What the first policy decided, and why.
    pub was: Side,
    /// What the second policy decided, and why.
    pub becomes: Side,
    /// The last node both went through; none where they have not even the start in common.
    pub parts_at: Option<Parting>,
}

/// One policy's part of a difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// The verdict.
    pub verdict: String,
    /// Why, in one line.
    pub reason: String,
}

/// Where two ways part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parting {
    /// The node's id.
    pub node: String,
    /// Its text in the first policy's diagram.
    pub text: String,
}

/// The difference between two decisions on a ticket; none where the verdict is the same.
pub fn difference(id: &str, policy: &Policy, was: &Decision, becomes: &Decision) -> Option<Difference> {
    if was.verdict == becomes.verdict {
        return None;
    }
    let together = was.walked.iter().zip(&becomes.walked).take_while(|(one, other)| one == other);
    let parts_at = together.last().map(|(node, _)| {
        let text = policy.diagram.nodes.iter().find(|known| known.id == *node).map(|known| known.text.clone());
        Parting { node: node.clone(), text: text.unwrap_or_default() }
    });
    let side = |decision: &Decision| Side { verdict: decision.verdict.clone(), reason: reason::of(decision) };
    Some(Difference { id: id.to_owned(), was: side(was), becomes: side(becomes), parts_at })
}
