//! The console: server-rendered pages and the JSON API, for people who may.
//!
//! Pages show the rows the loop writes and decide nothing anew, but for "Try it", which says so. What the console
//! changes it records as an operator event, which the loop performs; it never calls the helpdesk itself: a preview is made
//! by [`crate::work::preview`].

pub mod account_ids;
mod act;
mod answers;
pub(crate) mod api;
pub mod assets;
pub mod attempts;
mod backtest;
mod binding;
pub mod chart;
mod decisions;
pub(crate) mod derived;
mod diff;
pub mod gate;
mod guard;
mod kept;
mod links;
pub mod oidc;
mod page;
mod preview;
mod promotion;
mod record;
mod report;
mod rows;
mod rule;
pub mod session;
mod shadow;
pub mod sign_in;
mod ticket;
mod tickets;
pub(crate) mod time_line;
mod today;
mod trial;
pub(crate) mod words;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::http::{HeaderMap, Uri, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use chrono::{DateTime, Utc};

use crate::decide::facts::sources::Ids;
use crate::decide::policy::Policy;
use crate::decide::ticket::{OwnUsers, Reading, TicketKey};
use crate::helpdesk::addresses::Addresses;
use crate::store::{Store, StoreError};
use crate::work::embedder::Embedders;
use crate::work::preview::Previews;
use crate::work::rule::PolicyInForce;
use account_ids::AccountIds;
use chart::Chart;
use gate::Gate;

/// What the console needs.
pub struct Console {
    /// Where everything is kept.
    pub store: Store,
    /// The policy in force.
    pub rule: PolicyInForce,
    /// Wakes the loop of an account.
    pub wake: Box<dyn Fn(&str) + Send + Sync>,
    /// Where tickets are at their helpdesks.
    pub addresses: Addresses,
    /// What their forms and fields are, and their hours.
    pub ids: AccountIds,
    /// What a STAR on one of their tickets would get.
    pub previews: Previews,
    /// What reads their words.
    pub embedders: Embedders,
    /// Who may.
    pub gate: Gate,
}

/// The console with what it has laid out already.
struct Room {
    console: Console,
    /// Charts by their policy's hash.
    charts: Mutex<BTreeMap<String, Arc<Chart>>>,
    attempts: attempts::Attempts,
}

type Shared = Arc<Room>;

impl Room {
    /// Reads the words of a ticket that is given, as those of this account are read; one without an account is read here.
    async fn read(
        &self,
        policy: &Policy,
        ids: &Ids,
        account: &str,
        reading: &mut Option<Reading>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let Some(reading) = reading.as_mut().filter(|_| !account.is_empty()) else { return Ok(()) };
        let ticket = TicketKey { account: account.to_owned(), id: reading.ticket.id };
        let embedder = self.console.embedders.now().of(account);
        reading.words = embedder.words(policy, ids, reading, &OwnUsers::none(), &ticket, now).await?.words;
        Ok(())
    }

    /// The policy in force and its chart, laid out once.
    fn chart(&self) -> Result<(Arc<Policy>, Arc<Chart>), page::Problem> {
        let policy = self.console.rule.now();
        let mut charts = self.charts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(chart) = charts.get(&policy.hash) {
            return Ok((policy.clone(), chart.clone()));
        }
        let chart = Arc::new(Chart::of(&policy).map_err(page::Problem::Fault)?);
        charts.clear(); // Only the policy in force is drawn.
        charts.insert(policy.hash.clone(), chart.clone());
        Ok((policy, chart))
    }
}

/// The console's routes.
pub fn router(console: Console) -> Router {
    let room = Arc::new(Room { console, charts: Mutex::default(), attempts: attempts::Attempts::default() });
    let guarded = Router::new()
        .route("/", get(today::page))
        .route("/tickets", get(tickets::page))
        .route("/tickets/{account}/{id}", get(ticket::page))
        .route("/tickets/{account}/{id}/{act}", post(act::act))
        .route("/decisions", get(decisions::page))
        .route("/policy", get(rule::page))
        .route("/preview", get(preview::blank).post(preview::make))
        .route("/policy/words", get(binding::words))
        .route("/try", get(trial::blank).post(trial::decide))
        .route("/shadow", get(shadow::page))
        .route("/backtest", get(backtest::blank).post(backtest::decide))
        .route("/promotion", get(promotion::page))
        .route("/promotion/confirm", post(promotion::confirm))
        .route("/promotion/promote", post(promotion::promote))
        .route("/promotion/back", post(promotion::back))
        .route("/report", get(report::page))
        .route("/report/download", get(report::download))
        .route("/record", get(record::page))
        .route("/sign-out", post(sign_in::sign_out))
        .layer(middleware::from_fn_with_state(room.clone(), guard::admit));
    let open = Router::new()
        .route("/sign-in", get(sign_in::page).post(sign_in::with_password))
        .route("/sign-in/oidc", get(oidc::start))
        .route("/sign-in/callback", get(oidc::back))
        .route("/assets/console.css", get(assets::style))
        .route("/assets/console.js", get(assets::script))
        .route("/favicon.svg", get(assets::icon));
    let all = guarded.merge(open).merge(api::router(&room)).fallback(nowhere);
    all.layer(middleware::from_fn(guard::harden)).with_state(room)
}

/// What is told of an address where nothing is: a page to a browser, JSON to a program.
async fn nowhere(uri: Uri, headers: HeaderMap) -> Response {
    let accepts = headers.get(header::ACCEPT).and_then(|kinds| kinds.to_str().ok()).unwrap_or_default();
    if accepts.contains("text/html") && !uri.path().starts_with("/api/") {
        return page::Problem::Missing("There is no page at this address.".into()).into_response();
    }
    api::nowhere()
}
