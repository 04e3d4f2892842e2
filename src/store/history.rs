//! A ticket's whole history, and lists of tickets, for people.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::database::{Value, values};
use super::decisions::DecisionRow;
use super::watches::Watch;
use super::{Store, StoreError};
use crate::decide::ticket::TicketKey;

/// A ticket's whole history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// Where it stands.
    pub watch: Watch,
    /// The last thing that went wrong, if the last look failed.
    pub last_error: Option<String>,
    /// Its deliveries, oldest first.
    pub deliveries: Vec<DeliveryRow>,
    /// Its decisions, oldest first.
    pub decisions: Vec<DecisionRow>,
    /// Looks at it that failed, oldest first.
    pub failures: Vec<FailureRow>,
}

/// A delivery as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeliveryRow {
    /// What happened, as the sender names it.
    pub kind: String,
    /// When it was received.
    pub received_at: DateTime<Utc>,
}

/// A look that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailureRow {
    /// When.
    pub at: DateTime<Utc>,
    /// What went wrong, in a sentence.
    pub error: String,
}

/// A watched ticket in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WatchRow {
    /// Which.
    pub ticket: TicketKey,
    /// Where it stands.
    pub watch: Watch,
    /// How often it has failed in a row.
    pub failures: u32,
    /// The last thing that went wrong, if the last look failed.
    pub last_error: Option<String>,
    /// The verdict of its newest decision, carried out or not.
    pub verdict: Option<String>,
    /// When that was made.
    pub decided_at: Option<DateTime<Utc>>,
    /// When time alone may change it.
    pub valid_until: Option<DateTime<Utc>>,
    /// Its subject line, a customer's words; empty before the first decision.
    pub subject: String,
}

/// A state to list by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchState {
    /// [`Watch::Due`].
    Due,
    /// [`Watch::Idle`].
    Idle,
    /// [`Watch::Dead`].
    Dead,
    /// [`Watch::Stopped`].
    Stopped,
}

impl WatchState {
    /// Its word in rows and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            WatchState::Due => "due",
            WatchState::Idle => "idle",
            WatchState::Dead => "dead",
            WatchState::Stopped => "stopped",
        }
    }
}

/// Which watched tickets; what is left out does not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WatchFilter {
    /// Of one account.
    pub account: Option<String>,
    /// In one state.
    pub state: Option<WatchState>,
    /// Whose newest decision has this verdict.
    pub verdict: Option<String>,
    /// Whose number this is, or whose subject holds it, in whatever case.
    pub query: Option<String>,
}

/// How much waits in one account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Backlog {
    /// Tickets due by now, in hand or not.
    pub due: u64,
    /// Tickets due later.
    pub later: u64,
    /// Tickets with a lease that runs.
    pub in_hand: u64,
    /// Dead letters.
    pub dead: u64,
    /// Since when the ticket that is due longest has been so.
    pub oldest_due: Option<DateTime<Utc>>,
}

const STANDS: &str = "SELECT state, due_at, why, last_error FROM watches WHERE account = $1 AND ticket = $2";

const DELIVERIES: &str = "SELECT kind, received_at FROM deliveries WHERE account = $1 AND ticket = $2 ORDER BY id";

const DECISIONS: &str =
    "SELECT reference, decided_at, verdict, fingerprint, decision, note, carried, basis, account, ticket
    FROM decisions WHERE account = $1 AND ticket = $2 ORDER BY id";

const FAILURES: &str = "SELECT at, error FROM failures WHERE account = $1 AND ticket = $2 ORDER BY id";

const BACKLOG: &str = "SELECT count(*) FILTER (WHERE due_at <= $2), count(*) FILTER (WHERE due_at > $2),
        count(*) FILTER (WHERE lease_until > $2), (SELECT count(*) FROM watches WHERE account = $1 AND state = 'dead'),
        min(due_at) FILTER (WHERE due_at <= $2)
    FROM watches WHERE account = $1 AND state = 'due'";

