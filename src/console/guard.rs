//! Who comes in, and what every answer carries.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use chrono::Utc;

use super::Shared;
use super::chart::query;
use super::gate::{Whence, whence};
use super::page::Problem;
use super::session::{By, Role, SOMEBODY};
use super::sign_in::Admission;

/// Nothing from elsewhere, no script but our own file, no frames.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Lets in who may, with their session.
pub(super) async fn admit(State(room): State<Shared>, request: Request, next: Next) -> Response {
    let gate = &room.console.gate;
    let (mut parts, body) = request.into_parts();
    let open = match &*gate.admission() {
        Admission::Closed => return Problem::Closed.into_response(),
        Admission::Open => match whence(&parts) {
            Whence::ThisMachine => true,
            Whence::OtherName => return Problem::OtherName.into_response(), // A name that leads here by DNS alone is somebody else's page.
            Whence::Proxy => return Problem::Proxied.into_response(),
        },
        Admission::SignIn(_) => false,
    };
    let session = match gate.session(&parts.headers).await {
        Ok(session) => session,
        Err(error) => return Problem::from(error).into_response(),
    };
    let (session, fresh) = match session {
        Some(session) => (session, None),
        None if open => match gate.sessions().begin(SOMEBODY, By::ThisMachine, Role::Act, Utc::now()) {
            Ok(session) => {
                let cookie = gate.sessions().cookie(&session);
                (session, cookie)
            }
            Err(error) => return Problem::from(error).into_response(),
        },
        None => {
            let wanted = parts.uri.path_and_query().map_or("/", |wanted| wanted.as_str());
            return Redirect::to(&format!("/sign-in?to={}", query(wanted))).into_response();
        }
    };
    parts.extensions.insert(session);
    let mut response = next.run(Request::from_parts(parts, body)).await;
    if let Some(cookie) = fresh {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Puts on every answer what keeps a browser from being turned against its user.
pub(super) async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
