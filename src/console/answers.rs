//! The answers there are to a fact, for forms.

use crate::decide::policy::Policy;
use crate::decide::policy::binding::Kind;
use crate::decide::policy::source::{Place, Says};

/// The words a fact can be: those the chart asks for, else those its sources give; none where it can be anything.
pub(super) fn fixed(policy: &Policy, name: &str) -> Vec<String> {
    let asked = policy.answers(name);
    let Some(fact) = policy.binding.fact(name).filter(|_| asked.is_empty()) else { return asked.to_vec() };
    if fact.kind == Kind::Instant || fact.pattern.is_some() {
        return Vec::new();
    }
    let mut answers: Vec<&str> = Vec::new();
    for source in &fact.sources {
        match &source.place {
            Place::Tag { answer, .. }
            | Place::Form { answer, .. }
            | Place::OrganizationTag { answer, .. }
            | Place::Image { answer, .. }
            | Place::Text { answer, .. }
            | Place::Otherwise(answer) => answers.push(answer),
            Place::Field { says, .. } | Place::Organization { says, .. } | Place::Lookup { says, .. } => match says {
                Says::Itself => return Vec::new(),
                Says::Filled(answer) | Says::Above { answer, .. } | Says::OneOf { answer, .. } => answers.push(answer),
            },
            Place::Hours(_) => answers.push("yes"),
            Place::Dates | Place::Reader => {}
        }
    }
    if answers.iter().any(|answer| ["yes", "no"].contains(answer)) {
        answers.extend(["yes", "no"]); // Where one can be said, so can the other.
    }
    answers.sort_unstable_by_key(|answer| (*answer != "yes", *answer)); // Yes before no, as the chart has them.
    answers.dedup();
    answers.into_iter().map(str::to_owned).collect()
}
