//! Every fact of a ticket explained: taken, overruled, set aside, or unknown and why.

use std::collections::BTreeSet;

use crate::console::derived::{self, Follows};
use crate::decide::facts::expiry;
use crate::decide::facts::fact::{Came, Finding, Heard, Trust, Value};
use crate::decide::judge::Judged;
use crate::decide::policy::Policy;
use crate::decide::policy::source::Place;

/// A paragraph a fact, in the order of their names.
pub(super) fn facts(policy: &Policy, judged: &Judged) -> String {
    let Judged { facts, heard, .. } = judged;
    let mut text = String::new();
    for (name, finding) in facts {
        let lines = heard.get(name).map(Vec::as_slice).unwrap_or_default();
        text.push_str(&format!("  {name:<17} {}\n", stands(name, finding, policy, judged)));
        let taken = said(finding);
        let mut told = BTreeSet::new(); // Several sources can find the same words.
        let passed = lines.iter().filter_map(|heard| passed_over(heard, taken.as_deref()));
        for line in passed.filter(|line| told.insert(line.clone())) {
            text.push_str(&format!("  {:<19} {line}\n", ""));
        }
    }
    text
}

/// What is known of a fact, or why nothing is.
fn stands(name: &str, finding: &Finding, policy: &Policy, judged: &Judged) -> String {
    match finding {
        Finding::Known(fact) => {
            let from = fact.cited();
            format!("{:<23} {}: {from}", fact.value.to_string(), trust(fact.trust))
        }
        Finding::Conflict(two) => {
            let says = |fact: &crate::decide::facts::fact::Fact| format!("{} says {}", fact.source, value(&fact.value));
            format!("{:<23} records contradict each other: {}; {}", "unknown", says(&two.0), says(&two.1))
        }
        Finding::Unknown { looked, .. } => match follows(name, policy, judged) {
            Some(follows) => follows,
            None if looked.is_empty() => format!("{:<23} {}", "unknown", silent(name, policy)),
            None => format!("{:<23} {}", "unknown", looked.join("; ")),
        },
    }
}

/// What follows from other facts.
fn follows(name: &str, policy: &Policy, judged: &Judged) -> Option<String> {
    Some(match derived::follows(name, policy, &judged.decision)? {
        Follows::Answer(answered) => {
            format!("{:<23} {}: {}", answered.value, trust(answered.trust), answered.source)
        }
        Follows::NotAsked(why) => format!("{:<23} {why}", "not asked"),
    })
}

/// Where a fact was looked for when nothing there spoke of it.
fn silent(name: &str, policy: &Policy) -> String {
    let mut places: Vec<String> = Vec::new();
    for source in policy.binding.fact(name).map(|fact| fact.sources.as_slice()).unwrap_or_default() {
        let place = match &source.place {
            Place::Tag { any, .. } => format!("tag {}", any.join(", ")),
            Place::Form { any, .. } => format!("form {}", any.join(", ")),
            Place::Field { name, .. } => format!("field {}", name.replace('_', " ")),
            Place::Organization { key, .. } => format!("organisation's {}", key.replace('_', " ")),
            Place::OrganizationTag { any, .. } => format!("organisation's tag {}", any.join(", ")),
            Place::Lookup { name, .. } => format!("{} (where it is asked)", name.replace('_', " ")),
            Place::Image { .. } => "the customer's pictures".to_owned(),
            Place::Hours(team) => format!("the hours of {team} (where they are configured)"),
            Place::Text { .. } | Place::Dates | Place::Reader => "the words on the ticket".to_owned(),
            Place::Otherwise(_) => continue,
        };
        if !places.contains(&place) {
            places.push(place);
        }
    }
    match places.as_slice() {
        [] => "nothing says it, and what it would follow from is unknown".to_owned(),
        places => format!("nothing in: {}", places.join("; ")),
    }
}

/// What a source said that is not the fact, or says the same again.
fn passed_over(heard: &Heard, taken: Option<&str>) -> Option<String> {
    let Heard { said, source, came } = heard;
    match came {
        Came::Taken => None,
        Came::Overruled(_) if taken == Some(said) => Some(format!("also: {source}")),
        Came::Overruled(_) => Some(format!("overruled: {said} ({source})")),
        Came::Contradicts(_) => Some(format!("counts for nothing while the other stands: {said} ({source})")),
        Came::Passed => Some(format!("also said: {said} ({source})")),
        Came::SetAside(why) => Some(format!("set aside, {why}: {said} ({source})")),
    }
}

/// A known fact's value as its sources say it.
fn said(finding: &Finding) -> Option<String> {
    finding.known().map(|fact| fact.value.to_string())
}

fn value(value: &Value) -> String {
    match value {
        Value::Word(word) => word.clone(),
        Value::Instant(at) => expiry::moment(*at),
        Value::Span(span) => expiry::between(*span),
    }
}

fn trust(trust: Trust) -> &'static str {
    match trust {
        Trust::Inferred => "inferred",
        Trust::Recorded => "recorded",
        Trust::Stated => "stated",
    }
}
