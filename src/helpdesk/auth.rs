//! How we are known to the helpdesk, and the token that says so.

use std::time::{Duration, Instant};

use chrono::NaiveDate;
use reqwest::{Client, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::error::{CallError, Forbidden};
use super::refusal::About;

/// What a token may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To read tickets and to write notes and tags: what the bot itself needs.
    Work,
    /// To look at webhooks, triggers, forms and fields besides: what `doctor` needs.
    Look,
    /// To make and mend webhooks and triggers besides: what `setup` needs.
    Setup,
}

/// The scopes that the bot's own calls need, where nothing else is configured.
///
/// `search`, ticket fields, forms and tags stand in no scope of their own: they want the global `read`.
pub const WORK_SCOPES: &str = "read tickets:read tickets:write users:read organizations:read";

impl Purpose {
    /// Its scopes, as a token is asked for with them; `work` are those of the bot itself.
    pub fn scopes(self, work: &str) -> String {
        let besides = match self {
            Purpose::Work => "",
            Purpose::Look => "webhooks:read triggers:read",
            Purpose::Setup => "webhooks:read webhooks:write triggers:read triggers:write",
        };
        let mut scopes: Vec<&str> = Vec::new();
        for scope in work.split_whitespace().chain(besides.split_whitespace()) {
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        scopes.join(" ")
    }
}

/// The day on which API tokens end at every helpdesk.
pub const API_TOKENS_END: NaiveDate = match NaiveDate::from_ymd_opt(2027, 4, 30) {
    Some(day) => day,
    None => NaiveDate::MAX,
};

/// How long a token lives where the helpdesk does not say.
const USUAL_LIFE: u64 = 1800;

/// How we are known to the helpdesk.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// An OAuth client, which is given tokens by the client-credentials grant.
    Client {
        /// Its id.
        id: String,
        /// Its secret.
        secret: SecretString,
        /// The scopes of the bot itself.
        scopes: String,
    },
    /// A ready bearer token.
    Bearer(SecretString),
    /// An agent's address with an API token.
    ApiToken {
        /// The address.
        email: String,
        /// The token.
        token: SecretString,
    },
}

/// Keeps the token that goes with every call.
pub(super) struct Keeper {
    credentials: Credentials,
    purpose: Purpose,
    grants: String,
    /// The newest token; the lock is held while one is asked for, so that all who wait share it.
    token: Mutex<Option<Token>>,
}

#[derive(Clone)]
struct Token {
    text: SecretString,
    given: Instant,
    life: Duration,
}

impl Keeper {
    pub(super) fn new(base_url: &str, credentials: Credentials, purpose: Purpose) -> Keeper {
        Keeper { credentials, purpose, grants: format!("{base_url}/oauth/tokens"), token: Mutex::new(None) }
    }

    /// Puts the credentials on a call. `refused` is the token a 401 came back for: then another is asked for, once.
    pub(super) async fn sign(
        &self,
        http: &Client,
        call: RequestBuilder,
        refused: Option<&str>,
    ) -> Result<(RequestBuilder, String), CallError> {
        match &self.credentials {
            Credentials::Bearer(token) => Ok((call.bearer_auth(token.expose_secret()), String::new())),
            Credentials::ApiToken { email, token } => {
                Ok((call.basic_auth(format!("{email}/token"), Some(token.expose_secret())), String::new()))
            }
            Credentials::Client { id, secret, scopes } => {
                let scopes = self.purpose.scopes(scopes);
                let token = self.current(http, id, secret, &scopes, refused).await?;
                Ok((call.bearer_auth(token.expose_secret()), token.expose_secret().to_owned()))
            }
        }
    }

    /// Whether a refused call may be made again with a new token.
    pub(super) fn renews(&self) -> bool {
        match self.credentials {
            Credentials::Client { .. } => true,
            Credentials::Bearer(_) | Credentials::ApiToken { .. } => false,
        }
    }

    async fn current(
        &self,
        http: &Client,
        id: &str,
        secret: &SecretString,
        scopes: &str,
        refused: Option<&str>,
    ) -> Result<SecretString, CallError> {
        let mut kept = self.token.lock().await;
        if let Some(token) = kept.as_ref() {
            // Renewed ahead of its end, so that no call is on its way when it ends.
            let early = Duration::from_secs(60).min(token.life / 10);
            let fresh = token.given.elapsed() + early < token.life;
            if fresh && refused != Some(token.text.expose_secret()) {
                return Ok(token.text.clone());
            }
        }
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", id),
            ("client_secret", secret.expose_secret()),
            ("scope", scopes),
        ];
        let answer =
            http.post(&self.grants).form(&form).send().await.map_err(|error| CallError::unreachable(&error))?;
        let answer = CallError::of(answer, About::Ourselves).await.map_err(|error| match error {
            // Every helpdesk gives tokens here; who finds nothing is at another address.
            CallError::Gone => CallError::NoHelpdesk,
            CallError::Rejected { status, why } => {
                CallError::Unauthorized(format!("the OAuth client was refused with status {status}, {why}"))
            }
            CallError::Unauthorized(why) => CallError::Unauthorized(format!("the OAuth client was refused with {why}")),
            CallError::Forbidden(why @ (Forbidden::Scopes(_) | Forbidden::Role | Forbidden::Unsaid(_))) => {
                CallError::Unauthorized(format!("the OAuth client was refused: {why}"))
            }
            other @ (CallError::Unreachable(_)
            | CallError::Conflict
            | CallError::Closed
            | CallError::NoHelpdesk
            | CallError::Moved { .. }
            | CallError::Limited { .. }
            | CallError::Failed { .. }
            | CallError::NoTurn(_)
            | CallError::TooLarge { .. }
            | CallError::Unreadable(_)) => other,
        })?;
        let granted: Granted =
            answer.json().await.map_err(|_| CallError::Unreadable("the answer to the token request".into()))?;
        let life = Duration::from_secs(granted.expires_in.unwrap_or(USUAL_LIFE));
        *kept = Some(Token { text: granted.access_token.clone(), given: Instant::now(), life });
        Ok(granted.access_token)
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: SecretString,
    #[serde(default)]
    expires_in: Option<u64>,
}
