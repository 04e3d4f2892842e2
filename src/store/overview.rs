//! Overviews: lists of tickets and decisions, and how the tickets stand together.

use chrono::{DateTime, Utc};

use super::database::{Value, values};
use super::decisions::{Columns as DecisionColumns, DecisionRow};
use super::hands::Hand;
use super::watches::Watch;
use super::{Store, StoreError};
use crate::decide::ticket::TicketKey;

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
    /// Open ones with a verdict that nobody said done of, the first deadline first.
    With(String),
    /// Open ones of which the newest decision says that the customer is locked out, the first deadline first, unless done.
    LockedOut,
    /// Open ones that somebody said done of, the newest first.
    Done,
    /// Open ones whose subject, organisation or number has these words in it, the newest decision first.
    Words(String),
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
    /// When the time runs out, where something says so.
    pub deadline: Option<DateTime<Utc>>,
    /// Whether the newest decision says that the customer is locked out.
    pub locked_out: bool,
    /// The requester's organisation, by name.
    pub organization: Option<String>,
    /// Who has it in hand.
    pub hand: Option<Hand>,
}

/// Tickets whose newest decision has a verdict, open and not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pile {
    /// The verdict.
    pub verdict: String,
    /// How many.
    pub tickets: u64,
}

/// The accounts that have tickets, each found by the index behind the one before: they are few, and their tickets many.
macro_rules! accounts {
    () => {
        "(WITH RECURSIVE found (account) AS (
            SELECT min(account) FROM watches
            UNION ALL SELECT (SELECT min(account) FROM watches WHERE watches.account > found.account)
                FROM found WHERE account IS NOT NULL
        ) SELECT account FROM found WHERE account IS NOT NULL)"
    };
}

