//! How many requests one address may make.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use governor::clock::DefaultClock;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use serde_json::json;

use super::Peer;
use super::shares::network;

/// How many addresses are remembered before those that have been quiet are forgotten.
const REMEMBERED: usize = 10_000;

/// So many requests a second for one address, and as many at once as ten seconds' worth.
#[derive(Clone)]
pub struct Rate(Arc<RateLimiter<IpAddr, HashMapStateStore<IpAddr>, DefaultClock>>);

impl Rate {
    /// So many a second.
    pub fn new(per_second: NonZeroU32) -> Rate {
        let burst = per_second.saturating_mul(NonZeroU32::MIN.saturating_add(9));
        Rate(Arc::new(RateLimiter::hashmap(Quota::per_second(per_second).allow_burst(burst))))
    }

    /// The same routes, where an address that asks too much is answered 429.
    pub(super) fn over(self, router: Router) -> Router {
        router.layer(middleware::from_fn_with_state(self, admit))
    }
}

async fn admit(State(Rate(rate)): State<Rate>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().map(|peer| network(peer.0.ip()));
    if rate.len() > REMEMBERED {
        rate.retain_recent();
    }
    if peer.is_none_or(|peer| rate.check_key(&peer).is_ok()) {
        return next.run(request).await;
    }
    let error = json!({ "error": "too many requests from one address; try again in a second" });
    let mut response = (StatusCode::TOO_MANY_REQUESTS, axum::Json(error)).into_response();
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}
