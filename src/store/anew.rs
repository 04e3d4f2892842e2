//! Tickets to decide anew: open ones that another policy decided last, or that somebody wants looked at again.
//!
//! What is kept with a ticket is compared with the policy in force, so nothing needs to be told of a change and a restart
//! loses none of it.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::database::{list, token, until, values};
use super::watches::Claim;
use super::{Store, StoreError};

/// What is due within this long is looked at anyway, and a look that is to wait a moment waits for it.
const SOON: TimeDelta = TimeDelta::minutes(1);

/// Of replicas that decide by different policies only those with the one that came into force last decide anew, so that two
/// never turn a ticket back and forth.
const CLAIM: &str = "WITH which (number) AS MATERIALIZED (
        SELECT ticket FROM watches
        WHERE account = $1 AND state IN ('due', 'idle') AND decided_by IS NOT NULL AND decided_by <> $6
            AND (due_at IS NULL OR due_at > $8) AND last_error IS NULL
            AND (lease IS NULL OR lease_until <= $2 OR lease_until > $9)
            AND $6 = (SELECT hash FROM policies ORDER BY since DESC, hash LIMIT 1)
            AND NOT EXISTS (SELECT 1 FROM pauses WHERE account = $1)
        ORDER BY verdict IN (
                SELECT value FROM /*sqlite json_each($7)*/ /*postgres jsonb_array_elements_text(CAST(CAST($7 AS TEXT) AS JSONB))*/ AS dismissing),
            valid_until IS NULL, valid_until, decided_at DESC
        LIMIT $3 /*postgres FOR UPDATE SKIP LOCKED*/
    ) UPDATE watches SET state = 'due', due_at = $2, lease = CAST($5 AS TEXT) || CAST(ticket AS TEXT), lease_until = $4
    FROM which WHERE account = $1 AND ticket = number RETURNING ticket, failures, lease, marks";

const COUNT: &str = "SELECT account, count(*) FROM watches
    WHERE state IN ('due', 'idle') AND decided_by IS NOT NULL AND decided_by <> $1 GROUP BY account";

/// Rows are locked in the order in which deliveries lock theirs.
const ALL: &str = "WITH which (of, number) AS MATERIALIZED (
        SELECT account, ticket FROM watches WHERE state IN ('due', 'idle') AND decided_by IS NOT NULL
        ORDER BY account, ticket /*postgres FOR UPDATE*/
    ) UPDATE watches SET decided_by = '' FROM which WHERE account = of AND ticket = number RETURNING account";

impl Store {
    /// Takes up to `limit` open tickets of `account` that the `policy` in force has not decided yet and that are not due
    /// soon, as [`Store::claim`] does: first those whose verdict is none of the `dismissing`, and of either those that time
    /// changes soonest. None where another policy came into force since.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn claim_anew(
        &self,
        account: &str,
        policy: &str,
        dismissing: &[&str],
        now: DateTime<Utc>,
        lease: Duration,
        limit: usize,
    ) -> Result<Vec<Claim>, StoreError> {
        let now = self.shared(now);
        let (ends, longest) = (until(now, lease), until(now, lease.saturating_mul(2)));
        let taking = values![account, now, limit, ends, token()? + "-"];
        let which = values![policy, list(dismissing)?, now + SOON, longest];
        let taken: Vec<(u64, u32, String, i64)> = self.returning(CLAIM, [taking, which].concat()).await?;
        Ok(taken.into_iter().map(|columns| Claim::of(account, columns)).collect())
    }

    /// How many open tickets of each account `policy` has not decided yet; an account without any is left out.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn to_decide_anew(&self, policy: &str) -> Result<BTreeMap<String, u64>, StoreError> {
        Ok(self.all(COUNT, values![policy]).await?.into_iter().collect())
    }

    /// Has every open ticket that was decided decided anew; how many.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn decide_all_anew(&self) -> Result<u64, StoreError> {
        self.transaction(move |t| async move {
            let marked: Vec<(String,)> = t.all(ALL, values![]).await?;
            marked.iter().for_each(|(account,)| t.wake(account));
            Ok(u64::try_from(marked.len()).unwrap_or(u64::MAX))
        })
        .await
    }
}
