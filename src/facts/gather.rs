//! Everything known of a ticket, with what managers answered above every other source.

use super::fact::{Fact, Facts, Finding, Trust, Value};
use super::replies::{Reply, Says};
use super::sources::{self, Ids};
use crate::helpdesk::ticket::Reading;
use crate::policy::Policy;
use crate::policy::binding::{FactBinding, Kind};
use crate::policy::nearest;

/// An answer that stands above every other source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    /// The fact, as written.
    pub fact: String,
    /// Its value, as written.
    pub value: String,
    /// Who said it, in words.
    pub source: String,
}

/// The facts of a ticket, and what of the answers could not be used.
#[derive(Debug, Default)]
pub struct Gathered {
    /// What is known, by name.
    pub facts: Facts,
    /// One sentence for each answer that could not be used.
    pub problems: Vec<String>,
}

/// The answers among managers' replies, oldest first, and a problem for each line that is none.
pub fn stated(replies: &[Reply]) -> (Vec<Stated>, Vec<String>) {
    let mut stated = Vec::new();
    let mut problems = Vec::new();
    for Reply { says, source, .. } in replies {
        match says {
            Says::Answer { fact, value } => {
                stated.push(Stated { fact: fact.clone(), value: value.clone(), source: source.clone() });
            }
            Says::Unreadable(line) => {
                problems.push(format!("I cannot read “star: {line}” ({source}): write it like star: trial=yes"));
            }
            Says::Agree | Says::Disagree(_) | Says::Recheck | Says::Stop => {}
        }
    }
    (stated, problems)
}

/// Gathers every fact of the policy: from the stated answers, the later before the earlier, then from the ticket where there is one.
pub fn facts(policy: &Policy, ids: &Ids, reading: Option<&Reading>, stated: &[Stated]) -> Gathered {
    let mut gathered = Gathered::default();
    for (name, fact) in &policy.binding.facts {
        let found = match reading {
            Some(reading) => sources::read(fact, ids, reading),
            None => sources::read(fact, ids, &Reading::default()),
        };
        gathered.facts.insert(name.get_ref().clone(), found);
    }
    for answer in stated {
        match usable(policy, answer) {
            Ok(value) => {
                let fact = Fact { value, trust: Trust::Stated, source: answer.source.clone(), quote: None };
                gathered.facts.insert(answer.fact.clone(), Finding::Known(fact));
            }
            Err(problem) => gathered.problems.push(problem),
        }
    }
    gathered
}

/// The value of a stated answer, or in one sentence what is wrong with it.
pub fn usable(policy: &Policy, answer: &Stated) -> Result<Value, String> {
    let Stated { fact: name, value, source } = answer;
    let Some(fact) = policy.binding.fact(name) else {
        let there: Vec<&str> = policy.binding.facts.keys().map(|name| name.get_ref().as_str()).collect();
        let help = nearest(name, &there)
            .map_or_else(|| format!("there are {}", there.join(", ")), |near| format!("did you mean {near}?"));
        return Err(format!("there is no fact “{name}” ({source}): {help}"));
    };
    let parsed = sources::parse(fact, value).filter(|value| answers(policy, name, fact, value));
    parsed.ok_or_else(|| match fact.kind {
        Kind::Instant => {
            format!("“{value}” is no date for {name} ({source}): write it like 2026-11-30 or 2026-11-30T17:00:00Z")
        }
        Kind::Word => {
            format!("“{value}” is no answer for {name} ({source}): the answers are {}", policy.answers(name).join(", "))
        }
    })
}

/// Whether a value is one the diagram asks for; a fact it does not ask for can be any word.
fn answers(policy: &Policy, name: &str, fact: &FactBinding, value: &Value) -> bool {
    match (fact.kind, value, policy.answers(name)) {
        (Kind::Instant, ..) | (Kind::Word, _, []) => true,
        (Kind::Word, Value::Word(word), words) => words.contains(word),
        (Kind::Word, Value::Instant(_), _) => false,
    }
}
