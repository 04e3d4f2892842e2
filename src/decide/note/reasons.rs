//! Why: each question with its answer and where it was read.

use chrono::{DateTime, Utc};

use super::markup::{Span, strong, text};
use super::{Subject, questions};
use crate::decide::facts::expiry;
use crate::decide::facts::fact::{Finding, Trust, cited};
use crate::decide::facts::source::Source;
use crate::decide::policy::binding::Meaning;
use crate::decide::policy::decision::{Answered, Decision};

/// Each answered question, in the order of the walk.
pub(super) fn list(subject: &Subject<'_>) -> Vec<Vec<Span>> {
    let Decision { path, beyond, .. } = subject.decision;
    let mut lines = told(subject, &path.iter().chain(beyond).collect::<Vec<_>>());
    let beyond = lines.split_off(path.len());
    lines.extend(questions::contradictions(subject));
    lines.extend(beyond);
    lines
}

/// Answered questions, each with where it was read unless another says so: one above it, or one it follows from this.
pub(super) fn told(subject: &Subject<'_>, answered: &[&Answered]) -> Vec<Vec<Span>> {
    let sources: Vec<Cite> = answered.iter().map(|answered| source(subject, answered)).collect();
    let lines = answered.iter().zip(&sources).enumerate().map(|(place, (answered, source))| {
        let says_so = |(at, other): (usize, &Cite)| {
            (at < place || other.kind == Read::Derived && at > place) && other.words.contains(&source.words)
        };
        let elsewhere = sources.iter().enumerate().any(says_so);
        reason(subject, answered, source, if elsewhere { Cited::Elsewhere } else { Cited::Here })
    });
    lines.collect()
}

/// The reason that settled it, as a sentence.
pub(super) fn settling(subject: &Subject<'_>) -> Option<String> {
    let decision = subject.decision;
    let Some(open) = subject.policy.open_facts(subject.facts, subject.spoken, subject.now).first().copied() else {
        return Some(sentence(subject, decision.path.last()?));
    };
    // All branches end alike: by these answers, whatever the open one is.
    let answered = decision.path.iter().chain(&decision.beyond);
    let settles = answered.filter(|answered| subject.policy.settles(answered));
    let said: Vec<String> = settles.map(|answered| sentence(subject, answered)).collect();
    let fact = subject.policy.binding.fact(open);
    let either_way = fact.and_then(|fact| fact.either_way.clone()).unwrap_or_else(|| {
        let question = fact.and_then(|fact| fact.question.as_deref()).unwrap_or(open);
        format!("whatever the answer to “{question}”")
    });
    Some(match said.is_empty() {
        true => format!("{}.", capital(&either_way)),
        false => format!("{}, {either_way}.", said.join(" ").trim_end_matches('.')),
    })
}

/// What an answer comes to, as a sentence.
fn sentence(subject: &Subject<'_>, answered: &Answered) -> String {
    if let Some(at) = instant(answered) {
        return remaining(subject, &answered.fact, at);
    }
    let fact = subject.policy.binding.fact(&answered.fact);
    let own_word = matches!(answered.source, Source::Otherwise { doubt: None });
    let by_default = fact.filter(|_| own_word).and_then(|fact| fact.sentences.get("otherwise"));
    by_default.or_else(|| fact?.sentences.get(&answered.answer)).cloned().unwrap_or_else(|| {
        let question = fact.and_then(|fact| fact.question.as_deref()).unwrap_or(&answered.text);
        format!("{question} {}.", called(subject, &answered.fact, &answered.answer))
    })
}

/// Whether another line says where an instant was read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cited {
    Here,
    Elsewhere,
}

/// Where an answer was read.
struct Cite {
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

fn source(subject: &Subject<'_>, answered: &Answered) -> Cite {
    let known = subject.facts.get(&answered.fact).and_then(Finding::known).is_some();
    let cited = cited(answered.quote.as_deref(), &answered.source);
    match answered.trust {
        _ if !known => Cite { words: answered.source.to_string(), kind: Read::Derived },
        Trust::Inferred if answered.quote.is_some() => {
            Cite { words: format!("a guess from {cited}"), kind: Read::Guessed }
        }
        Trust::Inferred | Trust::Recorded | Trust::Stated => Cite { words: cited, kind: Read::Recorded },
    }
}

/// One answered question with where it was read.
fn reason(subject: &Subject<'_>, answered: &Answered, source: &Cite, cited: Cited) -> Vec<Span> {
    let Cite { words, kind } = source;
    if let Some(at) = instant(answered) {
        let left = left(subject, &answered.fact, at);
        let source = match kind {
            Read::Derived => String::new(), // The line about the grace period says how.
            _ if cited == Cited::Elsewhere => String::new(),
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

fn left(subject: &Subject<'_>, fact: &str, at: DateTime<Utc>) -> String {
    let away = away(subject, fact, at);
    if at > subject.now { format!("{away} left") } else { format!("{away} ago") }
}

/// How far off an instant is; around the distance the diagram asks about, on which side of it.
fn away(subject: &Subject<'_>, fact: &str, at: DateTime<Utc>) -> String {
    let millis = (at - subject.now).num_milliseconds();
    match compared(subject, fact) {
        Some(span) if millis == span => format!("exactly {} h", span / 3_600_000),
        Some(span) if (span + 1..span + 60_000).contains(&millis) => format!("just over {} h", span / 3_600_000),
        Some(_) | None => expiry::length(millis),
    }
}

/// What is left of an instant, as a sentence with its subject.
fn remaining(subject: &Subject<'_>, fact: &str, at: DateTime<Utc>) -> String {
    let (away, exact) = (away(subject, fact, at), expiry::exact(at));
    let (side, plain) = if at > subject.now { ("ahead", "in {away} ({at}).") } else { ("past", "{away} ago ({at}).") };
    let bound = subject.policy.binding.fact(fact);
    let sentence = bound.and_then(|fact| fact.sentences.get(side)).cloned().unwrap_or_else(|| {
        let question = bound.and_then(|fact| fact.question.as_deref()).unwrap_or(fact);
        format!("{question} {}", capital(plain))
    });
    sentence.replace("{away}", &away).replace("{at}", &exact)
}

fn capital(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}
