//! The answers there are to a fact, for forms.

use chrono::DateTime;

use crate::decide::facts::expiry;
use crate::decide::facts::span::Span;
use crate::decide::policy::Policy;
use crate::decide::policy::binding::Kind;
use crate::decide::policy::decision::Decision;
use crate::decide::policy::source::Place;

/// The words a fact can be: those the chart asks for, else those its sources give; none where it can be anything.
pub(super) fn fixed(policy: &Policy, name: &str) -> Vec<String> {
    let asked = policy.answers(name);
    let Some(fact) = policy.binding.fact(name).filter(|_| asked.is_empty()) else { return asked.to_vec() };
    if fact.kind == Kind::Instant || fact.pattern.is_some() {
        return Vec::new();
    }
    let mut answers: Vec<&str> = Vec::new();
    for source in &fact.sources {
        match (source.answer(), &source.place) {
            (Some(answer), _) => answers.push(answer),
            (None, Place::Field { .. } | Place::Organization { .. } | Place::Lookup { .. }) => return Vec::new(),
            (None, Place::Hours(_)) => answers.push("yes"),
            (None, _) => {}
        }
    }
    if answers.iter().any(|answer| ["yes", "no"].contains(answer)) {
        answers.extend(["yes", "no"]); // Where one can be said, so can the other.
    }
    answers.sort_unstable_by_key(|answer| (*answer != "yes", *answer)); // Yes before no, as the chart has them.
    answers.dedup();
    answers.into_iter().map(str::to_owned).collect()
}

/// A question with the answers there are.
pub(super) struct Question {
    pub fact: String,
    pub words: String,
    /// Each answer as it is given and as it is called; empty where it is typed or picked.
    pub answers: Vec<(String, String)>,
    pub instant: bool,
}

/// What a decision asks.
pub(super) fn questions(policy: &Policy, decision: &Decision) -> Vec<Question> {
    let question = |fact: &str, words: &str| Question {
        fact: fact.to_owned(),
        words: words.to_owned(),
        answers: policy.answers(fact).iter().map(|answer| (answer.clone(), called(policy, fact, answer))).collect(),
        instant: is_instant(policy, fact),
    };
    decision.missing.iter().map(|missing| question(&missing.fact, &missing.question)).collect()
}

/// What taking the proposal of a decision says: `expires: 30 Nov 2026, for a trial: no`; none where nothing is proposed.
pub(super) fn proposal(policy: &Policy, decision: &Decision) -> Option<String> {
    decision.likely.as_ref()?;
    let each =
        decision.proposal.iter().map(|(fact, value)| format!("{} {}", label(policy, fact), shown(policy, fact, value)));
    Some(each.collect::<Vec<_>>().join("; ")).filter(|words| !words.is_empty())
}

/// Whether a fact is a moment in time.
pub(super) fn is_instant(policy: &Policy, fact: &str) -> bool {
    policy.binding.fact(fact).is_some_and(|fact| fact.kind == Kind::Instant)
}

/// A fact as people call it: its question, else its name in words.
pub(super) fn label(policy: &Policy, fact: &str) -> String {
    let question = policy.binding.fact(fact).and_then(|fact| fact.question.clone());
    question.unwrap_or_else(|| capital(&fact.replace('_', " ")))
}

/// What an answer is called.
pub(super) fn called(policy: &Policy, fact: &str, answer: &str) -> String {
    policy.answer_title(fact, answer).map_or_else(|| capital(&answer.replace('_', " ")), str::to_owned)
}

/// A value for people: what an answer is called, a moment, or the days between which it lies.
pub(super) fn shown(policy: &Policy, fact: &str, value: &str) -> String {
    if let Ok(span) = value.parse::<Span>() {
        return expiry::between(span);
    }
    match DateTime::parse_from_rfc3339(value) {
        Ok(at) => expiry::moment(at.to_utc()),
        Err(_) => called(policy, fact, value),
    }
}

fn capital(words: &str) -> String {
    let mut characters = words.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}
