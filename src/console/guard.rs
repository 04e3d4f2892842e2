//! Who comes in, and what every answer carries.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use chrono::Utc;

use super::Shared;
use super::page::Problem;
use super::session::Role;
use super::sign_in::Admission;
use crate::decide::policy::drawing::query;
use crate::server::is_this_machine;

/// Nothing from elsewhere, no scripts, no frames.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                      frame-ancestors 'none'; base-uri 'none'";

/// Lets in who may, with their session.
pub(super) async fn admit(State(room): State<Shared>, mut request: Request, next: Next) -> Response {
    let console = &room.console;
    match &console.admission {
        Admission::Closed => Problem::Closed.into_response(),
        Admission::Open => {
            if !of_this_machine(request.headers()) {
                return Problem::OtherName.into_response(); // A name that leads here by DNS alone is somebody else's page.
            }
            let session = console.sessions.of(request.headers());
            let (session, fresh) = match session {
                Some(session) => (session, None),
                None => match console.sessions.begin("operator", Role::Act, Utc::now()) {
                    Ok(session) => {
                        let cookie = console.sessions.cookie(&session);
                        (session, cookie)
                    }
                    Err(error) => return Problem::from(error).into_response(),
                },
            };
            request.extensions_mut().insert(session);
            let mut response = next.run(request).await;
            if let Some(cookie) = fresh {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
        Admission::SignIn(_) => match console.sessions.of(request.headers()) {
            Some(session) => {
                request.extensions_mut().insert(session);
                next.run(request).await
            }
            None => {
                let wanted = request.uri().path_and_query().map_or("/", |wanted| wanted.as_str());
                Redirect::to(&format!("/sign-in?to={}", query(wanted))).into_response()
            }
        },
    }
}

/// Whether the request names this machine itself as its host.
pub(super) fn of_this_machine(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    is_this_machine(name)
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
