//! What follows a decision once its note stands.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use crate::policy::Policy;
use crate::policy::decision::{Decision, NEEDS_FACTS};
use crate::store::follow_ups::{Destination, Kind, Planned};

/// The chart's task that is done on the STAR issue.
const COLLECT_FEEDBACK: &str = "collect_feedback";

/// How long before a verdict may change by itself the chat hears of it.
const BEFORE_IT_FLIPS: TimeDelta = TimeDelta::hours(2);

/// What follows a decision, as far as its destination is switched on.
pub fn of(decision: &Decision, policy: &Policy, on: &BTreeSet<Destination>) -> Vec<Planned> {
    let mut planned = Vec::new();
    if decision.tasks.iter().any(|task| task == COLLECT_FEEDBACK) {
        planned.push(Planned { kind: Kind::StarIssue, not_before: None });
    }
    let outcome = policy.outcome(&decision.verdict).filter(|_| decision.verdict != NEEDS_FACTS);
    if outcome.is_some_and(|outcome| !outcome.dismisses) {
        planned.push(Planned { kind: Kind::Escalation, not_before: None });
    }
    if let Some(until) = decision.valid_until {
        planned.push(Planned { kind: Kind::AboutToFlip, not_before: Some(until - BEFORE_IT_FLIPS) });
    }
    planned.retain(|one| on.contains(&one.kind.destination()));
    planned
}
