//! What a manager does next: the handbook's checklist for the case at hand, and only what applies to it now.
//!
//! Follows the handbook's plan and licence attention request page and the L&R workflow pages.

use super::Subject;
use super::markup::{Span, code, text};
use crate::facts::fact::Finding;
use crate::facts::words;
use crate::helpdesk::ticket::Reading;

/// The items for this decision.
pub(super) fn items(subject: &Subject<'_>) -> Vec<Vec<Span>> {
    let decision = subject.decision;
    let assignee = subject.reading.filter(|_| subject.policy.binding.advice.assignee).and_then(assignee);
    let mut items: Vec<Vec<Span>> = Vec::new();
    match decision.verdict.as_str() {
        "no_need" => {
            items.push(vec![text("Give the filer the reason, agree on another way in the STAR issue, label it "), code("unstarred")]);
            let has = assignee.map(|name| format!("{name} has the ticket"));
            let line = [hours(subject), has].into_iter().flatten().collect::<Vec<_>>().join("; ");
            items.extend(Some(line).filter(|line| !line.is_empty()).map(|line| vec![text(line)]));
        }
        "ok_to_star" => {
            items.push(vec![text(match assignee {
                Some(name) => format!("L&R first, always: {name} has the ticket"),
                None if subject.reading.is_some_and(|reading| reading.ticket.assignee_id.is_none()) => {
                    "L&R first, always; nobody has the ticket yet".to_owned()
                }
                None => "L&R first, always".to_owned(),
            })]);
            items.extend(hours(subject).map(|line| vec![text(line)]));
            items.extend(case(subject));
        }
        "use_docs" => items.push(vec![text("Point the filer to the docs on linking a subscription to a group; if the docs were followed and the system errs, reply "), code("star: edge_case=yes")]),
        "wait_for_sales" => items.push(vec![text("Ask the filer to bring in Sales; once they have acted, reply "), code("star: sales_intervened=yes")]),
        _ => return items,
    }
    let licence = decision.path.iter().any(|answered| answered.answer == "plan_license");
    if licence {
        items.push(vec![text("No new licence from us: non-trial licences are L&R's")]);
    }
    items
}

/// The steps of the handbook's case.
fn case(subject: &Subject<'_>) -> Vec<Vec<Span>> {
    let steps: &[&str] = match subject.decision.workflow.as_deref() {
        Some("self_managed_extension") => {
            &["Extension, grace or temporary key: generate a trial licence (workflow page self-managed/trials)"]
        }
        Some("self_managed_activation") => &[
            "Only in an emergency and with the screenshot: a trial licence",
            "Activation error and no ticket yet: ask the customer to open one",
        ],
        Some("self_managed_delivery") => &[
            "Follow “sending licenses to a different email”: licences do not go to other addresses, trial licences excepted",
        ],
        Some("saas_extension") => &[
            "Extend the trial with the tool; it cannot start one: where the group never had a trial, make one from a subscription first",
        ],
        Some("saas_downgraded") => &[
            "Often the customer can link the subscription to the group themselves (docs)",
            "In an emergency: a temporary trial at the plan they bought",
        ],
        _ => &[],
    };
    let needs_screenshot = ["self_managed_extension", "self_managed_activation"]
        .contains(&subject.decision.workflow.as_deref().unwrap_or_default());
    let first = needs_screenshot.then(|| match screenshot(subject) {
        Some(found) => format!("Before any trial licence: see that the screenshot shows Admin → Dashboard: {found}"),
        None => "Before any trial licence: ask the customer for a screenshot of Admin → Dashboard".to_owned(),
    });
    first.into_iter().chain(steps.iter().map(|step| (*step).to_owned())).map(|step| vec![text(step)]).collect()
}

fn assignee(reading: &Reading) -> Option<&str> {
    let user = reading.user(reading.ticket.assignee_id?)?;
    Some(user.name.as_str()).filter(|name| !name.is_empty())
}

/// How the team that has the ticket stands now: `L&R is at work until Fri 17:00 PT`.
fn hours(subject: &Subject<'_>) -> Option<String> {
    let standing = subject.facts.get("lr_available").and_then(Finding::known)?;
    Some(format!("L&R is {}", standing.source))
}

/// The customer's screenshot, or the word of one: `dashboard.png (customer, 23 Nov)`.
fn screenshot(subject: &Subject<'_>) -> Option<String> {
    let found =
        subject.facts.get("screenshot").and_then(Finding::known).filter(|fact| fact.value.to_string() == "yes")?;
    Some(found.quote.as_ref().map_or_else(|| found.source.clone(), words::cited))
}
