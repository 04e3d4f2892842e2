//! Looks: when a watched ticket was last read, so that what moved since is found without a delivery.

use chrono::{DateTime, TimeDelta, Utc};

use super::database::{list, values};
use super::watches::Claim;
use super::{Store, StoreError};

/// What is due within this long is looked at anyway: longer than any backoff, or than a ticket is held back.
const SOON: TimeDelta = TimeDelta::minutes(15);

/// How long a dead letter rests before what the helpdesk says of it is believed to have changed something.
const DEAD_RESTS: TimeDelta = TimeDelta::hours(1);

const LOOKED: &str = "UPDATE watches SET looked_at = $4 WHERE account = $1 AND ticket = $2 AND lease = $3";

const MOVED: &str = "WITH found AS (
        SELECT CAST(value ->> 0 AS BIGINT) AS ticket, CAST(value ->> 1 AS BIGINT) AS changed
        FROM /*sqlite json_each($2)*/ /*postgres jsonb_array_elements(CAST(CAST($2 AS TEXT) AS JSONB))*/ AS told
    ) SELECT found.ticket FROM found LEFT JOIN watches ON watches.account = $1 AND watches.ticket = found.ticket
    WHERE (looked_at IS NULL OR looked_at <= changed) AND CASE watches.state
        WHEN 'due' THEN lease IS NULL AND due_at > $3
        WHEN 'dead' THEN NOT EXISTS (
            SELECT 1 FROM failures WHERE failures.account = $1 AND failures.ticket = found.ticket AND at > $4)
        ELSE TRUE
    END ORDER BY found.ticket";

/// When tickets were looked at, by the helpdesk's clock.
impl Store {
    /// Keeps when the claimed ticket was read.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] where the lease is gone; a store that cannot be used.
    pub async fn looked(&self, claim: &Claim, at: DateTime<Utc>) -> Result<(), StoreError> {
        claim.held_by(self.run(LOOKED, [claim.values(), values![at]].concat()).await?)
    }

    /// Those of `found`, a ticket's number and when it last changed, that were never heard of, or changed since they
    /// were last read. A change within the very second of the reading counts. Left out at `now` is what is in hand or
    /// due within a quarter of an hour, longer than any ticket waits for another try; and a dead letter that failed
    /// within the last hour.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn moved(
        &self,
        account: &str,
        found: &[(u64, DateTime<Utc>)],
        now: DateTime<Utc>,
    ) -> Result<Vec<u64>, StoreError> {
        let found: Vec<_> = found.iter().map(|(id, changed)| (id, changed.timestamp_millis())).collect();
        let moved = self.all(MOVED, values![account, list(&found)?, self.shared(now + SOON), now - DEAD_RESTS]).await?;
        Ok(moved.into_iter().map(|(id,)| id).collect())
    }
}
