//! The examples of a policy: which facts they can speak of, and how their files travel with the binding's text.
//!
//! A policy is kept and compared as one text. Behind the binding it holds each file of examples, headed by a line of its own;
//! to TOML that line is a comment.

use std::collections::BTreeSet;

use super::binding::{Binding, Meaning};
use super::fault::{Document, Fault};
use super::source::Place;
use crate::decide::reader::example::{self, Answers, Example};

/// What heads a file of examples in a policy's text; the language follows.
const HEADING: &str = "#: examples ";

/// A binding's text with its files of examples, each with its language.
pub fn joined<'a>(binding: &str, files: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = binding.trim_end().to_owned();
    text.push('\n');
    for (language, file) in files {
        text.push_str(&format!("\n{HEADING}{language}\n{}\n", file.trim_end()));
    }
    text
}

/// The binding in a policy's text, and its files of examples by language.
pub fn parted(text: &str) -> (&str, Vec<(&str, &str)>) {
    let mut starts: Vec<usize> = text.match_indices(&format!("\n{HEADING}")).map(|(at, _)| at + 1).collect();
    let binding = text.get(..starts.first().copied().unwrap_or(text.len())).unwrap_or(text);
    starts.push(text.len());
    let files = starts.iter().zip(starts.iter().skip(1)).filter_map(|(&from, &to)| {
        let (heading, file) = text.get(from..to)?.split_once('\n')?;
        Some((heading.trim_start_matches(HEADING).trim(), file))
    });
    (binding, files.collect())
}

/// Every example, or every fault of their files, each in the file of its number.
pub(super) fn all(files: &[(&str, &str)], known: &Answers) -> Result<Vec<Example>, Vec<Fault>> {
    let (mut examples, mut faults) = (Vec::new(), Vec::new());
    for (number, (language, file)) in files.iter().enumerate() {
        match example::parse(file, language, known) {
            Ok(read) => examples.extend(read),
            Err(misfits) => faults.extend(misfits.into_iter().map(|misfit| Fault {
                document: Document::Examples(number),
                span: misfit.span,
                message: misfit.message,
                help: misfit.help,
            })),
        }
    }
    if faults.is_empty() { Ok(examples) } else { Err(faults) }
}

impl Binding {
    /// The facts that are read from words by examples, each with the answers it can have: those the diagram asks for, those
    /// that its other sources give, and those the fact lists.
    pub fn read_from_words(&self) -> Answers {
        let mut known = Answers::new();
        for (name, fact) in &self.facts {
            if !fact.sources.iter().any(|source| matches!(source.place, Place::Reader)) {
                continue;
            }
            let mut answers: BTreeSet<String> = fact.answers.iter().cloned().collect();
            answers.extend(fact.sources.iter().filter_map(|source| source.answer().map(str::to_owned)));
            for meaning in self.nodes.values() {
                match meaning {
                    Meaning::Choose { fact, exits } if fact.get_ref() == name.get_ref() => {
                        answers.extend(exits.keys().map(|answer| answer.get_ref().clone()));
                    }
                    Meaning::YesNo { fact } | Meaning::OnlyIf { fact, .. } if fact.get_ref() == name.get_ref() => {
                        answers.extend(["yes", "no"].map(str::to_owned));
                    }
                    Meaning::Choose { .. }
                    | Meaning::YesNo { .. }
                    | Meaning::OnlyIf { .. }
                    | Meaning::MoreThan { .. }
                    | Meaning::Outcome(_)
                    | Meaning::Task(_) => {}
                }
            }
            known.insert(name.get_ref().clone(), answers.into_iter().collect());
        }
        known
    }
}
