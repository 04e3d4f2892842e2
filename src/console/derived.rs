//! Facts that follow from others, as a decision has them.

use crate::decide::facts::fact::{Facts, Finding};
use crate::decide::policy::decision::{Answered, Decision};

/// What follows for a fact that no source gives.
pub(crate) enum Follows<'a> {
    /// The answer the decision went by.
    Answer(&'a Answered),
    /// It is not asked of this ticket, and why.
    NotAsked(&'static str),
}

/// What follows for a fact from the others: the grace period from the expiry, and none for a trial.
pub(crate) fn follows<'a>(name: &str, facts: &Facts, decision: &'a Decision) -> Option<Follows<'a>> {
    let answered = decision.path.iter().chain(&decision.beyond).find(|answered| answered.fact == name);
    if let Some(answered) = answered {
        return Some(Follows::Answer(answered));
    }
    let grace = ["in_grace", "grace_ends_at"].contains(&name);
    let trial = facts.get("trial").and_then(Finding::word) == Some("yes");
    (grace && trial).then_some(Follows::NotAsked("a trial has no grace period"))
}
