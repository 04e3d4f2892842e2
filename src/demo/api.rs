//! The stand-in helpdesk's API: the real paths, with the real answers.

use std::collections::BTreeSet;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tower::ServiceExt;

use super::gate::{self, AsAsked, AsOf, missing};
use super::helpdesk::{BOT_ID, Refused, StandIn};
use super::paging::Asked;
use super::shape::{self, over};
use crate::decide::ticket::{Reading, Role, User};

impl StandIn {
    /// The API's routes; every path also ends in `.json`.
    pub fn router(&self) -> Router {
        let api = Router::new()
            .route("/api/v2/tickets", get(tickets).post(create))
            .route("/api/v2/tickets/{id}", get(ticket).put(update).delete(delete))
            .route("/api/v2/tickets/{id}/comments", get(comments))
            .route("/api/v2/tickets/{id}/audits", get(audits))
            .route("/api/v2/tickets/{id}/tags", get(ticket_tags).put(add_tags).post(set_tags).delete(remove_tags))
            .route("/api/v2/users", get(users))
            .route("/api/v2/users/{id}", get(user))
            .route("/api/v2/organizations/{id}", get(organization))
            .route("/api/v2/search", get(search))
            .route("/api/v2/search/export", get(search_export))
            .merge(super::admin::routes())
            .merge(super::export::routes())
            .layer(middleware::from_fn_with_state(self.clone(), gate::admit));
        let api = Router::new().route("/oauth/tokens", post(token)).merge(api).with_state(self.clone());
        Router::new().fallback(async move |request: Request| api.clone().oneshot(without_json(request)).await)
    }
}

/// A call to the same path without `.json` at its end.
fn without_json(mut request: Request) -> Request {
    let uri = request.uri();
    if let Some(path) = uri.path().strip_suffix(".json") {
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        let asked = AsAsked(uri.path().to_owned());
        if let Ok(shorter) = format!("{path}{query}").parse() {
            *request.uri_mut() = shorter;
            request.extensions_mut().insert(asked);
        }
    }
    request
}

#[derive(Deserialize)]
struct Grant {
    client_id: String,
    client_secret: String,
    #[serde(default)]
    scope: String,
}

/// Takes a form, and JSON as the documentation has it.
async fn token(State(helpdesk): State<StandIn>, headers: HeaderMap, body: Bytes) -> Response {
    let json = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let grant: Option<Grant> = match json {
        true => serde_json::from_slice(&body).ok(),
        false => axum::Form::from_request(
            Request::builder()
                .method("POST")
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(Body::from(body))
                .unwrap_or_default(),
            &(),
        )
        .await
        .ok()
        .map(|axum::Form(grant)| grant),
    };
    let Some(grant) = grant else {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_request" }))).into_response();
    };
    if grant.client_id != "starwarden" || grant.client_secret != "demo" {
        let says = "Client authentication failed due to unknown client, or unsupported authentication method.";
        return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "invalid_client", "error_description": says })))
            .into_response();
    }
    let (token, scope) = helpdesk.give_token(&grant.scope);
    Json(json!({ "access_token": token, "token_type": "bearer", "scope": scope, "expires_in": 1800 })).into_response()
}

/// A ticket's number.
fn number(text: &str) -> u64 {
    text.parse().unwrap_or_default()
}

/// Those who are named on a ticket, and its organisation, as they come along where they are asked for.
fn besides(reading: &Reading, asked: &Asked) -> Map<String, Value> {
    let mut besides = Map::new();
    if asked.includes("users") {
        besides.insert("users".into(), reading.users.iter().map(shape::user).collect());
    }
    if asked.includes("organizations") {
        besides.insert("organizations".into(), reading.organization.iter().map(shape::organization).collect());
    }
    besides
}

