//! `serve`: the bot.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::bot::{self, Opened};
use super::{Done, ExitAs, print};
use crate::config::{self, Account, Settings};
use crate::helpdesk::auth::Credentials;
use crate::store::sqlite::Sqlite;

pub(super) fn run(file: &Path) -> Done {
    serve(file).exit_as(1)?;
    Ok(ExitCode::SUCCESS)
}

fn serve(file: &Path) -> anyhow::Result<()> {
    let settings = config::read(file, std::env::vars())?;
    let policy = Arc::new(config::policy::read(&settings.policy.file)?);
    let home = file.parent().unwrap_or(Path::new("."));
    let accounts = settings
        .accounts
        .iter()
        .map(|(name, account)| open(name, account, home))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let store = Arc::new(Sqlite::open(&settings.store.sqlite()?)?);
    log();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the runtime cannot start")?;
    runtime.block_on(async {
        let listener = listen(&settings).await?;
        let address = listener.local_addr().context("the address is not known")?;
        print(&format!("listening on http://{address}\n"));
        let (stop, stopping) = watch::channel(false);
        tokio::spawn(async move {
            signal().await;
            let _all_ended = stop.send(true);
        });
        bot::run(listener, store, policy, accounts, stopping).await
    })
}

async fn listen(settings: &Settings) -> anyhow::Result<TcpListener> {
    let address = settings.server.listen;
    TcpListener::bind(address).await.with_context(|| format!("server.listen: {address} cannot be listened on"))
}

/// Reads an account's secrets.
fn open(name: &str, account: &Account, home: &Path) -> anyhow::Result<Opened> {
    let secrets = account.webhook_secrets.iter().map(|secret| secret.read(home)).collect::<anyhow::Result<Vec<_>>>();
    let auth = &account.auth;
    let credentials = || -> anyhow::Result<Credentials> {
        Ok(match (&auth.client_id, &auth.client_secret, &auth.oauth_token, &auth.email, &auth.api_token) {
            (Some(id), Some(secret), ..) => Credentials::Client { id: id.clone(), secret: secret.read(home)? },
            (_, _, Some(token), ..) => Credentials::Bearer(token.read(home)?),
            (.., Some(email), Some(token)) => Credentials::ApiToken { email: email.clone(), token: token.read(home)? },
            _ => bail!("no credentials are given"),
        })
    };
    if auth.api_token.is_some() {
        eprintln!("accounts.{name}.auth: the helpdesk ends API tokens on 2027-04-30; move to an OAuth client before");
    }
    Ok(Opened {
        name: name.to_owned(),
        base_url: account.base_url.clone(),
        credentials: credentials().with_context(|| format!("accounts.{name}.auth"))?,
        secrets: secrets.with_context(|| format!("accounts.{name}.webhook_secrets"))?,
        account_id: account.account_id,
        replay_window: account.replay_window,
        catch_up_every: account.catch_up_every,
        requests_per_minute: account.requests_per_minute,
        mode: account.mode,
        ids: account.ids(),
    })
}

/// Logs as JSON on standard error; `RUST_LOG` says how much.
fn log() {
    let filter =
        tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "starwarden=info,warn".into());
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();
}

/// Waits for SIGTERM or SIGINT.
pub(super) async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(_) => {
            let _interrupted = tokio::signal::ctrl_c().await;
        }
    }
}
