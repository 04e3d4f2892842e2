//! The rule as a table, for a person to hold the picture against what is done: what no program can judge.

use serde::Serialize;

use super::Policy;
use super::binding::Meaning;
use super::decision::Decision;
use super::graph::{Range, Step, YES_NO};
use super::spans::written;

/// One node: what the picture says, and what is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The node's id.
    pub node: String,
    /// Its text in the picture.
    pub text: String,
    /// What it is bound to: `yes_no trial`; none where it is passed through.
    pub bound_to: Option<String>,
    /// Where each answer leads.
    pub leads_to: Vec<Way>,
}

/// Where one answer leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Way {
    /// The answer; none where there is no question.
    pub answer: Option<String>,
    /// The words on the link.
    pub label: Option<String>,
    /// The next node; none where the walk rests.
    pub node: Option<String>,
    /// The outcome with which it rests.
    pub outcome: Option<String>,
}

impl Policy {
    /// The rule, a row a node, in the order of the picture.
    pub fn table(&self) -> Vec<Row> {
        (0..self.diagram.nodes.len()).filter_map(|node| self.row(node)).collect()
    }

    fn row(&self, index: usize) -> Option<Row> {
        let node = self.diagram.nodes.get(index)?;
        let bound_to = self.binding.nodes.get(node.id.as_str()).map(|meaning| match meaning {
            Meaning::YesNo { fact } => format!("yes_no {}", fact.get_ref()),
            Meaning::Choose { fact, .. } => format!("choose {}", fact.get_ref()),
            Meaning::MoreThan { span, until } => format!("more_than {} until {}", written(span.0), until.get_ref()),
            Meaning::OnlyIf { fact, otherwise } => {
                format!("only_if {}, otherwise {}", fact.get_ref(), otherwise.get_ref())
            }
            Meaning::Outcome(outcome) => format!("outcome {}", outcome.get_ref()),
            Meaning::Task(task) => format!("task {task}"),
        });
        Some(Row { node: node.id.clone(), text: node.text.clone(), bound_to, leads_to: self.ways(index) })
    }

    fn ways(&self, node: usize) -> Vec<Way> {
        let Some(Step::Ask { fact, exits, .. }) = self.graph.steps.get(node) else {
            let link = self.graph.link(node, 0);
            return link.map(|_| self.way(node, 0, None, None)).into_iter().collect();
        };
        let words: Vec<&str> = match self.graph.facts.get(*fact).map(|asked| &asked.range) {
            Some(Range::Words(words)) => words.iter().map(String::as_str).collect(),
            Some(Range::Instant(_)) | None => YES_NO.to_vec(),
        };
        let answers = words.into_iter().zip(exits).enumerate();
        answers.map(|(place, (answer, exit))| self.way(node, place, Some(answer), exit.rest())).collect()
    }

    fn way(&self, node: usize, place: usize, answer: Option<&str>, rest: Option<usize>) -> Way {
        let edge = self.graph.link(node, place).and_then(|link| self.diagram.edges.get(link));
        Way {
            answer: answer.map(str::to_owned),
            label: edge.and_then(|edge| edge.label.clone()),
            node: edge.map(|edge| self.node_id(edge.to).to_owned()),
            outcome: rest.and_then(|rest| self.graph.outcomes.get(rest)).map(|outcome| outcome.name.clone()),
        }
    }

    /// The links a walk took, as indices into the diagram's edges: `walked` are its nodes in order, `answer` says what was
    /// answered at one. Of two links between the same nodes it is the one of the answer.
    fn taken<'a>(&self, walked: &[String], answer: impl Fn(&str) -> Option<&'a str>) -> Vec<usize> {
        let index = |id: &str| self.diagram.nodes.iter().position(|node| node.id == id);
        let pairs = walked.windows(2).filter_map(|pair| match pair {
            [from, to] => Some((index(from)?, index(to)?, answer(from))),
            _ => None,
        });
        let leads = |link: &usize, to: usize| self.diagram.edges.get(*link).is_some_and(|edge| edge.to == to);
        pairs
            .filter_map(|(from, to, answer)| {
                let place = answer
                    .and_then(|answer| self.ways(from).iter().position(|way| way.answer.as_deref() == Some(answer)));
                let named = place.and_then(|place| self.graph.link(from, place)).filter(|link| leads(link, to));
                named.or_else(|| self.graph.links.get(from)?.iter().flatten().copied().find(|link| leads(link, to)))
            })
            .collect()
    }

    /// The links a decision's walk took, as indices into the diagram's edges.
    pub fn taken_by(&self, decision: &Decision) -> Vec<usize> {
        let answer = |node: &str| {
            decision.path.iter().find(|answered| answered.node == node).map(|answered| answered.answer.as_str())
        };
        self.taken(&decision.walked, answer)
    }
}
