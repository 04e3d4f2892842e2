//! The report, of the last days.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use chrono::{NaiveTime, TimeDelta, Utc};
use serde::Deserialize;

use super::Shared;
use super::page::{Frame, Problem, html};
use super::session::Session;
use crate::learn::report::Report;
use crate::learn::report::csv;
use crate::learn::report::html::{Tickets, body};
use crate::work::reported;

/// How long a manager is assumed to take for a ticket without the bot, as `starwarden report` assumes.
const MINUTES_BY_HAND: u64 = 12;

/// How many disagreements are listed.
const MOST_LISTED: usize = 100;

#[derive(Deserialize)]
pub(super) struct Asked {
    days: Option<u16>,
}

impl Asked {
    /// How many days.
    fn chosen(&self) -> u16 {
        self.days.unwrap_or(30).clamp(1, 3660)
    }
}

#[derive(Template)]
#[template(path = "report.html", config = "src/console/askama.toml")]
struct Page {
    frame: Frame,
    periods: [(u16, &'static str); 4],
    chosen: u16,
    /// As HTML.
    body: String,
}

pub(super) async fn page(
    State(room): State<Shared>,
    session: Session,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let chosen = asked.chosen();
    let report = of_days(&room, chosen).await?;
    let periods = [(7, "7 days"), (30, "30 days"), (92, "3 months"), (365, "A year")];
    html(&Page {
        frame: Frame::new(&session, "Report", "/report"),
        periods,
        chosen,
        body: body(&report, Tickets::Linked),
    })
}

/// The same as CSV, to be kept.
pub(super) async fn download(
    State(room): State<Shared>,
    _session: Session,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let chosen = asked.chosen();
    let csv = csv::csv(&of_days(&room, chosen).await?).map_err(|error| Problem::Fault(error.to_string()))?;
    let name = format!("attachment; filename=\"star-report-{chosen}-days.csv\"");
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)], csv)
        .into_response())
}

/// The report of so many days, today among them.
async fn of_days(room: &Shared, days: u16) -> Result<Report, Problem> {
    let now = Utc::now();
    let from = now.date_naive() - TimeDelta::days(i64::from(days) - 1);
    let tally = reported::tally(&room.console.store, Some(from), MOST_LISTED).await?;
    let since = from.and_time(NaiveTime::MIN).and_utc();
    Ok(tally.report(&room.console.rule.now(), Some(since), now, MINUTES_BY_HAND))
}
