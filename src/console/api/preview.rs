//! `POST /api/v1/preview`: what a STAR on a ticket would get.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::given::whole;
use super::shapes::Refusal;
use super::{ApiError, is_json};
use crate::console::Shared;
use crate::decide::line::{self, WithFacts};
use crate::decide::policy::decision::Decision;
use crate::decide::ticket::TicketKey;
use crate::work::preview::{Comments, LONGEST_REASON, Preview, Refused};

/// Which ticket a STAR would be filed on, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// The account's name in the configuration. Absent or empty: the only one.
    account: Option<String>,
    /// The helpdesk's ticket number, or a text of its digits.
    #[schema(schema_with = ticket_number)]
    ticket_id: Value,
    /// Why, as the filer would write it. Absent: nothing is said.
    #[schema(max_length = 20_000)]
    reason: Option<String>,
}

fn ticket_number() -> utoipa::openapi::schema::Schema {
    use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Type};
    let number =
        ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(9_007_199_254_740_991_i64));
    let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[1-9][0-9]{0,14}$"));
    AnyOfBuilder::new().item(number).item(text).build().into()
}

/// What a STAR would get.
#[derive(Serialize, ToSchema)]
pub(super) struct Previewed {
    /// The account's name in the configuration.
    account: String,
    /// The helpdesk's ticket number.
    ticket_id: u64,
    /// The decision, with every fact of which something is known.
    #[schema(value_type = PreviewedDecision)]
    decision: line::Decided,
    /// The note, as text.
    note: String,
    /// What the STAR would lack, a sentence each; empty where nothing is missing.
    missing_for_star: Vec<String>,
    /// How many comments were read: `all`, or the `newest` hundred.
    comments: &'static str,
}

/// The decision in a preview.
#[derive(Serialize, ToSchema)]
struct PreviewedDecision {
    /// The ticket's number, as text.
    id: String,
    /// The decision.
    #[serde(flatten)]
    decision: Decision,
    /// Answers that could not be used, a sentence each. Absent: none.
    problems: Option<Vec<String>>,
    /// Facts by the policy's names.
    facts: BTreeMap<String, line::KnownFact>,
}

/// What a STAR on a ticket would get, by the policy in force and as the ticket is now; nothing is written, watched or kept but
/// a count. The condition of the policy that is the star itself counts as met.
#[utoipa::path(
    post,
    path = "/api/v1/preview",
    tag = "decide",
    request_body(content = Asked, content_type = "application/json"),
    responses(
        (status = 200, description = "What it would get", body = Previewed),
        (status = 400, description = "No ticket number, or a reason that is too long", body = Refusal),
        (status = 401, description = "Not signed in", body = Refusal),
        (status = 403, description = "Not open", body = Refusal),
        (status = 404, description = "No such account, or no such ticket", body = Refusal),
        (status = 413, description = "Over 4 MiB"),
        (status = 415, description = "Not sent as application/json", body = Refusal),
        (status = 502, description = "The helpdesk refuses, or fails", body = Refusal),
        (status = 503, description = "The account has no calls to spare; Retry-After says when to try again", body = Refusal),
        (status = 504, description = "The helpdesk is too slow", body = Refusal)
    )
)]
pub(super) async fn preview(
    State(room): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Previewed>, ApiError> {
    is_json(&headers)?;
    let not = |error: serde_json::Error| ApiError::Bad(format!("not a ticket to preview: {error}"));
    let mut json: Value = serde_json::from_slice(&body).map_err(not)?;
    whole(&mut json);
    if !json.is_object() {
        return Err(ApiError::Bad("not a ticket to preview: give an object with ticket_id".into()));
    }
    let Asked { account, ticket_id, reason } = serde_json::from_value(json).map_err(not)?;
    let id = match &ticket_id {
        Value::Number(number) => number.as_u64(),
        Value::String(digits) if digits.starts_with(|first: char| first.is_ascii_digit()) => digits.parse().ok(),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    let id = id.filter(|id| *id > 0 && i64::try_from(*id).is_ok());
    let id = id.ok_or_else(|| ApiError::Bad("ticket_id is no ticket number".into()))?;
    let account = account.filter(|account| !account.is_empty());
    let account = account.unwrap_or_else(|| room.console.ids.unasked().account);
    if account.is_empty() {
        return Err(ApiError::Bad("there are several accounts, so name one as account".into()));
    }
    let reason = reason.unwrap_or_default();
    if reason.chars().count() > LONGEST_REASON {
        return Err(ApiError::Bad(format!("a reason has at most {LONGEST_REASON} characters")));
    }
    let ticket = TicketKey { account, id };
    let policy = room.console.rule.now();
    let made = room.console.previews.of(&room.console.store, &policy, &ticket, &reason).await;
    let Preview { judged, note, missing_for_star, comments } = made.map_err(ApiError::NoPreview)?;
    let comments = match comments {
        Comments::All => "all",
        Comments::Newest => "newest",
    };
    let decision = line::Decided::of(id.to_string().into(), judged, WithFacts::All);
    Ok(Json(Previewed { account: ticket.account, ticket_id: id, decision, note, missing_for_star, comments }))
}

/// Why there is no preview, with the status that says so.
pub(super) fn refused(refused: Refused) -> Response {
    let (status, error) = (status(&refused), refused.to_string());
    match refused {
        Refused::Store(error) => return ApiError::Store(error).into_response(),
        Refused::Helpdesk(error) => tracing::warn!(%error, "a preview could not be made"),
        Refused::NoAccount(_) | Refused::NoTicket(_) | Refused::TooSlow => {}
        Refused::Busy { retry_after, .. } => {
            let mut response = (status, Json(Refusal { error })).into_response();
            let seconds = HeaderValue::from(retry_after.as_secs().max(1));
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
            return response;
        }
    }
    (status, Json(Refusal { error })).into_response()
}

fn status(refused: &Refused) -> StatusCode {
    match refused {
        Refused::NoAccount(_) | Refused::NoTicket(_) => StatusCode::NOT_FOUND,
        Refused::Busy { .. } | Refused::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        Refused::TooSlow => StatusCode::GATEWAY_TIMEOUT,
        Refused::Helpdesk(_) => StatusCode::BAD_GATEWAY,
    }
}
