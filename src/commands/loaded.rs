//! What may change while the bot runs: the policy, and the accounts with their secrets read.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use rustls::ServerConfig;
use secrecy::SecretString;

use crate::config::{self, Account, Auth, Mode, Settings};
use crate::facts::lookups::Systems;
use crate::facts::sources::Ids;
use crate::helpdesk::auth::Credentials;
use crate::policy::Policy;
use crate::server::tls;

/// A policy and accounts that were found sound together.
pub(super) struct Loaded {
    pub policy: Arc<Policy>,
    pub accounts: Vec<Opened>,
    /// The server's certificate; none where it has none.
    pub certified: Option<Arc<ServerConfig>>,
}

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
    pub systems: Arc<Systems>,
    pub work: config::Work,
}

impl Loaded {
    /// Reads the policy and every secret that the configuration names.
    ///
    /// # Errors
    /// A fault of the policy, each with its place; a secret that is not there.
    pub(super) fn of(settings: &Settings, home: &Path) -> anyhow::Result<Loaded> {
        let policy = Arc::new(config::policy::read(&settings.policy.file)?);
        let tls = (&settings.server.tls_certificate, &settings.server.tls_key);
        let certified = match tls {
            (Some(certificate), Some(key)) => Some(tls::certified(certificate, key)?),
            _ => None,
        };
        let systems = Arc::new(settings.systems(home)?);
        let open = |(name, account): (&String, &Account)| {
            let ids = Ids { hours: settings.schedules(), ..account.ids() };
            let opened = Opened::of(name, account, ids, systems.clone(), home)?;
            Ok(Opened { work: settings.work, ..opened })
        };
        let accounts = settings.accounts.iter().map(open);
        Ok(Loaded { policy, accounts: accounts.collect::<anyhow::Result<Vec<_>>>()?, certified })
    }
}

impl Opened {
    fn of(name: &str, account: &Account, ids: Ids, systems: Arc<Systems>, home: &Path) -> anyhow::Result<Opened> {
        let secrets =
            account.webhook_secrets.iter().map(|secret| secret.read(home)).collect::<anyhow::Result<Vec<_>>>();
        if account.auth.api_token.is_some() {
            tracing::warn!(
                account = name,
                "the helpdesk ends API tokens on 2027-04-30; move to an OAuth client before"
            );
        }
        Ok(Opened {
            name: name.to_owned(),
            base_url: account.base_url.clone(),
            credentials: credentials(&account.auth, home).with_context(|| format!("accounts.{name}.auth"))?,
            secrets: secrets.with_context(|| format!("accounts.{name}.webhook_secrets"))?,
            account_id: account.account_id,
            replay_window: account.replay_window,
            catch_up_every: account.catch_up_every,
            requests_per_minute: account.requests_per_minute,
            mode: account.mode,
            ids,
            systems,
            work: config::Work::default(),
        })
    }
}

/// Reads how we are known to the helpdesk.
///
/// # Errors
/// A secret that is not there.
pub(super) fn credentials(auth: &Auth, home: &Path) -> anyhow::Result<Credentials> {
    Ok(match (&auth.client_id, &auth.client_secret, &auth.oauth_token, &auth.email, &auth.api_token) {
        (Some(id), Some(secret), ..) => Credentials::Client { id: id.clone(), secret: secret.read(home)? },
        (_, _, Some(token), ..) => Credentials::Bearer(token.read(home)?),
        (.., Some(email), Some(token)) => Credentials::ApiToken { email: email.clone(), token: token.read(home)? },
        _ => bail!("no credentials are given"),
    })
}
