//! Sign-in with a name and a password from the configuration.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher};
use askama::Template;
use axum::extract::{Form, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::Utc;
use secrecy::SecretString;
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::Shared;
use super::assets;
use super::oidc::Oidc;
use super::page::{Filled, Problem, html};
use super::session::{Role, Session};
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

/// How many refusals a name or everybody together may have in [`WINDOW`].
const MOST_BY_NAME: u32 = 5;
const MOST_TOGETHER: u32 = 60;
const WINDOW: Duration = Duration::from_secs(60);

/// How many names are remembered.
const MOST_NAMES: usize = 10_000;

/// Hashing a password takes a core for a while: one at a time.
static HASHING: Semaphore = Semaphore::const_new(1);

/// Refused sign-ins of late, and those under way.
#[derive(Default)]
pub struct Attempts(Mutex<BTreeMap<String, (Instant, u32)>>);

impl Attempts {
    /// Counts an attempt as refused, so that many at once are not one too many; whether it may go on.
    pub fn allowed(&self, name: &str, now: Instant) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, (since, _)| now.duration_since(*since) < WINDOW);
        if all.len() >= MOST_NAMES {
            return false;
        }
        let mut within = |key: String, most: u32| {
            let (_, count) = all.entry(key).or_insert((now, 0));
            *count += 1;
            *count <= most
        };
        within(String::new(), MOST_TOGETHER) && within(format!("name {name}"), MOST_BY_NAME)
    }

    /// An attempt was right: it counts no more, nor do the name's others.
    pub fn succeeded(&self, name: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(&format!("name {name}"));
        if let Some((_, together)) = all.get_mut("") {
            *together = together.saturating_sub(1);
        }
    }
}

#[derive(Template)]
#[template(path = "sign_in.html", config = "src/console/askama.toml")]
struct Page<'a> {
    style: &'static str,
    told: &'a str,
    issuer: Option<&'a str>,
    passwords: bool,
    to: &'a str,
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
    let Admission::SignIn(sign_in) = &room.console.admission else { return Ok(Redirect::to("/").into_response()) };
    html(&shown(sign_in, "", &asked.to))
}

fn shown<'a>(sign_in: &'a SignIn, told: &'a str, to: &'a str) -> Page<'a> {
    let issuer = sign_in.oidc.as_ref().map(|oidc| oidc.issuer.trim_start_matches("https://"));
    Page { style: assets::version(), told, issuer, passwords: !sign_in.users.is_empty(), to }
}

/// The sign-in page again, with what went wrong.
pub(super) fn refused(room: &Shared, told: &str, to: &str) -> Result<Response, Problem> {
    let Admission::SignIn(sign_in) = &room.console.admission else { return Ok(Redirect::to("/").into_response()) };
    Ok((StatusCode::UNAUTHORIZED, html(&shown(sign_in, told, to))?).into_response())
}

pub(super) async fn with_password(
    State(room): State<Shared>,
    Form(given): Form<Credentials>,
) -> Result<Response, Problem> {
    let Admission::SignIn(sign_in) = &room.console.admission else { return Ok(Redirect::to("/").into_response()) };
    let name: String = given.name.trim().chars().take(100).collect();
    if !room.attempts.allowed(&name, Instant::now()) {
        let page = html(&shown(sign_in, "Too many attempts. Wait a minute and try again.", &given.to))?;
        return Ok((StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "60")], page).into_response());
    }
    let user = sign_in.users.get(&name);
    // Somebody unknown takes as long as somebody known.
    let hash = user.map_or_else(unknown, |user| user.hash.clone());
    let right = verified(given.password, hash).await;
    let did = if right && user.is_some() { Did::SignedIn } else { Did::SignInRefused };
    note(&room, &name, did).await?;
    match user.filter(|_| right) {
        Some(user) => {
            room.attempts.succeeded(&name);
            let session = room.console.sessions.begin(&name, user.role, Utc::now())?;
            Ok(signed_in(&room, &session, &given.to))
        }
        None => refused(&room, "Name or password is wrong.", &given.to),
    }
}

/// To the page that was wanted, with the session.
pub(super) fn signed_in(room: &Shared, session: &Session, to: &str) -> Response {
    let mut response = Redirect::to(own(to)).into_response();
    if let Some(cookie) = room.console.sessions.cookie(session) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// A path of ours; another site's address leads to the start.
fn own(to: &str) -> &str {
    let safe = to.starts_with('/') && !to.starts_with("//") && !to.contains(['\\', '\r', '\n']);
    if safe { to } else { "/" }
}

pub(super) async fn sign_out(State(room): State<Shared>, filled: Filled) -> Result<Response, Problem> {
    note(&room, &filled.session.name, Did::SignedOut).await?;
    let mut response = Redirect::to("/sign-in").into_response();
    if let Some(cookie) = room.console.sessions.no_cookie() {
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
