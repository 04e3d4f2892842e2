//! What a visitor opens in a browser: a ticket with its thread and a box to answer in, and a STAR issue.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Form, Router};
use serde::Deserialize;
use tokio::sync::mpsc::UnboundedSender;

use super::elsewhere::{Elsewhere, KeptIssue, PROJECT, US};
use super::helpdesk::{BOT_ID, Publicity, StandIn};

/// Who writes what a visitor writes.
const VISITOR: u64 = 7001;

/// No scripts, nothing from elsewhere.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'";

#[derive(Clone)]
struct Desk {
    helpdesk: StandIn,
    changed: UnboundedSender<u64>,
}

/// Pages of tickets at the address the helpdesk has them; the number of a ticket that a visitor wrote on goes to `changed`.
pub fn of_tickets(helpdesk: StandIn, changed: UnboundedSender<u64>) -> Router {
    Router::new().route("/agent/tickets/{id}", get(ticket).post(write)).with_state(Desk { helpdesk, changed })
}

/// Pages of issues at the address GitLab has them.
pub fn of_issues(elsewhere: Elsewhere) -> Router {
    Router::new().route(&format!("/{PROJECT}/-/issues/{{iid}}"), get(issue)).with_state(elsewhere)
}

#[derive(Template)]
#[template(path = "ticket.html", config = "src/demo/askama.toml")]
struct TicketPage {
    id: u64,
    subject: String,
    status: String,
    tags: Vec<String>,
    organization: Option<String>,
    comments: Vec<Shown>,
}

struct Shown {
    author: String,
    internal: bool,
    at: String,
    words: Words,
}

enum Words {
    /// The bot's own note, whose HTML is escaped where it is made.
    Note(String),
    Text(String),
}

#[derive(Template)]
#[template(path = "issue.html", config = "src/demo/askama.toml")]
struct IssuePage {
    issue: KeptIssue,
}

#[derive(Deserialize)]
struct Written {
    words: String,
}

async fn ticket(State(desk): State<Desk>, Path(id): Path<u64>) -> Response {
    let Some(reading) = desk.helpdesk.reading(id) else { return missing() };
    let description = Shown {
        author: "Casey Customer".into(),
        internal: false,
        at: "the description".into(),
        words: Words::Text(reading.ticket.description.clone()),
    };
    let comments = reading.comments.iter().map(|comment| Shown {
        author: comment
            .author_id
            .and_then(|author| reading.user(author))
            .map_or_else(|| "somebody".to_owned(), |user| user.name.clone()),
        internal: !comment.public,
        at: comment.created_at.map_or_else(String::new, |at| at.format("%-d %b %Y, %H:%M UTC").to_string()),
        words: match comment.author_id {
            Some(BOT_ID) => Words::Note(comment.html_body.clone().unwrap_or_default()),
            Some(_) | None => Words::Text(comment.text().to_owned()),
        },
    });
    page(&TicketPage {
        id,
        subject: reading.ticket.subject.clone(),
        status: reading.ticket.status.clone(),
        tags: reading.ticket.tags.clone(),
        organization: reading.organization.as_ref().map(|organization| organization.name.clone()),
        comments: std::iter::once(description).chain(comments).collect(),
    })
}

async fn write(State(desk): State<Desk>, Path(id): Path<u64>, Form(written): Form<Written>) -> Response {
    if desk.helpdesk.reading(id).is_none() {
        return missing();
    }
    desk.helpdesk.say(id, VISITOR, &written.words, Publicity::Internal);
    let _nobody_delivers = desk.changed.send(id);
    Redirect::to(&format!("/agent/tickets/{id}")).into_response()
}

async fn issue(State(elsewhere): State<Elsewhere>, Path(iid): Path<usize>) -> Response {
    elsewhere.issue(iid).map_or_else(missing, |issue| page(&IssuePage { issue }))
}

fn missing() -> Response {
    (StatusCode::NOT_FOUND, "There is no such page here.").into_response()
}

fn page(page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => {
            ([(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, POLICY)], html)
                .into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
