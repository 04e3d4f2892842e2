//! What is worth knowing though it is not on the chart: advice, which never changes a verdict.

use super::markup::{Span, text};
use super::{Subject, checklist};
use crate::decide::facts::expiry;
use crate::decide::facts::fact::{Finding, Value};
use crate::decide::policy::decision::{NEEDS_FACTS, NOT_APPLICABLE};
use crate::decide::ticket::{Reading, Record};

/// The lines that apply to this ticket now, and that the policy switches on.
pub(super) fn lines(subject: &Subject<'_>) -> Vec<Vec<Span>> {
    let Some(reading) = subject.reading.filter(|_| subject.decision.verdict != NOT_APPLICABLE) else {
        return Vec::new();
    };
    let told = [
        waiting(subject, reading),
        young(subject, reading),
        incomplete(subject, reading),
        convenience(subject, reading),
        unanswered(subject, reading),
    ];
    told.into_iter().flatten().map(|line| vec![text(line)]).collect()
}

/// The last public comment is ours.
fn waiting(subject: &Subject<'_>, reading: &Reading) -> Option<String> {
    let last = reading.comments.iter().rev().find(|comment| comment.public)?;
    let ours = subject.policy.binding.advice.waiting_for_customer && reading.is_staff(last.author_id);
    let day = last.created_at.map(|at| format!(" since {}", expiry::moment(at))).unwrap_or_default();
    ours.then(|| format!("We have been waiting for the customer{day}: Support wrote the last public comment"))
}

/// The ticket is younger than a request for attention should be.
fn young(subject: &Subject<'_>, reading: &Reading) -> Option<String> {
    let least = subject.policy.binding.advice.younger_than?.0;
    let age = (subject.now - reading.ticket.created_at?).num_milliseconds();
    (0..least)
        .contains(&age)
        .then(|| format!("The ticket is {} old; L&R may not have seen it yet", expiry::length(age)))
}

/// Fields every request needs and this one lacks; only fields this helpdesk shows on the ticket are asked for.
fn incomplete(subject: &Subject<'_>, reading: &Reading) -> Option<String> {
    let fields = &subject.ids.fields;
    let empty = |field: &&String| {
        let ids = fields.get(*field).map(Vec::as_slice).unwrap_or_default();
        let mut shown = reading.ticket.custom_fields.iter().filter(|value| ids.contains(&value.id)).peekable();
        let blank =
            |value: &serde_json::Value| value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty());
        shown.peek().is_some() && shown.all(|field| blank(&field.value))
    };
    let required = subject.policy.binding.advice.required.iter();
    let missing: Vec<&str> = required.filter(|(field, _)| empty(field)).map(|(_, called)| called.as_str()).collect();
    (!missing.is_empty()).then(|| format!("Missing, and L&R needs it: {}", missing.join(", ")))
}

/// No loss of function is near: the customer's words say so, or the expiry is far off.
fn convenience(subject: &Subject<'_>, reading: &Reading) -> Option<String> {
    let advice = &subject.policy.binding.advice;
    let far = advice.convenience_beyond.and_then(|least| {
        match &subject.facts.get(subject.policy.binding.times.expires()).and_then(Finding::known)?.value {
            Value::Instant(at) => Some(*at - subject.now).filter(|left| left.num_milliseconds() >= least.0),
            Value::Span(_) | Value::Word(_) => None,
        }
    })?;
    let said = advice.convenience_any.iter().find_map(|pattern| pattern.0.regex()?.find(&reading.ticket.description));
    let words = said.map(|found| format!(", and the customer writes “{}”", found.as_str())).unwrap_or_default();
    let asks_for_time = checklist::case(subject).is_some_and(|case| case.asks_for_time);
    if said.is_none() && !asks_for_time {
        return None; // What does not work is no convenience, however far off the expiry is.
    }
    Some(format!("Perhaps for convenience: nothing ends for another {}{words}", expiry::length(far.num_milliseconds())))
}

/// Systems of record that failed, where it was decided without them; an open question says itself where it was looked for.
fn unanswered(subject: &Subject<'_>, reading: &Reading) -> Option<String> {
    let failed = reading.records.iter().filter_map(|(name, record)| match record {
        Record::Failed(why) | Record::Silent(why) => Some(format!("{} ({why})", name.replace('_', " "))),
        Record::Found(_) => None,
    });
    let failed: Vec<String> = failed.collect();
    let told = !failed.is_empty() && subject.decision.verdict != NEEDS_FACTS;
    told.then(|| format!("Decided without what did not answer: {}", failed.join(", ")))
}
