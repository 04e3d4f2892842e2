//! Why: each question with its answer and where it was read.

use chrono::{DateTime, Utc};

use super::markup::{Span, strong, text};
use super::{Subject, capital, words};
use crate::decide::facts::expiry;
use crate::decide::facts::fact::{Fact, Finding, Trust, cited};
use crate::decide::facts::source::Source;
use crate::decide::facts::span::Span as Stretch;
use crate::decide::policy::binding::Meaning;
use crate::decide::policy::decision::{Answered, Decision};

/// Each answered question, in the order of the walk; what stands `above` already is not said again.
pub(super) fn list(subject: &Subject<'_>, above: &str) -> Vec<Vec<Span>> {
    let Decision { path, beyond, .. } = subject.decision;
    let mut lines = told(subject, &path.iter().chain(beyond).collect::<Vec<_>>(), above);
    let beyond = lines.split_off(path.len());
    lines.extend(contradictions(subject));
    lines.extend(beyond);
    lines
}

/// Records that contradict each other, so that neither counts.
pub(super) fn contradictions(subject: &Subject<'_>) -> Vec<Vec<Span>> {
    let open = subject.policy.open_facts(subject.facts, subject.spoken, subject.now).into_iter();
    let conflicts = open.filter_map(|open| match subject.facts.get(open)? {
        Finding::Conflict(two) => {
            let says =
                |fact: &Fact| format!("{} says {}", fact.source, words::value(subject, open, &fact.value.to_string()));
            Some(vec![text(format!("Contradiction: {}, and {}", says(&two.0), says(&two.1)))])
        }
        Finding::Known(_) | Finding::Unknown { .. } => None,
    });
    conflicts.collect()
}

