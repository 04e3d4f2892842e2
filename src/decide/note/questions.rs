//! The questions that are still open, what each answer leads to, and how to answer.

use chrono::{DateTime, Utc};

use super::markup::{Block, Span, code, strong, text};
use super::{Subject, changed, lower_first, reasons};
use crate::decide::facts::expiry;
use crate::decide::facts::fact::{Fact, Finding, Value, cited};
use crate::decide::facts::replies::DATE;
use crate::decide::facts::span::Span as Stretch;
use crate::decide::policy::binding::Kind;
use crate::decide::policy::decision::{Answered, Decision, LeadsTo, Missing};

/// Writes the part of a note that asks.
pub(super) fn write(subject: &Subject<'_>, blocks: &mut Vec<Block>) {
    let decision = subject.decision;
    if let Some(likely) = &decision.likely {
        let mut lead = vec![strong(format!("Probably {}: right?", lower_first(subject.policy.title(likely))))];
        lead.extend(changed(subject));
        lead.push(text(" "));
        lead.push(code("star: yes"));
        let taken = decision.proposal.iter().map(|(fact, value)| format!("{fact}={value}")).collect::<Vec<_>>();
        lead.push(text(format!(" takes {}", taken.join(", "))));
        blocks.push(Block::Line(lead));
    }
    blocks.extend(Some(spoken_against(subject)).filter(|lines| !lines.is_empty()).map(Block::Bullets));
    let Some((first, others)) = decision.missing.split_first() else { return };
    let count = if first.settles && others.is_empty() { "One answer needed." } else { "Answers needed." };
    let mut lead = vec![strong(count), text(format!(" {}", first.question))];
    lead.extend(changed(subject).filter(|_| decision.likely.is_none()));
    blocks.push(Block::Line(lead));
    if let Some(guess) = guessed(subject, first) {
        blocks.push(Block::Line(vec![text(format!("{guess}."))]));
    }
    blocks.push(Block::Bullets(leads(subject, first)));
    let mut reply = vec![text("Reply in an internal note: ")];
    reply.extend(examples(subject, first));
    blocks.push(Block::Line(reply));
    if !others.is_empty() {
        blocks.push(Block::Title("Also open".into()));
        blocks.push(Block::Bullets(others.iter().map(|other| also(subject, other)).collect()));
    }
    let known: Vec<Vec<Span>> =
        so_far(subject).into_iter().chain(contradictions(subject)).chain(looked(subject)).collect();
    if !known.is_empty() {
        blocks.push(Block::Title("So far".into()));
        blocks.push(Block::Bullets(known));
    }
}

/// What stands against a dismissal, and what could not be read.
fn spoken_against(subject: &Subject<'_>) -> Vec<Vec<Span>> {
    let against = subject.decision.against.iter().map(|against| {
        let value = value(subject, &against.fact, &against.value);
        let said = cited(against.quote.as_deref(), &against.source);
        format!("Against a dismissal: {} {value}, by {said}", against.fact.replace('_', " "))
    });
    let illegible = subject.decision.illegible.iter().map(|why| format!("Not understood: {why}"));
    illegible.chain(against).map(|line| vec![text(line)]).collect()
}

/// One more question, with what is suggested of it.
fn also(subject: &Subject<'_>, missing: &Missing) -> Vec<Span> {
    let guess = guessed(subject, missing).map(|guess| format!(" {guess}:")).unwrap_or_default();
    let mut line = vec![text(format!("{}{guess} ", missing.question))];
    line.extend(examples(subject, missing));
    line
}

/// What is answered, on the way and past what is open; what is asked above stands there already.
fn so_far(subject: &Subject<'_>) -> Vec<Vec<Span>> {
    let Decision { path, beyond, missing, .. } = subject.decision;
    let asked = |fact: &str| missing.iter().any(|missing| missing.fact == fact);
    let rests_on_asked =
        |answered: &&Answered| subject.policy.basis(&answered.fact, subject.facts).into_iter().all(asked);
    let known: Vec<&Answered> = path.iter().chain(beyond).filter(|answered| !rests_on_asked(answered)).collect();
    reasons::told(subject, &known)
}

/// What the ticket suggests, and from which words or record.
fn guessed(subject: &Subject<'_>, missing: &Missing) -> Option<String> {
    let suggested = missing.suggested.as_ref()?;
    let spoken = subject.spoken.answers.get(&missing.fact).into_iter().flatten();
    let known = subject.facts.get(&missing.fact).and_then(Finding::known);
    let from = known.into_iter().chain(spoken).find(|fact| fact.value.to_string() == *suggested)?;
    Some(format!("I guess {}, from {}", value(subject, &missing.fact, suggested), from.cited()))
}

/// A value for people: what an answer is called, a day, or the days between which it lies.
fn value(subject: &Subject<'_>, fact: &str, value: &str) -> String {
    if let Ok(span) = value.parse::<Stretch>() {
        return expiry::between(span);
    }
    match DateTime::parse_from_rfc3339(value) {
        Ok(at) => expiry::moment(at.to_utc()),
        Err(_) => lower_first(&reasons::called(subject, fact, value)),
    }
}

/// What each answer leads to.
fn leads(subject: &Subject<'_>, missing: &Missing) -> Vec<Vec<Span>> {
    let line = |label: String, outcomes: &Vec<String>| {
        let mut line = vec![text(format!("{label} → "))];
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
    match &missing.leads_to {
        LeadsTo::Words(words) => {
            let mut answers: Vec<_> = words.iter().collect();
            answers.sort_by_key(|(answer, _)| answer.as_str() == "no"); // Yes before no; other words by name.
            let called = |word: &str| reasons::called(subject, &missing.fact, word);
            answers.into_iter().map(|(word, outcomes)| line(called(word), outcomes)).collect()
        }
        LeadsTo::Stretches(stretches) => {
            let exact = |at: &DateTime<Utc>| expiry::exact(*at);
            let label = |from: Option<String>, until: Option<String>| match (from, until) {
                (None, None) => "Whenever".to_owned(),
                (None, Some(until)) => format!("Before {until}"),
                (Some(from), Some(until)) => format!("From {from} until {until}"),
                (Some(from), None) => format!("From {from} on"),
            };
            let each = stretches.iter().map(|stretch| {
                line(label(stretch.from.as_ref().map(exact), stretch.until.as_ref().map(exact)), &stretch.outcomes)
            });
            each.collect()
        }
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
        Value::Span(_) | Value::Word(_) => None,
    };
    match finding {
        Finding::Known(guess) => one(guess).into_iter().collect(),
        Finding::Conflict(two) => [&two.0, &two.1].into_iter().filter_map(one).collect(),
        Finding::Unknown { readings, .. } => readings.clone(),
    }
}

/// Records that contradict each other, so that neither counts.
pub(super) fn contradictions(subject: &Subject<'_>) -> Vec<Vec<Span>> {
    let open = subject.policy.open_facts(subject.facts, subject.spoken, subject.now).into_iter();
    let conflicts = open.filter_map(|open| match subject.facts.get(open)? {
        Finding::Conflict(two) => {
            let says = |fact: &Fact| match &fact.value {
                Value::Word(word) => {
                    format!("{} says {}", fact.source, lower_first(&reasons::called(subject, open, word)))
                }
                Value::Instant(at) => format!("{} says {}", fact.source, expiry::moment(*at)),
                Value::Span(span) => format!("{} says {}", fact.source, expiry::between(*span)),
            };
            Some(vec![text(format!("Contradiction: {}, and {}", says(&two.0), says(&two.1)))])
        }
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
