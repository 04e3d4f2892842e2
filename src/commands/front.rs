//! What people reach: who may come in, and by which address.

use std::path::Path;

use anyhow::{Context, bail};
use secrecy::ExposeSecret;

use crate::config::Settings;
use crate::console::session::{Secure, Sessions, random};
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
        Ok(Front { admission: admission(settings), sessions: Sessions::new(&key, secure), public_url })
    }
}

fn admission(settings: &Settings) -> Admission {
    let users = settings.console.users.iter();
    let users = users.map(|(name, user)| (name.clone(), User { hash: user.password_hash.clone(), role: user.role }));
    let sign_in = SignIn { users: users.collect() };
    if !sign_in.users.is_empty() {
        return Admission::SignIn(sign_in);
    }
    // An address people reach from elsewhere means a proxy stands before the loopback address.
    if settings.server.listen.ip().is_loopback() && settings.server.public_url.is_none() {
        return Admission::Open;
    }
    tracing::warn!(
        "the console is closed: it could be reached from elsewhere, and [console] names neither users nor oidc"
    );
    Admission::Closed
}