/// What people want to see. No method waits for writers.
impl Store {
    /// A ticket's whole history; none where it was never heard of.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn history(&self, ticket: &TicketKey) -> Result<Option<History>, StoreError> {
        let which = values![&ticket.account, ticket.id];
        self.read(move |t| async move {
            type Stands = (String, Option<DateTime<Utc>>, Option<String>, Option<String>);
            let stands: Option<Stands> = t.one(STANDS, which.clone()).await?;
            let Some((state, due_at, why, last_error)) = stands else { return Ok(None) };
            let deliveries = t.all(DELIVERIES, which.clone()).await?.into_iter();
            let decisions = t.all(DECISIONS, which.clone()).await?.into_iter();
            let failures = t.all(FAILURES, which).await?.into_iter();
            Ok(Some(History {
                watch: Watch::read(&state, due_at, why)?,
                last_error,
                deliveries: deliveries.map(|(kind, received_at)| DeliveryRow { kind, received_at }).collect(),
                decisions: decisions.map(DecisionRow::of).collect::<Result<_, _>>()?,
                failures: failures.map(|(at, error)| FailureRow { at, error }).collect(),
            }))
        })
        .await
    }

    /// Up to `limit` watched tickets by account and number, from the one behind `after` on.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn watched(
        &self,
        filter: &WatchFilter,
        after: Option<&TicketKey>,
        limit: u32,
    ) -> Result<Vec<WatchRow>, StoreError> {
        let mut conditions = vec!["TRUE".to_owned()];
        let mut values = values![limit];
        let mut bind = |value: Value| {
            values.push(value);
            format!("${}", values.len())
        };
        if let Some(state) = filter.state {
            conditions.push(format!("state = '{}'", state.word())); // As text, so that its index is seen.
        }
        if let Some(account) = &filter.account {
            conditions.push(format!("account = {}", bind(account.into())));
        }
        if let Some(verdict) = &filter.verdict {
            conditions.push(format!("verdict = {}", bind(verdict.into())));
        }
        if let Some(query) = &filter.query {
            let words = bind(query.into());
            let held =
                format!("replace(lower(coalesce(subject, '')), lower({words}), '') <> lower(coalesce(subject, ''))");
            conditions.push(format!("({held} OR CAST(ticket AS TEXT) = {words})"));
        }
        if let Some(TicketKey { account, id }) = after {
            conditions.push(format!("(account, ticket) > ({}, {})", bind(account.into()), bind((*id).into())));
        }
        let list = format!(
            "SELECT account, ticket, state, due_at, why, failures, last_error, verdict, decided_at, valid_until, subject FROM watches
             WHERE {} ORDER BY account, ticket LIMIT $1",
            conditions.join(" AND ")
        );
        type At = Option<DateTime<Utc>>;
        type Text = Option<String>;
        type Columns = (String, u64, String, At, Text, u32, Text, Text, At, At, Text);
        let row = |(
            account,
            id,
            state,
            due_at,
            why,
            failures,
            last_error,
            verdict,
            decided_at,
            valid_until,
            subject,
        ): Columns| {
            let (ticket, watch) = (TicketKey { account, id }, Watch::read(&state, due_at, why)?);
            let subject = subject.unwrap_or_default();
            Ok(WatchRow { ticket, watch, failures, last_error, verdict, decided_at, valid_until, subject })
        };
        self.all(&list, values).await?.into_iter().map(row).collect()
    }

    /// How much of `account` waits at `now`.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn backlog(&self, account: &str, now: DateTime<Utc>) -> Result<Backlog, StoreError> {
        let backlog = self.one(BACKLOG, values![account, self.shared(now)]).await?;
        let read = |(due, later, in_hand, dead, oldest): (u64, u64, u64, u64, Option<DateTime<Utc>>)| {
            let oldest_due = oldest.map(|at| self.clock().own(at));
            Backlog { due, later, in_hand, dead, oldest_due }
        };
        Ok(backlog.map(read).unwrap_or_default())
    }
}
