//! Sign-in with a name and a password from the configuration.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Instant;

use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher};
use askama::Template;
use axum::extract::{Extension, Form, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::Utc;
use reqwest::Url;
use secrecy::SecretString;
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::Shared;
use super::assets;
use super::attempts::{TooMany, Turn};
use super::oidc::Oidc;
use super::page::{Filled, Problem, html};
use super::session::{By, Role, Session};
use crate::server::Peer;
use crate::store::operators::{Did, OperatorEvent};

/// Who may use the console.
pub enum Admission {
    /// Anybody on this machine: it is listened on loopback alone.
    Open,
    /// Nobody: it can be reached from elsewhere, and no sign-in is configured.
    Closed,
    /// Whoever signs in.
    SignIn(Box<SignIn>),
}

/// How people sign in.
pub struct SignIn {
    /// People by name.
    pub users: BTreeMap<String, User>,
    /// Programs by name, each with the token it sends as `Authorization: Bearer …`; the API they use changes nothing.
    pub programs: BTreeMap<String, SecretString>,
    /// The provider people may sign in with.
    pub oidc: Option<Oidc>,
}

/// Somebody who signs in with a password.
pub struct User {
    /// Their password's argon2 hash, in the PHC string format.
    pub hash: String,
    /// What they may.
    pub role: Role,
}

/// Hashing a password takes a core for a while: one at a time.
static HASHING: Semaphore = Semaphore::const_new(1);

#[derive(Template)]
#[template(path = "sign_in.html", config = "src/console/askama.toml")]
struct Page<'a> {
    style: &'static str,
    told: &'a str,
    issuer: Option<&'a str>,
    passwords: bool,
    to: &'a str,
    /// The name that was typed before.
    name: &'a str,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    to: String,
}

#[derive(Deserialize)]
pub(super) struct Credentials {
    name: String,
    password: String,
    #[serde(default)]
    to: String,
}

pub(super) async fn page(State(room): State<Shared>, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let admission = room.console.gate.admission();
    let Admission::SignIn(sign_in) = &*admission else { return Ok(Redirect::to("/").into_response()) };
    html(&shown(sign_in, "", &asked.to, ""))
}

fn shown<'a>(sign_in: &'a SignIn, told: &'a str, to: &'a str, name: &'a str) -> Page<'a> {
    let issuer = sign_in.oidc.as_ref().map(Oidc::label);
    Page { style: assets::version(), told, issuer, passwords: !sign_in.users.is_empty(), to, name }
}

/// The sign-in page again, with what went wrong.
pub(super) fn refused(room: &Shared, told: &str, to: &str, name: &str) -> Result<Response, Problem> {
    let admission = room.console.gate.admission();
    let Admission::SignIn(sign_in) = &*admission else { return Ok(Redirect::to("/").into_response()) };
    Ok((StatusCode::UNAUTHORIZED, html(&shown(sign_in, told, to, name))?).into_response())
}

pub(super) async fn with_password(
    State(room): State<Shared>,
    peer: Option<Extension<Peer>>,
    Form(given): Form<Credentials>,
) -> Result<Response, Problem> {
    let admission = room.console.gate.admission();
    let Admission::SignIn(sign_in) = &*admission else { return Ok(Redirect::to("/").into_response()) };
    let name: String = given.name.trim().chars().take(100).collect();
    let from = address(peer);
    if let Turn::Slowly(lane) = room.attempts.turn(from, &name, Instant::now())
        && lane.turn().await == Err(TooMany)
    {
        return too_many(sign_in, &given.to, &name);
    }
    let user = sign_in.users.get(&name);
    // Somebody unknown takes as long as somebody known.
    let hash = user.map_or_else(unknown, |user| user.hash.clone());
    let right = verified(given.password, hash).await;
    match user.filter(|_| right) {
        Some(user) => {
            note(&room, &name, Did::SignedIn).await?;
            room.attempts.succeeded(from, &name);
            let session = room.console.gate.sessions().begin(&name, By::Password, user.role, Utc::now())?;
            Ok(signed_in(&room, &session, &given.to))
        }
        None => {
            // Names that nobody has are one: a stranger may send any number of them.
            note_refusal(&room, user.map_or("somebody unknown", |_| &name)).await?;
            refused(&room, "Name or password is wrong.", &given.to, &name)
        }
    }
}

/// Where a request comes from; behind a proxy, from the proxy.
pub(super) fn address(peer: Option<Extension<Peer>>) -> IpAddr {
    peer.map_or(IpAddr::from([0, 0, 0, 0]), |Extension(peer)| peer.0.ip())
}

/// The sign-in page again, for who has to wait.
pub(super) fn too_many(sign_in: &SignIn, to: &str, name: &str) -> Result<Response, Problem> {
    let page = html(&shown(sign_in, "Too many attempts. Wait a minute and try again.", to, name))?;
    Ok((StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "60")], page).into_response())
}

/// Tells of a refused sign-in, and writes it down where that was not done of late.
pub(super) async fn note_refusal(room: &Shared, who: &str) -> Result<(), Problem> {
    tracing::warn!(who, "a sign-in was refused");
    match room.attempts.is_written(who, Instant::now()) {
        true => note(room, who, Did::SignInRefused).await,
        false => Ok(()),
    }
}

/// To the page that was wanted, with the session.
pub(super) fn signed_in(room: &Shared, session: &Session, to: &str) -> Response {
    let mut response = Redirect::to(&own(to)).into_response();
    if let Some(cookie) = room.console.gate.sessions().cookie(session) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// A path of ours, as a browser reads it; whatever would lead elsewhere leads to the start.
pub fn own(to: &str) -> String {
    let read = |to: &str| {
        let here = Url::parse("http://starwarden.invalid/").ok()?;
        let there = here.join(to).ok().filter(|there| to.starts_with('/') && there.origin() == here.origin())?;
        let query = there.query().map(|query| format!("?{query}")).unwrap_or_default();
        let path = format!("{}{query}", there.path());
        // `/..//evil.example` is a path of ours that leads elsewhere when it is read again.
        Some(path).filter(|path| !path.starts_with("//"))
    };
    read(to).unwrap_or_else(|| "/".into())
}

pub(super) async fn sign_out(State(room): State<Shared>, filled: Filled) -> Result<Response, Problem> {
    room.console.gate.end(&filled.session);
    note(&room, &filled.session.name, Did::SignedOut { session: Some(filled.session.number()) }).await?;
    let mut response = Redirect::to("/sign-in").into_response();
    if let Some(cookie) = room.console.gate.sessions().no_cookie() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

pub(super) async fn note(room: &Shared, who: &str, did: Did) -> Result<(), Problem> {
    let event = OperatorEvent { at: Utc::now(), who: who.to_owned(), ticket: None, did };
    Ok(room.console.store.record_operator(&event).await?)
}

async fn verified(password: String, hash: String) -> bool {
    let Ok(_one_at_a_time) = HASHING.acquire().await else { return false };
    let check = move || {
        PasswordHash::new(&hash).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
    };
    tokio::task::spawn_blocking(check).await.unwrap_or(false)
}

/// A hash no password is known for.
fn unknown() -> String {
    static UNKNOWN: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
        super::session::random().ok().and_then(|random| hash(&random).ok()).unwrap_or_default()
    });
    UNKNOWN.clone()
}

/// A password's argon2id hash in the PHC string format, for the configuration.
///
/// # Errors
/// Where the machine gives no randomness.
pub fn hash(password: &str) -> Result<String, argon2::password_hash::Error> {
    Ok(Argon2::default().hash_password(password.as_bytes())?.to_string())
}
