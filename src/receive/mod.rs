//! Routes for deliveries: verified, on disk, and only then answered.

pub mod delivery;
pub mod doors;
pub mod verify;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use tracing::Instrument;

use crate::decide::ticket::TicketKey;
use crate::metrics;
use crate::store::Store;
use crate::store::deliveries::{NewDelivery, Recorded, Relevance};
use delivery::{Delivery, ParseError, Parsed, Told};
use doors::{Door, Doors};

/// The largest delivery, bytes.
const LARGEST: usize = 1 << 20;

/// How much is kept of what a sender calls an event, characters, and of its id, bytes: texts of theirs stay for long.
const LONGEST_KIND: usize = 100;
const LONGEST_ID: usize = 200;

/// Takes deliveries.
pub struct Receiver {
    /// Ways in, by account.
    pub doors: Doors,
    /// Where deliveries are kept.
    pub store: Store,
    /// How long a ticket waits for the rest of a burst before it is looked at.
    pub settle_delay: Duration,
}

/// The receiver's routes.
pub fn router(receiver: Receiver) -> Router {
    Router::new()
        .route("/webhooks/zendesk/{account}", post(webhook))
        .route("/healthz", get(async || axum::Json(json!({ "status": "ok" }))))
        .with_state(Arc::new(receiver))
}

async fn webhook(State(receiver): State<Arc<Receiver>>, Path(account): Path<String>, request: Request) -> Response {
    let (Parts { headers, .. }, body) = request.into_parts();
    let known = receiver.doors.of(&account);
    // Of an account that is not here the answer is the same, after the same work, or strangers could try names.
    let door = known.clone().unwrap_or_else(|| receiver.doors.decoy());
    let name = if known.is_some() { account.as_str() } else { "unknown" };
    let Answered { result, response } = delivered(&receiver, &door, name, &headers, body).await;
    if known.is_some() {
        metrics::delivery(&account, result);
    }
    response
}

/// What a delivery came to, for the count, and what its sender is told.
struct Answered {
    result: &'static str,
    response: Response,
}

async fn delivered(receiver: &Receiver, door: &Door, account: &str, headers: &HeaderMap, body: Body) -> Answered {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (signature, timestamp) = (text("x-zendesk-webhook-signature"), text("x-zendesk-webhook-signature-timestamp"));
    // The body of what bears no signature is not even read.
    let given = match verify::given(signature, timestamp) {
        Ok(given) => given,
        Err(error) => return refused(StatusCode::UNAUTHORIZED, &error.to_string()),
    };
    let Ok(body) = axum::body::to_bytes(body, LARGEST).await else {
        return refused(StatusCode::PAYLOAD_TOO_LARGE, "a delivery has at most 1 MiB");
    };
    let now = Utc::now();
    let verified = match given.verify(&body, &door.secrets, door.replay_window, now) {
        Ok(verified) => verified,
        Err(error) => {
            tracing::warn!(account, %error, "a delivery was refused");
            return refused(StatusCode::UNAUTHORIZED, &error.to_string());
        }
    };
    let parsed = match delivery::parse(verified) {
        Ok(parsed) => parsed,
        Err(error @ ParseError::NoTicket) => return ignored(&error.to_string()),
        Err(error @ ParseError::NotJson { .. }) => return refused(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let (Parsed::Ticket(Delivery { account: named, .. }) | Parsed::Other { account: named, .. }) = &parsed;
    let named = named.or_else(|| text("x-zendesk-account-id").and_then(|id| id.parse().ok()));
    if let (Some(own), Some(named)) = (door.account_id, named)
        && own != named
    {
        return refused(
            StatusCode::UNAUTHORIZED,
            &format!("the delivery names the helpdesk account {named}, which is not this one"),
        );
    }
    let delivery = match parsed {
        Parsed::Ticket(delivery) => delivery,
        Parsed::Other { why, .. } => return ignored(&why),
    };
    // A person whose token the bot uses writes as the same user, and what they write is news.
    if door.own.get().is_some_and(|own| own.has(delivery.actor)) && delivery.comment != Told::Unsigned {
        return ignored("our own change is no news");
    }
    let invocation = text("x-zendesk-webhook-invocation-id").filter(|id| !id.is_empty()).map(str::to_owned);
    let ticket = TicketKey { account: account.to_owned(), id: delivery.ticket };
    let span = tracing::info_span!("delivery", account, delivery = invocation, %ticket);
    record(receiver, door, ticket, delivery, invocation, now).instrument(span).await
}

/// An event's id; of one that is too long, what tells it from others.
fn bounded(id: String) -> String {
    if id.len() <= LONGEST_ID {
        return id;
    }
    let digest = Sha256::digest(&id);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn record(
    receiver: &Receiver,
    door: &Door,
    ticket: TicketKey,
    delivery: Delivery,
    invocation: Option<String>,
    now: DateTime<Utc>,
) -> Answered {
    let starred = |tags: &Vec<String>| door.star_tags.is_empty() || door.star_tags.iter().any(|tag| tags.contains(tag));
    let relevance = match &delivery.tags {
        Some(tags) if !starred(tags) => Relevance::OnlyIfWatched,
        Some(_) | None => Relevance::Ours,
    };
    let forgets = delivery.forgets();
    let new = NewDelivery {
        ticket: ticket.clone(),
        key: invocation.or(delivery.event).map(bounded),
        kind: delivery.kind.chars().take(LONGEST_KIND).collect(),
        happened_at: delivery.happened,
        received_at: now,
        due_at: now + receiver.settle_delay,
        relevance,
    };
    let mut recorded = receiver.store.record(new).await;
    // A repeat is forgotten again: of the first it is not known whether it came to its end.
    if forgets && matches!(recorded, Ok(Recorded::Accepted | Recorded::Duplicate)) {
        recorded = receiver.store.forget(&ticket).await.and(recorded);
    }
    match recorded {
        Ok(Recorded::Accepted) => {
            tracing::info!("a delivery was accepted");
            taken("accepted", None)
        }
        Ok(Recorded::Duplicate) => {
            tracing::info!("a delivery came again");
            taken("duplicate", None)
        }
        Ok(Recorded::Ignored) => ignored("the ticket is not starred"),
        Err(error) => {
            tracing::error!(%error, "a delivery could not be kept");
            let wanted = "the delivery cannot be kept right now; send it again";
            let Answered { mut response, .. } = refused(StatusCode::SERVICE_UNAVAILABLE, wanted);
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("5"));
            Answered { result: "not_kept", response }
        }
    }
}

/// What the sender is told of a delivery that was taken.
#[derive(Serialize)]
struct Taken<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

fn taken(status: &'static str, reason: Option<&str>) -> Answered {
    Answered { result: status, response: axum::Json(Taken { status, reason }).into_response() }
}

fn ignored(reason: &str) -> Answered {
    taken("ignored", Some(reason))
}

fn refused(status: StatusCode, error: &str) -> Answered {
    Answered { result: "refused", response: (status, axum::Json(json!({ "error": error }))).into_response() }
}
