//! What an operator should know of each account though the bot does its job: shown on `/readyz`, counted in the metrics.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::metrics;

/// A hold that is over sooner is not worth telling.
const WORTH_TELLING: TimeDelta = TimeDelta::minutes(1);

/// How long a ticket that no delivery told of is told of.
const RECENT: TimeDelta = TimeDelta::hours(1);

/// The conditions of every account; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Conditions(Arc<Mutex<BTreeMap<String, Condition>>>);

/// The conditions of one account.
#[derive(Debug, Clone, Default)]
pub struct Condition {
    /// Until when the helpdesk wants no calls.
    pub held_until: Option<DateTime<Utc>>,
    /// Why the last catch-up failed, if it did.
    pub catch_up_fails: Option<String>,
    /// When its API token ends, where one is used.
    pub token_ends: Option<NaiveDate>,
    /// Starred tickets that catch-up found and no delivery told of: when, and which.
    untold: VecDeque<(DateTime<Utc>, u64)>,
}

impl Conditions {
    /// These are the accounts from here on, each with the day on which its API token ends.
    pub fn expect(&self, accounts: Vec<(String, Option<NaiveDate>)>) {
        let mut all = self.lock();
        let mut stood = std::mem::take(&mut *all);
        for (name, token_ends) in accounts {
            let condition = Condition { token_ends, ..stood.remove(&name).unwrap_or_default() };
            all.insert(name, condition);
        }
    }

    /// The helpdesk wants no calls of an account until then, if at all.
    pub fn held(&self, account: &str, until: Option<DateTime<Utc>>) {
        self.lock().entry(account.to_owned()).or_default().held_until = until;
    }

    /// What the last catch-up came to.
    pub fn caught_up(&self, account: &str, came: Result<(), String>) {
        self.lock().entry(account.to_owned()).or_default().catch_up_fails = came.err();
    }

    /// Catch-up found a starred ticket that no delivery told of.
    pub fn untold(&self, account: &str, ticket: u64, now: DateTime<Utc>) {
        metrics::untold(account);
        let mut all = self.lock();
        let untold = &mut all.entry(account.to_owned()).or_default().untold;
        untold.push_back((now, ticket));
        untold.retain(|(at, _)| *at > now - RECENT);
    }

    /// One account's.
    pub fn of(&self, account: &str) -> Condition {
        self.lock().get(account).cloned().unwrap_or_default()
    }

    /// All that is worth telling at `now`, a sentence each.
    pub fn warnings(&self, now: DateTime<Utc>) -> Vec<String> {
        self.lock().iter().flat_map(|(account, condition)| condition.warnings(account, now)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Condition>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Condition {
    fn warnings(&self, account: &str, now: DateTime<Utc>) -> Vec<String> {
        let held = self.held_until.filter(|until| *until - now > WORTH_TELLING);
        let held = held.map(|until| format!("{account}: {}", no_calls_until(until)));
        let fails = self.catch_up_fails.as_ref().map(|why| {
            format!("{account}: catch-up fails, so a starred ticket that no delivery tells of is not found: {why}")
        });
        let recent: Vec<u64> = self.untold.iter().filter(|(at, _)| *at > now - RECENT).map(|(_, id)| *id).collect();
        let untold = recent.last().map(|last| {
            format!(
                "{account}: in the last hour catch-up found {} starred {} that no delivery told of, {account}/{last} last: run starwarden doctor",
                recent.len(),
                if recent.len() == 1 { "ticket" } else { "tickets" }
            )
        });
        let token = self.token_ends.map(|ends| format!("{account}: {}", token_ends(ends, now)));
        [held, fails, untold, token].into_iter().flatten().collect()
    }

    /// How many days its API token has left, where one is used.
    pub fn token_days(&self, now: DateTime<Utc>) -> Option<i64> {
        self.token_ends.map(|ends| (ends - now.date_naive()).num_days())
    }
}

/// A hold in a sentence.
pub fn no_calls_until(until: DateTime<Utc>) -> String {
    format!("the helpdesk wants no calls until {}", until.format("%Y-%m-%d %H:%M:%S UTC"))
}

/// How long an API token works yet, in a sentence.
pub fn token_ends(ends: NaiveDate, now: DateTime<Utc>) -> String {
    match (ends - now.date_naive()).num_days() {
        days @ 2.. => format!("its API token ends in {days} days, on {ends}: move to an OAuth client before"),
        1 => format!("its API token ends tomorrow, on {ends}: move to an OAuth client now"),
        0 => "its API token ends today: move to an OAuth client now".to_owned(),
        _ => format!("its API token ended on {ends}: move to an OAuth client"),
    }
}
