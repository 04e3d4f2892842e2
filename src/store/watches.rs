//! Watches: which tickets are looked at, when next, and in whose hands they are.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::database::{Outcome, Session, Value, token, until, values};
use super::{Store, StoreError};
use crate::decide::ticket::TicketKey;

/// A due ticket in one pair of hands, until the lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Which ticket.
    pub ticket: TicketKey,
    /// How often it has failed in a row before this look; 0 at first.
    pub failures: u32,
    /// The fencing token: no other holding of any ticket has it. Whatever the holder writes is refused once the ticket
    /// has been claimed anew.
    pub lease: String,
    /// How often the ticket had been marked due when it was claimed, where that changed something: of a ticket that is
    /// due already and in nobody's hands, nothing is written.
    pub marks: i64,
}

impl Claim {
    /// Of a ticket's number, failures, lease and marks.
    pub(super) fn of(account: &str, (id, failures, lease, marks): (u64, u32, String, i64)) -> Claim {
        Claim { ticket: TicketKey { account: account.to_owned(), id }, failures, lease, marks }
    }
}

/// How a look at a ticket leaves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// All is as it should be; look again then, or only when something happens.
    Settled {
        /// When the passing of time alone may change something.
        look_at: Option<DateTime<Utc>>,
        /// The hash of the policy that decided it.
        policy: String,
    },
    /// Not a failure: the moment was not right (a young stamp, a spent budget, a helpdesk that is away); look again then.
    Again {
        /// When.
        at: DateTime<Utc>,
    },
    /// Not a failure either, but worth showing: the ticket flaps and is held back until then.
    Held {
        /// Until when.
        at: DateTime<Utc>,
        /// Why, in a sentence.
        why: String,
    },
    /// It failed; try again then.
    Retry {
        /// When.
        at: DateTime<Utc>,
        /// What went wrong, in a sentence.
        error: String,
    },
    /// It failed too often; an operator must send it back.
    Dead {
        /// The last error.
        error: String,
    },
    /// It is no longer ours to watch.
    Stopped {
        /// Why, in a few words: `the ticket is closed`.
        why: String,
    },
}

impl Next {
    /// When the ticket is looked at again though nothing happens.
    pub fn look_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Next::Settled { look_at, .. } => *look_at,
            Next::Again { at } | Next::Held { at, .. } | Next::Retry { at, .. } => Some(*at),
            Next::Dead { .. } | Next::Stopped { .. } => None,
        }
    }

    /// Why it is not as it should be, or is watched no longer.
    pub fn why(&self) -> Option<&str> {
        match self {
            Next::Settled { .. } | Next::Again { .. } => None,
            Next::Held { why, .. } | Next::Stopped { why } => Some(why),
            Next::Retry { error, .. } | Next::Dead { error } => Some(error),
        }
    }

    /// What it is called where looks are counted.
    pub fn name(&self) -> &'static str {
        match self {
            Next::Settled { .. } => "settled",
            Next::Again { .. } => "again",
            Next::Held { .. } => "held",
            Next::Retry { .. } => "retry",
            Next::Dead { .. } => "dead",
            Next::Stopped { .. } => "stopped",
        }
    }
}

/// Where a watched ticket stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Watch {
    /// To be looked at from then on.
    Due {
        /// When.
        at: DateTime<Utc>,
    },
    /// Nothing to do until something happens.
    Idle,
    /// A dead letter.
    Dead {
        /// The last error.
        error: String,
    },
    /// Watched no longer.
    Stopped {
        /// Why.
        why: String,
    },
}

/// What a settled claim leaves in its row.
pub(super) struct Left<'a> {
    pub state: &'static str,
    pub due_at: Option<DateTime<Utc>>,
    pub why: Option<&'a str>,
    pub failures: u32,
    pub last_error: Option<&'a str>,
    /// Which policy decided it, where one did.
    pub decided_by: Option<&'a str>,
    /// Whether a mark made since the claim comes first.
    pub yields: Yields,
}

/// Whether what a look came to gives way to a mark made during it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Yields {
    ToMarks,
    Never,
}

