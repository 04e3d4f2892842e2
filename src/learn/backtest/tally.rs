//! What one policy decided, counted.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::decide::policy::decision::{Decision, NEEDS_FACTS};
use crate::decide::policy::diagram::Diagram;

/// The counts of one policy over a file of past tickets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Tickets decided.
    pub tickets: u64,
    /// By verdict.
    pub verdicts: BTreeMap<String, u64>,
    /// Tickets decided at each node.
    pub ends: BTreeMap<String, u64>,
    /// Open questions, by the fact they ask for.
    pub open: BTreeMap<String, Open>,
    /// Tickets that only a guess would have dismissed.
    pub held_back: u64,
    /// Tickets with words, by which vectors read them.
    pub readers: BTreeMap<String, u64>,
    /// How many tickets went each way, as its nodes.
    #[serde(skip)]
    pub ways: BTreeMap<Vec<String>, u64>,
}

/// How often a fact was asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Open {
    /// Undecided tickets that ask for it.
    pub asked: u64,
    /// Undecided tickets that knowing it alone would settle, whatever the answer.
    pub settles: u64,
}

impl Tally {
    /// Counts a decision.
    pub fn add(&mut self, decision: &Decision) {
        self.tickets += 1;
        count(&mut self.verdicts, &decision.verdict, 1);
        if let Some(node) = &decision.outcome_node {
            count(&mut self.ends, node, 1);
        }
        match self.ways.get_mut(&decision.walked) {
            Some(tickets) => *tickets += 1,
            None => {
                self.ways.insert(decision.walked.clone(), 1);
            }
        }
        self.held_back += u64::from(decision.likely.is_some());
        if let Some(reader) = &decision.reader {
            count(&mut self.readers, reader, 1);
        }
        for missing in &decision.missing {
            let open = self.open.entry(missing.fact.clone()).or_default();
            open.asked += 1;
            open.settles += u64::from(missing.settles);
        }
    }

    /// Adds what was counted elsewhere.
    pub fn join(&mut self, other: &Tally) {
        self.tickets += other.tickets;
        self.held_back += other.held_back;
        other.verdicts.iter().for_each(|(verdict, tickets)| count(&mut self.verdicts, verdict, *tickets));
        other.ends.iter().for_each(|(node, tickets)| count(&mut self.ends, node, *tickets));
        other.readers.iter().for_each(|(reader, tickets)| count(&mut self.readers, reader, *tickets));
        for (fact, more) in &other.open {
            let open = self.open.entry(fact.clone()).or_default();
            open.asked += more.asked;
            open.settles += more.settles;
        }
        for (way, tickets) in &other.ways {
            *self.ways.entry(way.clone()).or_default() += tickets;
        }
    }

    /// Tickets that passed each node.
    pub fn nodes(&self) -> BTreeMap<&str, u64> {
        let mut nodes = BTreeMap::new();
        for (way, tickets) in &self.ways {
            way.iter().for_each(|node| *nodes.entry(node.as_str()).or_default() += tickets);
        }
        nodes
    }

    /// From where most tickets begin, at each node the branch that most of them took, up to where more end than go on.
    pub fn main_way(&self, diagram: &Diagram) -> Vec<String> {
        let mut begin: BTreeMap<&str, u64> = BTreeMap::new();
        let mut links: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for (way, tickets) in &self.ways {
            let nodes = way.iter().map(String::as_str);
            way.first().into_iter().for_each(|node| *begin.entry(node).or_default() += tickets);
            nodes.clone().zip(nodes.skip(1)).for_each(|link| *links.entry(link).or_default() += tickets);
        }
        let (passed, mut way) = (self.nodes(), Vec::new());
        let mut next = begin.into_iter().max_by_key(|(_, tickets)| *tickets).map(|(node, _)| node);
        while let Some(node) = next.filter(|node| !way.iter().any(|before| before == node)) {
            way.push(node.to_owned());
            let name = |index: usize| diagram.nodes.get(index).map_or("", |node| node.id.as_str());
            let on = diagram.edges.iter().filter(|edge| name(edge.from) == node).map(|edge| name(edge.to));
            let on: Vec<(&str, u64)> = on.map(|to| (to, links.get(&(node, to)).copied().unwrap_or_default())).collect();
            let end = passed.get(node).copied().unwrap_or_default().saturating_sub(on.iter().map(|(_, it)| it).sum());
            let most = on.into_iter().rev().max_by_key(|(_, tickets)| *tickets); // Of equals the first that is drawn.
            next = most.filter(|(_, tickets)| *tickets > 0 && *tickets >= end).map(|(to, _)| to);
        }
        way
    }

    /// Tickets left undecided.
    pub fn undecided(&self) -> u64 {
        self.verdicts.get(NEEDS_FACTS).copied().unwrap_or_default()
    }

    /// Open questions with their facts, the one that settles most first.
    pub fn questions(&self) -> Vec<(&str, Open)> {
        let mut questions: Vec<(&str, Open)> = self.open.iter().map(|(fact, open)| (fact.as_str(), *open)).collect();
        questions.sort_by_key(|(_, open)| std::cmp::Reverse((open.settles, open.asked)));
        questions
    }
}

/// Counts so many more under a name.
pub(super) fn count(counts: &mut BTreeMap<String, u64>, name: &str, more: u64) {
    match counts.get_mut(name) {
        Some(count) => *count += more,
        None => {
            counts.insert(name.to_owned(), more);
        }
    }
}
