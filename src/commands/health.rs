//! `/readyz` and `/metrics`: whether the bot can do its job, and how it does it.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::reload::Refused;
use crate::console::gate::Gate;
use crate::console::words;
use crate::metrics::{self, Ready};
use crate::store::follow_ups::Destination;
use crate::store::history::Backlog;
use crate::store::{Store, StoreError};
use crate::work::clock::{self, Clocks};
use crate::work::conditions::Conditions;
use crate::work::embedder::Embedders;
use crate::work::rule::PolicyInForce;
use crate::work::standing::Standing;

/// A due ticket that has waited for longer is told of.
const WAITS_TOO_LONG: TimeDelta = TimeDelta::minutes(10);

/// What the answer is made from.
#[derive(Clone)]
pub(super) struct Health {
    pub store: Store,
    pub standing: Standing,
    pub conditions: Conditions,
    pub destinations: Standing,
    pub embedders: Embedders,
    pub rule: PolicyInForce,
    pub refused: Refused,
    /// Who may read more than the one word.
    pub gate: Gate,
    /// How far the helpdesks' clocks are from ours.
    pub clocks: Clocks,
}

/// Why there are no figures.
const NOT_FOR_EVERYBODY: &str = "figures name accounts: send Authorization: Bearer with one of [console.tokens]\n";

pub(super) fn router(health: Health) -> Router {
    Router::new().route("/readyz", get(readyz)).route("/metrics", get(counted)).with_state(health)
}

/// What everybody may know.
#[derive(Serialize)]
struct Word {
    status: &'static str,
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
/// and does not make it unready: the old one does its job. Nor does a pause, or a catch-up that fails: deliveries are taken.
///
/// Everybody gets the one word; what is wrong, and with which account, is for who may use the API.
async fn readyz(State(health): State<Health>, request: Request) -> Response {
    let standing = health.standing.faults().into_iter();
    let mut faults: Vec<String> = standing.map(|(account, why)| format!("{account}: {why}")).collect();
    let doubts = health.clocks.ahead().into_iter();
    faults.extend(doubts.filter_map(|(account, ahead)| Some(format!("{account}: {}", clock::doubt(Some(ahead))?))));
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
    let (parts, _) = request.into_parts();
    if !health.gate.may_read(&parts).await.unwrap_or(false) {
        return (code, Json(Word { status })).into_response();
    }
    let rules = health.rule.rules();
    let refused = health.refused.why();
    let refused = refused.map(|why| format!("the changed configuration is refused, the old one stays in force: {why}"));
    let now = Utc::now();
    let mut warnings: Vec<String> = refused.into_iter().chain(rules.warnings()).collect();
    warnings.extend(health.conditions.warnings(now));
    let reader = health.embedders.now().server.fault();
    warnings.extend(reader.map(|why| format!("{why}; words are read by the built-in vectors")));
    for account in health.standing.names() {
        if let Ok(Backlog { due, oldest_due: Some(since), .. }) = health.store.backlog(&account, now).await
            && now - since > WAITS_TOO_LONG
        {
            let minutes = (now - since).num_minutes();
            warnings.push(format!("{account}: the oldest of {due} due tickets has waited for {minutes} minutes"));
        }
    }
    let warning = Some(warnings.join("; ")).filter(|warning| !warning.is_empty());
    (code, Json(Answer { status, policy: rules.policy.hash.clone(), warning, faults, paused })).into_response()
}

/// Prometheus text; how much waits is counted when it is asked for.
async fn counted(State(health): State<Health>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    match health.gate.may_read(&parts).await {
        Ok(true) => {}
        Ok(false) => return (StatusCode::UNAUTHORIZED, NOT_FOR_EVERYBODY).into_response(),
        Err(error) => return (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
    }
    let headers = parts.headers;
    let now = Utc::now();
    let mut standings = Vec::new();
    let anew = match health.store.to_decide_anew(&health.rule.now().hash).await {
        Ok(anew) => anew,
        Err(error) => return (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
    };
    for account in health.standing.names() {
        match standing(&health, account, now).await {
            Ok(standing) => {
                let anew = anew.get(&standing.account).copied().unwrap_or_default();
                standings.push(metrics::Standing { anew, ..standing });
            }
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
    metrics::clocks(&health.clocks.ahead());
    let text = metrics::text(&standings, &destinations, &health.rule.now().hash, health.refused.why().as_deref());
    let (kind, text) = match Wanted::of(&headers) {
        Wanted::Plain => ("text/plain; version=0.0.4; charset=utf-8", plain(&text)),
        Wanted::OpenMetrics => ("application/openmetrics-text; version=1.0.0; charset=utf-8", text),
    };
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

/// In which of its two formats whoever asks wants the text.
enum Wanted {
    /// Prometheus' own, 0.0.4: what everybody reads.
    Plain,
    /// `OpenMetrics` 1.0, where it is asked for by name and not less than the other.
    OpenMetrics,
}

impl Wanted {
    fn of(headers: &HeaderMap) -> Wanted {
        let asked: Vec<&str> = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
        let weight = |kinds: &[&str]| {
            let weights = asked.iter().flat_map(|line| line.split(',')).filter_map(|range| {
                let mut parts = range.split(';').map(str::trim);
                kinds.contains(&parts.next()?.to_ascii_lowercase().as_str()).then_some(())?;
                Some(parts.find_map(|part| part.strip_prefix("q=")).map_or(1.0, |q| q.parse().unwrap_or(0.0)))
            });
            weights.fold(0.0_f32, f32::max)
        };
        let (open, plain) = (weight(&["application/openmetrics-text"]), weight(&["text/plain", "text/*", "*/*"]));
        if open > 0.0 && open >= plain { Wanted::OpenMetrics } else { Wanted::Plain }
    }
}

/// `OpenMetrics` as Prometheus text 0.0.4: there a counter is described by the name of its samples, and nothing says
/// where the text ends.
fn plain(text: &str) -> String {
    let counters: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter")).collect();
    let mut written = String::with_capacity(text.len());
    for line in text.lines().filter(|line| *line != "# EOF") {
        let described = ["# HELP ", "# TYPE "].into_iter().find_map(|what| Some((what, line.strip_prefix(what)?)));
        match described.and_then(|(what, rest)| Some((what, rest.split_once(' ')?))) {
            Some((what, (name, rest))) if counters.contains(&name) => {
                written.push_str(&format!("{what}{name}_total {rest}\n"));
            }
            _ => written.push_str(&format!("{line}\n")),
        }
    }
    written
}

async fn standing(health: &Health, account: String, now: DateTime<Utc>) -> Result<metrics::Standing, StoreError> {
    let Backlog { due, dead, oldest_due, .. } = health.store.backlog(&account, now).await?;
    let oldest = oldest_due.and_then(|since| (now - since).to_std().ok()).unwrap_or_default();
    let ready = if health.standing.is_well(&account) { Ready::Yes } else { Ready::No };
    let paused = health.store.paused().await?.remove(&account);
    let condition = health.conditions.of(&account);
    let caught_up = if condition.catch_up_fails.is_none() { Ready::Yes } else { Ready::No };
    let held = condition.held_until.and_then(|until| (until - now).to_std().ok());
    let token_days = condition.token_days(now);
    Ok(metrics::Standing { account, due, oldest, anew: 0, dead, ready, paused, caught_up, held, token_days })
}
