//! The statements of [`crate::store::watches`].

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::Postgres;
use super::listener::CHANNEL;
use super::values::{column, count, text};
use crate::decide::ticket::TicketKey;
use crate::store::StoreError;
use crate::store::values::{instant, millis, number, ticket_number, until};
use crate::store::watches::{Claim, DeadLetters, Next, Watches, Yields};

/// A ticket that is due earlier stays so: a burst of marks is one look.
pub(super) const MARK_DUE: &str = "WITH marked AS (
        INSERT INTO watches (account, ticket, state, due_at, marks) VALUES ($1, $2, 'due', $3, 1)
        ON CONFLICT (account, ticket) DO UPDATE SET
            due_at = CASE WHEN watches.state = 'due' THEN least(watches.due_at, $3) ELSE $3 END,
            failures = CASE WHEN watches.state = 'dead' THEN 0 ELSE watches.failures END,
            state = 'due', why = NULL, marks = watches.marks + 1
        RETURNING account
    ) SELECT count(pg_notify($4, account)) FROM marked";

const CLAIM: &str = "WITH due AS (
        SELECT ticket FROM watches
        WHERE account = $1 AND state = 'due' AND due_at <= $2 AND (lease IS NULL OR lease_until <= $2)
            AND NOT EXISTS (SELECT FROM pauses WHERE account = $1)
        ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED
    ), taken AS (
        UPDATE watches SET lease = gen_random_uuid()::text, lease_until = $4 FROM due
        WHERE watches.account = $1 AND watches.ticket = due.ticket
        RETURNING watches.ticket, failures, lease, marks, due_at
    ) SELECT ticket, failures, lease, marks FROM taken ORDER BY due_at";

const EXTEND: &str = "UPDATE watches SET lease_until = $4 WHERE account = $1 AND ticket = $2 AND lease = $3";

const SETTLE: &str = "WITH settled AS (UPDATE watches SET
        state = CASE WHEN $9 AND marks <> $10 THEN 'due' ELSE $4 END,
        due_at = CASE WHEN $9 AND marks <> $10 THEN $11::bigint ELSE $5::bigint END,
        why = CASE WHEN $9 AND marks <> $10 THEN NULL ELSE $6 END,
        failures = CASE WHEN $9 AND marks <> $10 THEN 0 ELSE $7::bigint END, last_error = $8, lease = NULL, lease_until = NULL
    WHERE account = $1 AND ticket = $2 AND lease = $3 RETURNING last_error), failed AS (
        INSERT INTO failures (account, ticket, at, error) SELECT $1, $2, $11, last_error FROM settled WHERE last_error IS NOT NULL
    ) SELECT count(*) FROM settled";

/// Of the tickets in nobody's hands the first is the next; those in somebody's are few.
const NEXT_DUE: &str = "SELECT min(at) FROM (
        (SELECT due_at AS at FROM watches WHERE account = $1 AND state = 'due' AND lease IS NULL ORDER BY due_at LIMIT 1)
        UNION ALL
        SELECT greatest(due_at, lease_until) FROM watches WHERE account = $1 AND state = 'due' AND lease IS NOT NULL
    ) AS either WHERE NOT EXISTS (SELECT FROM pauses WHERE account = $1)";

/// Rows are locked in the order in which deliveries lock theirs.
const SEND_BACK: &str = "WITH which AS (
        SELECT account, ticket FROM watches
        WHERE state = 'dead' AND ($2::text IS NULL OR account = $2) AND ($3::bigint IS NULL OR ticket = $3)
            AND ($4::text IS NULL OR strpos(lower(last_error), lower($4)) > 0)
        ORDER BY account, ticket FOR UPDATE
    ), sent AS (
        UPDATE watches SET state = 'due', due_at = $1, why = NULL, failures = 0, marks = marks + 1 FROM which
        WHERE watches.account = which.account AND watches.ticket = which.ticket RETURNING watches.account
    )
    SELECT count(*), (SELECT count(pg_notify($5, account)) FROM (SELECT DISTINCT account FROM sent) AS accounts) FROM sent";

#[async_trait]
impl Watches for Postgres {
    async fn mark_due(&self, ticket: &TicketKey, at: DateTime<Utc>) -> Result<(), StoreError> {
        let client = self.connection().await?;
        let mark = client.prepare_cached(MARK_DUE).await?;
        client.execute(&mark, &[&ticket.account, &number(ticket.id)?, &millis(at), &CHANNEL]).await?;
        self.bells.of(&ticket.account).notify_one();
        Ok(())
    }

    async fn claim(
        &self,
        account: &str,
        now: DateTime<Utc>,
        lease: Duration,
        limit: usize,
    ) -> Result<Vec<Claim>, StoreError> {
        let client = self.connection().await?;
        let claim = client.prepare_cached(CLAIM).await?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let taken = client.query(&claim, &[&account, &millis(now), &limit, &until(now, lease)]).await?;
        let claims = taken.iter().map(|row| {
            Ok(Claim {
                ticket: TicketKey { account: account.to_owned(), id: ticket_number(column(row, 0)?)? },
                failures: u32::try_from(count(row, 1)?).unwrap_or(u32::MAX),
                lease: column(row, 2)?,
                marks: column(row, 3)?,
            })
        });
        claims.collect()
    }

    async fn extend(&self, claim: &Claim, now: DateTime<Utc>, lease: Duration) -> Result<(), StoreError> {
        let TicketKey { account, id } = &claim.ticket;
        let client = self.connection().await?;
        let extend = client.prepare_cached(EXTEND).await?;
        let held = client.execute(&extend, &[account, &number(*id)?, &claim.lease, &until(now, lease)]).await?;
        held_by(claim, held)
    }

    async fn settle(&self, claim: &Claim, next: Next, now: DateTime<Utc>) -> Result<(), StoreError> {
        let left = next.leaves(claim);
        let (why, last_error) = (left.why.map(text), left.last_error.map(text));
        let client = self.connection().await?;
        let settle = client.prepare_cached(SETTLE).await?;
        let held = client
            .query_one(
                &settle,
                &[
                    &claim.ticket.account,
                    &number(claim.ticket.id)?,
                    &claim.lease,
                    &left.state,
                    &left.due_at.map(millis),
                    &why,
                    &i64::from(left.failures),
                    &last_error,
                    &(left.yields == Yields::ToMarks),
                    &claim.marks,
                    &millis(now),
                ],
            )
            .await?;
        held_by(claim, count(&held, 0)?)
    }

    async fn next_due(&self, account: &str) -> Result<Option<DateTime<Utc>>, StoreError> {
        let client = self.connection().await?;
        let next = client.prepare_cached(NEXT_DUE).await?;
        let row = client.query_one(&next, &[&account]).await?;
        column::<Option<i64>>(&row, 0)?.map(instant).transpose()
    }

    async fn send_back(&self, which: &DeadLetters, at: DateTime<Utc>) -> Result<u64, StoreError> {
        let ticket = which.ticket.map(number).transpose()?;
        let error_has = which.error_has.as_deref().map(text);
        let client = self.connection().await?;
        let row = client.query_one(SEND_BACK, &[&millis(at), &which.account, &ticket, &error_has, &CHANNEL]).await?;
        self.bells.ring_all();
        count(&row, 0)
    }
}

/// Refuses what a claim's holder wanted to write once its lease has passed on.
pub(super) fn held_by(claim: &Claim, rows: u64) -> Result<(), StoreError> {
    if rows == 1 { Ok(()) } else { Err(StoreError::LeaseLost(claim.ticket.clone())) }
}
