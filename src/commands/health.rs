//! `/readyz`: whether the bot can do its job.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use super::reload::Refused;
use crate::store::Store;
use crate::work::rule::PolicyInForce;
use crate::work::standing::Standing;

/// What the answer is made from.
#[derive(Clone)]
pub(super) struct Health {
    pub store: Arc<dyn Store>,
    pub standing: Standing,
    pub rule: PolicyInForce,
    pub refused: Refused,
}

pub(super) fn router(health: Health) -> Router {
    Router::new().route("/readyz", get(readyz)).with_state(health)
}

#[derive(Serialize)]
struct Answer {
    status: &'static str,
    policy: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<String>,
}

/// Ready where the store can be written and every helpdesk takes us. A refused change of the configuration is told
/// and does not make it unready: the old one does its job.
async fn readyz(State(health): State<Health>) -> Response {
    let standing = health.standing.faults().into_iter();
    let mut faults: Vec<String> = standing.map(|(account, why)| format!("{account}: {why}")).collect();
    if let Err(error) = health.store.ready().await {
        faults.push(error.to_string());
    }
    let (code, status) = match faults.is_empty() {
        true => (StatusCode::OK, "ready"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not ready"),
    };
    let refused = health.refused.why();
    let warning = refused.map(|why| format!("the changed configuration is refused, the old one stays in force: {why}"));
    (code, Json(Answer { status, policy: health.rule.now().hash.clone(), warning, faults })).into_response()
}
