//! Why a past ticket was decided as it was, in one line.

use crate::decide::facts::fact::{Trust, cited};
use crate::decide::policy::decision::{Decision, NEEDS_FACTS, NOT_APPLICABLE};

/// The answer that settled it with its source, or what is still asked.
pub fn of(decision: &Decision) -> String {
    match decision.verdict.as_str() {
        NOT_APPLICABLE => "the policy does not speak of it".into(),
        NEEDS_FACTS => {
            let asked: Vec<&str> = decision.missing.iter().map(|missing| missing.question.as_str()).collect();
            format!("not known: {}", asked.join(" · "))
        }
        _ => match decision.beyond.last().or(decision.path.last()) {
            Some(last) => {
                let value = if last.value == last.answer { String::new() } else { format!(" ({})", last.value) };
                let cited = cited(last.quote.as_deref(), &last.source);
                let source = if last.trust == Trust::Inferred { format!("a guess from {cited}") } else { cited };
                format!("{} → {}{value}: {source}", last.text, last.answer)
            }
            None => "no question is asked".into(),
        },
    }
}