async fn ticket(State(helpdesk): State<StandIn>, Path(id): Path<String>, asked: Asked) -> Response {
    let (Some(reading), Some(ticket)) = (helpdesk.reading(number(&id)), helpdesk.ticket_given(number(&id))) else {
        return missing();
    };
    let counted = json!({ "comment_count": reading.comments.len() });
    let ticket = if asked.includes("comment_count") { over(ticket, counted) } else { ticket };
    let mut answer = besides(&reading, &asked);
    answer.insert("ticket".into(), ticket);
    Json(answer).into_response()
}

async fn tickets(State(helpdesk): State<StandIn>, asked: Asked) -> Response {
    asked.page("tickets", helpdesk.tickets_given(), json!({}))
}

async fn comments(
    State(helpdesk): State<StandIn>,
    Path(id): Path<String>,
    asked: Asked,
    as_of: Option<Extension<AsOf>>,
) -> Response {
    let Some(reading) = helpdesk.reading(number(&id)) else { return missing() };
    let mut comments = helpdesk.comments_given(number(&id), as_of.map(|Extension(AsOf(at))| at));
    if asked.newest_first() {
        comments.reverse();
    }
    let besides = Value::Object(besides(&reading, &asked));
    asked.page("comments", comments, besides)
}

async fn audits(State(helpdesk): State<StandIn>, Path(id): Path<String>, asked: Asked) -> Response {
    let id = number(&id);
    if helpdesk.reading(id).is_none() {
        return missing();
    }
    asked.page("audits", helpdesk.audits(id), json!({}))
}

#[derive(Deserialize)]
struct Given {
    ticket: Map<String, Value>,
}

async fn update(State(helpdesk): State<StandIn>, Path(id): Path<String>, Json(given): Json<Given>) -> Response {
    changed(StatusCode::OK, helpdesk.update(number(&id), given.ticket))
}

async fn create(State(helpdesk): State<StandIn>, Json(given): Json<Given>) -> Response {
    changed(StatusCode::CREATED, helpdesk.make(given.ticket))
}

async fn delete(State(helpdesk): State<StandIn>, Path(id): Path<String>) -> Response {
    if helpdesk.reading(number(&id)).is_none() {
        return missing();
    }
    helpdesk.delete_for_good(number(&id));
    StatusCode::NO_CONTENT.into_response()
}

fn changed(status: StatusCode, came: Result<(Value, Value), Refused>) -> Response {
    let invalid = |key: &str, description: String, error: Value| {
        let named = if error.is_null() { json!({}) } else { json!({ "error": error }) };
        let fault = over(json!({ "description": description }), named);
        let answer =
            json!({ "error": "RecordInvalid", "description": "Record validation errors", "details": { key: [fault] } });
        (StatusCode::UNPROCESSABLE_ENTITY, Json(answer)).into_response()
    };
    match came {
        Ok((ticket, audit)) => (status, Json(json!({ "ticket": ticket, "audit": audit }))).into_response(),
        Err(Refused::Gone) => missing(),
        Err(Refused::Conflict) => {
            let says = "Safe Update prevented the update due to outdated ticket data.";
            (StatusCode::CONFLICT, Json(json!({ "error": "UpdateConflict", "description": says }))).into_response()
        }
        Err(Refused::Closed) => invalid("status", "Status closed prevents ticket update".into(), Value::Null),
        Err(Refused::Invalid(key, error)) => invalid(key, format!("{key}: is invalid"), json!(error)),
        Err(Refused::TooOften(seconds)) => {
            let limit = format!("total=30; remaining=0; resets={seconds}");
            let told = [
                (header::RETRY_AFTER, seconds.to_string()),
                (HeaderName::from_static("zendesk-ratelimit-per-ticket-updates"), limit),
            ];
            (StatusCode::TOO_MANY_REQUESTS, told, Json(json!({ "error": "TooManyRequests" }))).into_response()
        }
    }
}

#[derive(Deserialize)]
struct Tags {
    tags: Vec<String>,
}

async fn ticket_tags(State(helpdesk): State<StandIn>, Path(id): Path<String>) -> Response {
    tagged(&helpdesk, &id, StatusCode::OK, |tags| tags)
}