const STANDING: &str = concat!(
    "SELECT
        (SELECT count(*) FROM watches /*sqlite INDEXED BY watches_asking*/
         WHERE verdict = 'needs_facts' AND state IN ('due', 'idle')),
        (SELECT count(*) FROM watches /*sqlite INDEXED BY watches_flipping*/
         WHERE state IN ('due', 'idle') AND valid_until IS NOT NULL AND valid_until <= $2),
        (SELECT count(*) FROM watches WHERE state = 'dead'),
        (SELECT min(oldest) FROM (
            SELECT (SELECT min(due_at) FROM watches /*sqlite INDEXED BY watches_due*/
                    WHERE watches.account = accounts.account AND state = 'due') AS oldest
            FROM ",
    accounts!(),
    " AS accounts) AS each_account WHERE oldest <= $1)"
);

/// A page is found in an index alone, and only its decisions are read. The `+` keeps SQLite from another index.
const DECISIONS: &str =
    "SELECT decided_at, id, reference, verdict, fingerprint, decision, note, carried, basis, account, ticket
    FROM decisions WHERE id IN (
        SELECT id FROM decisions
        WHERE decided_at >= $1 AND (decided_at, id) < ($2, $3) AND (CAST($5 AS TEXT) IS NULL OR verdict = $5)
            AND (CAST($6 AS TEXT) IS NULL OR +kind IN (
                WITH RECURSIVE found (kind) AS (
                    SELECT min(kind) FROM decisions
                    UNION ALL SELECT (SELECT min(kind) FROM decisions WHERE decisions.kind > found.kind)
                        FROM found WHERE kind IS NOT NULL
                ) SELECT kind FROM found WHERE (
                    SELECT replace(walked, $6, '') <> walked FROM decisions WHERE decisions.kind = found.kind LIMIT 1)))
        ORDER BY decided_at DESC, id DESC LIMIT $4)
    ORDER BY decided_at DESC, id DESC";

const DEADLINE: &str = "(deadline IS NULL), deadline, decided_at, account, ticket";

const PILES: &str = "SELECT verdict, count(*) FROM watches /*sqlite INDEXED BY watches_standing*/
    WHERE state IN ('due', 'idle') AND verdict IS NOT NULL AND (hand IS NULL OR hand <> 'done') GROUP BY verdict";

/// Words as a pattern that finds them anywhere.
fn within(words: &str) -> String {
    let mut pattern = String::from("%");
    for character in words.trim().to_lowercase().chars() {
        if ['%', '_', '!'].contains(&character) {
            pattern.push('!');
        }
        pattern.push(character);
    }
    pattern + "%"
}

/// Lists and how the tickets stand. No method waits for writers.
impl Store {
    /// How the tickets stand at `now`; `soon` bounds what is about to flip.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn standing(&self, now: DateTime<Utc>, soon: DateTime<Utc>) -> Result<Standing, StoreError> {
        let standing = self.one(STANDING, values![self.shared(now), soon]).await?;
        let read = |(open_questions, flipping, dead, oldest): (u64, u64, u64, Option<DateTime<Utc>>)| {
            let oldest_due = oldest.map(|at| self.clock().own(at));
            Standing { open_questions, flipping, dead, oldest_due }
        };
        standing.map(read).ok_or_else(|| StoreError::odd("answer without a row"))
    }

    /// Up to `limit` decisions with their places, newest first.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn decisions(
        &self,
        filter: &DecisionFilter,
        limit: usize,
    ) -> Result<Vec<(Place, DecisionRow)>, StoreError> {
        let before = filter.before.unwrap_or(Place { decided_at: i64::MAX, number: i64::MAX });
        let since = filter.since.map_or(i64::MIN, |since| since.timestamp_millis());
        let node = filter.node.as_ref().map(|node| serde_json::Value::from(node.as_str()).to_string());
        let values = values![since, before.decided_at, before.number, limit, filter.verdict.as_deref(), node];
        type Columns = (DateTime<Utc>, i64, String, String, String, String, String, String, String, String, u64);
        let placed = |columns: Columns| {
            let (at, number, reference, verdict, fingerprint, decision, note, carried, basis, account, id) = columns;
            let row = (reference, at, verdict, fingerprint, decision, note, carried, basis, account, id);
            Ok((Place { decided_at: at.timestamp_millis(), number }, DecisionRow::of(row)?))
        };
        self.all(DECISIONS, values).await?.into_iter().map(placed).collect()
    }

    /// Up to `limit` tickets, `skip` of them passed over.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn tickets(&self, listed: &Listed, skip: usize, limit: usize) -> Result<Vec<ListedTicket>, StoreError> {
        let newest_first = "decided_at DESC NULLS LAST, account DESC, ticket DESC";
        let (which, order) = match listed {
            Listed::All => ("WHERE decided_at IS NOT NULL", "decided_at DESC, account DESC, ticket DESC"),
            Listed::OpenQuestions => (
                "/*sqlite INDEXED BY watches_asking*/ WHERE verdict = 'needs_facts' AND state IN ('due', 'idle')",
                "decided_at, account, ticket",
            ),
            Listed::Flipping(_) => (
                "/*sqlite INDEXED BY watches_flipping*/
                 WHERE state IN ('due', 'idle') AND valid_until IS NOT NULL AND valid_until <= $3",
                "valid_until, account, ticket",
            ),
            Listed::Dead => ("WHERE state = 'dead'", newest_first),
            Listed::Stopped => ("WHERE state = 'stopped'", newest_first),
            Listed::Number(_) => (concat!("WHERE ticket = $3 AND account IN ", accounts!()), "account"),
            Listed::With(_) => (
                "/*sqlite INDEXED BY watches_standing*/ WHERE verdict = $3 AND state IN ('due', 'idle')
                 AND verdict IS NOT NULL AND (hand IS NULL OR hand <> 'done')",
                DEADLINE,
            ),
            Listed::LockedOut => (
                "/*sqlite INDEXED BY watches_locked_out*/ WHERE locked_out = 1 AND state IN ('due', 'idle')
                 AND (hand IS NULL OR hand <> 'done')",
                DEADLINE,
            ),
            Listed::Done => ("WHERE hand = 'done' AND state IN ('due', 'idle')", "hand_at DESC, account, ticket"),
            Listed::Words(_) => (
                "WHERE decided_at IS NOT NULL AND state IN ('due', 'idle') AND (lower(subject) LIKE $3 ESCAPE '!'
                 OR lower(organization) LIKE $3 ESCAPE '!' OR account || '/' || CAST(ticket AS TEXT) LIKE $3 ESCAPE '!')",
                "decided_at DESC, account DESC, ticket DESC",
            ),
        };
        let mut values = values![skip, limit];
        match listed {
            Listed::Flipping(soon) => values.push((*soon).into()),
            Listed::Number(id) => values.push(i64::try_from(*id).unwrap_or(-1).into()),
            Listed::With(verdict) => values.push(verdict.as_str().into()),
            Listed::Words(words) => values.push(within(words).into()),
            Listed::All | Listed::OpenQuestions | Listed::Dead | Listed::Stopped | Listed::LockedOut | Listed::Done => {
            }
        }
        let list = format!(
            "SELECT account, ticket, subject, verdict, decided_at, valid_until, state, due_at, why, deadline, locked_out,
                organization, hand, hand_who, hand_at FROM watches {which} ORDER BY {order} LIMIT $2 OFFSET $1"
        );
        type At = Option<DateTime<Utc>>;
        type Text = Option<String>;
        type Columns = (String, u64, Text, Text, At, At, String, At, Text, At, u64, Text, Text, Text, At);
        let ticket = |columns: Columns| {
            let (account, id, subject, verdict, decided_at, valid_until, state, due_at, why, deadline, ..) = columns;
            let (.., locked_out, organization, hand, who, at) = columns;
            Ok(ListedTicket {
                ticket: TicketKey { account, id },
                subject: subject.unwrap_or_default(),
                watch: Watch::read(&state, due_at, why)?,
                verdict,
                decided_at,
                valid_until,
                deadline,
                locked_out: locked_out > 0,
                organization,
                hand: Hand::read(hand, who, at)?,
            })
        };
        self.all(&list, values).await?.into_iter().map(ticket).collect()
    }

    /// How many open tickets have each verdict, those that are done aside.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn piles(&self) -> Result<Vec<Pile>, StoreError> {
        let piles = self.all(PILES, values![]).await?.into_iter();
        Ok(piles.map(|(verdict, tickets)| Pile { verdict, tickets }).collect())
    }

    /// The newest decisions of tickets, in no order.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn newest_decisions(&self, tickets: &[TicketKey]) -> Result<Vec<DecisionRow>, StoreError> {
        let Some((which, values)) = one_of(tickets) else { return Ok(Vec::new()) };
        let newest = format!(
            "SELECT reference, decided_at, verdict, fingerprint, decision, note, carried, basis, account, ticket
             FROM decisions WHERE id IN (SELECT max(id) FROM decisions WHERE {which} GROUP BY account, ticket)"
        );
        let rows: Vec<DecisionColumns> = self.all(&newest, values).await?;
        rows.into_iter().map(DecisionRow::of).collect()
    }

    /// Who agreed with which decision of tickets, by its short id, the later behind the earlier.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn agreed_with(&self, tickets: &[TicketKey]) -> Result<Vec<(TicketKey, String, String)>, StoreError> {
        let Some((which, values)) = one_of(tickets) else { return Ok(Vec::new()) };
        let agreed = format!(
            "SELECT account, ticket, reference, who FROM feedback WHERE opinion = 'agree' AND ({which}) ORDER BY said_at"
        );
        let rows: Vec<(String, u64, String, String)> = self.all(&agreed, values).await?;
        Ok(rows.into_iter().map(|(account, id, reference, who)| (TicketKey { account, id }, reference, who)).collect())
    }
}

/// That a row is of one of the tickets; none where there are none.
fn one_of(tickets: &[TicketKey]) -> Option<(String, Vec<Value>)> {
    let each = |place: usize| format!("(account = ${} AND ticket = ${})", 2 * place + 1, 2 * place + 2);
    let which: Vec<String> = (0..tickets.len()).map(each).collect();
    let values = tickets.iter().flat_map(|ticket| values![&ticket.account, ticket.id]).collect();
    (!tickets.is_empty()).then(|| (which.join(" OR "), values))
}
