//! Why: each question with its answer and where it was read.

use chrono::{DateTime, Utc};

use super::Subject;
use super::markup::{Span, strong, text};
use crate::facts::fact::Finding;
use crate::facts::{expiry, words};
use crate::policy::binding::Meaning;
use crate::policy::decision::Answered;

/// Each answered question, in the order of the walk.
pub(super) fn list(subject: &Subject<'_>) -> Vec<Vec<Span>> {
    told(subject, &subject.decision.path.iter().chain(&subject.decision.beyond).collect::<Vec<_>>())
}

/// Answered questions, each with where it was read unless one above it says so.
pub(super) fn told(subject: &Subject<'_>, answered: &[&Answered]) -> Vec<Vec<Span>> {
    let sources: Vec<Source> = answered.iter().map(|answered| source(subject, answered)).collect();
    let lines = answered.iter().zip(&sources).enumerate().map(|(place, (answered, source))| {
        let before = sources.iter().take(place).any(|before| before.words.contains(&source.words));
        reason(subject, answered, source, if before { Cited::Before } else { Cited::Here })
    });
    lines.collect()
}

/// The reason that settled it, as a sentence.
pub(super) fn settling(subject: &Subject<'_>) -> Option<String> {
    let decision = subject.decision;
    let last = decision.beyond.last().or(decision.path.last())?;
    let open = if decision.beyond.is_empty() { "" } else { "Whatever else is open: " };
    Some(match instant(last) {
        Some(at) => format!("{open}{}", remaining(&last.fact, at, subject.now)),
        None => {
            let fact = subject.policy.binding.fact(&last.fact);
            match fact.and_then(|fact| fact.sentences.get(&last.answer)) {
                Some(sentence) => format!("{open}{sentence}"),
                None => {
                    let question = fact.and_then(|fact| fact.question.as_deref()).unwrap_or(&last.text);
                    format!("{open}{question} {}.", capital(&last.answer))
                }
            }
        }
    })
}

/// Whether the lines above already say where an instant was read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cited {
    Here,
    Before,
}

/// Where an answer was read.
struct Source {
    words: String,
    kind: Read,
}

/// How an answer came to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Read {
    /// A record or a manager says so.
    Recorded,
    /// Words of the customer's do.
    Guessed,
    /// It follows from other facts, which its words name.
    Derived,
}

fn source(subject: &Subject<'_>, answered: &Answered) -> Source {
    let known = subject.facts.get(&answered.fact).and_then(Finding::known).is_some();
    match &answered.quote {
        _ if !known => Source { words: answered.source.clone(), kind: Read::Derived },
        Some(quote) => Source { words: format!("a guess from {}", words::cited(quote)), kind: Read::Guessed },
        None => Source { words: answered.source.clone(), kind: Read::Recorded },
    }
}

/// One answered question with where it was read.
fn reason(subject: &Subject<'_>, answered: &Answered, source: &Source, cited: Cited) -> Vec<Span> {
    let Source { words, kind } = source;
    if let Some(at) = instant(answered) {
        let left = left(at, subject.now);
        let source = match kind {
            Read::Derived => String::new(), // The line about the grace period says how.
            _ if cited == Cited::Before => String::new(),
            Read::Guessed => format!(", {words}"),
            Read::Recorded => format!(" ({words})"),
        };
        return vec![
            text(format!("{} ", answered.text)),
            strong(capital(&answered.answer)),
            text(format!(": {}, {left}{source}", expiry::exact(at))),
        ];
    }
    let asked = if ["yes", "no"].contains(&answered.answer.as_str()) {
        let question = answered.text.ends_with('?').then_some(answered.text.as_str());
        question.or_else(|| subject.policy.binding.fact(&answered.fact)?.question.as_deref()).unwrap_or(&answered.text)
    } else {
        return vec![text(chosen(subject, answered)), text(format!(": {words}"))];
    };
    vec![text(format!("{asked} ")), strong(capital(&answered.answer)), text(format!(": {words}"))]
}

/// What an answer is called.
pub(super) fn called(subject: &Subject<'_>, fact: &str, answer: &str) -> String {
    subject.policy.answer_title(fact, answer).map_or_else(|| capital(&answer.replace('_', " ")), str::to_owned)
}

/// A choice by its title; without one in the diagram's words: the text of the node it leads to.
fn chosen(subject: &Subject<'_>, answered: &Answered) -> String {
    if let Some(title) = subject.policy.answer_title(&answered.fact, &answered.answer) {
        return title.to_owned();
    }
    let walked = &subject.decision.walked;
    let next = walked.iter().position(|node| *node == answered.node).and_then(|place| walked.get(place + 1));
    let node = next.and_then(|next| subject.policy.diagram.nodes.iter().find(|node| node.id == *next));
    node.map_or_else(|| answered.answer.replace('_', " "), |node| node.text.clone())
}

/// The instant a question compared; none for questions of words.
fn instant(answered: &Answered) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(&answered.value).ok().map(|at| at.to_utc())
}

/// How far from now the diagram asks about an instant.
pub(super) fn compared(subject: &Subject<'_>, fact: &str) -> Option<i64> {
    subject.policy.binding.nodes.values().find_map(|meaning| match meaning {
        Meaning::MoreThan { until, span } if until.get_ref() == fact => Some(span.0),
        Meaning::Choose { .. }
        | Meaning::YesNo { .. }
        | Meaning::MoreThan { .. }
        | Meaning::OnlyIf { .. }
        | Meaning::Outcome(_)
        | Meaning::Task(_) => None,
    })
}

fn left(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let span = expiry::length((at - now).num_milliseconds());
    if at > now { format!("{span} left") } else { format!("{span} ago") }
}

/// What is left of an instant, as a sentence with its subject.
fn remaining(fact: &str, at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let (what, ends, ended) = match fact {
        "grace_ends_at" => ("The grace period", "ends", "ended"),
        "expires_at" => ("The plan or licence", "expires", "expired"),
        other => (other, "is", "was"),
    };
    let span = expiry::length((at - now).num_milliseconds());
    if at > now {
        format!("{what} {ends} in {span} ({}).", expiry::exact(at))
    } else {
        format!("{what} {ended} {span} ago ({}).", expiry::exact(at))
    }
}

fn capital(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}
