//! Budgets: how many calls an account may make, shared by all who make them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::StoreError;

/// What part of a minute's calls may be made at once: a tenth, in milliseconds.
const BURST_MS: i64 = 6_000;

/// Whether calls may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Make them now; so many more could be made at once.
    Now {
        /// How many.
        left: u32,
    },
    /// Nothing was taken: our share is spent; ask again then.
    NotBefore(DateTime<Utc>),
    /// Nothing was taken: the helpdesk wants no calls until then.
    Held(DateTime<Utc>),
}

impl Taken {
    /// When to ask again; none where it was granted.
    pub fn again(self) -> Option<DateTime<Utc>> {
        match self {
            Taken::Now { .. } => None,
            Taken::NotBefore(at) | Taken::Held(at) => Some(at),
        }
    }
}

/// How long one taking keeps the next waiting, and how far ahead the account may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    /// What the calls cost, milliseconds.
    pub ms: i64,
    /// How far ahead of now the account may be once it has paid; never less than the cost, so that any number of calls
    /// is granted in the end.
    pub burst_ms: i64,
    per_minute: i64,
}

impl Cost {
    /// The cost of `calls` at `per_minute`; a budget of 0 counts as 1.
    pub(super) fn of(calls: u32, per_minute: u32) -> Cost {
        let per_minute = i64::from(per_minute.max(1));
        let ms = i64::from(calls).saturating_mul(60_000) / per_minute;
        Cost { ms, burst_ms: ms.max(BURST_MS), per_minute }
    }

    /// What was granted, where the budget is used up until then.
    pub(super) fn granted(self, until: DateTime<Utc>, now: DateTime<Utc>) -> Taken {
        let ahead = (until - now).num_milliseconds().max(0);
        let left = (BURST_MS - ahead).max(0).saturating_mul(self.per_minute) / 60_000;
        Taken::Now { left: u32::try_from(left).unwrap_or(u32::MAX) }
    }
}

/// Where one account's budget stands.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spent {
    /// Until when the calls already granted use up the budget.
    pub until: DateTime<Utc>,
    /// Until when the helpdesk wants no calls.
    pub held: DateTime<Utc>,
}

impl Spent {
    /// Grants the calls, or says when to ask again.
    pub(super) fn take(&mut self, cost: Cost, now: DateTime<Utc>) -> Taken {
        if self.held > now {
            return Taken::Held(self.held);
        }
        let paid = self.until.max(now) + TimeDelta::milliseconds(cost.ms);
        let earliest = paid - TimeDelta::milliseconds(cost.burst_ms);
        if earliest > now {
            return Taken::NotBefore(earliest);
        }
        self.until = paid;
        cost.granted(paid, now)
    }
}

/// The budgets of a store that has one process.
#[derive(Debug, Default)]
pub(super) struct Budgets(Mutex<BTreeMap<String, Spent>>);

impl Budgets {
    /// Reads or changes an account's.
    pub(super) fn of<T>(&self, account: &str, change: impl FnOnce(&mut Spent) -> T) -> T {
        change(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(account.to_owned()).or_default())
    }
}

/// Shares an account's calls among all replicas.
#[async_trait]
pub trait Budget: Send + Sync {
    /// Takes `calls` calls of `account` at `now`, all or none, from `per_minute` a minute, of which a tenth may be made
    /// at once. Two who ask at the same time never get the same calls; to ask for none only asks whether there are any.
    /// In SQLite what is spent is forgotten at the end of the process.
    async fn take(&self, account: &str, calls: u32, per_minute: u32, now: DateTime<Utc>) -> Result<Taken, StoreError>;

    /// Grants nothing before `at`: the helpdesk said so, and means every replica, and who starts anew. A later hold stands.
    async fn hold_until(&self, account: &str, at: DateTime<Utc>) -> Result<(), StoreError>;
}
