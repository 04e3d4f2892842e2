//! Keeps what pages may take apart from what deliveries and `/healthz` need.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::Peer;
use super::shares::Shares;

/// How many requests for pages are answered at once, and of them for one address.
const AT_ONCE: usize = 64;
const FOR_EACH: usize = 48;

/// The same routes, where only so many requests are in hand at once: more get 503.
pub fn bounded<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    router.layer(middleware::from_fn_with_state(Shares::new(AT_ONCE, FOR_EACH), admit))
}

async fn admit(State(shares): State<Shares>, request: Request, next: Next) -> Response {
    let Some(peer) = request.extensions().get::<Peer>().copied() else { return next.run(request).await };
    let mut share = shares.of(peer.0.ip());
    match share.grow(1) {
        Ok(()) => next.run(request).await,
        Err(_full) => {
            let error = json!({ "error": "too many pages are asked for at once; try again in a second" });
            let mut response = (StatusCode::SERVICE_UNAVAILABLE, axum::Json(error)).into_response();
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            response
        }
    }
}
