//! What may change while the bot runs: the policy, and the accounts with their secrets read.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use chrono::Utc;
use rustls::ServerConfig;
use secrecy::SecretString;

use super::front;
use crate::config::{self, Account, Auth, Mode, Settings};
use crate::console::sign_in::Admission;
use crate::decide::facts::sources::Ids;
use crate::decide::policy::Policy;
use crate::elsewhere::lookups::Systems;
use crate::helpdesk::auth::{API_TOKENS_END, Credentials, WORK_SCOPES};
use crate::server::tls;
use crate::store::Store;
use crate::work::conditions;
use crate::work::embedder::{Embedder, Reads};
use crate::work::follow_ups::To;
use crate::work::rule::{Approval, Rules, Source};

/// A policy and accounts that were found sound together.
pub(super) struct Loaded {
    pub rules: Rules,
    pub accounts: Vec<Opened>,
    /// Where follow-ups go, as far as that is configured.
    pub to: Vec<To>,
    /// What reads each account's words.
    pub reads: Reads,
    /// How follow-ups are worked.
    pub work: config::Work,
    /// Whom the console lets in.
    pub admission: Admission,
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
    /// Reads the policies and every secret that the configuration names.
    ///
    /// # Errors
    /// See [`rules`]; a secret that is not there.
    pub(super) async fn of(settings: &Settings, home: &Path, store: &Store) -> anyhow::Result<Loaded> {
        let rules = rules(settings, store).await?;
        let tls = (&settings.server.tls_certificate, &settings.server.tls_key);
        let certified = match tls {
            (Some(certificate), Some(key)) => Some(tls::certified(certificate, key)?),
            _ => None,
        };
        let systems = Arc::new(settings.systems(home)?);
        let server = settings.reader.open(home)?.map(|server| Embedder::new(server, store.clone()));
        let at_home = settings.accounts.iter().filter(|(_, account)| account.reader.is_some());
        let built_in = at_home.map(|(name, _)| name.clone()).collect();
        let reads = Reads { server: server.unwrap_or_default(), built_in };
        let open = |(name, account): (&String, &Account)| {
            let ids = Ids { hours: settings.schedules(), ..account.ids() };
            let opened = Opened::of(name, account, ids, systems.clone(), home)?;
            Ok(Opened { work: settings.work, ..opened })
        };
        let accounts = settings.accounts.iter().map(open);
        let accounts = accounts.collect::<anyhow::Result<Vec<_>>>()?;
        let (to, admission) = (destinations(settings, home)?, front::admission(settings, home)?);
        Ok(Loaded { rules, accounts, to, reads, work: settings.work, admission, certified })
    }
}

/// Where follow-ups go, their secrets read.
fn destinations(settings: &Settings, home: &Path) -> anyhow::Result<Vec<To>> {
    let (mut to, patience) = (Vec::new(), settings.work.answer_within);
    if let Some(there) = &settings.star_issues {
        to.push(To::StarIssues { gitlab: there.open(home, patience)?, label: there.label.clone() });
    }
    if let Some(chat) = &settings.chat {
        to.push(To::Chat(chat.open(home, patience)?));
    }
    Ok(to)
}

impl Opened {
    fn of(name: &str, account: &Account, ids: Ids, systems: Arc<Systems>, home: &Path) -> anyhow::Result<Opened> {
        let secrets =
            account.webhook_secrets.iter().map(|secret| secret.read(home)).collect::<anyhow::Result<Vec<_>>>();
        if account.auth.api_token.is_some() {
            tracing::warn!(account = name, "{}", conditions::token_ends(API_TOKENS_END, Utc::now()));
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

/// The policies as they stand: what was promoted last decides, and before anything was, the file.
///
/// # Errors
/// A file at fault that would have to decide, each fault with its place; a promoted policy that this version cannot read;
/// a store that cannot be used.
pub(super) async fn rules(settings: &Settings, store: &Store) -> anyhow::Result<Rules> {
    let file = source(&settings.policy.file);
    let candidate = settings.policy.candidate.as_deref().map(source);
    let approval = if settings.policy.second_person { Approval::TwoPeople } else { Approval::OnePerson };
    let promotion = store.promotions().await?.into_iter().next();
    let Some(promotion) = promotion else {
        let policy = file.read.clone().map_err(anyhow::Error::msg)?;
        return Ok(Rules { policy, promotion: None, file, candidate, approval });
    };
    let policy = if let Some(read) = [Some(&file), candidate.as_ref()]
        .into_iter()
        .flatten()
        .find_map(|source| source.read.as_ref().ok().filter(|read| read.hash == promotion.policy))
    {
        read.clone()
    } else {
        Arc::new(kept(&promotion.policy, store).await?)
    };
    Ok(Rules { policy, promotion: Some(promotion.number), file, candidate, approval })
}

/// A policy as the store keeps it.
///
/// # Errors
/// One that is not there, or that this version cannot read.
async fn kept(hash: &str, store: &Store) -> anyhow::Result<Policy> {
    let version = store.policy(hash).await?.with_context(|| format!("the store has no text of the policy {hash}"))?;
    Policy::parse(&version.binding, &version.diagram).map_err(|faults| {
        let why: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
        anyhow::anyhow!(
            "the promoted policy {hash} cannot be read by this version: {}; promote another with `policy promote`",
            why.join("; ")
        )
    })
}

fn source(file: &Path) -> Source {
    let read = config::policy::read(file).map(Arc::new).map_err(|error| format!("{error:#}"));
    Source { name: file.display().to_string(), read }
}

/// Reads how we are known to the helpdesk.
///
/// # Errors
/// A secret that is not there.
pub(super) fn credentials(auth: &Auth, home: &Path) -> anyhow::Result<Credentials> {
    Ok(match (&auth.client_id, &auth.client_secret, &auth.oauth_token, &auth.email, &auth.api_token) {
        (Some(id), Some(secret), ..) => Credentials::Client {
            id: id.clone(),
            secret: secret.read(home)?,
            scopes: auth.scopes.clone().unwrap_or_else(|| WORK_SCOPES.to_owned()),
        },
        (_, _, Some(token), ..) => Credentials::Bearer(token.read(home)?),
        (.., Some(email), Some(token)) => Credentials::ApiToken { email: email.clone(), token: token.read(home)? },
        _ => bail!("no credentials are given"),
    })
}