impl Next {
    pub(super) fn leaves(&self, claim: &Claim) -> Left<'_> {
        let failed = claim.failures.saturating_add(1);
        let left = |state, due_at, why, failures, last_error, yields| Left {
            state,
            due_at,
            why,
            failures,
            last_error,
            decided_by: None,
            yields,
        };
        match self {
            Next::Settled { look_at, policy } => {
                let state = if look_at.is_some() { "due" } else { "idle" };
                Left { decided_by: Some(policy), ..left(state, *look_at, None, 0, None, Yields::ToMarks) }
            }
            Next::Again { at } => left("due", Some(*at), None, claim.failures, None, Yields::Never),
            Next::Held { at, why } => left("due", Some(*at), None, claim.failures, Some(why), Yields::Never),
            Next::Retry { at, error } => left("due", Some(*at), None, failed, Some(error), Yields::Never),
            Next::Dead { error } => left("dead", None, Some(error), failed, Some(error), Yields::ToMarks),
            Next::Stopped { why } => left("stopped", None, Some(why), 0, None, Yields::ToMarks),
        }
    }
}

impl Watch {
    /// Reads a row's columns.
    pub(super) fn read(state: &str, due_at: Option<DateTime<Utc>>, why: Option<String>) -> Result<Watch, StoreError> {
        match (state, due_at) {
            ("due", Some(at)) => Ok(Watch::Due { at }),
            ("idle", _) => Ok(Watch::Idle),
            ("dead", _) => Ok(Watch::Dead { error: why.unwrap_or_default() }),
            ("stopped", _) => Ok(Watch::Stopped { why: why.unwrap_or_default() }),
            _ => Err(StoreError::odd("watch state")),
        }
    }
}

/// Whether a ticket that failed or is held back waits for its time all the same.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    Stands,
    Ends,
}

impl Wait {
    /// As a statement takes it.
    pub(super) fn value(self) -> Value {
        Value::from(self == Wait::Ends)
    }
}

/// A ticket that is due earlier stays so, and in nobody's hands as it is: a burst of marks is one look, and one write.
pub(super) const MARK: &str =
    "INSERT INTO watches (account, ticket, state, due_at, marks) VALUES ($1, $2, 'due', $3, 1)
    ON CONFLICT (account, ticket) DO UPDATE SET
        due_at = CASE WHEN watches.state <> 'due' THEN excluded.due_at
            WHEN watches.due_at > excluded.due_at AND (watches.last_error IS NULL OR $4 = 1) THEN excluded.due_at
            ELSE watches.due_at END,
        failures = CASE WHEN watches.state = 'dead' THEN 0 ELSE watches.failures END,
        state = 'due', why = NULL, marks = watches.marks + 1
    WHERE watches.state <> 'due' OR (watches.due_at > excluded.due_at AND (watches.last_error IS NULL OR $4 = 1))
        OR watches.lease IS NOT NULL";

/// A lease that ends later ($6) than any that is given was written by a wrong clock.
const CLAIM: &str = "WITH due (number) AS MATERIALIZED (
        SELECT ticket FROM watches
        WHERE account = $1 AND state = 'due' AND due_at <= $2 AND (lease IS NULL OR lease_until <= $2 OR lease_until > $6)
            AND NOT EXISTS (SELECT 1 FROM pauses WHERE account = $1)
        ORDER BY due_at LIMIT $3 /*postgres FOR UPDATE SKIP LOCKED*/
    ) UPDATE watches SET lease = CAST($5 AS TEXT) || CAST(ticket AS TEXT), lease_until = $4 FROM due
    WHERE account = $1 AND ticket = number RETURNING due_at, ticket, failures, lease, marks";

const EXTEND: &str = "UPDATE watches SET lease_until = $4 WHERE account = $1 AND ticket = $2 AND lease = $3";

const STILL_HELD: &str =
    "SELECT 1 FROM watches WHERE account = $1 AND ticket = $2 AND lease = $3 /*postgres FOR UPDATE*/";

/// Where it yields ($9) and was marked since ($10), it is due again at once ($11).
const SETTLE: &str = "UPDATE watches SET
        state = CASE WHEN $9 = 1 AND marks <> $10 THEN 'due' ELSE $4 END,
        due_at = CASE WHEN $9 = 1 AND marks <> $10 THEN CAST($11 AS BIGINT) ELSE CAST($5 AS BIGINT) END,
        why = CASE WHEN $9 = 1 AND marks <> $10 THEN NULL ELSE $6 END,
        failures = CASE WHEN $9 = 1 AND marks <> $10 THEN 0 ELSE $7 END,
        last_error = $8, decided_by = coalesce($12, decided_by), lease = NULL, lease_until = NULL
    WHERE account = $1 AND ticket = $2 AND lease = $3";

