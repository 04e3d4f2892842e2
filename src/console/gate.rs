//! Who is let in, by the settings in force at each request; and which sessions are over before their time.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Version, header};
use chrono::{TimeDelta, Utc};
use reqwest::Url;
use secrecy::ExposeSecret;

use super::page::same;
use super::session::{By, Role, Session, Sessions};
use super::sign_in::Admission;
use crate::elsewhere::address::is_this_machine;
use crate::server::Peer;
use crate::store::operators::Did;
use crate::store::{Store, StoreError};

/// How often the store is asked which sessions other processes have seen end.
const ASK_EVERY: Duration = Duration::from_secs(2);

/// How many operator events are read at once.
const EVENTS: usize = 200;

/// Headers that only a proxy sends, besides those that begin with `X-Forwarded`.
const OF_PROXIES: [&str; 9] = [
    "forwarded",
    "via",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-original-host",
    "true-client-ip",
    "cf-connecting-ip",
    "fastly-client-ip",
];

/// Who may use the console and the API; clones share it.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    admission: ArcSwap<Admission>,
    sessions: Sessions,
    store: Store,
    ended: Mutex<Ended>,
}

/// Sessions that were signed out of, as far as they would not have ended by now.
#[derive(Default)]
struct Ended {
    sessions: HashSet<String>,
    /// The newest operator event that was looked at, and when.
    newest: i64,
    asked: Option<Instant>,
}

impl Gate {
    /// These are let in, with sessions signed so.
    pub fn new(admission: Admission, sessions: Sessions, store: Store) -> Gate {
        Gate(Arc::new(Inner { admission: ArcSwap::from_pointee(admission), sessions, store, ended: Mutex::default() }))
    }

    /// Lets in these from here on; sessions of those who are not among them any more are over.
    pub fn replace(&self, admission: Admission) {
        self.0.admission.store(Arc::new(admission));
    }

    /// Who is let in.
    pub fn admission(&self) -> Arc<Admission> {
        self.0.admission.load_full()
    }

    /// Signs sessions.
    pub fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    /// The session a request belongs to, with the role that its settings give it now; none where it is over.
    ///
    /// # Errors
    /// A store that cannot say which sessions are over.
    pub(super) async fn session(&self, headers: &HeaderMap) -> Result<Option<Session>, StoreError> {
        let Some(mut session) = self.0.sessions.of(headers) else { return Ok(None) };
        let Some(role) = self.role(&session) else { return Ok(None) };
        session.role = role;
        self.learn_of_ended().await?;
        let over = self.ended().sessions.contains(&session.number());
        Ok(Some(session).filter(|_| !over))
    }

    /// What the settings in force let somebody do.
    fn role(&self, session: &Session) -> Option<Role> {
        match (&**self.0.admission.load(), &session.by) {
            (Admission::Open, By::ThisMachine) => Some(Role::Act),
            (Admission::SignIn(sign_in), By::Password) => sign_in.users.get(&session.name).map(|user| user.role),
            (Admission::SignIn(sign_in), By::Provider { values }) => sign_in.oidc.as_ref()?.role_of(values),
            (Admission::Open | Admission::Closed | Admission::SignIn(_), _) => None,
        }
    }

    /// A session is over from here on.
    pub(super) fn end(&self, session: &Session) {
        self.ended().sessions.insert(session.number());
    }

    /// Whether a request may read what is not for everybody: as the API lets it.
    ///
    /// # Errors
    /// A store that cannot say which sessions are over.
    pub async fn may_read(&self, request: &Parts) -> Result<bool, StoreError> {
        match &*self.admission() {
            Admission::Closed => Ok(false),
            Admission::Open => Ok(whence(request) == Whence::ThisMachine),
            Admission::SignIn(sign_in) => {
                let sent = bearer(&request.headers);
                if sign_in.programs.values().any(|token| same(sent, token.expose_secret())) {
                    return Ok(true);
                }
                Ok(self.session(&request.headers).await?.is_some())
            }
        }
    }

    /// Learns which sessions were signed out of, here before a restart or at another process.
    async fn learn_of_ended(&self) -> Result<(), StoreError> {
        let newest = {
            let ended = self.ended();
            if ended.asked.is_some_and(|asked| asked.elapsed() < ASK_EVERY) {
                return Ok(());
            }
            ended.newest
        };
        let oldest = Utc::now() - super::session::LASTS - TimeDelta::hours(1);
        let (mut before, mut found, mut last) = (None, Vec::new(), newest);
        'all: loop {
            let events = self.0.store.operator_events(before, EVENTS).await?;
            let full = events.len() == EVENTS;
            for (number, event) in events {
                if number <= newest || event.at < oldest {
                    break 'all;
                }
                last = last.max(number);
                before = Some(number);
                if let Did::SignedOut { session: Some(session) } = event.did {
                    found.push(session);
                }
            }
            if !full {
                break;
            }
        }
        let mut ended = self.ended();
        ended.sessions.extend(found);
        ended.newest = ended.newest.max(last);
        ended.asked = Some(Instant::now());
        Ok(())
    }

    fn ended(&self) -> MutexGuard<'_, Ended> {
        self.0.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a request comes from, as far as it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whence {
    /// Somebody on this machine asks this machine.
    ThisMachine,
    /// It asks for another name, which may be somebody else's page.
    OtherName,
    /// A proxy hands it on, so it can come from anywhere.
    Proxy,
}

/// Where a request comes from. Any sign of a proxy counts: what one of them leaves out another shows.
pub(super) fn whence(request: &Parts) -> Whence {
    let headers = &request.headers;
    let by_proxy = |name: &str| name.starts_with("x-forwarded") || OF_PROXIES.contains(&name);
    // Browsers have not spoken HTTP/1.0 for decades, and nginx speaks it to what is behind it unless told otherwise.
    if request.version < Version::HTTP_11 || headers.keys().any(|name| by_proxy(name.as_str())) {
        return Whence::Proxy;
    }
    let here = request.extensions.get::<Peer>().is_none_or(|peer| peer.0.ip().to_canonical().is_loopback());
    // Whose page a form is on, which a browser says: behind a proxy that shows itself by nothing else, not ours.
    let origin =
        headers.get(header::ORIGIN).map(|origin| origin.to_str().ok().and_then(|origin| origin.parse::<Url>().ok()));
    let own_page =
        origin.is_none_or(|origin| origin.is_some_and(|origin| origin.host_str().is_some_and(is_this_machine)));
    if here && own_page && names_this_machine(headers) { Whence::ThisMachine } else { Whence::OtherName }
}

/// Whether the request names this machine itself as its host.
fn names_this_machine(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    is_this_machine(name)
}

fn bearer(headers: &HeaderMap) -> &str {
    let sent = headers.get(header::AUTHORIZATION).and_then(|sent| sent.to_str().ok()).unwrap_or_default();
    sent.strip_prefix("Bearer ").unwrap_or_default().trim()
}
