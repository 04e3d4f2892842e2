//! Why: each question with its answer and where it was read.

use chrono::{DateTime, Utc};

use super::Subject;
use super::markup::{Span, strong, text};
use crate::facts::{expiry, words};
use crate::policy::decision::Answered;

/// Each answered question, in the order of the walk.
pub(super) fn list(subject: &Subject<'_>) -> Vec<Vec<Span>> {
    let decision = subject.decision;
    let answered: Vec<&Answered> = decision.path.iter().chain(&decision.beyond).collect();
    let told = |place: usize, source: &str| answered.iter().take(place).any(|before| before.source.contains(source));
    let cited = |place: usize, source: &str| if told(place, source) { Cited::Before } else { Cited::Here };
    let reasons = answered.iter().enumerate();
    reasons.map(|(place, answered)| reason(subject, answered, cited(place, &answered.source))).collect()
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
pub(super) enum Cited {
    Here,
    Before,
}

/// One answered question with where it was read.
pub(super) fn reason(subject: &Subject<'_>, answered: &Answered, cited: Cited) -> Vec<Span> {
    let source = match &answered.quote {
        Some(quote) => format!("a guess from {}", words::cited(quote)),
        None => answered.source.clone(),
    };
    if let Some(at) = instant(answered) {
        let left = left(at, subject.now);
        let derived =
            subject.policy.binding.fact(&answered.fact).is_some_and(|_| answered.source.contains(" of grace"));
        let source = if derived || cited == Cited::Before { String::new() } else { format!(" ({source})") };
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
        return vec![text(chosen(subject, answered)), text(format!(": {source}"))];
    };
    vec![text(format!("{asked} ")), strong(capital(&answered.answer)), text(format!(": {source}"))]
}

/// A choice in the diagram's words: the text of the node it leads to.
fn chosen(subject: &Subject<'_>, answered: &Answered) -> String {
    let walked = &subject.decision.walked;
    let next = walked.iter().position(|node| *node == answered.node).and_then(|place| walked.get(place + 1));
    let node = next.and_then(|next| subject.policy.diagram.nodes.iter().find(|node| node.id == *next));
    node.map_or_else(|| answered.answer.replace('_', " "), |node| node.text.clone())
}

/// The instant a question compared; none for questions of words.
fn instant(answered: &Answered) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(&answered.value).ok().map(|at| at.to_utc())
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

pub(super) fn capital(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}