/// Answered questions, each with where it was read unless another says so: one above it, or one it follows from this.
pub(super) fn told(subject: &Subject<'_>, answered: &[&Answered], above: &str) -> Vec<Vec<Span>> {
    let sources: Vec<Cite> = answered.iter().map(|answered| source(subject, answered, above)).collect();
    let lines = answered.iter().zip(&sources).enumerate().map(|(place, (answered, source))| {
        let says_so = |(at, other): (usize, &Cite)| {
            (at < place || other.kind == Read::Derived && at > place) && other.words.contains(&source.words)
        };
        let elsewhere = sources.iter().enumerate().any(says_so);
        reason(subject, answered, source, if elsewhere { Cited::Elsewhere } else { Cited::Here }, above)
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

/// What an answer comes to, as a sentence; of a guess with the words it was read in.
fn sentence(subject: &Subject<'_>, answered: &Answered) -> String {
    let fact = subject.policy.binding.fact(&answered.fact);
    let own_word = answered.source == Source::Otherwise;
    let by_default = fact.filter(|_| own_word).and_then(|fact| fact.sentences.get("otherwise"));
    let sentence = match (instant(answered), by_default) {
        (Some(at), _) => remaining(subject, &answered.fact, at, words::doubt(&answered.source)),
        (None, Some(sentence)) => sentence.clone(),
        (None, None) => says(subject, &answered.fact, &answered.value),
    };
    match &answered.quote {
        Some(quote) if answered.trust == Trust::Inferred && !matches!(answered.source, Source::Grace(_)) => {
            format!("{}: {}.", sentence.trim_end_matches('.'), cited(Some(quote), &answered.source))
        }
        Some(_) | None => sentence,
    }
}

/// What a value of a fact says, as a sentence.
pub(super) fn says(subject: &Subject<'_>, fact: &str, value: &str) -> String {
    let bound = subject.policy.binding.fact(fact);
    if let Ok(at) = DateTime::parse_from_rfc3339(value) {
        return remaining(subject, fact, at.to_utc(), None);
    }
    let key = if value.parse::<Stretch>().is_ok() { "within" } else { value };
    let shown = words::value(subject, fact, value);
    let sentence = bound.and_then(|fact| fact.sentences.get(key)).map(|sentence| sentence.replace("{at}", &shown));
    sentence.unwrap_or_else(|| match bound.and_then(|fact| fact.asked.as_deref().or(fact.question.as_deref())) {
        Some(question) => format!("{question} {}.", capital(&shown)),
        None => format!("{} is {shown}.", capital(&fact.replace('_', " "))),
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

fn source(subject: &Subject<'_>, answered: &Answered, above: &str) -> Cite {
    let known = subject.facts.get(&answered.fact).and_then(Finding::known).is_some();
    let cited = cited(answered.quote.as_deref(), &answered.source);
    let doubt = words::doubt(&answered.source).filter(|doubt| above.contains(doubt));
    let without = |words: String| doubt.map_or(words.clone(), |doubt| words.replace(&format!(", {doubt}"), ""));
    let quoted_above = answered.quote.as_ref().is_some_and(|quote| above.contains(quote.as_str()));
    match answered.trust {
        _ if !known => {
            let words = without(answered.source.to_string());
            Cite { words: words.trim_end_matches(',').to_owned(), kind: Read::Derived }
        }
        Trust::Inferred if quoted_above => Cite { words: "a guess from the words above".into(), kind: Read::Guessed },
        Trust::Inferred if answered.quote.is_some() => {
            Cite { words: format!("a guess from {cited}"), kind: Read::Guessed }
        }
        Trust::Inferred | Trust::Recorded | Trust::Stated => Cite { words: without(cited), kind: Read::Recorded },
    }
}

/// One answered question with where it was read.
fn reason(subject: &Subject<'_>, answered: &Answered, source: &Cite, cited: Cited, above: &str) -> Vec<Span> {
    let Cite { words, kind } = source;
    let asked = asked(subject, answered);
    if let Some(at) = instant(answered) {
        let left = left(subject, &answered.fact, at);
        let source = match kind {
            Read::Derived => String::new(), // The line about the grace period says how.
            _ if cited == Cited::Elsewhere => String::new(),
            Read::Guessed => format!(", {words}"),
            Read::Recorded => format!(" ({words})"),
        };
        let when = expiry::exact(at);
        let when = if above.contains(&when) { String::new() } else { format!(", {when}") };
        return vec![
            text(format!("{asked} ")),
            strong(capital(&answered.answer)),
            text(format!(": {left}{when}{source}")),
        ];
    }
    if !["yes", "no"].contains(&answered.answer.as_str()) {
        return vec![text(chosen(subject, answered)), text(format!(": {words}"))];
    }
    vec![text(format!("{asked} ")), strong(capital(&answered.answer)), text(format!(": {words}"))]
}

/// A question of the chart as a note asks it: as the fact says, else in the chart's words.
fn asked(subject: &Subject<'_>, answered: &Answered) -> String {
    let fact = subject.policy.binding.fact(&answered.fact);
    if let Some(asked) = fact.and_then(|fact| fact.asked.as_ref()) {
        let hours = compared(subject, &answered.fact).unwrap_or_default() / 3_600_000;
        return asked.replace("{span}", &format!("{hours} h"));
    }
    let question = answered.text.ends_with('?').then_some(answered.text.as_str());
    question.or_else(|| fact?.question.as_deref()).unwrap_or(&answered.text).to_owned()
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

/// What is left of an instant, as a sentence with its subject, and the doubt there is of it.
fn remaining(subject: &Subject<'_>, fact: &str, at: DateTime<Utc>, doubt: Option<&str>) -> String {
    let (away, mut exact) = (away(subject, fact, at), expiry::exact(at));
    exact.extend(doubt.map(|doubt| format!(", {doubt}")));
    let (side, plain) = if at > subject.now { ("ahead", "in {away} ({at}).") } else { ("past", "{away} ago ({at}).") };
    let bound = subject.policy.binding.fact(fact);
    let sentence = bound.and_then(|fact| fact.sentences.get(side)).cloned().unwrap_or_else(|| {
        let question = bound.and_then(|fact| fact.question.as_deref()).unwrap_or(fact);
        format!("{question} {}", capital(plain))
    });
    sentence.replace("{away}", &away).replace("{at}", &exact)
}
