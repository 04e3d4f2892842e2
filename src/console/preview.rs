//! What a STAR on a ticket would get, for whoever thinks of filing one.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::Shared;
use super::account_ids::Chosen;
use super::page::{Filled, Frame, Problem, html};
use super::session::Session;
use super::ticket::Decision;
use crate::decide::ticket::TicketKey;
use crate::work::preview::{Comments, LONGEST_REASON, Preview, Refused};

struct Previewed {
    key: String,
    /// Where the ticket is at the helpdesk.
    helpdesk: Option<String>,
    decision: Decision,
    missing: Vec<String>,
    /// Whether not all comments were read.
    only_newest: bool,
}

#[derive(Template)]
#[template(path = "preview.html", config = "src/console/askama.toml")]
struct Page {
    frame: Frame,
    problem: Option<String>,
    shown: Option<Previewed>,
    whose: Chosen,
    ticket: String,
    reason: String,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    ticket: String,
}

pub(super) async fn blank(
    State(room): State<Shared>,
    session: Session,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let frame = Frame::new(&session, "Preview", "/preview");
    let whose = room.console.ids.unasked();
    html(&Page { frame, problem: None, shown: None, whose, ticket: asked.ticket, reason: String::new() })
}

pub(super) async fn make(State(room): State<Shared>, filled: Filled) -> Result<Response, Problem> {
    let whose = match filled.field("account") {
        "" => room.console.ids.unasked(),
        account => room.console.ids.chosen(account)?,
    };
    let (shown, problem) = match previewed(&room, &whose, &filled).await? {
        Ok(shown) => (Some(shown), None),
        Err(problem) => (None, Some(problem)),
    };
    let frame = Frame::new(&filled.session, "Preview", "/preview");
    let (ticket, reason) = (filled.field("ticket").to_owned(), filled.field("reason").to_owned());
    html(&Page { frame, problem, shown, whose, ticket, reason })
}

/// What a STAR would get on the ticket that was filled in, or in one sentence why that cannot be told.
async fn previewed(room: &Shared, whose: &Chosen, filled: &Filled) -> Result<Result<Previewed, String>, Problem> {
    let reason = filled.field("reason");
    if reason.chars().count() > LONGEST_REASON {
        return Ok(Err(format!("A reason has at most {LONGEST_REASON} characters.")));
    }
    let ticket = match named(room, whose, filled.field("ticket")) {
        Ok(ticket) => ticket,
        Err(problem) => return Ok(Err(problem.to_owned())),
    };
    let (policy, chart) = room.chart()?;
    let Preview { judged, note, missing_for_star, comments } =
        match room.console.previews.of(&room.console.store, &policy, &ticket, reason).await {
            Ok(preview) => preview,
            Err(Refused::Store(error)) => return Err(Problem::Store(error)),
            Err(refused) => return Ok(Err(sentence(&refused.to_string()))),
        };
    Ok(Ok(Previewed {
        helpdesk: room.console.addresses.ticket(&ticket),
        key: ticket.to_string(),
        decision: Decision::of(&judged.decision, note, &policy, &chart),
        missing: missing_for_star,
        only_newest: comments == Comments::Newest,
    }))
}

/// The ticket of a number, or of an address.
fn named(room: &Shared, whose: &Chosen, text: &str) -> Result<TicketKey, &'static str> {
    if let Some(ticket) = room.console.addresses.ticket_at(text) {
        return Ok(ticket);
    }
    let id: Option<u64> = text.trim_start_matches('#').parse().ok();
    let id = id.filter(|id| *id > 0 && i64::try_from(*id).is_ok());
    let id = id.ok_or("Give a ticket's number, or its address at a helpdesk that is configured here.")?;
    match whose.account.as_str() {
        "" => Err("There are several accounts: choose one, or give the ticket's address."),
        account => Ok(TicketKey { account: account.to_owned(), id }),
    }
}

/// Words as a sentence by themselves.
fn sentence(words: &str) -> String {
    let mut characters = words.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).chain(['.']).collect()).unwrap_or_default()
}
