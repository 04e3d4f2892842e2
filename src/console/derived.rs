//! Facts that follow from others, as a decision has them.

use crate::decide::policy::Policy;
use crate::decide::policy::decision::{Answered, Decision};

/// What follows for a fact that no source gives.
pub(crate) enum Follows<'a> {
    /// The answer the decision went by.
    Answer(&'a Answered),
    /// It is not asked of this ticket, and why.
    NotAsked(&'static str),
}

/// What follows for a fact that no source gives: the answer on the way, or that the verdict does not rest on it.
pub(crate) fn follows<'a>(name: &str, policy: &Policy, decision: &'a Decision) -> Option<Follows<'a>> {
    let answered = decision.path.iter().chain(&decision.beyond).find(|answered| answered.fact == name);
    let decided = decision.missing.is_empty() && !decision.walked.is_empty();
    answered.map(Follows::Answer).or_else(|| {
        let aside = decided && policy.asked().any(|asked| asked == name);
        aside.then_some(Follows::NotAsked("not on the way to this verdict"))
    })
}
