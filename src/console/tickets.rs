//! The list of tickets, and finding one.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::Shared;
use super::page::{Frame, Problem, html};
use super::session::Session;
use super::words;
use crate::decide::policy::Policy;
use crate::decide::policy::drawing::query;
use crate::decide::ticket::TicketKey;
use crate::store::decisions::DecisionRow;
use crate::store::follow_ups::FollowUp;
use crate::store::overview::{Listed, ListedTicket};

/// How many rows a page has.
pub(super) const ROWS: usize = 50;

/// How soon is soon.
pub(super) const SOON: TimeDelta = TimeDelta::hours(24);

/// A ticket or a decision in a list.
pub(super) struct Row {
    pub link: String,
    pub key: String,
    pub subject: String,
    pub verdict: String,
    pub tone: &'static str,
    pub told: String,
}

impl Row {
    pub(super) fn of(ticket: ListedTicket, policy: &Policy, now: DateTime<Utc>) -> Row {
        let mut told = words::watch(&ticket.watch, now);
        if let Some(at) = ticket.decided_at {
            told.push_str(&format!(" · decided {}", words::distance(at, now)));
        }
        let verdict = ticket.verdict.unwrap_or_default();
        Row {
            link: link(&ticket.ticket),
            key: ticket.ticket.to_string(),
            subject: ticket.subject,
            tone: words::tone(policy, &verdict),
            verdict: if verdict.is_empty() { verdict } else { words::verdict(policy, &verdict) },
            told,
        }
    }

    pub(super) fn of_follow_up(follow_up: &FollowUp, now: DateTime<Utc>) -> Row {
        Row {
            link: link(&follow_up.ticket),
            key: follow_up.ticket.to_string(),
            subject: words::follow_up(follow_up.kind).to_owned(),
            verdict: String::new(),
            tone: "",
            told: words::stage(&follow_up.stage, now),
        }
    }

    pub(super) fn of_decision(row: &DecisionRow, policy: &Policy, now: DateTime<Utc>) -> Row {
        let basis: crate::decide::basis::Basis = serde_json::from_str(&row.basis).unwrap_or_default();
        Row {
            link: link(&row.ticket),
            key: row.ticket.to_string(),
            subject: basis.subject,
            verdict: words::verdict(policy, &row.verdict),
            tone: words::tone(policy, &row.verdict),
            told: format!("{} · {}", words::distance(row.decided_at, now), words::carried(row.carried)),
        }
    }
}

/// The ticket a path names; none where the number is none, or larger than any the store keeps.
pub(super) fn ticket_key(account: String, id: &str) -> Option<TicketKey> {
    let id = id.parse().ok().filter(|id| i64::try_from(*id).is_ok())?;
    Some(TicketKey { account, id })
}

/// Where a ticket's page is.
pub(super) fn link(ticket: &TicketKey) -> String {
    format!("/tickets/{}/{}", query(&ticket.account), ticket.id)
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    show: String,
    #[serde(default)]
    number: String,
    #[serde(default)]
    skip: usize,
}

#[derive(Template)]
#[template(path = "tickets.html", config = "src/console/askama.toml")]
struct Page {
    frame: Frame,
    number: String,
    shows: [(&'static str, &'static str); 5],
    show: String,
    rows: Vec<Row>,
    none: &'static str,
    next: Option<String>,
}

pub(super) async fn page(
    State(room): State<Shared>,
    session: Session,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let now = Utc::now();
    let number = asked.number.trim().trim_start_matches('#');
    let (listed, none) = match (number, asked.show.as_str()) {
        ("", "questions") => (Listed::OpenQuestions, "No question is open."),
        ("", "flipping") => (Listed::Flipping(now + SOON), "No verdict changes by itself within 24 h."),
        ("", "dead") => (Listed::Dead, "There are no dead letters."),
        ("", "stopped") => (Listed::Stopped, "No ticket was left alone."),
        ("", _) => (Listed::All, "No ticket was decided on yet."),
        (number, _) => {
            let number = number.parse().map_err(|_| Problem::Bad("A ticket number is digits alone.".into()))?;
            (Listed::Number(number), "The bot never heard of a ticket with this number.")
        }
    };
    let mut found = room.console.store.tickets(&listed, asked.skip.min(100 * ROWS), ROWS + 1).await?;
    if let (Listed::Number(_), [one]) = (&listed, found.as_slice()) {
        return Ok(Redirect::to(&link(&one.ticket)).into_response());
    }
    let more = found.len() > ROWS;
    found.truncate(ROWS);
    let policy = room.console.rule.now();
    html(&Page {
        frame: Frame::new(&session, "Tickets", "/tickets"),
        number: number.to_owned(),
        shows: [
            ("", "All"),
            ("questions", "Open questions"),
            ("flipping", "About to flip"),
            ("dead", "Dead letters"),
            ("stopped", "Left alone"),
        ],
        next: more.then(|| format!("/tickets?show={}&skip={}", query(&asked.show), asked.skip + ROWS)),
        show: asked.show,
        rows: found.into_iter().map(|ticket| Row::of(ticket, &policy, now)).collect(),
        none,
    })
}
