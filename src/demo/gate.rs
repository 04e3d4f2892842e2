//! What every call to the stand-in helpdesk meets first: credentials, the limit, troubles.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Json;
use axum::body::{self, Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::{Engine, engine::general_purpose::STANDARD};
use hyper::body::Frame;
use serde_json::json;

use super::helpdesk::{Call, StandIn};
use super::limit::Turn;
use super::scopes::{self, Granted};
use super::troubles::Trouble;

/// How long ago the list of comments is to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct AsOf(pub chrono::DateTime<chrono::Utc>);

/// The path of a call as it was asked for.
#[derive(Clone)]
pub(super) struct AsAsked(pub String);

/// Lets in who is known and whose turn it is, makes the troubles that are due, and keeps a list of calls.
pub(super) async fn admit(State(helpdesk): State<StandIn>, request: Request, next: Next) -> Response {
    let (mut call, request) = kept(request).await;
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let turn = helpdesk.turn();
    if let Turn::Refused { retry_after } = turn {
        call.status = 429;
        helpdesk.note_call(call);
        return limited(retry_after);
    }
    let trouble = helpdesk.trouble(&method, &path);
    let mut response = match known(&helpdesk, request.headers()) {
        Some(granted) => match (scopes::refused(&method, &path, &granted), helpdesk.canned(&method, &path)) {
            (Some(refused), _) => refused,
            (None, Some(canned)) => canned,
            (None, None) => troubled(&helpdesk, trouble, request, next).await,
        },
        None => (StatusCode::UNAUTHORIZED, Json(json!({ "error": "Couldn't authenticate you" }))).into_response(),
    };
    call.status = response.status().as_u16();
    helpdesk.note_call(call);
    if let Turn::Counted { total, left, resets } = turn {
        let told = [
            ("x-rate-limit", total.into()),
            ("x-rate-limit-remaining", left.into()),
            ("ratelimit-limit", total.into()),
            ("ratelimit-remaining", left.into()),
            ("ratelimit-reset", resets.into()),
        ];
        response.headers_mut().extend(told.map(|(name, value)| (HeaderName::from_static(name), value)));
    }
    if let Some(Trouble::Slow(wait)) = trouble {
        tokio::time::sleep(wait).await;
    }
    response
}

/// What is kept of a call, and the call.
async fn kept(request: Request) -> (Call, Request) {
    let (head, body) = request.into_parts();
    let body = body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let path =
        head.extensions.get::<AsAsked>().map_or_else(|| head.uri.path().to_owned(), |AsAsked(path)| path.clone());
    let call = Call {
        method: head.method.to_string(),
        path,
        query: head.uri.query().unwrap_or_default().to_owned(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
        status: 0,
    };
    (call, Request::from_parts(head, Body::from(body)))
}

/// The answer to a call that is let in.
async fn troubled(helpdesk: &StandIn, trouble: Option<Trouble>, mut request: Request, next: Next) -> Response {
    match trouble {
        None | Some(Trouble::Slow(_)) => next.run(request).await,
        Some(Trouble::Limited(seconds)) => match helpdesk.refuse(seconds) {
            Turn::Refused { retry_after } => limited(retry_after),
            Turn::Free | Turn::Counted { .. } => next.run(request).await,
        },
        Some(Trouble::ReadStatus(status) | Trouble::WriteStatus(status)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, Json(json!({ "error": "Trouble" }))).into_response()
        }
        Some(Trouble::LostAnswer) => {
            next.run(request).await;
            (StatusCode::BAD_GATEWAY, "the answer is lost").into_response()
        }
        Some(Trouble::Meanwhile) => {
            if let Some(id) = request.uri().path().rsplit('/').next().and_then(|id| id.parse().ok()) {
                helpdesk.change(id, |reading| reading.ticket.tags.push("colleague_was_here".into()));
            }
            next.run(request).await
        }
        Some(Trouble::Broken) => broken(),
        Some(Trouble::BrokenAfter) => {
            next.run(request).await;
            broken()
        }
        Some(Trouble::Late(wait)) => {
            // All of it is here before the connection breaks.
            let (head, sent) = request.into_parts();
            let Ok(sent) = body::to_bytes(sent, usize::MAX).await else { return broken() };
            helpdesk.sets_out();
            let helpdesk = helpdesk.clone();
            tokio::spawn(async move {
                tokio::time::sleep(wait).await;
                next.run(Request::from_parts(head, Body::from(sent))).await;
                helpdesk.arrives();
            });
            broken()
        }
        Some(Trouble::Lagging(behind)) => {
            request.extensions_mut().insert(AsOf(chrono::Utc::now() - behind));
            next.run(request).await
        }
    }
}

fn limited(seconds: u64) -> Response {
    let mut response =
        (StatusCode::TOO_MANY_REQUESTS, Json(json!({ "error": "APIRateLimitExceeded" }))).into_response();
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// What is not there.
pub(super) fn missing() -> Response {
    (StatusCode::NOT_FOUND, Json(json!({ "error": "RecordNotFound", "description": "Not found" }))).into_response()
}

/// An answer during which the connection breaks.
fn broken() -> Response {
    (StatusCode::BAD_GATEWAY, Body::new(Breaks)).into_response()
}

/// The body of an answer that never comes.
struct Breaks;

impl body::HttpBody for Breaks {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(Some(Err(std::io::ErrorKind::BrokenPipe.into())))
    }
}

/// What the caller may do; none where they are not known.
fn known(helpdesk: &StandIn, headers: &HeaderMap) -> Option<Granted> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok())?;
    match given.split_once(' ') {
        Some(("Bearer", token)) => helpdesk.knows_token(token),
        Some(("Basic", text)) => {
            let text = STANDARD.decode(text).ok().and_then(|text| String::from_utf8(text).ok())?;
            text.ends_with("/token:demo").then_some(None)
        }
        _ => None,
    }
}