const FAILED: &str = "INSERT INTO failures (account, ticket, at, error) VALUES ($1, $2, $3, $4)";

/// Of the tickets in nobody's hands the first is the next; those in somebody's are few.
const NEXT_DUE: &str = "SELECT min(at) FROM (
        SELECT at FROM (
            SELECT due_at AS at FROM watches /*sqlite INDEXED BY watches_due*/
            WHERE account = $1 AND state = 'due' AND lease IS NULL ORDER BY due_at LIMIT 1) AS free
        UNION ALL
        SELECT CASE WHEN due_at > lease_until THEN due_at ELSE lease_until END
        FROM watches /*sqlite INDEXED BY watches_in_hand*/ WHERE account = $1 AND state = 'due' AND lease IS NOT NULL
    ) AS either WHERE NOT EXISTS (SELECT 1 FROM pauses WHERE account = $1)";

/// Those that failed and would be tried later, the next of them first; rows are locked as deliveries lock theirs.
const BRING_FORWARD: &str = "WITH which (number) AS MATERIALIZED (
        SELECT ticket FROM watches
        WHERE account = $1 AND state = 'due' AND failures > 0 AND due_at > $2 AND lease IS NULL
        ORDER BY due_at LIMIT $3 /*postgres FOR UPDATE SKIP LOCKED*/
    ) UPDATE watches SET due_at = $2 FROM which WHERE account = $1 AND ticket = number";

/// Rows are locked in the order in which deliveries lock theirs.
const SEND_BACK: &str = "WITH which (of, number) AS MATERIALIZED (
        SELECT account, ticket FROM watches
        WHERE state = 'dead' AND (CAST($2 AS TEXT) IS NULL OR account = $2)
            AND (CAST($3 AS BIGINT) IS NULL OR ticket = $3)
            AND (CAST($4 AS TEXT) IS NULL OR replace(lower(last_error), lower($4), '') <> lower(last_error))
        ORDER BY account, ticket /*postgres FOR UPDATE*/
    ) UPDATE watches SET state = 'due', due_at = $1, why = NULL, failures = 0, marks = marks + 1 FROM which
    WHERE account = of AND ticket = number RETURNING account";

