//! Counts: what the decisions of a period say, read when it is asked.
//!
//! A decision counts from when it was carried out, on the day it was made, and no longer than it is kept. Decisions of one
//! kind say the same, so that one of each is read whole and the others are counted.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::database::{Outcome, Session, values};
use super::feedback::{Agreement, FeedbackRow};
use super::{Store, StoreError};
use crate::decide::ticket::TicketKey;
use crate::learn::report::Sum;
use crate::learn::report::gist::Gist;

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

/// What was counted in a period.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums {
    /// What decisions said, and how many of them said so; what was said first comes first.
    pub gists: Vec<(Gist, Sum)>,
    /// Seconds from a ticket's first delivery to the note of its first verdict, and how many tickets waited so long.
    pub waits: Vec<(u64, u64)>,
    /// Tenths of a second from a ticket's first event to its first note, and how many tickets that took so long.
    pub notes: Vec<(u64, u64)>,
    /// Tickets whose first verdict came after one note that asks.
    pub answered_once: u64,
}

/// What of a decision's JSON lists and counts go by; what is not there is empty.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Said {
    #[serde(default)]
    pub policy: String,
    #[serde(default)]
    pub walked: Vec<String>,
    #[serde(default)]
    pub valid_until: Option<DateTime<Utc>>,
}

/// Reads it.
pub(super) fn said(decision: &str) -> Outcome<Said> {
    serde_json::from_str(decision).map_err(corrupt)
}

/// Whether a decision opens its ticket and whether it settles it, once it is carried out.
const PLACE: &str = "UPDATE decisions SET
        opens = CASE WHEN EXISTS (
                SELECT 1 FROM decisions AS earlier
                WHERE earlier.account = $1 AND earlier.ticket = $2 AND earlier.opens IS NOT NULL)
            THEN 0 ELSE 1 END,
        settles = CASE WHEN verdict IN ('needs_facts', 'not_applicable') OR EXISTS (
                SELECT 1 FROM decisions AS earlier
                WHERE earlier.account = $1 AND earlier.ticket = $2 AND earlier.opens IS NOT NULL
                    AND earlier.verdict NOT IN ('needs_facts', 'not_applicable'))
            THEN 0 ELSE 1 END
    WHERE account = $1 AND ticket = $2 AND reference = $3 AND opens IS NULL";

/// How long its ticket waited. What ends before it begins is no wait.
const WAITED: &str = "UPDATE decisions SET waited = (posted_at - (
            SELECT min(received_at) FROM deliveries WHERE deliveries.account = $1 AND deliveries.ticket = $2)) / 1000
    WHERE account = $1 AND ticket = $2 AND reference = $3 AND settles = 1 AND waited IS NULL AND posted_at >= (
            SELECT min(received_at) FROM deliveries WHERE deliveries.account = $1 AND deliveries.ticket = $2)";

/// How long the first note of its ticket took from the first event ($4: by how much the helpdesk's clock is ahead of ours,
/// by which events tell their time). What ends before it begins is no time.
macro_rules! star {
    () => {
        "(SELECT min(CASE WHEN happened_at IS NULL OR happened_at - CAST($4 AS BIGINT) > received_at
                THEN received_at ELSE happened_at - CAST($4 AS BIGINT) END)
            FROM deliveries WHERE deliveries.account = $1 AND deliveries.ticket = $2)"
    };
}

const STAR_TO_NOTE: &str = concat!(
    "UPDATE decisions SET star_to_note = posted_at - ",
    star!(),
    " WHERE account = $1 AND ticket = $2 AND reference = $3 AND opens = 1 AND star_to_note IS NULL AND posted_at >= ",
    star!(),
    " RETURNING star_to_note"
);

/// Of each kind how many there are, and one of them.
const KINDS: &str = "SELECT kind, one.verdict, decision, decisions, tickets, settled, unaided FROM (
        SELECT kind AS of_kind, min(id) AS first, count(*) AS decisions, CAST(sum(opens) AS BIGINT) AS tickets,
            CAST(sum(settles) AS BIGINT) AS settled, CAST(sum(opens * settles) AS BIGINT) AS unaided
        FROM decisions WHERE decided_at >= $1 AND opens IS NOT NULL GROUP BY kind
    ) AS counted JOIN decisions AS one ON id = first ORDER BY first";

