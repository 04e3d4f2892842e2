//! The JSON API: a ticket, decisions, and a decision on what is given, with the document that describes them.

mod elsewhere;
mod given;
mod preview;
pub(crate) mod shapes;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::openapi::schema::{AnyOfBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{IntoParams, OpenApi};

use self::elsewhere::Signing;
use self::given::{DecidedDocument, Given, name_words};
use self::shapes::{ApiTicket, Decisions, ListedTicket, RecordedDecision, Refusal, Tickets};
use super::Shared;
use super::links::ticket_key;
use super::sign_in::Admission;
use crate::decide::facts::sources::Ids;
use crate::decide::line::{Line, WithFacts};
use crate::store::StoreError;
use crate::store::history::{WatchFilter, WatchState};
use crate::store::overview::DecisionFilter;
use crate::work::preview::Refused;

/// How many decisions an answer has at most.
const PAGE: usize = 100;

/// The same and one more, which tells whether there are more.
const PAGE_AND_ONE: u32 = 101;

/// The largest request, bytes.
const LARGEST: usize = 4 << 20;

pub(super) fn router(room: &Shared) -> Router<Shared> {
    Router::new()
        .route("/api/v1/tickets", get(tickets))
        .route("/api/v1/tickets/{account}/{id}", get(ticket))
        .route("/api/v1/decisions", get(decisions))
        .route("/api/v1/decide", post(decide))
        .route("/api/v1/preview", post(preview::preview))
        .layer(axum::extract::DefaultBodyLimit::max(LARGEST))
        .route("/api/v1/openapi.json", get(document))
        .layer(middleware::from_fn_with_state(room.clone(), admit))
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "starwarden",
        description = "Decisions on starred tickets. Where sign-in is configured, send `Authorization: Bearer` with one of `console.tokens`, or a signed-in browser's session."
    ),
    paths(tickets, ticket, decisions, decide, preview::preview)
)]
struct Document;

async fn document(State(room): State<Shared>) -> Response {
    let mut document = serde_json::to_value(Document::openapi()).unwrap_or_default();
    name_words(&mut document, &room.console.rule.now());
    let signing = match &*room.console.gate.admission() {
        Admission::SignIn(_) => Signing::In,
        Admission::Open | Admission::Closed => Signing::NotNeeded,
    };
    elsewhere::complete(&mut document, signing);
    Json(document).into_response()
}

/// Why there is no answer.
enum ApiError {
    Bad(String),
    Missing(String),
    /// The body is not sent as JSON.
    Unsupported,
    /// There is no preview.
    NoPreview(Refused),
    Unsigned,
    Closed,
    Store(StoreError),
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        ApiError::Store(error)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, error) = match self {
            ApiError::Bad(error) => (StatusCode::BAD_REQUEST, error),
            ApiError::Missing(error) => (StatusCode::NOT_FOUND, error),
            ApiError::Unsupported => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "send it as application/json".into()),
            ApiError::NoPreview(refused) => return preview::refused(refused),
            ApiError::Unsigned => (StatusCode::UNAUTHORIZED, "send Authorization: Bearer with a token".into()),
            ApiError::Closed => {
                (StatusCode::FORBIDDEN, "open to this machine alone until [console] names who may".into())
            }
            ApiError::Store(error) => {
                tracing::error!(%error, "the API could not read the store");
                (StatusCode::SERVICE_UNAVAILABLE, "the store cannot be read; try again in a moment".into())
            }
        };
        let mut response = (status, Json(Refusal { error })).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// What is told of an address where nothing is.
pub(super) fn nowhere() -> Response {
    ApiError::Missing("there is nothing at this address; /api/v1/openapi.json says what there is".into())
        .into_response()
}

/// Lets in programs with a token and people with a session; both roles may read, and nothing here does more.
async fn admit(State(room): State<Shared>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let gate = &room.console.gate;
    let refused = match gate.may_read(&parts).await {
        Ok(true) => return next.run(Request::from_parts(parts, body)).await,
        Ok(false) if matches!(&*gate.admission(), Admission::SignIn(_)) => ApiError::Unsigned,
        Ok(false) => ApiError::Closed,
        Err(error) => ApiError::Store(error),
    };
    refused.into_response()
}

