//! Sign-in with OpenID Connect: authorization code with PKCE, the id token checked against the provider's keys.
//!
//! Follows OpenID Connect Core 1.0, section 3.1, and RFC 7636. What the provider says of itself is kept for some minutes,
//! for anybody may begin a sign-in; its keys are read anew for each answer, so that one that was turned over is known.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Extension, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{TimeDelta, Utc};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use super::Shared;
use super::attempts::{TooMany, Turn};
use super::page::{Problem, same};
use super::session::{By, Role, cookie, random};
use super::sign_in::{Admission, address, note, note_refusal, refused, signed_in, too_many};
use crate::elsewhere::address::{AddressFault, secrets_may_go_to};
use crate::server::Peer;
use crate::store::operators::Did;

/// The cookie that binds a way to the provider and back to one browser.
const FLOW: &str = "starwarden_flow";

/// How long somebody may take at the provider.
const PATIENCE: TimeDelta = TimeDelta::minutes(10);

/// A provider that people sign in with.
pub struct Oidc {
    /// Its address: `https://gitlab.com`.
    pub issuer: String,
    /// What people call it, on the button.
    pub label: Option<String>,
    /// Our id there.
    pub client_id: String,
    /// Our secret there.
    pub client_secret: SecretString,
    /// Where it sends people back.
    pub redirect_uri: String,
    /// The claim that says what somebody belongs to.
    pub claim: String,
    /// Values of it that may act.
    pub act: Vec<String>,
    /// Values of it that may read; `*` is everybody.
    pub read: Vec<String>,
    /// What the provider says of itself, once it was asked.
    pub known: Known,
}

/// What a provider says of itself, as it was asked last.
#[derive(Default)]
pub struct Known(Mutex<Option<Said>>);

/// What was said, or why nothing was, and when.
type Said = (Instant, Result<Arc<Provider>, String>);

/// How long what a provider says of itself is good, and how long one that cannot be used is left alone.
const GOOD: Duration = Duration::from_secs(300);
const LEFT_ALONE: Duration = Duration::from_secs(5);

/// What the provider says of itself.
#[derive(Deserialize)]
pub struct Provider {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
}

/// What a browser brings back from the provider.
#[derive(Clone, Serialize, Deserialize)]
struct Flow {
    state: String,
    nonce: String,
    verifier: String,
    to: String,
    exp: i64,
}

#[derive(Deserialize)]
pub(super) struct Start {
    #[serde(default)]
    to: String,
}

