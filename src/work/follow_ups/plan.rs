//! What follows a decision once its note stands.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use crate::decide::policy::Policy;
use crate::decide::policy::decision::{Decision, NEEDS_FACTS};
use crate::store::follow_ups::{Destination, FollowUp, Kind, Planned, Stage};

/// How long before a verdict may change by itself the chat hears of it.
const BEFORE_IT_FLIPS: TimeDelta = TimeDelta::hours(2);

/// Whether a decision says that a STAR is in order: it gives a verdict, and the verdict dismisses nothing.
pub fn escalates(decision: &Decision, policy: &Policy) -> bool {
    let outcome = policy.outcome(&decision.verdict).filter(|_| decision.verdict != NEEDS_FACTS);
    outcome.is_some_and(|outcome| !outcome.dismisses())
}

/// What follows a decision, as far as its destination is switched on; `before` is what followed the ticket's older ones.
pub fn of(decision: &Decision, policy: &Policy, on: &BTreeSet<Destination>, before: &[FollowUp]) -> Vec<Planned> {
    let mut planned = Vec::new();
    let task = |task: &String| policy.binding.tasks.get(task.as_str());
    if decision.tasks.iter().filter_map(task).any(|task| task.star_issue) {
        planned.push(Planned { kind: Kind::StarIssue, not_before: None });
    }
    if escalates(decision, policy) {
        planned.push(Planned { kind: Kind::Escalation, not_before: None });
        if may_be_labelled(before) {
            planned.push(Planned { kind: Kind::Unlabel, not_before: None });
        }
    }
    if policy.cry(decision).is_some_and(|cry| policy.is_clear(cry)) {
        planned.push(Planned { kind: Kind::Escalation, not_before: None }); // Who is locked out waits for no answer.
    }
    if let Some(until) = decision.valid_until {
        planned.push(Planned { kind: Kind::AboutToFlip, not_before: Some(until - BEFORE_IT_FLIPS) });
    }
    planned.retain(|one| on.contains(&one.kind.destination()));
    planned
}

/// Whether the STAR issue may bear a label of ours: something was done there, and the last was not that it was taken away.
fn may_be_labelled(before: &[FollowUp]) -> bool {
    let there = before.iter().filter(|one| one.kind.destination() == Destination::StarIssue);
    let mut tried = there.filter(|one| !matches!(one.stage, Stage::Planned | Stage::Moot { .. }));
    tried.next_back().is_some_and(|one| !matches!((one.kind, &one.stage), (Kind::Unlabel, Stage::Done { .. })))
}