/// The newest opinion on each decision that counts, with that decision.
macro_rules! newest_opinions {
    ($columns:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM feedback AS f
            JOIN decisions AS d ON d.account = f.account AND d.ticket = f.ticket AND d.reference = f.reference
            WHERE f.decided_at >= $1 AND d.opens IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM feedback AS newer
                WHERE newer.account = f.account AND newer.ticket = f.ticket AND newer.reference = f.reference
                    AND (newer.said_at, newer.id) > (f.said_at, f.id)) ",
            $rest
        )
    };
}

const OPINIONS: &str = newest_opinions!(
    "kind, count(*) FILTER (WHERE opinion = 'agree'), count(*) FILTER (WHERE opinion <> 'agree'),
    count(*) FILTER (WHERE opinion <> 'agree' AND settles = 1)",
    "GROUP BY kind"
);

const AGREEMENT: &str = newest_opinions!(
    "count(*) FILTER (WHERE opinion = 'agree'), count(*) FILTER (WHERE opinion <> 'agree')",
    "AND d.verdict NOT IN ('needs_facts', 'not_applicable')"
);

const DISAGREEMENTS: &str = newest_opinions!(
    "f.account, f.ticket, f.reference, f.verdict, opinion, detail, who, said_at, way, comment",
    "AND opinion <> 'agree' AND d.verdict NOT IN ('needs_facts', 'not_applicable')
    ORDER BY d.decided_at DESC, d.id DESC LIMIT $2"
);

const WAITS: &str = "SELECT waited, count(*) FROM decisions WHERE decided_at >= $1 AND waited IS NOT NULL
    GROUP BY waited ORDER BY waited";

const NOTES: &str = "SELECT star_to_note / 100 AS tenths, count(*) FROM decisions
    WHERE decided_at >= $1 AND star_to_note IS NOT NULL GROUP BY star_to_note / 100 ORDER BY tenths";

const ANSWERED_ONCE: &str = "SELECT count(*) FROM decisions AS settling
    WHERE decided_at >= $1 AND settles = 1 AND opens = 0 AND 1 = (
        SELECT count(*) FROM decisions AS earlier
        WHERE earlier.account = settling.account AND earlier.ticket = settling.ticket AND earlier.opens IS NOT NULL
            AND earlier.id < settling.id)";

const TALLIES: &str = "SELECT one.verdict, decision, decisions FROM (
        SELECT min(id) AS first, count(*) AS decisions FROM decisions WHERE decided_at >= $1 AND decided_at < $2 GROUP BY kind
    ) AS counted JOIN decisions AS one ON id = first ORDER BY first";

