//! Sign-in with OpenID Connect: authorization code with PKCE, the id token checked against the provider's keys.
//!
//! Follows OpenID Connect Core 1.0, section 3.1, and RFC 7636. Discovery and keys are read anew for each sign-in: they
//! are few, and a key that was turned over is known at once.

use std::time::Duration;

use axum::extract::{Query, State};
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

use super::Shared;
use super::page::{Problem, same};
use super::session::{Role, cookie, random};
use super::sign_in::{Admission, note, refused, signed_in};
use crate::store::operators::Did;

/// The cookie that binds a way to the provider and back to one browser.
const FLOW: &str = "starwarden_flow";

/// How long somebody may take at the provider.
const PATIENCE: TimeDelta = TimeDelta::minutes(10);

/// A provider that people sign in with.
pub struct Oidc {
    /// Its address: `https://gitlab.com`.
    pub issuer: String,
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
}

/// What the provider says of itself.
#[derive(Deserialize)]
struct Provider {
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
    let Some(oidc) = provider(&room) else { return Ok(Redirect::to("/sign-in").into_response()) };
    let provider = match oidc.discover().await {
        Ok(provider) => provider,
        Err(error) => {
            tracing::error!(%error, "the sign-in provider cannot be used");
            return refused(&room, "The sign-in provider cannot be reached. Try again in a moment.", &start.to);
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
    let sessions = &room.console.sessions;
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
    headers: axum::http::HeaderMap,
    Query(back): Query<Back>,
) -> Result<Response, Problem> {
    let Some(oidc) = provider(&room) else { return Ok(Redirect::to("/sign-in").into_response()) };
    let flow = cookie(&headers, FLOW).and_then(|signed| room.console.sessions.read::<Flow>(signed));
    let Some(flow) = flow.filter(|flow| same(&flow.state, &back.state)) else {
        return refused(&room, "This sign-in took too long or was begun elsewhere. Try again.", "");
    };
    let claims = match oidc.claims(&back.code, &flow).await {
        Ok(claims) => claims,
        Err(error) => {
            tracing::warn!(%error, "a sign-in with the provider failed");
            note(&room, "somebody", Did::SignInRefused).await?;
            return refused(&room, "The provider did not vouch for you. Try again.", &flow.to);
        }
    };
    let name = name(&claims);
    match oidc.role(&claims) {
        Some(role) => {
            note(&room, &name, Did::SignedIn).await?;
            let session = room.console.sessions.begin(&name, role, Utc::now())?;
            Ok(signed_in(&room, &session, &flow.to))
        }
        None => {
            note(&room, &name, Did::SignInRefused).await?;
            refused(&room, "You are signed in at the provider, and nothing here is open to you.", &flow.to)
        }
    }
}

fn provider(room: &Shared) -> Option<&Oidc> {
    match &room.console.admission {
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
    #[error("the id token cannot be taken: {0}")]
    Token(#[from] jsonwebtoken::errors::Error),
    #[error("the id token {0}")]
    Wrong(&'static str),
}

impl Oidc {
    async fn discover(&self) -> Result<Provider, OidcError> {
        let issuer = self.issuer.trim_end_matches('/');
        let url = format!("{issuer}/.well-known/openid-configuration");
        let provider: Provider = http()?.get(url).send().await?.error_for_status()?.json().await?;
        if provider.issuer.trim_end_matches('/') != issuer {
            return Err(OidcError::OtherIssuer(provider.issuer));
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
        Ok(claims)
    }

    fn role(&self, claims: &Json) -> Option<Role> {
        let values: Vec<&str> = match claims.get(&self.claim) {
            Some(Json::Array(values)) => values.iter().filter_map(Json::as_str).collect(),
            Some(Json::String(value)) => vec![value],
            _ => Vec::new(),
        };
        let among = |allowed: &[String]| allowed.iter().any(|it| it == "*" || values.contains(&it.as_str()));
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
