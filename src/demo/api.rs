//! The stand-in helpdesk's API: the real paths, with the real answers.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;

use super::gate::{self, AsOf};
use super::helpdesk::{BOT_ID, Change, Publicity, Refused, StandIn};
use super::paging::Asked;

impl StandIn {
    /// The API's routes.
    pub fn router(&self) -> Router {
        let api = Router::new()
            .route("/api/v2/tickets/{id}", get(ticket).put(update))
            .route("/api/v2/tickets/{id}/comments", get(comments))
            .route("/api/v2/tickets/{id}/audits", get(audits))
            .route("/api/v2/users/{id}", get(user))
            .route("/api/v2/organizations/{id}", get(organization))
            .route("/api/v2/search/export", get(search))
            .merge(super::admin::routes())
            .merge(super::export::routes())
            .layer(middleware::from_fn_with_state(self.clone(), gate::admit));
        Router::new().route("/oauth/tokens", post(token)).merge(api).with_state(self.clone())
    }
}

#[derive(Deserialize)]
struct Grant {
    client_id: String,
    client_secret: String,
}

async fn token(State(helpdesk): State<StandIn>, axum::Form(grant): axum::Form<Grant>) -> Response {
    if grant.client_id != "starwarden" || grant.client_secret != "demo" {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "invalid_client" }))).into_response();
    }
    Json(json!({ "access_token": helpdesk.give_token(), "token_type": "bearer", "expires_in": 1800 })).into_response()
}

pub(super) fn missing() -> Response {
    (StatusCode::NOT_FOUND, Json(json!({ "error": "RecordNotFound", "description": "Not found" }))).into_response()
}

/// A ticket's number, with or without `.json` behind it.
fn number(text: &str) -> u64 {
    text.trim_end_matches(".json").parse().unwrap_or_default()
}

async fn ticket(State(helpdesk): State<StandIn>, Path(id): Path<String>) -> Response {
    match helpdesk.reading(number(&id)) {
        Some(reading) => {
            let organizations: Vec<_> = reading.organization.into_iter().collect();
            Json(json!({ "ticket": reading.ticket, "users": reading.users, "organizations": organizations }))
                .into_response()
        }
        None => missing(),
    }
}

async fn comments(
    State(helpdesk): State<StandIn>,
    Path(id): Path<String>,
    asked: Asked,
    as_of: Option<Extension<AsOf>>,
) -> Response {
    let Some(reading) = helpdesk.reading(number(&id)) else { return missing() };
    let mut comments = helpdesk.comments_given(number(&id), as_of.map(|Extension(AsOf(at))| at));
    if asked.sorted_newest_first() {
        comments.reverse();
    }
    asked.page("comments", comments, json!({ "users": reading.users }))
}

async fn audits(State(helpdesk): State<StandIn>, Path(id): Path<String>, asked: Asked) -> Response {
    let id = number(&id);
    if helpdesk.reading(id).is_none() {
        return missing();
    }
    asked.page("audits", helpdesk.audits(id), json!({}))
}

#[derive(Deserialize)]
struct Put {
    ticket: PutTicket,
}

#[derive(Deserialize)]
struct PutTicket {
    #[serde(default)]
    comment: Option<PutComment>,
    #[serde(default)]
    tags: Option<Vec<String>>,
    #[serde(default)]
    safe_update: Option<bool>,
    #[serde(default)]
    updated_stamp: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct PutComment {
    html_body: String,
    #[serde(default)]
    public: Option<bool>,
}

async fn update(State(helpdesk): State<StandIn>, Path(id): Path<String>, Json(put): Json<Put>) -> Response {
    let PutTicket { comment, tags, safe_update, updated_stamp } = put.ticket;
    // The helpdesk's own default is a public comment.
    let internal = comment.as_ref().is_some_and(|comment| comment.public == Some(false));
    let change = Change {
        html_body: comment.map(|comment| comment.html_body),
        publicity: if internal { Publicity::Internal } else { Publicity::Public },
        tags,
        guard: updated_stamp.filter(|_| safe_update == Some(true)),
    };
    match helpdesk.update(number(&id), change) {
        Ok((reading, audit)) => Json(json!({ "ticket": reading.ticket, "audit": audit })).into_response(),
        Err(Refused::Gone) => missing(),
        Err(Refused::Conflict) => (StatusCode::CONFLICT, Json(json!({ "error": "UpdateConflict", "description": "Safe Update prevented the update due to outdated ticket data." }))).into_response(),
        Err(Refused::Closed) => {
            let details = json!({ "status": [{ "description": "Status closed prevents ticket update" }] });
            (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "error": "RecordInvalid", "description": "Record validation errors", "details": details }))).into_response()
        }
    }
}

async fn user(State(helpdesk): State<StandIn>, Path(id): Path<String>) -> Response {
    if id.trim_end_matches(".json") == "me" {
        return Json(json!({ "user": { "id": BOT_ID, "name": "starwarden", "role": "agent" } })).into_response();
    }
    match helpdesk.user(number(&id)) {
        Some(user) => Json(json!({ "user": user })).into_response(),
        None => missing(),
    }
}

async fn organization(State(helpdesk): State<StandIn>, Path(id): Path<String>) -> Response {
    match helpdesk.organization(number(&id)) {
        Some(organization) => Json(json!({ "organization": organization })).into_response(),
        None => missing(),
    }
}

#[derive(Deserialize)]
struct Search {
    query: String,
}

async fn search(State(helpdesk): State<StandIn>, Query(search): Query<Search>, asked: Asked) -> Response {
    let tag = search.query.split_whitespace().find_map(|word| word.strip_prefix("tags:")).unwrap_or_default();
    let found = helpdesk.open_with_tag(tag).into_iter().filter_map(|id| helpdesk.reading(id));
    asked.page("results", found.map(|reading| reading.ticket).collect(), json!({}))
}
