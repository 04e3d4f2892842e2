//! The stand-in helpdesk's API: the real paths, with the real answers.

use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::helpdesk::{BOT_ID, Change, Publicity, Refused, StandIn, Trouble};

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
            .layer(middleware::from_fn_with_state(self.clone(), admit));
        Router::new().route("/oauth/tokens", post(token)).merge(api).with_state(self.clone())
    }
}

/// Lets in who is known, makes the troubles it is told to, and keeps a list of calls.
async fn admit(State(helpdesk): State<StandIn>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
    let writes = method == "PUT";
    let trouble = helpdesk.trouble(|trouble| match trouble {
        Trouble::Limited(_) => true,
        Trouble::ReadStatus(_) => !writes,
        Trouble::WriteStatus(_) | Trouble::LostAnswer | Trouble::Meanwhile => writes,
    });
    let response = if !known(&helpdesk, request.headers()) {
        (StatusCode::UNAUTHORIZED, Json(json!({ "error": "Couldn't authenticate you" }))).into_response()
    } else {
        match trouble {
            Some(Trouble::Limited(seconds)) => {
                let mut response =
                    (StatusCode::TOO_MANY_REQUESTS, Json(json!({ "error": "APIRateLimitExceeded" }))).into_response();
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
                response
            }
            Some(Trouble::ReadStatus(status) | Trouble::WriteStatus(status)) => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                (status, Json(json!({ "error": "Trouble" }))).into_response()
            }
            Some(Trouble::LostAnswer) => {
                next.run(request).await;
                (StatusCode::BAD_GATEWAY, "the answer is lost").into_response()
            }
            Some(Trouble::Meanwhile) => {
                if let Some(id) = path.rsplit('/').next().and_then(|id| id.parse().ok()) {
                    helpdesk.change(id, |reading| reading.ticket.tags.push("colleague_was_here".into()));
                }
                next.run(request).await
            }
            None => next.run(request).await,
        }
    };
    helpdesk.note_call(&method, &path, response.status().as_u16());
    response
}

fn known(helpdesk: &StandIn, headers: &HeaderMap) -> bool {
    let Some(given) = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) else { return false };
    match given.split_once(' ') {
        Some(("Bearer", token)) => helpdesk.knows_token(token),
        Some(("Basic", text)) => STANDARD
            .decode(text)
            .ok()
            .and_then(|text| String::from_utf8(text).ok())
            .is_some_and(|text| text.ends_with("/token:demo")),
        _ => false,
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

#[derive(Deserialize)]
struct Page {
    #[serde(rename = "page[size]", default)]
    size: Option<usize>,
    #[serde(rename = "page[after]", default)]
    after: Option<usize>,
}

async fn comments(State(helpdesk): State<StandIn>, Path(id): Path<String>, Query(page): Query<Page>) -> Response {
    let Some(reading) = helpdesk.reading(number(&id)) else { return missing() };
    let (from, size) = (page.after.unwrap_or(0), page.size.unwrap_or(100).min(100));
    let newest_first: Vec<_> = reading.comments.iter().rev().skip(from).take(size).collect();
    let has_more = reading.comments.len() > from + size;
    let next = format!(
        "/api/v2/tickets/{}/comments?include=users&sort_order=desc&page[size]={size}&page[after]={}",
        number(&id),
        from + size
    );
    Json(json!({ "comments": newest_first, "users": reading.users, "meta": { "has_more": has_more }, "links": { "next": next } })).into_response()
}

async fn audits(State(helpdesk): State<StandIn>, Path(id): Path<String>) -> Response {
    match helpdesk.reading(number(&id)) {
        Some(_) => Json(json!({ "audits": helpdesk.audits(number(&id)) })).into_response(),
        None => missing(),
    }
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

/// Everything on one page: the stand-in is small.
async fn search(State(helpdesk): State<StandIn>, Query(search): Query<Search>) -> Response {
    let tag = search.query.split_whitespace().find_map(|word| word.strip_prefix("tags:")).unwrap_or_default();
    let results: Vec<Value> = helpdesk
        .open_with_tag(tag)
        .into_iter()
        .filter_map(|id| helpdesk.reading(id))
        .map(|reading| json!(reading.ticket))
        .collect();
    Json(json!({ "results": results, "meta": { "has_more": false }, "links": { "next": null } })).into_response()
}
