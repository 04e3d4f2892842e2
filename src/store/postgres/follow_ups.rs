//! The statements of [`crate::store::follow_ups`].

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio_postgres::Row;

use super::Postgres;
use super::values::{column, count, text};
use crate::decide::ticket::TicketKey;
use crate::store::StoreError;
use crate::store::follow_ups::{Came, Destination, FollowUp, FollowUpClaim, FollowUps, Kind, Planned, Stage};
use crate::store::follow_ups::{TicketIs, Waiting};
use crate::store::values::{instant, millis, number, ticket_number, until};

const PLAN: &str = "INSERT INTO follow_ups (account, ticket, reference, kind, destination, state, due_at)
    VALUES ($1, $2, $3, $4, $5, 'planned', $6) ON CONFLICT DO NOTHING";

const CLAIM: &str = "WITH due AS (
        SELECT id FROM follow_ups
        WHERE destination = $1 AND state = 'due' AND due_at <= $2 AND (lease IS NULL OR lease_until <= $2)
            AND NOT EXISTS (SELECT FROM pauses WHERE pauses.account = follow_ups.account)
            AND NOT EXISTS (SELECT FROM follow_ups AS other WHERE other.account = follow_ups.account
                AND other.ticket = follow_ups.ticket AND other.destination = $1 AND other.lease_until > $2)
        ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
    ) UPDATE follow_ups SET lease = gen_random_uuid()::text, lease_until = $3 FROM due
    WHERE follow_ups.id = due.id
    RETURNING follow_ups.id, account, ticket, reference, kind, failures, lease, EXISTS (
        SELECT FROM watches WHERE watches.account = follow_ups.account
            AND watches.ticket = follow_ups.ticket AND watches.state = 'stopped')";

const EXTEND: &str = "UPDATE follow_ups SET lease_until = $3 WHERE id = $1 AND lease = $2 AND state = 'due'";

const SETTLE: &str = "UPDATE follow_ups SET state = $3, due_at = $4, told = $5, failures = $6, settled_at = $7,
        lease = NULL, lease_until = NULL
    WHERE id = $1 AND lease = $2";

const COLUMNS: &str = "SELECT account, ticket, reference, kind, state, due_at, settled_at, told FROM follow_ups";

const SEND_BACK: &str = "UPDATE follow_ups SET state = 'due', due_at = $3, told = NULL, failures = 0
    WHERE account = $1 AND ticket = $2 AND state IN ('unclear', 'dead')";

const DUE: &str = "SELECT count(*) FROM follow_ups WHERE destination = $1 AND state = 'due' AND due_at <= $2";

const STUCK: &str = "SELECT count(*) FROM follow_ups WHERE destination = $1 AND state IN ('unclear', 'dead')";

#[async_trait]
impl FollowUps for Postgres {
    async fn plan_follow_ups(
        &self,
        ticket: &TicketKey,
        reference: &str,
        planned: &[Planned],
    ) -> Result<(), StoreError> {
        let mut client = self.connection().await?;
        let transaction = client.transaction().await?;
        let id = number(ticket.id)?;
        for Planned { kind, not_before } in planned {
            let destination = kind.destination().word();
            let not_before = not_before.map(millis);
            transaction
                .execute(PLAN, &[&ticket.account, &id, &reference, &kind.word(), &destination, &not_before])
                .await?;
        }
        Ok(transaction.commit().await?)
    }

    async fn claim_follow_up(
        &self,
        destination: Destination,
        now: DateTime<Utc>,
        lease: Duration,
    ) -> Result<Option<FollowUpClaim>, StoreError> {
        let client = self.connection().await?;
        let take = client.prepare_cached(CLAIM).await?;
        let taken = client.query_opt(&take, &[&destination.word(), &millis(now), &until(now, lease)]).await?;
        taken.map(|row| claim(&row)).transpose()
    }

