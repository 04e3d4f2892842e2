//! Comparisons: what a candidate policy made of decisions of the policy in force.

use chrono::{DateTime, Utc};

use super::database::values;
use super::{Store, StoreError};
use crate::decide::ticket::TicketKey;

/// One decision of the policy in force beside the candidate's, on the same reading at the same time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// Which ticket.
    pub ticket: TicketKey,
    /// The short id of the decision of the policy in force; empty where it does not speak of the ticket and decided nothing.
    pub reference: String,
    /// When it was made.
    pub decided_at: DateTime<Utc>,
    /// Which two policies.
    pub pair: Pair,
    /// What the policy in force decided.
    pub verdict: String,
    /// What the candidate would have decided; none where what it needed to know was not to be had in time.
    pub becomes: Option<String>,
    /// Where the verdicts differ: both reasons and the node where the ways part, as JSON.
    pub difference: Option<String>,
}

/// How it is kept that a verdict could not be told: as a name no outcome has.
const NOT_TOLD: &str = "";

/// A verdict as it is kept; none where it could not be told.
fn told(kept: String) -> Option<String> {
    Some(kept).filter(|verdict| verdict != NOT_TOLD)
}

/// The hashes of two policies that are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The policy in force.
    pub policy: String,
    /// The candidate.
    pub candidate: String,
}

/// How many decisions had this verdict and would have had that one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The verdict of the policy in force.
    pub verdict: String,
    /// The candidate's; none where it could not be told.
    pub becomes: Option<String>,
    /// Decisions.
    pub decisions: u64,
}

const RECORD: &str = "INSERT INTO comparisons
        (account, ticket, reference, decided_at, policy, verdict, candidate, becomes, difference)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (account, ticket, reference, candidate) DO UPDATE SET decided_at = excluded.decided_at,
        policy = excluded.policy, verdict = excluded.verdict, becomes = excluded.becomes, difference = excluded.difference";

const MOVED: &str = "SELECT verdict, becomes, count(*) FROM comparisons WHERE policy = $1 AND candidate = $2
    GROUP BY verdict, becomes ORDER BY verdict, becomes";

const DIFFERING: &str = "SELECT id, account, ticket, reference, decided_at, verdict, becomes, difference
    FROM comparisons WHERE policy = $1 AND candidate = $2 AND difference IS NOT NULL AND id < $3
    ORDER BY id DESC LIMIT $4";

impl Store {
    /// Keeps a comparison; where the same decision was compared with the same candidate before, the newer stands.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn record_comparison(&self, comparison: &Comparison) -> Result<(), StoreError> {
        let Comparison { ticket, reference, decided_at, pair, verdict, becomes, difference } = comparison;
        let becomes = becomes.as_deref().unwrap_or(NOT_TOLD);
        let which = values![&ticket.account, ticket.id, reference, *decided_at, &pair.policy];
        let what = values![verdict, &pair.candidate, becomes, difference.as_deref()];
        self.run(RECORD, [which, what].concat()).await.map(drop)
    }

    /// How verdicts moved between two policies, in the order of their names.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn moved_verdicts(&self, pair: &Pair) -> Result<Vec<Moved>, StoreError> {
        let moved = self.all(MOVED, values![&pair.policy, &pair.candidate]).await?.into_iter();
        Ok(moved.map(|(verdict, becomes, decisions)| Moved { verdict, becomes: told(becomes), decisions }).collect())
    }

    /// Up to `limit` comparisons of two policies whose verdicts differ, with their numbers, newest first, of those before
    /// the number `before`.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn differing(
        &self,
        pair: &Pair,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<(i64, Comparison)>, StoreError> {
        let values = values![&pair.policy, &pair.candidate, before.unwrap_or(i64::MAX), limit];
        let found = self.all(DIFFERING, values).await?.into_iter();
        let comparison = |(number, account, id, reference, decided_at, verdict, becomes, difference)| {
            let (ticket, pair, becomes) = (TicketKey { account, id }, pair.clone(), told(becomes));
            (number, Comparison { ticket, reference, decided_at, pair, verdict, becomes, difference })
        };
        Ok(found.map(comparison).collect())
    }
}
