//! The rule: the handbook's diagram, what its nodes mean, and the walk over it.

pub mod advice;
mod asked;
pub mod binding;
mod build;
mod check;
pub mod checklist;
pub mod correction;
mod decide;
pub mod decision;
pub mod diagram;
mod dismissals;
pub mod drawing;
pub mod examples;
mod exits;
mod explain;
pub mod expression;
pub mod fault;
mod given;
mod graph;
mod guess;
mod hash;
mod holds;
mod joined;
mod keys;
pub mod language;
pub mod length;
pub mod lexicon;
pub mod lookup;
mod mentions;
pub mod misread;
pub mod mutants;
mod names;
pub mod page;
mod places;
pub mod questions;
mod slips;
pub mod source;
mod spans;
mod spots;
mod steps;
mod strict;
pub mod table;
mod texts;
mod used;
mod walk;
mod ways;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use super::facts::fact::{Confidence, Trust};
use super::reader::Reader;
use super::reader::example::Example;
use binding::{Binding, OutcomeBinding};
use decision::{Against, Decision};
use diagram::Diagram;
use fault::Fault;
use graph::Graph;
use lexicon::Lexicon;

/// A diagram with its binding, found sound: the rule by which tickets are decided.
#[derive(Debug)]
pub struct Policy {
    /// What the nodes mean, and where facts are read.
    pub binding: Binding,
    /// The flowchart.
    pub diagram: Diagram,
    /// The flowchart's Mermaid text, for its picture.
    pub mermaid: String,
    /// The binding's text with that of its examples, to see later what changed.
    pub text: String,
    /// `sha256:` and 64 hex digits over what both say, layout and comments aside.
    pub hash: String,
    /// What it finds patterns with.
    pub lexicon: Lexicon,
    /// What it reads words by.
    pub examples: Vec<Example>,
    reader: OnceLock<Arc<Reader>>,
    graph: Graph,
}

impl Policy {
    /// Reads a policy from the texts of its diagram and its binding, which may have files of examples behind it, see
    /// [`examples::joined`].
    ///
    /// # Errors
    /// Every fault found, each with its place in one of the texts.
    pub fn parse(text: &str, diagram: &str) -> Result<Policy, Vec<Fault>> {
        let (binding, files) = examples::parted(text);
        let parsed = Binding::parse(binding).map_err(|fault| vec![fault]);
        let drawn = Diagram::parse(diagram);
        let (own_text, mermaid) = (binding, page::flowchart(diagram).map_or(diagram.to_owned(), Cow::into_owned));
        let (binding, diagram) = match (parsed, drawn) {
            (Ok(binding), Ok(diagram)) => (binding, diagram),
            (Err(mut faults), Err(more)) => {
                faults.extend(more);
                return Err(faults);
            }
            (Err(faults), Ok(_)) | (Ok(_), Err(faults)) => return Err(faults),
        };
        let graph = check::graph(&diagram, &binding, own_text)?;
        let lexicon = Lexicon::new(&binding);
        let examples = examples::all(&files, &binding.read_from_words())?;
        let hash = hash::content(&diagram, own_text, &examples);
        let (text, reader) = (text.to_owned(), OnceLock::new());
        Ok(Policy { binding, diagram, mermaid, text, hash, lexicon, examples, reader, graph })
    }

    /// What reads words, learned from the examples when it is first asked for; none where there are no examples.
    pub fn reader(&self) -> Option<&Arc<Reader>> {
        (!self.examples.is_empty()).then(|| self.reader.get_or_init(|| Reader::shared(&self.examples, |_| None)))
    }

    /// Has the reader made now, from what is kept of it where `kept` has that.
    pub fn learn(&self, kept: impl FnOnce(&[Example]) -> Option<Reader>) {
        if !self.examples.is_empty() {
            self.reader.get_or_init(|| Reader::shared(&self.examples, kept));
        }
    }

    /// An outcome's entry.
    pub fn outcome(&self, name: &str) -> Option<&OutcomeBinding> {
        self.binding.outcomes.get(name)
    }

    /// What a manager calls a verdict; its name where the policy gives none.
    pub fn title<'a>(&'a self, verdict: &'a str) -> &'a str {
        self.outcome(verdict).map_or(verdict, |outcome| outcome.title.as_str())
    }

    /// The facts a verdict can rest on: those the diagram asks for, and those they can be derived from.
    pub fn asked(&self) -> impl Iterator<Item = &str> {
        self.graph.facts.iter().map(|asked| asked.name.as_str())
    }

    /// Whether a verdict can hang on a fact, or on one that its sources hang on.
    pub fn bears(&self, fact: &str) -> bool {
        self.bearing().contains(fact)
    }

    /// The facts a verdict can hang on: those that are asked for, that speak against a dismissal, and that their sources
    /// hang on.
    fn bearing(&self) -> BTreeSet<String> {
        let mut bearing = BTreeSet::new();
        let mut ahead: Vec<String> = self.asked().map(str::to_owned).collect();
        if let Some(dismissal) = &self.binding.dismissal {
            ahead.extend(dismissal.against.keys().chain([&dismissal.understood_by]).map(|name| name.get_ref().clone()));
        }
        while let Some(name) = ahead.pop() {
            if let Some(fact) = self.binding.fact(&name).filter(|_| !bearing.contains(&name)) {
                let conditions = fact.sources.iter().flat_map(|source| [&source.when, &source.unless]);
                ahead.extend(conditions.chain([&fact.day_ends_when]).flat_map(BTreeMap::keys).cloned());
            }
            bearing.insert(name);
        }
        bearing
    }

    /// The words a fact can be, where the diagram asks for it by its answers; empty otherwise.
    pub fn answers(&self, fact: &str) -> &[String] {
        let asked = self.graph.facts.iter().find(|asked| asked.name == fact);
        match asked.map(|asked| &asked.range) {
            Some(graph::Range::Words(words)) => words,
            Some(graph::Range::Instant(_)) | None => &[],
        }
    }

    /// What speaks most clearly against a dismissal by one of the facts that the policy names, such as that somebody is
    /// locked out.
    pub fn cry<'a>(&self, decision: &'a Decision) -> Option<&'a Against> {
        let named = self.binding.dismissal.as_ref().map(|dismissal| &dismissal.against);
        let cries =
            |against: &&Against| named.and_then(|named| named.get(against.fact.as_str())) == Some(&against.value);
        decision.against.iter().filter(cries).max_by_key(|against| (against.trust, against.confidence))
    }

    /// Whether it is more than a weak guess that somebody speaks against a dismissal: enough to propose, or no guess at all.
    pub fn is_clear(&self, against: &Against) -> bool {
        let enough = Confidence::of(self.binding.reader.suggests);
        against.trust > Trust::Inferred || against.confidence.is_none_or(|confidence| confidence >= enough)
    }

    /// What an answer to a fact is called; none where the policy gives it no title.
    pub fn answer_title(&self, fact: &str, answer: &str) -> Option<&str> {
        self.binding.fact(fact)?.titles.get(answer).map(String::as_str)
    }

    fn node_id(&self, node: usize) -> &str {
        self.diagram.nodes.get(node).map_or("", |node| node.id.as_str())
    }
}