    async fn extend_follow_up(
        &self,
        claim: &FollowUpClaim,
        now: DateTime<Utc>,
        lease: Duration,
    ) -> Result<(), StoreError> {
        let client = self.connection().await?;
        held_by(claim, client.execute(EXTEND, &[&claim.id, &claim.lease, &until(now, lease)]).await?)
    }

    async fn settle_follow_up(&self, claim: &FollowUpClaim, came: &Came, now: DateTime<Utc>) -> Result<(), StoreError> {
        let left = came.leaves(claim);
        let client = self.connection().await?;
        let held = client
            .execute(
                SETTLE,
                &[
                    &claim.id,
                    &claim.lease,
                    &left.state,
                    &left.due_at.map(millis),
                    &left.told.map(text),
                    &i64::from(left.failures),
                    &millis(now),
                ],
            )
            .await?;
        held_by(claim, held)
    }

    async fn follow_ups_of(&self, ticket: &TicketKey) -> Result<Vec<FollowUp>, StoreError> {
        let of_ticket = format!("{COLUMNS} WHERE account = $1 AND ticket = $2 ORDER BY id");
        let client = self.connection().await?;
        let of_ticket = client.prepare_cached(&of_ticket).await?;
        let rows = client.query(&of_ticket, &[&ticket.account, &number(ticket.id)?]).await?;
        rows.iter().map(follow_up).collect()
    }

    async fn stuck_follow_ups(&self, limit: usize) -> Result<Vec<FollowUp>, StoreError> {
        let stuck = format!("{COLUMNS} WHERE state IN ('unclear', 'dead') ORDER BY settled_at DESC, id DESC LIMIT $1");
        let client = self.connection().await?;
        let stuck = client.prepare_cached(&stuck).await?;
        let rows = client.query(&stuck, &[&i64::try_from(limit).unwrap_or(i64::MAX)]).await?;
        rows.iter().map(follow_up).collect()
    }

    async fn send_follow_ups_back(&self, ticket: &TicketKey, at: DateTime<Utc>) -> Result<u64, StoreError> {
        let client = self.connection().await?;
        Ok(client.execute(SEND_BACK, &[&ticket.account, &number(ticket.id)?, &millis(at)]).await?)
    }

    async fn follow_ups_waiting(&self, destination: Destination, now: DateTime<Utc>) -> Result<Waiting, StoreError> {
        let client = self.connection().await?;
        let (due, stuck) = (client.prepare_cached(DUE).await?, client.prepare_cached(STUCK).await?);
        Ok(Waiting {
            due: count(&client.query_one(&due, &[&destination.word(), &millis(now)]).await?, 0)?,
            stuck: count(&client.query_one(&stuck, &[&destination.word()]).await?, 0)?,
        })
    }
}

fn claim(row: &Row) -> Result<FollowUpClaim, StoreError> {
    Ok(FollowUpClaim {
        id: column(row, 0)?,
        ticket: TicketKey { account: column(row, 1)?, id: ticket_number(column(row, 2)?)? },
        reference: column(row, 3)?,
        kind: Kind::read(column(row, 4)?)?,
        failures: u32::try_from(count(row, 5)?).unwrap_or(u32::MAX),
        lease: column(row, 6)?,
        ticket_is: if column(row, 7)? { TicketIs::LeftAlone } else { TicketIs::Watched },
    })
}

fn held_by(claim: &FollowUpClaim, rows: u64) -> Result<(), StoreError> {
    if rows == 1 { Ok(()) } else { Err(StoreError::LeaseLost(claim.ticket.clone())) }
}

fn follow_up(row: &Row) -> Result<FollowUp, StoreError> {
    let moment = |nth| column::<Option<i64>>(row, nth)?.map(instant).transpose();
    Ok(FollowUp {
        ticket: TicketKey { account: column(row, 0)?, id: ticket_number(column(row, 1)?)? },
        reference: column(row, 2)?,
        kind: Kind::read(column(row, 3)?)?,
        stage: Stage::read(column(row, 4)?, moment(5)?, moment(6)?, column(row, 7)?)?,
    })
}
