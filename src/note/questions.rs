//! The questions that are still open, what each answer leads to, and how to answer.

use chrono::{DateTime, Utc};

use super::markup::{Block, Span, code, strong, text};
use super::reasons::{Cited, capital, reason};
use super::{Subject, changed, lower_first};
use crate::facts::expiry;
use crate::facts::fact::{Fact, Finding, Value};
use crate::facts::replies::DATE;
use crate::facts::words;
use crate::policy::binding::{Kind, Meaning};
use crate::policy::decision::Missing;

/// Writes the part of a note that asks.
pub(super) fn write(subject: &Subject<'_>, blocks: &mut Vec<Block>) {
    let missing = &subject.decision.missing;
    let Some(first) = missing.first() else { return };
    let count = match missing.len() {
        1 => "One answer needed.".to_owned(),
        _ => "Answers needed.".to_owned(),
    };
    let mut lead = vec![strong(count), text(format!(" {}", first.question))];
    lead.extend(changed(subject));
    blocks.push(Block::Line(lead));
    if let Some(guess) = guess(subject, first) {
        blocks.push(Block::Line(guess));
    }
    blocks.push(Block::Bullets(leads(subject, first)));
    let mut reply = vec![text("Reply in an internal note: ")];
    reply.extend(examples(subject, first));
    blocks.push(Block::Line(reply));
    let others: Vec<Vec<Span>> = missing
        .iter()
        .skip(1)
        .map(|other| {
            let mut line = vec![text(format!("{} ", other.question))];
            line.extend(examples(subject, other));
            line
        })
        .collect();
    if !others.is_empty() {
        blocks.push(Block::Title("Also open".into()));
        blocks.push(Block::Bullets(others));
    }
    let known: Vec<Vec<Span>> = subject
        .decision
        .path
        .iter()
        .map(|answered| reason(subject, answered, Cited::Here))
        .chain(contradictions(subject))
        .chain(looked(subject))
        .collect();
    if !known.is_empty() {
        blocks.push(Block::Title("So far".into()));
        blocks.push(Block::Bullets(known));
    }
}

/// What was guessed, and why that is not enough.
fn guess(subject: &Subject<'_>, missing: &Missing) -> Option<Vec<Span>> {
    missing.suggested.as_ref()?;
    let fact = subject.facts.get(&missing.fact)?.known()?;
    let suggested = said(&fact.value);
    let from = fact.quote.as_ref().map_or_else(|| fact.source.clone(), words::cited);
    Some(vec![text(format!("I guess {suggested}, from {from}; a guess alone does not dismiss."))])
}

/// What each answer leads to.
fn leads(subject: &Subject<'_>, missing: &Missing) -> Vec<Vec<Span>> {
    let span = compared(subject, &missing.fact);
    let mut answers: Vec<_> = missing.leads_to.iter().collect();
    answers.sort_by_key(|(answer, _)| answer.as_str() == "no"); // Yes before no; other words by name.
    let line = |(answer, outcomes): (&String, &Vec<String>)| {
        let mut line = vec![text(format!("{} → ", label(span, answer)))];
        match outcomes.as_slice() {
            [one] => line.push(strong(subject.policy.title(one))),
            several => {
                let titles: Vec<String> =
                    several.iter().map(|outcome| lower_first(subject.policy.title(outcome))).collect();
                line.push(text(format!("still open: {}", titles.join(" or "))));
            }
        }
        line
    };
    answers.into_iter().map(line).collect()
}

/// How far from now the diagram asks about an instant.
fn compared(subject: &Subject<'_>, fact: &str) -> Option<i64> {
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

/// An answer in words: a word itself, and for an instant how far off it is.
fn label(span: Option<i64>, answer: &str) -> String {
    match (span, answer) {
        (Some(span), "yes") => format!("More than {} h from now", span / 3_600_000),
        (Some(_), _) => "Sooner, or already past".into(),
        (None, word) => capital(&word.replace('_', " ")),
    }
}

/// A fact's value for people.
fn said(value: &Value) -> String {
    match value {
        Value::Word(word) => word.replace('_', " "),
        Value::Instant(at) => expiry::moment(*at),
    }
}

/// How to answer: `star: in_grace=yes` or `star: in_grace=no`.
fn examples(subject: &Subject<'_>, missing: &Missing) -> Vec<Span> {
    let instant = subject.policy.binding.fact(&missing.fact).is_some_and(|fact| fact.kind == Kind::Instant);
    let mut words: Vec<String> = match subject.facts.get(&missing.fact) {
        Some(finding) if instant => moments(finding).into_iter().map(|at| at.format("%Y-%m-%d").to_string()).collect(),
        Some(_) | None => subject.policy.answers(&missing.fact).to_vec(),
    };
    words.dedup();
    if words.is_empty() {
        return vec![code(format!("star: {}={DATE}", missing.fact))];
    }
    words.sort_by_key(|word| word == "no");
    let mut spans = Vec::new();
    for (place, word) in words.into_iter().enumerate() {
        if place > 0 {
            spans.push(text(" or "));
        }
        spans.push(code(format!("star: {}={word}", missing.fact)));
    }
    spans
}

/// The moments that were found though none of them could be taken, for the manager to choose from.
fn moments(finding: &Finding) -> Vec<DateTime<Utc>> {
    let one = |fact: &Fact| match &fact.value {
        Value::Instant(at) => Some(*at),
        Value::Word(_) => None,
    };
    match finding {
        Finding::Known(guess) => one(guess).into_iter().collect(),
        Finding::Conflict(two) => [&two.0, &two.1].into_iter().filter_map(one).collect(),
        Finding::Unknown { readings, .. } => readings.clone(),
    }
}

/// Records that contradict each other, so that neither counts.
fn contradictions(subject: &Subject<'_>) -> Vec<Vec<Span>> {
    let says = |fact: &Fact| format!("{} says {}", fact.source, said(&fact.value));
    let missing = subject.decision.missing.iter();
    let conflicts = missing.filter_map(|missing| match subject.facts.get(&missing.fact)? {
        Finding::Conflict(two) => Some(vec![text(format!("Contradiction: {}, and {}", says(&two.0), says(&two.1)))]),
        Finding::Known(_) | Finding::Unknown { .. } => None,
    });
    conflicts.collect()
}

/// Where an answer was looked for in vain.
fn looked(subject: &Subject<'_>) -> Option<Vec<Span>> {
    let places: Vec<String> = subject
        .decision
        .missing
        .iter()
        .filter_map(|missing| match subject.facts.get(&missing.fact)? {
            Finding::Unknown { looked, .. } => Some(looked.clone()),
            Finding::Conflict(_) | Finding::Known(_) => None,
        })
        .flatten()
        .collect();
    (!places.is_empty()).then(|| vec![text(format!("Looked in vain: {}", places.join("; ")))])
}
