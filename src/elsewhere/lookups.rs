//! Systems of record, asked over HTTP for what the policy's lookups name; the one part of this room that waits.
//!
//! Where a call goes is settled by the policy's fixed text and the configured hosts. All a ticket adds is values of
//! stated or recorded facts that are one plain segment of a path; customers' words never do. No redirect is followed. A lookup that
//! fails is a [`Record::Failed`] or [`Record::Silent`], is not asked again for a while, and never fails the ticket.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::address::secrets_may_go_to;
use crate::decide::facts::fact::{Facts, Trust};
use crate::decide::facts::replies;
use crate::decide::facts::sources::Ids;
use crate::decide::facts::{answers, gather};
use crate::decide::policy::Policy;
use crate::decide::policy::lookup::Lookup;
use crate::decide::ticket::{OwnUsers, Reading, Record};

/// The largest answer that is read, bytes.
const LARGEST_ANSWER: usize = 1 << 20;

/// How many answers are kept at once.
const MOST_KEPT: usize = 10_000;

/// One system of record: who we are to it, and where it may be.
#[derive(Debug)]
pub struct System {
    /// Sent as a bearer token. Absent: nothing is.
    pub token: Option<SecretString>,
    /// The hosts it may be asked at.
    pub hosts: Vec<String>,
}

/// The configured systems, with answers kept for a while and calls counted.
#[derive(Debug, Default)]
pub struct Systems {
    systems: BTreeMap<String, System>,
    http: reqwest::Client,
    kept: Mutex<HashMap<String, Kept>>,
    calls: Mutex<HashMap<String, VecDeque<Instant>>>,
}

/// Which policy asks; each has the calls of its lookups to itself, and answers are kept for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rank {
    /// The one in force.
    InForce,
    /// The candidate.
    Candidate,
}

impl Rank {
    /// The name under which the calls of a lookup are counted.
    fn counted(self, lookup: &str) -> String {
        match self {
            Rank::InForce => lookup.to_owned(),
            Rank::Candidate => format!("the candidate's {lookup}"),
        }
    }
}

/// What one call came to, kept for the next.
#[derive(Debug, Clone)]
struct Kept {
    came: Record,
    /// When it is to be asked anew.
    until: Instant,
}

impl Systems {
    /// Takes the configured systems by name.
    ///
    /// # Errors
    /// TLS that cannot be set up.
    pub fn new(systems: BTreeMap<String, System>) -> Result<Systems, reqwest::Error> {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Systems { systems, http, ..Systems::default() })
    }

    /// Asks every lookup of the policy that is switched on and whose facts the ticket or its managers give.
    pub async fn records(
        &self,
        rank: Rank,
        policy: &Policy,
        ids: &Ids,
        reading: &Reading,
        own: &OwnUsers,
        now: DateTime<Utc>,
    ) -> BTreeMap<String, Record> {
        let mut records = BTreeMap::new();
        if self.systems.is_empty() || policy.binding.lookups.is_empty() {
            return records;
        }
        let replies = replies::read(reading, own, &policy.lexicon.languages);
        let stated = answers::of(replies, |_| None).stated;
        let facts = gather::facts(policy, ids, Some(reading), &stated, now).facts;
        for (name, lookup) in &policy.binding.lookups {
            let Some(system) = self.systems.get(&lookup.system) else { continue };
            let Some(url) = lookup.url.filled(|fact| known(&facts, fact)) else { continue };
            let record = self.answer(&rank.counted(name.get_ref()), lookup, system, &url).await;
            records.insert(name.get_ref().clone(), record);
        }
        records
    }

    /// The system's answer, kept or fresh; or why there is none.
    async fn answer(&self, name: &str, lookup: &Lookup, system: &System, url: &str) -> Record {
        let host = lookup.url.host();
        if !system.hosts.iter().any(|allowed| allowed == host) {
            return Record::Failed(format!("{host} is not among the hosts of lookups.{}", lookup.system));
        }
        if let Err(error) = secrets_may_go_to(url) {
            return Record::Failed(error.to_string());
        }
        if let Some(kept) = self.kept(url) {
            return kept;
        }
        if !self.may_call(name, lookup.per_minute) {
            return Record::Silent(format!("its {} calls a minute are spent", lookup.per_minute));
        }
        let waited = tokio::time::timeout(span(lookup.timeout.0), self.call(system, url)).await;
        let came = waited.unwrap_or_else(|_| Record::Silent(format!("no answer within {} ms", lookup.timeout.0)));
        let stays = match &came {
            Record::Found(_) => lookup.cache,
            Record::Failed(_) | Record::Silent(_) => lookup.retry_after,
        };
        self.keep(url, &came, span(stays.0));
        came
    }

    async fn call(&self, system: &System, url: &str) -> Record {
        let mut call = self.http.get(url).header("Accept", "application/json");
        if let Some(token) = &system.token {
            call = call.bearer_auth(token.expose_secret());
        }
        let Ok(mut response) = call.send().await else { return Record::Silent("it cannot be reached".into()) };
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Record::Failed("it knows no such record (404)".into()),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Record::Failed(format!("it does not let us read ({})", response.status().as_u16()));
            }
            status if status.is_redirection() => {
                return Record::Failed(format!("it points elsewhere ({}), which is not followed", status.as_u16()));
            }
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                return Record::Silent(format!("it answered {}", status.as_u16()));
            }
            status => return Record::Failed(format!("it answered {}", status.as_u16())),
        }
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(part)) => body.extend_from_slice(&part),
                Ok(None) => break,
                Err(_) => return Record::Silent("its answer broke off".into()),
            }
            if body.len() > LARGEST_ANSWER {
                return Record::Failed("its answer is larger than 1 MiB".into());
            }
        }
        serde_json::from_slice(&body).map_or_else(|_| Record::Failed("its answer is not JSON".into()), Record::Found)
    }

    fn kept(&self, url: &str) -> Option<Record> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(url).filter(|kept| Instant::now() < kept.until).map(|kept| kept.came.clone())
    }

    fn keep(&self, url: &str, came: &Record, stays: Duration) {
        let now = Instant::now();
        let Some(until) = now.checked_add(stays) else { return };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST_KEPT {
            kept.retain(|_, kept| now < kept.until);
        }
        if kept.len() < MOST_KEPT {
            kept.insert(url.to_owned(), Kept { came: came.clone(), until });
        }
    }

    /// Whether the lookup may call once more within the last minute; if so, the call is counted.
    fn may_call(&self, name: &str, per_minute: u32) -> bool {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let calls = calls.entry(name.to_owned()).or_default();
        while calls.front().is_some_and(|at| at.elapsed() >= Duration::from_secs(60)) {
            calls.pop_front();
        }
        let free = calls.len() < usize::try_from(per_minute).unwrap_or(usize::MAX);
        if free {
            calls.push_back(Instant::now());
        }
        free
    }
}

/// A fact that may stand in an address: stated or recorded, never guessed.
fn known(facts: &Facts, name: &str) -> Option<String> {
    let fact = facts.get(name)?.known().filter(|fact| fact.trust > Trust::Inferred)?;
    Some(fact.value.to_string())
}

fn span(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}