/// The tickets being watched. What a method wrote is durable when it returns.
impl Store {
    /// Marks a ticket due without a delivery: a catch-up, or an operator's "look again". One that is due earlier stays so;
    /// one that failed or is held back waits no longer, as it does after a delivery.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn mark_due(&self, ticket: &TicketKey, at: DateTime<Utc>) -> Result<(), StoreError> {
        let (ticket, at) = (ticket.clone(), self.shared(at));
        self.transaction(move |t| async move { mark(&t, &ticket, at, Wait::Ends).await }).await
    }

    /// Takes up to `limit` tickets of `account` that are due at `now` and in nobody's hands, longest due first; none
    /// while the account is paused. However many ask at once, a ticket is given to one of them.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn claim(
        &self,
        account: &str,
        now: DateTime<Utc>,
        lease: Duration,
        limit: usize,
    ) -> Result<Vec<Claim>, StoreError> {
        let now = self.shared(now);
        let (ends, longest) = (until(now, lease), until(now, lease.saturating_mul(2)));
        let values = values![account, now, limit, ends, token()? + "-", longest];
        let mut taken: Vec<(i64, u64, u32, String, i64)> = self.returning(CLAIM, values).await?;
        taken.sort_by_key(|(due_at, ..)| *due_at); // What is returned has no order.
        let claim = |(_, id, failures, lease, marks)| Claim::of(account, (id, failures, lease, marks));
        Ok(taken.into_iter().map(claim).collect())
    }

    /// Lengthens a lease to `lease` from `now`.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] where the ticket has been claimed anew or given back; a store that cannot be used.
    pub async fn extend(&self, claim: &Claim, now: DateTime<Utc>, lease: Duration) -> Result<(), StoreError> {
        claim.held_by(self.run(EXTEND, [claim.values(), values![until(self.shared(now), lease)]].concat()).await?)
    }

    /// Gives a ticket back. Where it was marked due since it was claimed, it is due again at once, its failures
    /// forgotten, unless `next` is later by nature ([`Next::Retry`], [`Next::Again`], [`Next::Held`]): those a delivery
    /// does not bring forward, now or later.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] and no change where it is no longer the holder's to give; a store that cannot be used.
    pub async fn settle(&self, claim: &Claim, next: Next, now: DateTime<Utc>) -> Result<(), StoreError> {
        let left = next.leaves(claim);
        let yields = left.yields == Yields::ToMarks;
        let due_at = left.due_at.map(|at| self.shared(at));
        let stands = values![left.state, due_at, left.why, left.failures, left.last_error, yields];
        let values = [claim.values(), stands, values![claim.marks, self.shared(now), left.decided_by]].concat();
        let Some(error) = left.last_error else { return claim.held_by(self.run(SETTLE, values).await?) };
        let (claim, failed) = (claim.clone(), values![&claim.ticket.account, claim.ticket.id, now, error]);
        self.transaction(move |t| async move {
            claim.held_by(t.run(SETTLE, values).await?)?;
            t.run(FAILED, failed).await.map(drop)
        })
        .await
    }

    /// Makes up to `limit` tickets of `account` that failed, and are in nobody's hands, due at `at`; how many.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn bring_forward(&self, account: &str, at: DateTime<Utc>, limit: usize) -> Result<u64, StoreError> {
        self.run(BRING_FORWARD, values![account, at, limit]).await
    }

    /// When the next ticket of `account` can be claimed; none where nothing waits or the account is paused.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn next_due(&self, account: &str) -> Result<Option<DateTime<Utc>>, StoreError> {
        let next: Option<(Option<DateTime<Utc>>,)> = self.one(NEXT_DUE, values![account]).await?;
        Ok(next.and_then(|(at,)| at).map(|at| self.clock().own(at)))
    }

    /// Makes dead letters due at `at`, with their failures forgotten; how many. All or none.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn send_back(&self, which: &DeadLetters, at: DateTime<Utc>) -> Result<u64, StoreError> {
        let error_has = which.error_has.as_deref().filter(|text| !text.is_empty());
        let values = values![self.shared(at), which.account.as_deref(), which.ticket, error_has];
        self.transaction(move |t| async move {
            let sent: Vec<(String,)> = t.all(SEND_BACK, values).await?;
            sent.iter().for_each(|(account,)| t.wake(account));
            Ok(u64::try_from(sent.len()).unwrap_or(u64::MAX))
        })
        .await
    }
}

/// Marks a ticket due within a transaction, and wakes its account with it.
pub(super) async fn mark(t: &Session, ticket: &TicketKey, at: DateTime<Utc>, wait: Wait) -> Outcome<()> {
    t.wake(&ticket.account);
    t.run(MARK, values![&ticket.account, ticket.id, at, wait.value()]).await.map(drop)
}

impl Claim {
    /// Its ticket and lease, as the first values of a statement.
    pub(super) fn values(&self) -> Vec<Value> {
        values![&self.ticket.account, self.ticket.id, &self.lease]
    }

    /// Refuses what the holder wanted to write where no row was its own.
    pub(super) fn held_by(&self, rows: u64) -> Outcome<()> {
        if rows == 1 { Ok(()) } else { Err(StoreError::LeaseLost(self.ticket.clone())) }
    }

    /// Refuses what the holder wrote in a transaction once its lease has passed on; from here to its end it cannot.
    ///
    /// It is asked last: a replica that is stopped on its way to here keeps the ticket from nobody.
    pub(super) async fn still_held(&self, t: &Session) -> Outcome<()> {
        let held: Option<(i64,)> = t.one(STILL_HELD, self.values()).await?;
        self.held_by(held.is_some().into())
    }
}

/// Which dead letters; what is left out does not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeadLetters {
    /// Of one account.
    pub account: Option<String>,
    /// Of one ticket number.
    pub ticket: Option<u64>,
    /// Whose last error holds this text, in whatever case.
    pub error_has: Option<String>,
}
