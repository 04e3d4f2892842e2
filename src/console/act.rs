//! Buttons on a ticket's page and in lists: what somebody says is recorded, and the loop performs it.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::Utc;

use super::Shared;
use super::answers;
use super::chart::query;
use super::links::{link, ticket_key};
use super::page::{Filled, Problem};
use super::session::Role;
use super::sign_in::own;
use super::ticket;
use crate::decide::facts::gather::{self, Stated};
use crate::decide::facts::source::{Given, Source};
use crate::decide::policy::Policy;
use crate::decide::policy::decision::Decision;
use crate::decide::ticket::TicketKey;
use crate::store::decisions::DecisionRow;
use crate::store::feedback::{Feedback, Way};
use crate::store::hands::Came;
use crate::store::operators::{Did, OperatorEvent};
use crate::work::feedback::opinion;
use crate::work::operators::says;

/// A button was pressed.
pub(super) async fn act(
    State(room): State<Shared>,
    Path((account, id, act)): Path<(String, String, String)>,
    filled: Filled,
) -> Result<Response, Problem> {
    if filled.session.role < Role::Act {
        return Err(Problem::ReadOnly);
    }
    let ticket = ticket_key(account, &id).ok_or_else(|| Problem::Missing("This is no ticket number.".into()))?;
    let store = &room.console.store;
    let never = || Problem::Missing(format!("The bot never heard of ticket {ticket}."));
    let history = store.history(&ticket).await?.ok_or_else(never)?;
    let newest = history.decisions.last();
    let to = |done: &str| back(&ticket, &filled, done, newest);
    let wrong = async |what: String| ticket::again(&room, &filled, &ticket, what).await;
    let (who, now) = (filled.session.name.as_str(), Utc::now());
    let did = match act.as_str() {
        "take" => {
            return Ok(match store.take_in_hand(&ticket, filled.field("from"), who, now).await? {
                Came::So => to("take"),
                Came::Others(_) => to("held"),
            });
        }
        "done" => {
            store.finish(&ticket, who, now).await?;
            return Ok(to("done"));
        }
        "give-back" => {
            store.give_back(&ticket, who, now).await?;
            return Ok(to("give-back"));
        }
        "look-again" => vec![Did::LookAgain],
        "agree" => vec![Did::Agreed],
        "disagree" if filled.field("why").is_empty() => return wrong("Say why you disagree.".into()).await,
        "disagree" => vec![Did::Disagreed { why: filled.field("why").to_owned() }],
        "stop" => vec![Did::Stopped],
        "try-again" => {
            store.send_follow_ups_back(&ticket, now).await?;
            vec![Did::TriedAgain]
        }
        "answer" => match stated(&room.console.rule.now(), &filled) {
            Ok((fact, value)) => vec![Did::Answered { fact, value }],
            Err(what) => return wrong(what).await,
        },
        "yes" | "no" if newest.is_none_or(|row| row.reference != filled.field("reference")) => return Ok(to("stale")),
        "yes" => taken(newest),
        "no" => vec![Did::Refused],
        other => return Err(Problem::Missing(format!("Nobody can {other} a ticket."))),
    };
    for did in did {
        if let Some((opinion, row)) = says(&did).as_ref().and_then(opinion).zip(newest) {
            let (reference, who) = (row.reference.clone(), who.to_owned());
            let said = Feedback { ticket: ticket.clone(), reference, opinion, who, said_at: now, way: Way::Console };
            store.record_feedback(&[said]).await?;
        }
        let event = OperatorEvent { at: now, who: who.to_owned(), ticket: Some(ticket.clone()), did };
        store.record_operator(&event).await?;
    }
    (room.console.wake)(&ticket.account);
    tracing::info!(%ticket, who, act, "somebody pressed a button"); // Of what they wrote, nothing.
    Ok(to(&act))
}

/// To where the button was, which tells what it came to.
fn back(ticket: &TicketKey, filled: &Filled, done: &str, newest: Option<&DecisionRow>) -> Response {
    let was = newest.map(|row| row.reference.as_str()).unwrap_or_default();
    let to = match filled.field("back") {
        "" => format!("{}?done={done}&was={}", link(ticket), query(was)),
        back => {
            let (back, sign) = (own(back), if back.contains('?') { '&' } else { '?' });
            format!("{back}{sign}done={done}&on={}", query(&ticket.to_string()))
        }
    };
    Redirect::to(&to).into_response()
}

/// The answers that the newest decision proposes.
fn taken(newest: Option<&DecisionRow>) -> Vec<Did> {
    let decision = newest.and_then(|row| serde_json::from_str::<Decision>(&row.decision).ok());
    let proposal = decision.map(|decision| decision.proposal).unwrap_or_default();
    proposal.into_iter().map(|(fact, value)| Did::Answered { fact, value }).collect()
}

/// The fact and the answer of a form, which gives them together or each by itself; or what is wrong with them.
fn stated(policy: &Policy, filled: &Filled) -> Result<(String, String), String> {
    let (fact, value) = match filled.field("answer") {
        "" => (filled.field("fact"), filled.field("value")),
        both => both.split_once('=').unwrap_or((both, "")),
    };
    if fact.is_empty() {
        return Err("Choose an answer.".into());
    }
    if value.is_empty() {
        return Err("Give an answer.".into());
    }
    let value = match filled.field("time") {
        "" => value.to_owned(),
        time => format!("{value}T{time}:00Z"), // As the browser gives hours and minutes; the page says that they are UTC.
    };
    let answer = Stated { fact: fact.into(), value, source: Source::Given(Given::Form) };
    gather::usable(policy, &answer, Utc::now())?;
    let there = answers::fixed(policy, fact);
    if !there.is_empty() && !there.contains(&answer.value) {
        return Err(format!("“{}” is no answer for {fact}: the answers are {}.", answer.value, there.join(", ")));
    }
    Ok((answer.fact, answer.value))
}
