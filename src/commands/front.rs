//! What people reach: who may come in, and by which address.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use reqwest::Url;
use secrecy::ExposeSecret;

use crate::config::{self, Settings, StoreAt};
use crate::console::oidc::{Known, Oidc};
use crate::console::session::{NoRandomness, Role, Secure, Sessions, random};
use crate::console::sign_in::{Admission, SignIn, User};
use crate::elsewhere::address::is_this_machine;
use crate::store::sqlite::beside;

/// The shortest key that sessions may be signed with, bytes.
const SHORTEST: usize = 32;

/// What people's sessions are signed with, and by which address they come.
pub(super) struct Front {
    pub sessions: Sessions,
    /// Our own address as people reach it.
    pub public_url: Option<String>,
}

impl Front {
    /// For whoever is on this machine.
    ///
    /// # Errors
    /// A machine that gives no randomness.
    pub(super) fn of_this_machine() -> Result<Front, NoRandomness> {
        let sessions = Sessions::new(random()?.as_bytes(), Secure::PlainHttp);
        Ok(Front { sessions, public_url: None })
    }

    /// As configured.
    ///
    /// # Errors
    /// A secret that is not there or too short, a store that cannot be used, a machine that gives no randomness.
    pub(super) fn of(settings: &Settings, home: &Path) -> anyhow::Result<Front> {
        let key = match &settings.console.session_secret {
            Some(secret) => {
                let secret = secret.read(home).context("console.session_secret")?;
                if secret.expose_secret().len() < SHORTEST {
                    bail!(
                        "console.session_secret has fewer than {SHORTEST} characters; `openssl rand -base64 32` makes one"
                    );
                }
                secret.expose_secret().as_bytes().to_vec()
            }
            None => own_key(settings)?,
        };
        let public_url = settings.server.public_url.clone();
        let https = public_url.as_deref().is_some_and(|url| url.starts_with("https://"));
        let secure = if https { Secure::HttpsOnly } else { Secure::PlainHttp };
        Ok(Front { sessions: Sessions::new(&key, secure), public_url })
    }
}

/// The key that is made once and kept beside a SQLite store, for its owner alone: never in it, for copies are made of that.
/// A process with a PostgreSQL store has one for as long as it runs.
fn own_key(settings: &Settings) -> anyhow::Result<Vec<u8>> {
    let StoreAt::Sqlite(store) = settings.store.at()? else {
        if LetsIn::of(settings) == LetsIn::People {
            tracing::warn!(
                "a session ends with this process and no other replica knows it: set console.session_secret; `openssl rand -base64 32` makes one"
            );
        }
        return Ok(random()?.into_bytes());
    };
    let file = beside(&store, "-session-key");
    let named = || format!("{}, which signs sessions", file.display());
    if !file.exists() {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut fresh = tempfile::NamedTempFile::new_in(folder).with_context(named)?; // For its owner alone.
        fresh.write_all(random()?.as_bytes()).and_then(|()| fresh.as_file().sync_all()).with_context(named)?;
        let _made_by_another_just_now = fresh.persist_noclobber(&file);
    }
    let key = std::fs::read(&file).with_context(named)?;
    ensure!(
        key.trim_ascii().len() >= SHORTEST,
        "{}, is too short, so sessions could be forged: remove it, and another is made, or set console.session_secret",
        named()
    );
    Ok(key.trim_ascii().to_vec())
}

/// Whom the console lets in, by the configuration alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LetsIn {
    /// People who sign in, by a password or with a provider.
    People,
    /// Programs with a token alone.
    Programs,
    /// Anybody on this machine, for it is reached from nowhere else.
    ThisMachine,
    /// Nobody.
    Nobody,
}

impl LetsIn {
    pub(super) fn of(settings: &Settings) -> LetsIn {
        let console = &settings.console;
        // A name or another address means that people come from elsewhere, through a proxy that stands here.
        let named_here = |url: &String| url.parse::<Url>().is_ok_and(|url| url.host_str().is_some_and(is_this_machine));
        let is_here =
            settings.server.listen.ip().is_loopback() && settings.server.public_url.as_ref().is_none_or(named_here);
        match () {
            () if !console.users.is_empty() || console.oidc.is_some() => LetsIn::People,
            () if !console.tokens.is_empty() => LetsIn::Programs,
            () if is_here => LetsIn::ThisMachine,
            () => LetsIn::Nobody,
        }
    }
}

/// Whom the console lets in.
///
/// # Errors
/// A secret that is not there.
pub(super) fn admission(settings: &Settings, home: &Path) -> anyhow::Result<Admission> {
    match LetsIn::of(settings) {
        LetsIn::People | LetsIn::Programs => Ok(Admission::SignIn(Box::new(sign_in(settings, home)?))),
        LetsIn::ThisMachine => Ok(Admission::Open),
        LetsIn::Nobody => {
            tracing::warn!(
                "the console is closed: it could be reached from elsewhere, and [console] names neither users nor oidc"
            );
            Ok(Admission::Closed)
        }
    }
}

fn sign_in(settings: &Settings, home: &Path) -> anyhow::Result<SignIn> {
    let console = &settings.console;
    let users = console.users.iter();
    let users = users.map(|(name, user)| {
        let role = match user.role {
            config::console::Role::Read => Role::Read,
            config::console::Role::Act => Role::Act,
        };
        (name.clone(), User { hash: user.password_hash.clone(), role })
    });
    let programs = console.tokens.iter().map(|(name, program)| {
        let token = program.token.read(home).with_context(|| format!("console.tokens.{name}.token"))?;
        Ok((name.clone(), token))
    });
    let oidc = match (&console.oidc, &settings.server.public_url) {
        (Some(oidc), Some(public_url)) => Some(Oidc {
            issuer: oidc.issuer.clone(),
            label: oidc.label.clone(),
            client_id: oidc.client_id.clone(),
            client_secret: oidc.client_secret.read(home).context("console.oidc.client_secret")?,
            redirect_uri: format!("{}/sign-in/callback", public_url.trim_end_matches('/')),
            claim: oidc.claim.clone(),
            act: oidc.act.clone(),
            read: oidc.read.clone(),
            known: Known::default(),
        }),
        _ => None,
    };
    Ok(SignIn { users: users.collect(), programs: programs.collect::<anyhow::Result<_>>()?, oidc })
}
