//! `/readyz` and `/metrics`: whether the bot can do its job, and how it does it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::reload::Refused;
use crate::console::words;
use crate::metrics::{self, Ready};
use crate::store::follow_ups::Destination;
use crate::store::history::Backlog;
use crate::store::{Store, StoreError};
use crate::work::rule::PolicyInForce;
use crate::work::standing::Standing;

/// What the answer is made from.
#[derive(Clone)]
pub(super) struct Health {
    pub store: Arc<dyn Store>,
    pub standing: Standing,
    pub destinations: Standing,
    pub rule: PolicyInForce,
    pub refused: Refused,
}

pub(super) fn router(health: Health) -> Router {
    Router::new().route("/readyz", get(readyz)).route("/metrics", get(counted)).with_state(health)
}

#[derive(Serialize)]
struct Answer {
    status: &'static str,
    policy: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    paused: Vec<String>,
}

/// Ready where the store can be written and every helpdesk takes us. A refused change of the configuration is told
/// and does not make it unready: the old one does its job. Nor does a pause: deliveries are taken.
async fn readyz(State(health): State<Health>) -> Response {
    let standing = health.standing.faults().into_iter();
    let mut faults: Vec<String> = standing.map(|(account, why)| format!("{account}: {why}")).collect();
    if let Err(error) = health.store.ready().await {
        faults.push(error.to_string());
    }
    let paused = match health.store.paused().await {
        Ok(paused) => paused.iter().map(|(account, pause)| words::paused(account, pause)).collect(),
        Err(error) => {
            faults.push(error.to_string());
            Vec::new()
        }
    };
    faults.dedup();
    let (code, status) = match faults.is_empty() {
        true => (StatusCode::OK, "ready"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not ready"),
    };
    let rules = health.rule.rules();
    let refused = health.refused.why();
    let refused = refused.map(|why| format!("the changed configuration is refused, the old one stays in force: {why}"));
    let warnings: Vec<String> = refused.into_iter().chain(rules.warnings()).collect();
    let warning = Some(warnings.join("; ")).filter(|warning| !warning.is_empty());
    (code, Json(Answer { status, policy: rules.policy.hash.clone(), warning, faults, paused })).into_response()
}

/// Prometheus text; how much waits is counted when it is asked for.
async fn counted(State(health): State<Health>) -> Response {
    let now = Utc::now();
    let mut standings = Vec::new();
    for account in health.standing.names() {
        match standing(&health, account, now).await {
            Ok(standing) => standings.push(standing),
            Err(error) => return (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
        }
    }
    let mut destinations = Vec::new();
    for destination in Destination::ALL {
        let waiting = match health.store.follow_ups_waiting(destination, now).await {
            Ok(waiting) => waiting,
            Err(error) => return (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
        };
        let name = destination.word();
        let ready = match health.destinations.names().iter().any(|on| on == name) {
            true if health.destinations.is_well(name) => Ready::Yes,
            true => Ready::No,
            false => continue, // It is switched off.
        };
        destinations.push(metrics::FollowUps { destination: name, due: waiting.due, stuck: waiting.stuck, ready });
    }
    let text = metrics::text(&standings, &destinations, &health.rule.now().hash, health.refused.why().as_deref());
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response()
}

async fn standing(health: &Health, account: String, now: DateTime<Utc>) -> Result<metrics::Standing, StoreError> {
    let Backlog { due, dead, oldest_due, .. } = health.store.backlog(&account, now).await?;
    let oldest = oldest_due.and_then(|since| (now - since).to_std().ok()).unwrap_or_default();
    let ready = if health.standing.is_well(&account) { Ready::Yes } else { Ready::No };
    let paused = health.store.paused().await?.remove(&account);
    Ok(metrics::Standing { account, due, oldest, dead, ready, paused })
}