/// A ticket's watch state, events, decisions and answers.
#[utoipa::path(
    get,
    path = "/api/v1/tickets/{account}/{id}",
    tag = "tickets",
    params(
        ("account" = String, Path, description = "The account's name in the configuration"),
        ("id" = i64, Path, minimum = 0, description = "The helpdesk's ticket number")
    ),
    responses(
        (status = 200, description = "All that is kept of it", body = ApiTicket),
        (status = 400, description = "The number is none", body = Refusal),
        (status = 401, description = "Not signed in", body = Refusal),
        (status = 403, description = "Not open", body = Refusal),
        (status = 404, description = "Never heard of", body = Refusal),
        (status = 503, description = "The store cannot be read", body = Refusal)
    )
)]
async fn ticket(
    State(room): State<Shared>,
    Path((account, id)): Path<(String, String)>,
) -> Result<Json<ApiTicket>, ApiError> {
    let ticket = ticket_key(account, &id).ok_or_else(|| ApiError::Bad("this is no ticket number".into()))?;
    let store = &room.console.store;
    let never = || ApiError::Missing(format!("the bot never heard of ticket {ticket}"));
    let history = store.history(&ticket).await?.ok_or_else(never)?;
    let events = store.operators_on(&ticket).await?;
    let (feedback, follow_ups) = (store.feedback_of(&ticket).await?, store.follow_ups_of(&ticket).await?);
    Ok(Json(ApiTicket::of(ticket, history, &events, feedback, follow_ups)?))
}

/// Which tickets. What is left empty does not narrow.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Whose newest decision has this verdict.
    verdict: Option<String>,
    /// In this state.
    #[param(pattern = "^(due|idle|dead|stopped)?$")]
    state: Option<String>,
    /// Whose subject holds these words, in whatever case, or whose number this is.
    query: Option<String>,
    /// Where the answer before ended: its `next_cursor`.
    #[param(pattern = "^([A-Za-z0-9_-]+/[0-9]{1,15})?$")]
    cursor: Option<String>,
}

/// What is watched, by account and number.
#[utoipa::path(
    get,
    path = "/api/v1/tickets",
    tag = "tickets",
    params(Wanted),
    responses(
        (status = 200, description = "Up to 100, and where the next begin", body = Tickets),
        (status = 400, description = "A parameter cannot be read", body = Refusal),
        (status = 401, description = "Not signed in", body = Refusal),
        (status = 403, description = "Not open", body = Refusal),
        (status = 503, description = "The store cannot be read", body = Refusal)
    )
)]
async fn tickets(
    State(room): State<Shared>,
    asked: Result<Query<Wanted>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Tickets>, ApiError> {
    let Query(asked) = asked.map_err(|error| ApiError::Bad(error.body_text()))?;
    let given = |value: Option<String>| value.filter(|value| !value.is_empty());
    let state = given(asked.state).map(|state| match state.as_str() {
        "due" => Ok(WatchState::Due),
        "idle" => Ok(WatchState::Idle),
        "dead" => Ok(WatchState::Dead),
        "stopped" => Ok(WatchState::Stopped),
        _ => Err(ApiError::Bad("state is due, idle, dead or stopped".into())),
    });
    let after = given(asked.cursor).map(|cursor| {
        let ticket = cursor.rsplit_once('/').and_then(|(account, id)| ticket_key(account.to_owned(), id));
        ticket.ok_or_else(|| ApiError::Bad("a cursor is what an answer gave as next_cursor".into()))
    });
    let filter = WatchFilter {
        account: None,
        state: state.transpose()?,
        verdict: given(asked.verdict),
        query: given(asked.query),
    };
    let mut found = room.console.store.watched(&filter, after.transpose()?.as_ref(), PAGE_AND_ONE).await?;
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let next_cursor = found.last().filter(|_| more).map(|row| row.ticket.to_string());
    Ok(Json(Tickets { tickets: found.into_iter().map(ListedTicket::of).collect(), next_cursor }))
}

/// Which decisions.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Made then or later, RFC 3339. What is left empty does not narrow, here and below.
    #[param(schema_with = moment_or_empty, required = false)]
    since: Option<String>,
    /// With this verdict.
    verdict: Option<String>,
    /// With this node of the flowchart on their way.
    node: Option<String>,
    /// Where the answer before ended: its `next_cursor`.
    #[param(pattern = "^([0-9]{1,15}\\.[0-9]{1,15})?$")]
    cursor: Option<String>,
}

