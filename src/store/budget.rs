//! Budgets: how many calls an account may make, shared by all who make them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use super::database::{Database, FromRow, Outcome, Value, values};
use super::{Store, StoreError};

/// What part of a minute's calls may be made at once: a tenth, in milliseconds.
const BURST_MS: i64 = 6_000;

/// The helpdesk wants no calls for longer than this: what says so was written by a wrong clock.
const LONGEST_HOLD: TimeDelta = TimeDelta::hours(1);

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

    /// The latest that calls of before can use the budget up until: what lies further ahead was written by a wrong clock.
    fn latest(self, now: DateTime<Utc>) -> DateTime<Utc> {
        now + TimeDelta::milliseconds(self.burst_ms.saturating_add(self.ms))
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
        if self.held > now && self.held <= now + LONGEST_HOLD {
            return Taken::Held(self.held);
        }
        self.until = self.until.min(cost.latest(now));
        let paid = self.until.max(now) + TimeDelta::milliseconds(cost.ms);
        let earliest = paid - TimeDelta::milliseconds(cost.burst_ms);
        if earliest > now {
            return Taken::NotBefore(earliest);
        }
        self.until = paid;
        cost.granted(paid, now)
    }
}

/// What the helpdesk said, of every account.
pub(super) const HOLDS: &str = "SELECT account, held_until FROM budgets";

const TAKE: &str = "INSERT INTO budgets (account, spent_until, held_until)
    VALUES ($1, CAST($2 AS BIGINT) + CAST($3 AS BIGINT), 0)
    ON CONFLICT (account) DO UPDATE SET
        spent_until = CASE WHEN budgets.spent_until > $2 THEN budgets.spent_until ELSE $2 END + $3
    WHERE (budgets.held_until <= $2 OR budgets.held_until > $5)
        AND CASE WHEN budgets.spent_until > $2 THEN budgets.spent_until ELSE $2 END + $3 <= $2 + CAST($4 AS BIGINT)
    RETURNING spent_until";

/// Brings an end back that no sound clock has written.
const CLAMP: &str = "UPDATE budgets SET spent_until = $2 WHERE account = $1 AND spent_until > $2";

/// After a hold or a spent budget: until when it is spent, and until when the helpdesk wants no calls.
const STANDS: &str = "SELECT spent_until, held_until FROM budgets WHERE account = $1";

const HOLD: &str = "INSERT INTO budgets (account, spent_until, held_until) VALUES ($1, 0, $2)
    ON CONFLICT (account) DO UPDATE SET held_until = excluded.held_until
    WHERE budgets.held_until < excluded.held_until OR budgets.held_until > excluded.held_until + CAST($3 AS BIGINT)";

/// The budgets of a store that has one process.
#[derive(Debug, Default)]
pub(super) struct Budgets(Mutex<BTreeMap<String, Spent>>);

impl Budgets {
    /// Budgets of which nothing is spent, held as rows of [`HOLDS`] say.
    pub(super) fn held(rows: Vec<Vec<Value>>) -> Outcome<Budgets> {
        let budgets = Budgets::default();
        for row in rows {
            let (account, held): (String, DateTime<Utc>) = FromRow::read(&mut row.into_iter())?;
            budgets.of(&account, |spent| spent.held = held);
        }
        Ok(budgets)
    }

    /// Reads or changes an account's.
    pub(super) fn of<T>(&self, account: &str, change: impl FnOnce(&mut Spent) -> T) -> T {
        change(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(account.to_owned()).or_default())
    }
}

impl Store {
    /// Takes `calls` calls of `account` at `now`, all or none, from `per_minute` a minute, of which a tenth may be made
    /// at once. All replicas share them: two who ask at the same time never get the same calls; to ask for none only asks
    /// whether there are any. In SQLite what is spent is forgotten at the end of the process.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn take(
        &self,
        account: &str,
        calls: u32,
        per_minute: u32,
        now: DateTime<Utc>,
    ) -> Result<Taken, StoreError> {
        let cost = Cost::of(calls, per_minute);
        let now = self.shared(now);
        let taken = match self.0.database {
            Database::Sqlite(_) => self.0.budgets.of(account, |spent| spent.take(cost, now)),
            Database::Postgres(_) => self.take_shared(account, cost, now).await?,
        };
        Ok(match taken {
            Taken::Now { left } => Taken::Now { left },
            Taken::NotBefore(at) => Taken::NotBefore(self.clock().own(at)),
            Taken::Held(at) => Taken::Held(self.clock().own(at)),
        })
    }

    async fn take_shared(&self, account: &str, cost: Cost, now: DateTime<Utc>) -> Outcome<Taken> {
        let values = values![account, now, cost.ms, cost.burst_ms, now + LONGEST_HOLD];
        if let [(until,)] = self.returning(TAKE, values).await?[..] {
            return Ok(cost.granted(until, now));
        }
        let stands = self.one(STANDS, values![account]).await?;
        let (until, held) = stands.ok_or_else(|| StoreError::odd("budget"))?;
        let mut spent = Spent { until, held };
        if until > cost.latest(now) {
            self.run(CLAMP, values![account, cost.latest(now)]).await?;
        }
        Ok(match spent.take(cost, now) {
            Taken::Now { .. } => Taken::NotBefore(now + TimeDelta::milliseconds(1)), // Free in between: the next asking takes it.
            refused @ (Taken::NotBefore(_) | Taken::Held(_)) => refused,
        })
    }

    /// Grants nothing before `at`: the helpdesk said so, and means every replica, and who starts anew. A later hold stands.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn hold_until(&self, account: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
        let at = self.shared(at);
        self.0
            .budgets
            .of(account, |spent| spent.held = if spent.held > at + LONGEST_HOLD { at } else { spent.held.max(at) });
        self.run(HOLD, values![account, at, LONGEST_HOLD.num_milliseconds()]).await.map(drop)
    }
}
