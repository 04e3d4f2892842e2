//! Who did what at the console or the command line.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::Shared;
use super::links::link;
use super::page::{Frame, Problem, html};
use super::session::Session;
use super::tickets::ROWS;
use super::words::{self, When};

#[derive(Deserialize)]
pub(super) struct Asked {
    before: Option<i64>,
}

struct Event {
    at: When,
    who: String,
    did: String,
    ticket: Option<(String, String)>,
}

#[derive(Template)]
#[template(path = "record.html", config = "src/console/askama.toml")]
struct Page {
    frame: Frame,
    events: Vec<Event>,
    next: Option<i64>,
}

pub(super) async fn page(
    State(room): State<Shared>,
    session: Session,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let mut found = room.console.store.operator_events(asked.before, ROWS + 1).await?;
    let more = found.len() > ROWS;
    found.truncate(ROWS);
    let next = found.last().filter(|_| more).map(|(number, _)| *number);
    let events = found.into_iter().map(|(_, event)| Event {
        at: When::of(event.at),
        who: event.who,
        did: words::did(&event.did),
        ticket: event.ticket.map(|ticket| (link(&ticket), ticket.to_string())),
    });
    html(&Page { frame: Frame::new(&session, "Activity", "/record"), events: events.collect(), next })
}