fn moment_or_empty() -> Schema {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let moment = text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
    AnyOfBuilder::new().item(moment).item(text().max_length(Some(0))).build().into()
}

/// Decisions, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/decisions",
    tag = "tickets",
    params(Asked),
    responses(
        (status = 200, description = "Up to 100, and where the next begin", body = Decisions),
        (status = 400, description = "A parameter cannot be read", body = Refusal),
        (status = 401, description = "Not signed in", body = Refusal),
        (status = 403, description = "Not open", body = Refusal),
        (status = 503, description = "The store cannot be read", body = Refusal)
    )
)]
async fn decisions(
    State(room): State<Shared>,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Decisions>, ApiError> {
    let Query(asked) = asked.map_err(|error| ApiError::Bad(error.body_text()))?;
    let given = |value: Option<String>| value.filter(|value| !value.is_empty());
    let since = given(asked.since).map(|since| since.parse::<DateTime<Utc>>()).transpose();
    let since = since.map_err(|_| ApiError::Bad("since is no time: write it like 2026-11-24T00:00:00Z".into()))?;
    let before = given(asked.cursor).map(|cursor| cursor.parse()).transpose();
    let before = before.map_err(|error: &str| ApiError::Bad(error.into()))?;
    let filter = DecisionFilter { since, verdict: given(asked.verdict), node: given(asked.node), before };
    let mut found = room.console.store.decisions(&filter, PAGE + 1).await?;
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let next_cursor = found.last().filter(|_| more).map(|(place, _)| place.to_string());
    let decisions = found.into_iter().map(|(_, row)| RecordedDecision::of(row)).collect::<Result<_, _>>()?;
    Ok(Json(Decisions { decisions, next_cursor }))
}

/// Decides on what is given, by the policy in force; nothing is written.
#[utoipa::path(
    post,
    path = "/api/v1/decide",
    tag = "decide",
    request_body(content = Given, content_type = "application/json"),
    responses(
        (status = 200, description = "The decision", body = DecidedDocument),
        (status = 400, description = "Not a ticket, or facts the policy does not have", body = Refusal),
        (status = 401, description = "Not signed in", body = Refusal),
        (status = 403, description = "Not open", body = Refusal),
        (status = 413, description = "Over 4 MiB"),
        (status = 415, description = "Not sent as application/json", body = Refusal)
    )
)]
async fn decide(State(room): State<Shared>, headers: HeaderMap, body: Bytes) -> Result<Response, ApiError> {
    is_json(&headers)?;
    let not = |error: serde_json::Error| ApiError::Bad(format!("not a ticket: {error}"));
    let json = given::in_shape(serde_json::from_slice(&body).map_err(not)?).map_err(ApiError::Bad)?;
    let chosen = match json.get("account").filter(|account| !account.is_null()).map(|account| account.as_str()) {
        None | Some(Some("")) => room.console.ids.unasked(),
        Some(Some(name)) => room.console.ids.named(name).map_err(ApiError::Bad)?,
        Some(None) => return Err(ApiError::Bad("account is a name of the configuration, in quotes".into())),
    };
    let line: Line = serde_json::from_value(json).map_err(not)?;
    let (policy, now) = (room.console.rule.now(), Utc::now());
    let ids = Ids::new(&policy.binding, &chosen.ids());
    let mut case = line.case(&policy, now).map_err(ApiError::Bad)?;
    room.read(&policy, &ids, &chosen.account, &mut case.reading, case.now).await?;
    Ok(Json(case.decide(&policy, &ids, WithFacts::None)).into_response())
}

/// Refuses what is not sent as JSON.
fn is_json(headers: &HeaderMap) -> Result<(), ApiError> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().map(str::trim);
    if kind == Some("application/json") { Ok(()) } else { Err(ApiError::Unsupported) }
}
