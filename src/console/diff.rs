//! What is different between two policies: of their text, and of the chart.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use similar::{ChangeTag, TextDiff};

use super::chart::{Mark, Marks};
use crate::decide::policy::Policy;
use crate::decide::policy::diagram::Diagram;
use crate::decide::policy::examples::parted;

/// How many unchanged lines stand around changed ones.
const AROUND: usize = 2;

/// How long two texts are compared: beyond that what is different is told more coarsely.
const AT_MOST: Duration = Duration::from_millis(100);

/// How many lines are shown.
const SHOWN: usize = 400;

/// What is different of two policies' texts.
#[derive(Default)]
pub(super) struct Lines {
    /// How many lines come or go.
    pub changed: usize,
    /// The first of them, each with the class that colours it, and some lines around.
    pub shown: Vec<(&'static str, String)>,
    /// How many more there are.
    pub left_out: usize,
}

/// The lines of two policies' diagrams and bindings that differ, and some around.
pub(super) fn lines(before: [&str; 2], after: [&str; 2]) -> Lines {
    let ([old_chart, old_text], [new_chart, new_text]) = (before, after);
    let ((old_binding, old_files), (new_binding, new_files)) = (parted(old_text), parted(new_text));
    let mut lines = Lines::default();
    lines.compare("The chart", old_chart, new_chart);
    lines.compare("What it means", old_binding, new_binding);
    let languages: BTreeSet<&str> = old_files.iter().chain(&new_files).map(|(language, _)| *language).collect();
    for language in languages {
        let of = |files: &[(&str, &'_ str)]| {
            files.iter().find(|(it, _)| *it == language).map_or("", |(_, text)| *text).to_owned()
        };
        lines.compare(&format!("Examples in {language}"), &of(&old_files), &of(&new_files));
    }
    lines
}

impl Lines {
    fn compare(&mut self, name: &str, old: &str, new: &str) {
        if old == new {
            return;
        }
        let diff = TextDiff::configure().timeout(AT_MOST).diff_lines(old, new);
        for (place, group) in diff.grouped_ops(AROUND).iter().enumerate() {
            self.add("part", if place == 0 { name.to_owned() } else { "…".to_owned() });
            for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
                let text = change.value().trim_end();
                match change.tag() {
                    ChangeTag::Insert => self.add("added", format!("+ {text}")),
                    ChangeTag::Delete => self.add("removed", format!("- {text}")),
                    ChangeTag::Equal => self.add("same", format!("  {text}")),
                }
            }
        }
    }

    fn add(&mut self, class: &'static str, line: String) {
        self.changed += usize::from(["added", "removed"].contains(&class));
        match self.shown.len() < SHOWN {
            true => self.shown.push((class, line)),
            false => self.left_out += 1,
        }
    }
}

/// What is different of the chart.
#[derive(Default)]
pub(super) struct ChartDiff {
    /// On the chart of before: what is gone.
    pub before: Marks,
    /// On the chart of after: what is new or changed.
    pub after: Marks,
    /// The same, a sentence each.
    pub told: Vec<String>,
}

/// What is different of the chart and of what its nodes mean.
pub(super) fn chart(before: &Policy, after: &Policy) -> ChartDiff {
    let mut diff = ChartDiff::default();
    let rows = |policy: &Policy| -> BTreeMap<String, (String, Option<String>)> {
        policy.table().into_iter().map(|row| (row.node, (row.text, row.bound_to))).collect()
    };
    let (old, new) = (rows(before), rows(after));
    for (node, (text, _)) in old.iter().filter(|(node, _)| !new.contains_key(*node)) {
        diff.before.nodes.insert(node.clone(), Mark::Gone);
        diff.told.push(format!("Gone: {text} ({node})."));
    }
    for (node, (text, means)) in &new {
        match old.get(node) {
            None => {
                diff.after.nodes.insert(node.clone(), Mark::Added);
                diff.told.push(format!("New: {text} ({node})."));
            }
            Some((was, meant)) if was != text || meant != means => {
                diff.after.nodes.insert(node.clone(), Mark::Changed);
                if was != text {
                    diff.told.push(format!("Changed ({node}): “{was}” now reads “{text}”."));
                }
                if meant != means {
                    let words = |means: &Option<String>| means.clone().unwrap_or_else(|| "passed through".into());
                    diff.told.push(format!("Changed: {text} ({node}): {}, was {}.", words(means), words(meant)));
                }
            }
            Some(_) => {}
        }
    }
    let (old, new) = (links(&before.diagram), links(&after.diagram));
    for link in old.difference(&new) {
        diff.before.links.insert(link.clone(), Mark::Gone);
        diff.told.push(format!("Link gone: {}.", named(link)));
    }
    for link in new.difference(&old) {
        diff.after.links.insert(link.clone(), Mark::Added);
        diff.told.push(format!("Link new: {}.", named(link)));
    }
    diff
}

type Link = (String, String, String);

fn named((from, to, label): &Link) -> String {
    if label.is_empty() { format!("{from} to {to}") } else { format!("{from} to {to}, {label}") }
}

fn links(diagram: &Diagram) -> BTreeSet<Link> {
    let id = |index: usize| diagram.nodes.get(index).map(|node| node.id.clone()).unwrap_or_default();
    diagram.edges.iter().map(|edge| (id(edge.from), id(edge.to), edge.label.clone().unwrap_or_default())).collect()
}
