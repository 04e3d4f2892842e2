//! What is said elsewhere of a decision: its verdict, the chart's questions with their answers, and where to see more.
//!
//! Everything comes from the policy and from answers it knows. Customers' words, and names of people, stay on the ticket.

use chrono::DateTime;

use crate::decide::facts::expiry;
use crate::decide::facts::fact::Trust;
use crate::decide::facts::replies::SIGNATURE;
use crate::decide::policy::Policy;
use crate::decide::policy::decision::{Answered, Decision};
use crate::decide::ticket::TicketKey;
use crate::store::decisions::DecisionRow;

/// Where a ticket can be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// At the helpdesk.
    pub ticket: String,
    /// At the console, where that has an address people reach.
    pub console: Option<String>,
}

/// A decision with all that words it.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// The rule that names its verdict.
    pub policy: &'a Policy,
    /// The decision.
    pub decision: &'a Decision,
    /// As it is kept.
    pub row: &'a DecisionRow,
    /// Where its ticket can be seen.
    pub seen: &'a Seen,
}

/// The comment on the STAR issue that gets the label, as Markdown.
pub fn comment(said: &Said<'_>, label: &str) -> String {
    let next = format!("Next: give the filer the reason and agree on another way here. Labelled ~\"{label}\".");
    on_issue(said, "", &next)
}

/// The comment on the STAR issue that loses the label, as Markdown.
pub fn unlabelled(said: &Said<'_>, label: &str) -> String {
    on_issue(
        said,
        "now ",
        &format!("The verdict has turned: ~\"{label}\", which came with the one before, is taken away."),
    )
}

/// A comment on the STAR issue: the verdict, why, and what it means here.
fn on_issue(said: &Said<'_>, since: &str, means: &str) -> String {
    let Said { policy, decision, row, seen } = said;
    let mut text = format!("**{}** {since}for [ticket {}]({}).\n\n", title(said), named(&row.ticket), seen.ticket);
    for (place, answered) in decision.path.iter().chain(&decision.beyond).enumerate() {
        text.push_str(&format!("{}. {}\n", place + 1, reason(policy, answered)));
    }
    text.push_str(&format!("\n{means}\n"));
    if let Some(until) = decision.valid_until {
        text.push_str(&format!("\nHolds until {}; the bot looks at the ticket again then.\n", expiry::exact(until)));
    }
    let details = seen.console.as_ref().map(|console| format!("[Details]({console}) · ")).unwrap_or_default();
    text.push_str(&format!("\n{details}{SIGNATURE}{}\n", row.reference));
    text
}

/// The chat's message on a verdict that escalates, or on somebody who is locked out.
pub fn escalation(said: &Said<'_>) -> String {
    if let Some(cry) = said.policy.cry(said.decision).filter(|cry| said.policy.is_clear(cry)) {
        let plain = || cry.fact.replace('_', " ");
        let title = said.policy.answer_title(&cry.fact, &cry.value).map_or_else(plain, str::to_owned);
        let question =
            said.decision.missing.first().map(|missing| format!(" {}", missing.question)).unwrap_or_default();
        let words = format!("Says the ticket, the customer is {title}: {}.{question}", named(&said.row.ticket));
        return message(said, &words);
    }
    let settled = said.decision.beyond.last().or(said.decision.path.last());
    let why = settled.map(|answered| format!(" {}.", reason(said.policy, answered))).unwrap_or_default();
    message(said, &format!("{}: ticket {}.{why}", title(said), named(&said.row.ticket)))
}

/// The chat's message on a verdict that time alone is about to change.
pub fn about_to_flip(said: &Said<'_>) -> String {
    let until = said.decision.valid_until.map(expiry::exact).unwrap_or_default();
    message(said, &format!("About to flip: ticket {} is \"{}\" until {until}.", named(&said.row.ticket), title(said)))
}

fn message(said: &Said<'_>, words: &str) -> String {
    let places: Vec<&str> = said.seen.console.as_deref().into_iter().chain([said.seen.ticket.as_str()]).collect();
    format!("{words}\n{}\n{SIGNATURE}{}", places.join(" · "), said.row.reference)
}

fn title<'a>(said: &Said<'a>) -> &'a str {
    said.policy.title(&said.decision.verdict)
}

/// A ticket as people call it: `global 123`.
fn named(ticket: &TicketKey) -> String {
    format!("{} {}", ticket.account, ticket.id)
}

/// One of the chart's questions with its answer; of where that came from only the kind.
fn reason(policy: &Policy, answered: &Answered) -> String {
    let asked = policy.binding.fact(&answered.fact).and_then(|fact| fact.question.as_deref());
    let question = Some(answered.text.as_str()).filter(|text| text.ends_with('?')).or(asked).unwrap_or(&answered.text);
    let answer = answered.answer.replace('_', " ");
    let value = DateTime::parse_from_rfc3339(&answered.value).map(|at| format!(", {}", expiry::exact(at.to_utc())));
    let from = match answered.trust {
        Trust::Stated => "stated by a manager",
        Trust::Recorded => "recorded",
        Trust::Inferred => "a guess from the ticket's words",
    };
    format!("{question} {answer}{} ({from})", value.unwrap_or_default())
}