/// A period goes from a day on, UTC; without one it is all that is kept.
impl Store {
    /// What was counted of the decisions of a period.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn sums(&self, since: Option<NaiveDate>) -> Result<Sums, StoreError> {
        let since = since.map_or(DateTime::UNIX_EPOCH, midnight);
        self.read(move |t| async move {
            let kinds: Vec<(i64, String, String, u64, u64, u64, u64)> = t.all(KINDS, values![since]).await?;
            let opinions: Vec<(i64, u64, u64, u64)> = t.all(OPINIONS, values![since]).await?;
            let opinions: BTreeMap<i64, _> =
                opinions.into_iter().map(|(kind, agreed, disagreed, lost)| (kind, (agreed, disagreed, lost))).collect();
            let gists = kinds.into_iter().map(|(kind, verdict, decision, decisions, tickets, settled, unaided)| {
                let (agreed, disagreed, lost) = opinions.get(&kind).copied().unwrap_or_default();
                let saved = settled.saturating_sub(lost);
                Ok((gist(&verdict, &decision)?, Sum { decisions, tickets, settled, unaided, saved, agreed, disagreed }))
            });
            Ok(Sums {
                gists: gists.collect::<Outcome<_>>()?,
                waits: t.all(WAITS, values![since]).await?,
                notes: t.all(NOTES, values![since]).await?,
                answered_once: t.just(ANSWERED_ONCE, values![since]).await.map(|(tickets,)| tickets)?,
            })
        })
        .await
    }

    /// Keeps how long the first note of a ticket took, once it is known to stand: from the ticket's first event, of which the
    /// helpdesk tells the time by a clock that is so far `ahead` of ours. None where it is no first note, was kept before, or
    /// no event tells.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn star_to_note(
        &self,
        ticket: &TicketKey,
        reference: &str,
        ahead: TimeDelta,
    ) -> Result<Option<Duration>, StoreError> {
        let values = values![&ticket.account, ticket.id, reference, ahead.num_milliseconds()];
        let took: Vec<(u64,)> = self.returning(STAR_TO_NOTE, values).await?;
        Ok(took.first().map(|(ms,)| Duration::from_millis(*ms)))
    }

    /// Agreement on the verdicts of a period. Open questions are no verdict: they are left out.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn agreement(&self, since: NaiveDate) -> Result<Agreement, StoreError> {
        let counted = self.one(AGREEMENT, values![midnight(since)]).await?;
        Ok(counted.map(|(agreed, disagreed)| Agreement { agreed, disagreed }).unwrap_or_default())
    }

    /// Verdicts of a period that somebody disagreed with, each with the newest opinion on it, the newest decision first,
    /// at most `limit`.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn disagreements(&self, since: Option<NaiveDate>, limit: usize) -> Result<Vec<FeedbackRow>, StoreError> {
        let since = since.map_or(DateTime::UNIX_EPOCH, midnight);
        let rows = self.all(DISAGREEMENTS, values![since, limit]).await?;
        rows.into_iter().map(FeedbackRow::of).collect()
    }

    /// How many decisions went which way, from one day to another, both included, UTC; carried out or not.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn tallies(&self, from: NaiveDate, to: NaiveDate) -> Result<Vec<Tally>, StoreError> {
        let end = to.checked_add_days(Days::new(1)).map_or(DateTime::<Utc>::MAX_UTC, midnight);
        let kinds: Vec<(String, String, u64)> = self.all(TALLIES, values![midnight(from), end]).await?;
        let mut tallies: Vec<Tally> = Vec::new();
        for (verdict, decision, decisions) in kinds {
            let Said { policy, walked: nodes, .. } = serde_json::from_str(&decision).map_err(corrupt)?;
            let same = tallies.iter_mut().find(|it| it.verdict == verdict && it.nodes == nodes && it.policy == policy);
            match same {
                Some(tally) => tally.decisions += decisions,
                None => tallies.push(Tally { policy, verdict, nodes, decisions }),
            }
        }
        tallies.sort_by_key(|tally| std::cmp::Reverse(tally.decisions));
        Ok(tallies)
    }
}

/// Notes what a decision that was carried out counts as, once; and how long its ticket waited, once that is known.
pub(super) async fn place(t: &Session, ticket: &TicketKey, reference: &str) -> Outcome<()> {
    let which = values![&ticket.account, ticket.id, reference];
    t.run(PLACE, which.clone()).await?;
    t.run(WAITED, which).await.map(drop)
}

/// A decision's kind: a hash of all that is counted by.
pub(super) fn kind(verdict: &str, decision: &str) -> Outcome<i64> {
    let Said { policy, walked, .. } = said(decision)?;
    let text = serde_json::to_vec(&(policy, walked, gist(verdict, decision)?)).map_err(corrupt)?;
    let mut first = [0; 8];
    first.iter_mut().zip(Sha256::digest(text)).for_each(|(byte, of_hash)| *byte = of_hash);
    Ok(i64::from_be_bytes(first))
}

fn gist(verdict: &str, decision: &str) -> Outcome<Gist> {
    Gist::of(verdict, decision).map_err(corrupt)
}

fn corrupt(error: serde_json::Error) -> StoreError {
    StoreError::Corrupt(format!("a decision: {error}"))
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}