async fn add_tags(State(helpdesk): State<StandIn>, Path(id): Path<String>, Json(given): Json<Tags>) -> Response {
    tagged(&helpdesk, &id, StatusCode::OK, |mut tags| {
        tags.extend(given.tags);
        tags
    })
}

async fn set_tags(State(helpdesk): State<StandIn>, Path(id): Path<String>, Json(given): Json<Tags>) -> Response {
    tagged(&helpdesk, &id, StatusCode::CREATED, |_| given.tags)
}

async fn remove_tags(State(helpdesk): State<StandIn>, Path(id): Path<String>, Json(given): Json<Tags>) -> Response {
    tagged(&helpdesk, &id, StatusCode::OK, |mut tags| {
        tags.retain(|tag| !given.tags.contains(tag));
        tags
    })
}

/// Changes a ticket's tags, where that changes any; all of them afterwards.
fn tagged(
    helpdesk: &StandIn,
    id: &str,
    status: StatusCode,
    change: impl FnOnce(Vec<String>) -> Vec<String>,
) -> Response {
    let Some(reading) = helpdesk.reading(number(id)) else { return missing() };
    let mut tags = change(reading.ticket.tags.clone());
    let mut seen = BTreeSet::new();
    tags.retain(|tag| seen.insert(tag.clone()));
    if tags != reading.ticket.tags {
        helpdesk.change(number(id), |reading| reading.ticket.tags.clone_from(&tags));
    }
    (status, Json(json!({ "tags": tags }))).into_response()
}

async fn users(State(helpdesk): State<StandIn>, asked: Asked) -> Response {
    asked.page("users", helpdesk.users().iter().map(shape::user).collect(), json!({}))
}

async fn user(State(helpdesk): State<StandIn>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    if id == "me" {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let me = User { id: BOT_ID, name: "starwarden".into(), role: Role::Agent };
        let url = format!("http://{host}/api/v2/users/{BOT_ID}.json");
        return Json(json!({ "user": over(shape::user(&me), json!({ "url": url })) })).into_response();
    }
    match helpdesk.users().iter().find(|user| user.id == number(&id)) {
        Some(user) => Json(json!({ "user": shape::user(user) })).into_response(),
        None => missing(),
    }
}

async fn organization(State(helpdesk): State<StandIn>, Path(id): Path<String>) -> Response {
    match helpdesk.organization(number(&id)) {
        Some(organization) => Json(json!({ "organization": shape::organization(&organization) })).into_response(),
        None => missing(),
    }
}

#[derive(Deserialize)]
struct Search {
    query: String,
}

/// Tickets that a search finds: by tag, where it names one, and not solved, where it says so.
fn found(helpdesk: &StandIn, search: &Search) -> Vec<Value> {
    let words: Vec<&str> = search.query.split_whitespace().collect();
    let tags: Vec<&str> = words.iter().filter_map(|word| word.strip_prefix("tags:")).collect();
    let open = words.contains(&"status<solved");
    let fits = |ticket: &Value| {
        let has = |tag: &&str| ticket["tags"].as_array().is_some_and(|tags| tags.iter().any(|it| it == tag));
        let done = ["solved", "closed", "deleted"].contains(&ticket["status"].as_str().unwrap_or_default());
        tags.iter().all(has) && !(open && done)
    };
    let tickets = helpdesk.tickets_given().into_iter().filter(fits);
    tickets.map(|ticket| over(ticket, json!({ "result_type": "ticket" }))).collect()
}

async fn search(State(helpdesk): State<StandIn>, Query(search): Query<Search>, asked: Asked) -> Response {
    asked.page_by_offset("results", found(&helpdesk, &search), json!({ "facets": null }))
}

async fn search_export(State(helpdesk): State<StandIn>, Query(search): Query<Search>, asked: Asked) -> Response {
    asked.page_by_cursor("results", found(&helpdesk, &search), json!({ "facets": null }))
}
