//! What a manager does next: the handbook's checklist for the case at hand, and only what applies to it now.
//!
//! Follows the handbook's plan and licence attention request page and the L&R workflow pages.

use super::Subject;
use super::markup::{Span, code, text};
use crate::decide::facts::fact::{Fact, Finding, Trust};
use crate::decide::facts::words;

/// The items for this decision.
pub(super) fn items(subject: &Subject<'_>) -> Vec<Vec<Span>> {
    let decision = subject.decision;
    let mut items: Vec<Vec<Span>> = match decision.verdict.as_str() {
        "no_need" => vec![vec![
            text("Give the filer the reason, agree on another way in the STAR issue, label it "),
            code("unstarred"),
        ]],
        "ok_to_star" => case(subject),
        "use_docs" => vec![vec![
            text(
                "Point the filer to the docs on linking a subscription to a group; if the docs were followed and the \
                 system errs, reply ",
            ),
            code("star: edge_case=yes"),
        ]],
        "wait_for_sales" => vec![vec![
            text("Ask the filer to bring in Sales; once they have acted, reply "),
            code("star: sales_intervened=yes"),
        ]],
        _ => return Vec::new(),
    };
    if ["no_need", "ok_to_star"].contains(&decision.verdict.as_str()) {
        let team = team(subject).filter(|_| !leads(subject)).map(|team| team.said());
        items.extend(team.into_iter().chain(assignee(subject)).map(|line| vec![text(line)]));
    }
    let licence = decision.path.iter().any(|answered| answered.answer == "plan_license");
    if licence {
        items.push(vec![text("No new licence from us: non-trial licences are L&R's")]);
    }
    items
}

/// The steps of the handbook's case, where there is something to do now.
fn case(subject: &Subject<'_>) -> Vec<Vec<Span>> {
    let workflow = subject.decision.workflow.as_deref().unwrap_or_default();
    let steps = match workflow {
        "self_managed_extension" => vec![
            screenshot(subject),
            "Extension, grace or temporary key: generate a trial licence (workflow page self-managed/trials)".to_owned(),
        ],
        "self_managed_activation" => match team(subject) {
            // What comes next is for when L&R is not available.
            Some(Team { there: true, said }) => vec![format!("L&R first, always: {said}")],
            Some(Team { there: false, said }) => emergency(subject, format!("L&R comes first and is {said}; in an emergency:")),
            None => emergency(subject, "L&R first, always; where L&R is not available, in an emergency:".to_owned()),
        },
        "self_managed_delivery" => vec![
            "Follow “sending licenses to a different email”: licences do not go to other addresses, trial licences excepted".to_owned(),
        ],
        "saas_extension" => vec![
            "Extend the trial with the tool; it cannot start one: where the group never had a trial, make one from a subscription first".to_owned(),
        ],
        "saas_downgraded" => vec![
            match team(subject) {
                Some(Team { there: true, said }) => format!("L&R first: {said}"),
                Some(Team { there: false, said }) => format!("L&R comes first and is {said}"),
                None => "L&R first".to_owned(),
            },
            "Often the customer can link the subscription to the group themselves (docs)".to_owned(),
            "In an emergency: a temporary trial at the plan they bought".to_owned(),
        ],
        _ => Vec::new(),
    };
    steps.into_iter().map(|step| vec![text(step)]).collect()
}

/// Whether the case's first step says how L&R stands.
fn leads(subject: &Subject<'_>) -> bool {
    let first = ["self_managed_activation", "saas_downgraded"];
    subject.decision.verdict == "ok_to_star"
        && subject.decision.workflow.as_deref().is_some_and(|workflow| first.contains(&workflow))
}

/// What may be done without L&R.
fn emergency(subject: &Subject<'_>, first: String) -> Vec<String> {
    vec![first, screenshot(subject), "Then a trial licence may be created".to_owned()]
}

/// What comes before any trial licence.
fn screenshot(subject: &Subject<'_>) -> String {
    let found =
        subject.facts.get("screenshot").and_then(Finding::known).filter(|fact| fact.value.word() == Some("yes"));
    match found {
        Some(found) => {
            let place = found.quote.as_ref().map_or_else(|| found.source.to_string(), words::cited);
            format!("Before any trial licence: see that the screenshot shows Admin → Dashboard: {place}")
        }
        None => "Before any trial licence: ask the customer for a screenshot of Admin → Dashboard".to_owned(),
    }
}

/// How the team that has the ticket stands now.
struct Team {
    there: bool,
    /// In words: `at work until Fri 17:00 PT`, `away, back Sunday 15:00 PT`.
    said: String,
}

impl Team {
    fn said(self) -> String {
        format!("L&R is {}", self.said)
    }
}

fn team(subject: &Subject<'_>) -> Option<Team> {
    let Fact { value, trust, source, .. } = subject.facts.get("lr_available").and_then(Finding::known)?;
    let there = value.word() == Some("yes");
    let said = match (there, trust) {
        (true, Trust::Stated) => format!("at work ({source})"),
        (false, Trust::Stated) => format!("away ({source})"),
        (true, _) => source.to_string(),
        (false, _) => format!("away, {source}"),
    };
    Some(Team { there, said })
}

/// Who has the ticket: the one to ask first.
fn assignee(subject: &Subject<'_>) -> Option<String> {
    let reading = subject.reading.filter(|_| subject.policy.binding.advice.assignee)?;
    match reading.ticket.assignee_id {
        Some(id) => {
            let user = reading.user(id).filter(|user| !user.name.is_empty())?;
            Some(format!("{} has the ticket", user.name))
        }
        None => Some("Nobody has the ticket yet".to_owned()),
    }
}
