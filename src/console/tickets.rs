//! The list of tickets, and finding one.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{TimeDelta, Utc};
use serde::Deserialize;

use super::Shared;
use super::chart::query;
use super::links::link;
use super::page::{Frame, Problem, html};
use super::rows::{self, Row, Told};
use super::session::Session;
use super::words;
use crate::decide::policy::Policy;
use crate::decide::policy::decision::NEEDS_FACTS;
use crate::store::Store;
use crate::store::overview::Listed;

/// How many rows a page has.
pub(super) const ROWS: usize = 50;

/// How soon is soon.
pub(super) const SOON: TimeDelta = TimeDelta::hours(24);

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    show: String,
    #[serde(default)]
    find: String,
    #[serde(default)]
    skip: usize,
    #[serde(flatten)]
    told: Told,
}

/// A list of tickets, by what its address says.
struct Tab {
    show: String,
    words: String,
    tickets: Option<u64>,
}

#[derive(Template)]
#[template(path = "tickets.html", config = "src/console/askama.toml")]
struct Page {
    frame: Frame,
    find: String,
    told: Option<String>,
    tabs: Vec<Tab>,
    show: String,
    rows: Vec<Row>,
    none: String,
    next: Option<String>,
    back: String,
}

pub(super) async fn page(
    State(room): State<Shared>,
    session: Session,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let (now, store, policy) = (Utc::now(), &room.console.store, room.console.rule.now());
    let find = asked.find.trim();
    let number = find.trim_start_matches('#').parse().ok().filter(|number| i64::try_from(*number).is_ok());
    let verdict = asked.show.strip_prefix("verdict-");
    let (listed, none) = match (find, number, asked.show.as_str(), verdict) {
        (_, Some(number), ..) => (Listed::Number(number), format!("No ticket with the number {number} is known.")),
        ("", _, "changing", _) => (Listed::Flipping(now + SOON), "No verdict changes by itself within 24 h.".into()),
        ("", _, "failed", _) => (Listed::Dead, "The bot could work on every ticket.".into()),
        ("", _, "stopped", _) => (Listed::Stopped, "Every ticket is still followed.".into()),
        ("", _, "done", _) => (Listed::Done, "Nobody said done of an open ticket.".into()),
        ("", _, _, Some(verdict)) => {
            let none = format!("No open ticket: {}.", words::verdict(&policy, verdict));
            (Listed::With(verdict.to_owned()), none)
        }
        ("", ..) => (Listed::All, "No ticket was decided on yet.".into()),
        (words, ..) => {
            let none = format!("No open ticket has “{words}” in its number, subject or organisation.");
            (Listed::Words(words.to_owned()), none)
        }
    };
    let mut found = store.tickets(&listed, asked.skip.min(100 * ROWS), ROWS + 1).await?;
    if let (Listed::Number(_), [one]) = (&listed, found.as_slice()) {
        return Ok(Redirect::to(&link(&one.ticket)).into_response());
    }
    let more = found.len() > ROWS;
    found.truncate(ROWS);
    let here = |skip: usize| format!("/tickets?show={}&find={}&skip={skip}", query(&asked.show), query(find));
    html(&Page {
        frame: Frame::new(&session, "Tickets", "/tickets"),
        told: asked.told.sentence(store).await?,
        tabs: tabs(store, &policy).await?,
        next: more.then(|| here(asked.skip + ROWS)),
        back: here(asked.skip),
        find: find.to_owned(),
        rows: rows::of(&room, &session, found, now).await?,
        show: asked.show,
        none,
    })
}

/// A tab for each verdict that the policy can give, with how many open tickets have it, and those of what is not in order.
async fn tabs(store: &Store, policy: &Policy) -> Result<Vec<Tab>, Problem> {
    let piles = store.piles().await?;
    let named = policy.binding.outcomes.keys().map(|name| name.get_ref().as_str());
    let mut verdicts: Vec<&str> = named.filter(|name| *name != NEEDS_FACTS).chain([NEEDS_FACTS]).collect();
    verdicts.sort_by_key(|verdict| match words::tone(policy, verdict) {
        "escalates" => 0,
        "asks" => 1,
        _ => 2,
    });
    let tab = |show: &str, words: &str| Tab { show: show.into(), words: words.into(), tickets: None };
    let verdict = |verdict: &str| Tab {
        show: format!("verdict-{verdict}"),
        words: words::verdict(policy, verdict),
        tickets: Some(piles.iter().filter(|pile| pile.verdict == verdict).map(|pile| pile.tickets).sum()),
    };
    let mut tabs = vec![tab("", "All")];
    tabs.extend(verdicts.into_iter().map(verdict));
    tabs.extend(
        [("done", "Done"), ("changing", "Changing soon"), ("failed", "Bot gave up"), ("stopped", "Not followed")]
            .map(|(show, words)| tab(show, words)),
    );
    Ok(tabs)
}
