//! What a manager does next: the steps that the policy has for the outcome, its tasks, the case at hand, and every note.

use super::Subject;
use super::markup::{Item, Span, code, text};
use crate::decide::facts::fact::{Fact, Finding, Trust};
use crate::decide::policy::checklist::{ASSIGNEE, Case, Part, Step};
use crate::decide::policy::decision::NOT_APPLICABLE;

/// The steps for this decision, each once.
pub(super) fn items(subject: &Subject<'_>) -> Vec<Item> {
    let (decision, binding) = (subject.decision, &subject.policy.binding);
    if decision.verdict == NOT_APPLICABLE {
        return Vec::new();
    }
    let outcome = subject.policy.outcome(&decision.verdict).into_iter().flat_map(|outcome| &outcome.steps);
    let tasks = decision.tasks.iter().filter_map(|task| binding.tasks.get(task.as_str())).flat_map(|task| &task.steps);
    let case = case(subject).into_iter().flat_map(|case| &case.steps);
    let mut items: Vec<Item> = Vec::new();
    for step in outcome.chain(tasks).chain(case).chain(&binding.notes.steps) {
        items.extend(item(subject, step).filter(|item| !items.contains(item)));
    }
    items
}

/// The handbook's case of a ticket.
pub(super) fn case<'a>(subject: &Subject<'a>) -> Option<&'a Case> {
    let binding = &subject.policy.binding;
    let unknown = binding.notes.case_unknown.as_ref().map(|case| case.get_ref().as_str());
    binding.cases.get(subject.decision.workflow.as_deref().or(unknown)?)
}

/// A step with those under it, where it is told at all.
fn item(subject: &Subject<'_>, step: &Step) -> Option<Item> {
    let is = |(fact, answer): (&toml::Spanned<String>, &toml::Spanned<String>)| {
        answered(subject, fact.get_ref()) == Some(answer.get_ref())
    };
    if !step.when.iter().all(is) || step.unless.iter().any(is) {
        return None;
    }
    let links = &subject.policy.binding.links;
    let mut spans: Vec<Span> = Vec::new();
    let told: Vec<String> = step.tells.iter().filter_map(|told| tell(subject, told.get_ref())).collect();
    let told = told.join("; ");
    let inside = |part: &Part| matches!(part, Part::Words(words) if words.contains("{}"));
    let behind = !step.say.get_ref().0.iter().any(inside) && !told.is_empty();
    for part in &step.say.get_ref().0 {
        spans.push(match part {
            Part::Words(words) => text(words.replace("{}", &told)),
            Part::Code(words) => code(words.clone()),
            Part::Link { words, to } => match links.get(to.as_str()) {
                Some(address) => Span::Link { words: words.clone(), to: address.clone() },
                None => text(words.clone()),
            },
        });
    }
    spans.extend(behind.then(|| text(format!(" ({told})"))));
    Some(Item { spans, under: step.steps.iter().filter_map(|step| item(subject, step)).collect() })
}

/// What a fact is: as the decision went by it, else as it was found.
fn answered<'a>(subject: &Subject<'a>, fact: &str) -> Option<&'a str> {
    let decision = subject.decision;
    let path = decision.path.iter().chain(&decision.beyond).find(|answered| answered.fact == fact);
    let found = || subject.facts.get(fact)?.known()?.value.word();
    path.map(|answered| answered.answer.as_str()).or_else(found)
}

/// What is told of a fact behind a step: what it is and where it was read.
fn tell(subject: &Subject<'_>, name: &str) -> Option<String> {
    if name == ASSIGNEE {
        return assignee(subject);
    }
    let fact = subject.facts.get(name).and_then(Finding::known)?;
    let Fact { value, trust, source, quote, .. } = fact;
    let value = value.word()?;
    Some(match (quote, trust) {
        (Some(_), _) => fact.cited(),
        (None, Trust::Stated) => {
            let title = subject.policy.answer_title(name, value).unwrap_or(value);
            format!("{title}: {source}")
        }
        (None, Trust::Recorded | Trust::Inferred) => source.to_string(),
    })
}

/// Who has the ticket: the one to ask first.
fn assignee(subject: &Subject<'_>) -> Option<String> {
    let reading = subject.reading?;
    match reading.ticket.assignee_id {
        Some(id) => {
            let user = reading.user(id).filter(|user| !user.name.is_empty())?;
            Some(format!("{} has the ticket", user.name))
        }
        None => Some("nobody has the ticket yet".to_owned()),
    }
}
