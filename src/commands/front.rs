//! What people reach: who may come in, and by which address.

use std::path::Path;

use anyhow::{Context, bail};
use secrecy::ExposeSecret;

use crate::config::{self, Settings};
use crate::console::oidc::Oidc;
use crate::console::session::{Role, Secure, Sessions, random};
use crate::console::sign_in::{Admission, SignIn, User};
use crate::store::Store;

/// Who may come in to the console and the API, and by which address.
pub(super) struct Front {
    pub admission: Admission,
    pub sessions: Sessions,
    /// Our own address as people reach it.
    pub public_url: Option<String>,
}

impl Front {
    /// For whoever is on this machine.
    pub(super) fn of_this_machine(key: &str) -> Front {
        Front {
            admission: Admission::Open,
            sessions: Sessions::new(key.as_bytes(), Secure::PlainHttp),
            public_url: None,
        }
    }

    /// As configured.
    ///
    /// # Errors
    /// A secret that is not there or too short, a store that cannot be used.
    pub(super) async fn of(settings: &Settings, home: &Path, store: &dyn Store) -> anyhow::Result<Front> {
        let key = match &settings.console.session_secret {
            Some(secret) => {
                let secret = secret.read(home).context("console.session_secret")?;
                if secret.expose_secret().len() < 32 {
                    bail!("console.session_secret has fewer than 32 characters; `openssl rand -base64 32` makes one");
                }
                secret.expose_secret().as_bytes().to_vec()
            }
            None => store.own_key("sessions", random().as_bytes()).await?,
        };
        let public_url = settings.server.public_url.clone();
        let https = public_url.as_deref().is_some_and(|url| url.starts_with("https://"));
        let secure = if https { Secure::HttpsOnly } else { Secure::PlainHttp };
        Ok(Front { admission: admission(settings, home)?, sessions: Sessions::new(&key, secure), public_url })
    }
}

fn admission(settings: &Settings, home: &Path) -> anyhow::Result<Admission> {
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
            client_id: oidc.client_id.clone(),
            client_secret: oidc.client_secret.read(home).context("console.oidc.client_secret")?,
            redirect_uri: format!("{}/sign-in/callback", public_url.trim_end_matches('/')),
            claim: oidc.claim.clone(),
            act: oidc.act.clone(),
            read: oidc.read.clone(),
        }),
        _ => None,
    };
    let sign_in = SignIn { users: users.collect(), programs: programs.collect::<anyhow::Result<_>>()?, oidc };
    if !sign_in.users.is_empty() || sign_in.oidc.is_some() || !sign_in.programs.is_empty() {
        return Ok(Admission::SignIn(Box::new(sign_in)));
    }
    // An address people reach from elsewhere means a proxy stands before the loopback address.
    if settings.server.listen.ip().is_loopback() && settings.server.public_url.is_none() {
        return Ok(Admission::Open);
    }
    tracing::warn!(
        "the console is closed: it could be reached from elsewhere, and [console] names neither users nor oidc"
    );
    Ok(Admission::Closed)
}
