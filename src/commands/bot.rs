//! The whole bot: receiver and loops over one store, until it is told to stop.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use secrecy::SecretString;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};

use crate::config::Mode;
use crate::facts::sources::Ids;
use crate::helpdesk::auth::Credentials;
use crate::helpdesk::client::Helpdesk;
use crate::policy::Policy;
use crate::receive::{self, Door, Receiver};
use crate::store::Store;
use crate::work::pace::Pace;
use crate::work::standing::Standing;
use crate::work::{self, Account, Shared, star_tags};

/// How long a ticket waits for the rest of a burst; also how old a stamp must be before it can guard a write.
const SETTLE_DELAY: Duration = Duration::from_secs(2);

/// How long a stop may take.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// One account, with its secrets read.
pub(super) struct Opened {
    pub name: String,
    pub base_url: String,
    pub credentials: Credentials,
    pub secrets: Vec<SecretString>,
    pub account_id: Option<u64>,
    pub replay_window: Duration,
    pub catch_up_every: Option<Duration>,
    pub requests_per_minute: u32,
    pub mode: Mode,
    pub ids: Ids,
}

/// Runs until `stop` says so, and ends what is in hand.
pub(super) async fn run(
    listener: TcpListener,
    store: Arc<dyn Store>,
    policy: Arc<Policy>,
    accounts: Vec<Opened>,
    mut stop: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let standing = Standing::expecting(accounts.iter().map(|account| &account.name));
    let shared = Arc::new(Shared { store: store.clone(), policy: policy.clone(), standing: standing.clone() });
    let mut doors = BTreeMap::new();
    let mut loops = tokio::task::JoinSet::new();
    for opened in accounts {
        let (bot, wake) = (Arc::new(OnceLock::new()), Arc::new(Notify::new()));
        let helpdesk =
            Helpdesk::new(&opened.base_url, opened.credentials).with_context(|| format!("accounts.{}", opened.name))?;
        let door = Door {
            secrets: opened.secrets,
            account_id: opened.account_id,
            replay_window: opened.replay_window,
            star_tags: star_tags(&policy),
            bot: bot.clone(),
            wake: wake.clone(),
        };
        doors.insert(opened.name.clone(), door);
        let account = Account {
            name: opened.name,
            helpdesk,
            ids: opened.ids,
            mode: opened.mode,
            bot,
            catch_up_every: opened.catch_up_every,
            pace: Pace::new(opened.requests_per_minute),
            wake,
        };
        loops.spawn(work::run(shared.clone(), Arc::new(account), stop.clone()));
    }
    let receiver = Receiver { doors, store: store.clone(), settle_delay: SETTLE_DELAY };
    let readiness = Router::new().route("/readyz", get(readyz)).with_state((store, standing));
    let stopping = async move { while !*stop.borrow() && stop.changed().await.is_ok() {} };
    axum::serve(listener, receive::router(receiver).merge(readiness))
        .with_graceful_shutdown(stopping)
        .await
        .context("the receiver ended")?;
    let ended = tokio::time::timeout(LAST_WORDS, async { while loops.join_next().await.is_some() {} }).await;
    if ended.is_err() {
        tracing::warn!("some tickets were still in hand; they are due again when their leases end");
    }
    Ok(())
}

/// Able to do the job: the store can be written, and every helpdesk takes us.
async fn readyz(State((store, standing)): State<(Arc<dyn Store>, Standing)>) -> Response {
    let mut faults: Vec<String> =
        standing.faults().into_iter().map(|(account, why)| format!("{account}: {why}")).collect();
    if let Err(error) = store.ready().await {
        faults.push(error.to_string());
    }
    match faults.is_empty() {
        true => axum::Json(json!({ "status": "ready" })).into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, axum::Json(json!({ "status": "not ready", "faults": faults })))
            .into_response(),
    }
}
