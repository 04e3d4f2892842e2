//! The configuration's `[console]`: who may use the console and the API.

use std::collections::BTreeMap;

use argon2::password_hash::phc::PasswordHash;
use schemars::JsonSchema;
use serde::Deserialize;

use super::secret::Secret;
use crate::elsewhere::address::secrets_may_go_to;

/// Who may use the console and the API. With nobody named: whoever is on this machine, where it is listened on
/// loopback alone; else nobody.
#[derive(Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Console {
    /// What sessions are signed with, 32 characters or more. Absent: a key made once and kept in a file beside a SQLite
    /// store; with PostgreSQL, one for as long as the process runs.
    #[schemars(with = "Option<String>")]
    pub session_secret: Option<Secret>,
    /// People by name.
    #[serde(default)]
    pub users: BTreeMap<String, User>,
    /// Programs by name.
    #[serde(default)]
    pub tokens: BTreeMap<String, Token>,
    /// Sign-in with OpenID Connect.
    pub oidc: Option<Oidc>,
}

/// Somebody who signs in with a password.
#[derive(Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// What `starwarden hash-password` prints.
    pub password_hash: String,
    /// What they may.
    pub role: Role,
}

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// See everything.
    Read,
    /// And tell the bot what to do.
    Act,
}

/// A program that uses the API, which changes nothing.
#[derive(Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Sent as `Authorization: Bearer …`.
    #[schemars(with = "String")]
    pub token: Secret,
}

/// Sign-in with OpenID Connect: authorization code with PKCE.
#[derive(Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    /// The provider: `https://gitlab.com`.
    pub issuer: String,
    /// What people call it, on the button: `GitLab`. Absent: its address.
    pub label: Option<String>,
    /// Our id there; the redirect URI to register is `public_url` with `/sign-in/callback` behind it.
    pub client_id: String,
    /// Our secret there.
    #[schemars(with = "String")]
    pub client_secret: Secret,
    /// The claim that says what somebody belongs to. Absent: `groups_direct`, as GitLab names it.
    #[serde(default = "groups")]
    pub claim: String,
    /// Values of the claim that may act.
    #[serde(default)]
    pub act: Vec<String>,
    /// Values of the claim that may read; `*` is everybody who can sign in there.
    #[serde(default)]
    pub read: Vec<String>,
}

fn groups() -> String {
    "groups_direct".into()
}

impl Console {
    /// Adds what serde cannot see.
    pub(super) fn validate(&self, public_url: Option<&str>, faults: &mut Vec<String>) {
        for (name, user) in &self.users {
            let hash = PasswordHash::new(&user.password_hash);
            if !hash.is_ok_and(|hash| hash.algorithm.as_str().starts_with("argon2")) {
                let what = "is no argon2 hash: make one with `starwarden hash-password`";
                faults.push(format!("console.users.{name}.password_hash {what}"));
            }
        }
        if let Some(oidc) = &self.oidc {
            if oidc.act.is_empty() && oidc.read.is_empty() {
                let wanted = "give read or act, values of the claim";
                faults.push(format!("console.oidc lets nobody in: {wanted} {}", oidc.claim));
            }
            if let Err(error) = secrets_may_go_to(&oidc.issuer) {
                faults.push(format!("console.oidc.issuer: {error}"));
            }
            if public_url.is_none() {
                faults.push("console.oidc needs server.public_url: the provider sends people back there".into());
            }
        }
    }
}
