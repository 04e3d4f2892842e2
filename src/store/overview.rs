//! Overviews: what lists and counts need, without reading whole histories.

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;

use super::StoreError;
use super::decisions::DecisionRow;
use super::watches::Watch;
use crate::decide::ticket::TicketKey;
use crate::learn::report::gist::Gist;

/// The accounts that have tickets, each found by the index behind the one before: they are few, and their tickets many.
pub(super) const ACCOUNTS: &str = "WITH RECURSIVE found (account) AS (
        SELECT min(account) FROM watches
        UNION ALL SELECT (SELECT min(account) FROM watches WHERE watches.account > found.account) FROM found WHERE account IS NOT NULL
    ) SELECT account FROM found WHERE account IS NOT NULL";

/// How many decisions went one way in a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// The hash of the policy that decided.
    pub policy: String,
    /// The verdict.
    pub verdict: String,
    /// The nodes on the way, in order.
    pub nodes: Vec<String>,
    /// How many.
    pub decisions: u64,
}

/// How the tickets stand together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Tickets whose newest decision asks a question.
    pub open_questions: u64,
    /// Tickets whose verdict time alone may change before the instant that was asked for.
    pub flipping: u64,
    /// Dead letters.
    pub dead: u64,
    /// Since when the ticket waits that has been due longest, in whose hands ever; none where nothing is due.
    pub oldest_due: Option<DateTime<Utc>>,
}

/// Which decisions are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DecisionFilter {
    /// Made then or later.
    pub since: Option<DateTime<Utc>>,
    /// With this verdict.
    pub verdict: Option<String>,
    /// With this node on their way.
    pub node: Option<String>,
    /// Before this place in the list.
    pub before: Option<Place>,
}

/// A decision's place in the list, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// When it was made, milliseconds since 1970.
    pub decided_at: i64,
    /// The store's own number for it.
    pub number: i64,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.decided_at, self.number)
    }
}

impl std::str::FromStr for Place {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (decided_at, number) = text.split_once('.').ok_or("a cursor is what an answer gave as next_cursor")?;
        let read = |text: &str| text.parse().map_err(|_| "a cursor is what an answer gave as next_cursor");
        Ok(Place { decided_at: read(decided_at)?, number: read(number)? })
    }
}

/// Which tickets are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// All that were decided on, newest decision first.
    All,
    /// Those whose newest decision asks a question, oldest first: they have waited longest.
    OpenQuestions,
    /// Those whose verdict time alone may change before an instant, the first first.
    Flipping(DateTime<Utc>),
    /// Dead letters.
    Dead,
    /// Those left alone.
    Stopped,
    /// Those with a number, in any account.
    Number(u64),
}

/// A ticket as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedTicket {
    /// Which.
    pub ticket: TicketKey,
    /// Its subject line, a customer's words; empty before the first decision.
    pub subject: String,
    /// Where it stands.
    pub watch: Watch,
    /// The newest decision's verdict.
    pub verdict: Option<String>,
    /// When that was made.
    pub decided_at: Option<DateTime<Utc>>,
    /// When time alone may change it.
    pub valid_until: Option<DateTime<Utc>>,
}

/// Reads overviews.
#[async_trait]
pub trait Overviews: Send + Sync {
    /// How many decisions went which way, from one day to another, both included, UTC.
    async fn tallies(&self, from: NaiveDate, to: NaiveDate) -> Result<Vec<Tally>, StoreError>;

    /// How the tickets stand at `now`; `soon` bounds what is about to flip.
    async fn standing(&self, now: DateTime<Utc>, soon: DateTime<Utc>) -> Result<Standing, StoreError>;

    /// Up to `limit` decisions with their places, newest first.
    async fn decisions(&self, filter: &DecisionFilter, limit: usize) -> Result<Vec<(Place, DecisionRow)>, StoreError>;

    /// Up to `limit` tickets, `skip` of them passed over.
    async fn tickets(&self, listed: &Listed, skip: usize, limit: usize) -> Result<Vec<ListedTicket>, StoreError>;
}

/// What of a decision's JSON lists and counts go by; what is not there is empty.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Counted {
    #[serde(default)]
    pub policy: String,
    #[serde(default)]
    pub walked: Vec<String>,
    #[serde(default)]
    pub valid_until: Option<DateTime<Utc>>,
}

/// What of a decision's basis lists go by.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Titled {
    #[serde(default)]
    pub subject: String,
}

impl DecisionRow {
    pub(super) fn counted(&self) -> Result<Counted, StoreError> {
        serde_json::from_str(&self.decision).map_err(|error| StoreError::Corrupt(format!("a decision: {error}")))
    }

    pub(super) fn gist(&self) -> Result<Gist, StoreError> {
        let gist = Gist::of(&self.verdict, &self.decision);
        gist.map_err(|error| StoreError::Corrupt(format!("a decision: {error}")))
    }

    pub(super) fn titled(&self) -> Result<Titled, StoreError> {
        serde_json::from_str(&self.basis).map_err(|error| StoreError::Corrupt(format!("a decision's basis: {error}")))
    }
}

/// A tally's day: days since 1970, UTC.
pub(super) fn day(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(86_400)
}

/// The same of a date.
pub(super) fn day_of(date: NaiveDate) -> i64 {
    day(date.and_time(chrono::NaiveTime::MIN).and_utc())
}