/// Sends somebody to the provider.
pub(super) async fn start(State(room): State<Shared>, Query(start): Query<Start>) -> Result<Response, Problem> {
    let admission = room.console.gate.admission();
    let Some(oidc) = provider(&admission) else { return Ok(Redirect::to("/sign-in").into_response()) };
    let provider = match oidc.discover().await {
        Ok(provider) => provider,
        Err(error) => {
            tracing::error!(%error, "the sign-in provider cannot be used");
            return refused(&room, "The sign-in provider cannot be reached. Try again in a moment.", &start.to, "");
        }
    };
    let exp = (Utc::now() + PATIENCE).timestamp();
    let flow = Flow { state: random()?, nonce: random()?, verifier: random()?, to: start.to, exp };
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&flow.verifier));
    let mut url = reqwest::Url::parse(&provider.authorization_endpoint)
        .map_err(|error| Problem::Fault(format!("the provider's authorization_endpoint: {error}")))?;
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &oidc.client_id)
        .append_pair("redirect_uri", &oidc.redirect_uri)
        .append_pair("scope", "openid profile email")
        .append_pair("state", &flow.state)
        .append_pair("nonce", &flow.nonce)
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256");
    let sessions = room.console.gate.sessions();
    let signed = sessions.sign(&flow).and_then(|signed| sessions.header(FLOW, &signed, "/sign-in", PATIENCE));
    let mut response = Redirect::to(url.as_str()).into_response();
    if let Some(cookie) = signed {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

#[derive(Deserialize)]
pub(super) struct Back {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
}

/// Takes somebody back from the provider.
pub(super) async fn back(
    State(room): State<Shared>,
    peer: Option<Extension<Peer>>,
    headers: axum::http::HeaderMap,
    Query(back): Query<Back>,
) -> Result<Response, Problem> {
    let admission = room.console.gate.admission();
    let Admission::SignIn(sign_in) = &*admission else { return Ok(Redirect::to("/sign-in").into_response()) };
    let Some(oidc) = &sign_in.oidc else { return Ok(Redirect::to("/sign-in").into_response()) };
    let flow = cookie(&headers, FLOW).and_then(|signed| room.console.gate.sessions().read::<Flow>(signed));
    let Some(flow) = flow.filter(|flow| same(&flow.state, &back.state)) else {
        return refused(&room, "This sign-in took too long or was begun elsewhere. Try again.", "", "");
    };
    // Each asks the provider: so many and no more for one address.
    let from = address(peer);
    if let Turn::Slowly(lane) = room.attempts.turn(from, &flow.state, Instant::now())
        && lane.turn().await == Err(TooMany)
    {
        return too_many(sign_in, &flow.to, "");
    }
    let claims = match oidc.claims(&back.code, &flow).await {
        Ok(claims) => claims,
        Err(error) => {
            tracing::warn!(%error, "a sign-in with the provider failed");
            note_refusal(&room, "somebody unknown").await?;
            return refused(&room, "The provider did not vouch for you. Try again.", &flow.to, "");
        }
    };
    room.attempts.succeeded(from, &flow.state);
    let (name, values) = (name(&claims), oidc.values(&claims));
    match oidc.role_of(&values) {
        Some(role) => {
            note(&room, &name, Did::SignedIn).await?;
            let session = room.console.gate.sessions().begin(&name, By::Provider { values }, role, Utc::now())?;
            Ok(signed_in(&room, &session, &flow.to))
        }
        None => {
            note_refusal(&room, &name).await?;
            refused(&room, "You are signed in at the provider, and nothing here is open to you.", &flow.to, "")
        }
    }
}

fn provider(admission: &Admission) -> Option<&Oidc> {
    match admission {
        Admission::SignIn(sign_in) => sign_in.oidc.as_ref(),
        Admission::Open | Admission::Closed => None,
    }
}

/// Who somebody is, as people know them.
fn name(claims: &Json) -> String {
    let named = ["preferred_username", "nickname", "email", "sub"].iter();
    let name = named.filter_map(|claim| claims.get(claim)?.as_str()).find(|name| !name.is_empty());
    name.unwrap_or("somebody").chars().take(100).collect()
}

/// Why the provider's word was not taken.
#[derive(Debug, thiserror::Error)]
enum OidcError {
    #[error("the provider cannot be reached: {0}")]
    Unreachable(#[from] reqwest::Error),
    #[error("the provider calls itself {0}, which is not the configured issuer")]
    OtherIssuer(String),
    #[error("the provider names {0} as one of its own: {1}")]
    Endpoint(String, AddressFault),
    #[error("{0} (asked a moment ago)")]
    OfLate(String),
    #[error("the id token cannot be taken: {0}")]
    Token(#[from] jsonwebtoken::errors::Error),
    #[error("the id token {0}")]
    Wrong(&'static str),
}

impl Oidc {
    /// What people call it: its label, else its address.
    pub(super) fn label(&self) -> &str {
        self.label.as_deref().unwrap_or_else(|| self.issuer.trim_start_matches("https://"))
    }

    /// What the provider says of itself, asked once in five minutes, whoever wants it.
    async fn discover(&self) -> Result<Arc<Provider>, OidcError> {
        let mut known = self.known.0.lock().await; // While it is asked the others wait for what it says.
        if let Some((asked, said)) = &*known {
            let lasts = if said.is_ok() { GOOD } else { LEFT_ALONE };
            if asked.elapsed() < lasts {
                return said.clone().map_err(OidcError::OfLate);
            }
        }
        let said = self.ask().await.map(Arc::new);
        let kept = said.as_ref().map(Arc::clone).map_err(ToString::to_string);
        *known = Some((Instant::now(), kept));
        said
    }

    async fn ask(&self) -> Result<Provider, OidcError> {
        let issuer = self.issuer.trim_end_matches('/');
        let url = format!("{issuer}/.well-known/openid-configuration");
        let provider: Provider = http()?.get(url).send().await?.error_for_status()?.json().await?;
        if provider.issuer.trim_end_matches('/') != issuer {
            return Err(OidcError::OtherIssuer(provider.issuer));
        }
        for endpoint in [&provider.authorization_endpoint, &provider.token_endpoint, &provider.jwks_uri] {
            secrets_may_go_to(endpoint).map_err(|error| OidcError::Endpoint(endpoint.clone(), error))?;
        }
        Ok(provider)
    }

    /// What the provider vouches for, for this code and this flow.
    async fn claims(&self, code: &str, flow: &Flow) -> Result<Json, OidcError> {
        #[derive(Deserialize)]
        struct Granted {
            id_token: String,
        }
        let provider = self.discover().await?;
        let grant = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", &flow.verifier),
            ("client_id", &self.client_id),
            ("client_secret", self.client_secret.expose_secret()),
        ];
        let asked = http()?.post(&provider.token_endpoint).form(&grant).send().await?;
        let granted: Granted = asked.error_for_status()?.json().await?;
        let keys: JwkSet = http()?.get(&provider.jwks_uri).send().await?.error_for_status()?.json().await?;
        let header = decode_header(&granted.id_token)?;
        let asymmetric = [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::PS256, Algorithm::ES256];
        if !asymmetric.contains(&header.alg) {
            return Err(OidcError::Wrong("is not signed with a key of the provider's"));
        }
        let key = match &header.kid {
            Some(kid) => keys.find(kid),
            None => keys.keys.first().filter(|_| keys.keys.len() == 1),
        };
        let key = key.ok_or(OidcError::Wrong("names a key the provider does not have"))?;
        let mut validation = Validation::new(header.alg);
        validation.set_audience(&[&self.client_id]);
        validation.set_issuer(&[&provider.issuer]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        let claims = decode::<Json>(&granted.id_token, &DecodingKey::from_jwk(key)?, &validation)?.claims;
        let nonce = claims.get("nonce").and_then(Json::as_str).unwrap_or_default();
        if !same(nonce, &flow.nonce) {
            return Err(OidcError::Wrong("is for another sign-in"));
        }
        // Section 3.1.3.7, 4 and 5: with several audiences it says for whom it was made, and that is us.
        let several = claims.get("aud").and_then(Json::as_array).is_some_and(|audiences| audiences.len() > 1);
        let party = claims.get("azp").map(|party| party.as_str().unwrap_or_default());
        if party.map_or(several, |party| party != self.client_id) {
            return Err(OidcError::Wrong("was made for somebody else"));
        }
        Ok(claims)
    }

    /// What of somebody's claim counts here.
    fn values(&self, claims: &Json) -> Vec<String> {
        let values: Vec<&str> = match claims.get(&self.claim) {
            Some(Json::Array(values)) => values.iter().filter_map(Json::as_str).collect(),
            Some(Json::String(value)) => vec![value],
            _ => Vec::new(),
        };
        let counts = |value: &&str| self.act.iter().chain(&self.read).any(|it| it == value);
        values.into_iter().filter(counts).map(str::to_owned).collect()
    }

    /// What somebody with these values may, by the settings in force.
    pub(super) fn role_of(&self, values: &[String]) -> Option<Role> {
        let among = |allowed: &[String]| allowed.iter().any(|it| it == "*" || values.contains(it));
        match (among(&self.act), among(&self.read)) {
            (true, _) => Some(Role::Act),
            (false, true) => Some(Role::Read),
            (false, false) => None,
        }
    }
}

fn http() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder().timeout(Duration::from_secs(10)).redirect(reqwest::redirect::Policy::none()).build()
}
