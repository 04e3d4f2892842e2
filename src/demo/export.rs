//! The stand-in helpdesk's incremental export: tickets in the order in which they changed, by cursor.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;

use super::helpdesk::StandIn;

pub(super) fn routes() -> Router<StandIn> {
    Router::new().route("/api/v2/incremental/tickets/cursor", get(export))
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    start_time: Option<i64>,
    #[serde(default)]
    cursor: Option<String>,
    #[serde(default)]
    per_page: Option<usize>,
}

async fn export(State(helpdesk): State<StandIn>, Query(asked): Query<Asked>) -> Response {
    // A cursor is the place of the last ticket given: when it changed, milliseconds, and its number.
    let after = match (&asked.cursor, asked.start_time) {
        (Some(cursor), _) => cursor.split_once('-').and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?))),
        (None, since) => since.map(|since| (since.saturating_mul(1000), 0)),
    };
    let Some(after) = after else {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "InvalidPaginationParameter" }))).into_response();
    };
    let size = asked.per_page.unwrap_or(1000).clamp(1, helpdesk.largest_export_page());
    let mut places: Vec<(i64, u64)> = helpdesk.changed().into_iter().filter(|place| *place > after).collect();
    let end_of_stream = places.len() <= size;
    places.truncate(size);
    let cursor = places.last().copied().unwrap_or(after);
    let tickets: Vec<_> = places.iter().filter_map(|(_, id)| helpdesk.ticket_given(*id)).collect();
    let answer = json!({ "tickets": tickets, "after_cursor": format!("{}-{}", cursor.0, cursor.1), "end_of_stream": end_of_stream,
        "after_url": null, "before_url": null, "before_cursor": null });
    Json(answer).into_response()
}
