//! Every fact of a ticket explained: taken, overruled, set aside, or unknown and why.

use std::collections::BTreeMap;

use crate::facts::expiry;
use crate::facts::fact::{Came, Facts, Finding, Heard, Trust, Value};
use crate::facts::words;
use crate::policy::decision::Decision;

/// A paragraph a fact, in the order of their names.
pub(super) fn facts(facts: &Facts, heard: &BTreeMap<String, Vec<Heard>>, decision: &Decision) -> String {
    let mut text = String::new();
    for (name, finding) in facts {
        let lines = heard.get(name).map(Vec::as_slice).unwrap_or_default();
        text.push_str(&format!("  {name:<17} {}\n", stands(name, finding, facts, decision)));
        for line in lines.iter().filter_map(passed_over) {
            text.push_str(&format!("  {:<19} {line}\n", ""));
        }
    }
    text
}

/// What is known of a fact, or why nothing is.
fn stands(name: &str, finding: &Finding, facts: &Facts, decision: &Decision) -> String {
    match finding {
        Finding::Known(fact) => {
            let from = match &fact.quote {
                Some(quote) => words::cited(quote),
                None => fact.source.clone(),
            };
            format!("{:<21} {}: {from}", fact.value.to_string(), trust(fact.trust))
        }
        Finding::Conflict(two) => {
            let says = |fact: &crate::facts::fact::Fact| format!("{} says {}", fact.source, value(&fact.value));
            format!("{:<21} records contradict each other: {}; {}", "unknown", says(&two.0), says(&two.1))
        }
        Finding::Unknown { looked, .. } => match follows(name, facts, decision) {
            Some(follows) => follows,
            None if looked.is_empty() => format!("{:<21} no source answers", "unknown"),
            None => format!("{:<21} {}", "unknown", looked.join("; ")),
        },
    }
}

/// What follows from other facts: the grace period from the expiry, and none for a trial.
fn follows(name: &str, facts: &Facts, decision: &Decision) -> Option<String> {
    let answered = decision.path.iter().chain(&decision.beyond).find(|answered| answered.fact == name);
    if let Some(answered) = answered {
        return Some(format!("{:<21} {}: {}", answered.value, trust(answered.trust), answered.source));
    }
    let grace = ["in_grace", "grace_ends_at"].contains(&name);
    let trial = facts.get("trial").and_then(Finding::word) == Some("yes");
    (grace && trial).then(|| format!("{:<21} a trial has no grace period", "not asked"))
}

/// What a source said that is not the fact.
fn passed_over(heard: &Heard) -> Option<String> {
    let Heard { said, source, came } = heard;
    match came {
        Came::Taken => None,
        Came::Overruled(by) => Some(format!("overruled by {by}: {said} ({source})")),
        Came::Contradicts(_) => Some(format!("counts for nothing while the other stands: {said} ({source})")),
        Came::SetAside(why) => Some(format!("set aside, {why}: {said} ({source})")),
    }
}

fn value(value: &Value) -> String {
    match value {
        Value::Word(word) => word.clone(),
        Value::Instant(at) => expiry::moment(*at),
    }
}

fn trust(trust: Trust) -> &'static str {
    match trust {
        Trust::Inferred => "inferred",
        Trust::Recorded => "recorded",
        Trust::Stated => "stated",
    }
}
