//! The statements of [`crate::store::decisions`].

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::Postgres;
use super::sums::{added, earlier, waited};
use super::values::{column, count, text};
use super::watches::held_by;
use crate::decide::ticket::TicketKey;
use crate::learn::report::gist::Gives;
use crate::store::StoreError;
use crate::store::decisions::{Carried, DecisionRow, Decisions};
use crate::store::overview::day;
use crate::store::values::{instant, millis, number, ticket_number};
use crate::store::watches::Claim;

pub(super) const COLUMNS: &str =
    "reference, decided_at, verdict, fingerprint, decision, note, carried, basis, id, account, ticket";

/// The ticket's row is locked first, so that its lease cannot pass on in between.
const RECORD: &str = concat!(
    "WITH held AS (
        SELECT 1 FROM watches WHERE account = $1 AND ticket = $2 AND lease = $3 FOR UPDATE
    ), overtaken AS (
        UPDATE decisions SET carried = 'overtaken'
        WHERE account = $1 AND ticket = $2 AND carried = 'open' AND reference <> $4 AND EXISTS (SELECT FROM held)
    ), open_again AS (
        UPDATE decisions SET carried = 'open'
        WHERE account = $1 AND ticket = $2 AND reference = $4 AND carried <> 'posted' AND $12 = 'open'
            AND EXISTS (SELECT FROM held)
    ), way AS (
        INSERT INTO walks (policy, verdict, nodes) SELECT $5::text, $6::text, $7::text FROM held
        ON CONFLICT (policy, verdict, nodes) DO UPDATE SET policy = excluded.policy RETURNING id
    ), known AS (
        SELECT id FROM gists WHERE md5(gist) = md5($18::text)
    ), new AS (
        INSERT INTO gists (given, gist) SELECT $17::bigint, $18 FROM held WHERE NOT EXISTS (SELECT FROM known)
        ON CONFLICT (md5(gist)) DO UPDATE SET given = excluded.given RETURNING id
    ), kept AS (
        INSERT INTO decisions
            (account, ticket, reference, decided_at, verdict, fingerprint, decision, note, carried, basis, walk)
        SELECT $1, $2, $4, $8::bigint, $6, $9::text, $10::text, $11::text, $12::text, $13::text, id FROM way
        ON CONFLICT DO NOTHING RETURNING id, walk
    ), tallied AS (
        INSERT INTO tallies (day, walk, decisions) SELECT $14::bigint, walk, 1 FROM kept
        ON CONFLICT (day, walk) DO UPDATE SET decisions = tallies.decisions + 1
    ), beside AS (
        UPDATE watches SET verdict = $6, decided_at = $8, valid_until = $15, subject = $16
        WHERE account = $1 AND ticket = $2 AND EXISTS (SELECT FROM kept)
    ), ",
    earlier!(),
    ", said AS (
        INSERT INTO counted (decision_id, decided_at, gist, opens, settles)
        SELECT kept.id, $8, gist.id, CASE WHEN $12 IN ('posted', 'shadow') THEN (earlier.decisions = 0)::int END,
            CASE WHEN $12 IN ('posted', 'shadow') THEN ($17 = 1 AND verdicts = 0)::int END
        FROM kept, earlier, (SELECT id FROM known UNION ALL SELECT id FROM new) AS gist RETURNING gist, opens, settles
    ), summed AS (
        INSERT INTO sums (day, gist, decisions, tickets, saved, agreed, disagreed)
        SELECT $14, gist, 1, opens, settles, 0, 0 FROM said WHERE opens IS NOT NULL ",
    added!(),
    ") SELECT count(*), (SELECT count(*) FROM kept) FROM held"
);

/// What was planned to follow is due with it, and what an older decision left is needed no longer. It counts from now on.
const POSTED: &str = concat!(
    "WITH held AS (
        SELECT 1 FROM watches WHERE account = $1 AND ticket = $2 AND lease = $3 FOR UPDATE
    ), said AS (
        UPDATE decisions SET carried = 'posted', posted_at = coalesce(posted_at, $5)
        WHERE account = $1 AND ticket = $2 AND reference = $4 AND EXISTS (SELECT FROM held)
    ), due AS (
        UPDATE follow_ups SET state = 'due', due_at = greatest(due_at, $5)
        WHERE account = $1 AND ticket = $2 AND reference = $4 AND state = 'planned' AND EXISTS (SELECT FROM held)
    ), moot AS (
        UPDATE follow_ups SET state = 'moot', told = 'a newer decision stands', settled_at = $5
        WHERE account = $1 AND ticket = $2 AND reference <> $4 AND state IN ('due', 'unclear', 'dead')
            AND EXISTS (SELECT FROM held)
    ), ",
    earlier!(),
    ", was AS (
        SELECT decision_id, counted.decided_at, counted.gist, opens, settles, waited, opinion, given, posted_at
        FROM held, decisions JOIN counted ON decision_id = decisions.id JOIN gists ON gists.id = counted.gist
        WHERE account = $1 AND ticket = $2 AND reference = $4 FOR UPDATE OF counted
    ), placed AS (
        SELECT decision_id, decided_at, gist, waited, opinion, opens IS NULL AS new,
            coalesce(opens, (earlier.decisions = 0)::int) AS opens,
            coalesce(settles, (given = 1 AND verdicts = 0)::int) AS settles,
            (coalesce(posted_at, $5) - (SELECT min(received_at) FROM deliveries WHERE account = $1 AND ticket = $2)) / 1000 AS seconds
        FROM was, earlier
    ), now AS (
        UPDATE counted SET opens = placed.opens, settles = placed.settles,
            waited = coalesce(placed.waited, CASE WHEN placed.settles = 1 AND seconds >= 0 THEN seconds END)
        FROM placed WHERE counted.decision_id = placed.decision_id
    ), summed AS (
        INSERT INTO sums (day, gist, decisions, tickets, saved, agreed, disagreed)
        SELECT decided_at / 86400000, gist, 1, opens, (settles = 1 AND opinion IS DISTINCT FROM 'disagree')::int,
            (opinion IS NOT DISTINCT FROM 'agree')::int, (opinion IS NOT DISTINCT FROM 'disagree')::int
        FROM placed WHERE new ",
    added!(),
    " RETURNING 1), told AS (
        INSERT INTO waits (day, seconds, tickets) SELECT decided_at / 86400000, seconds, 1
        FROM placed WHERE settles = 1 AND waited IS NULL AND seconds >= 0 AND (SELECT count(*) FROM summed) >= 0 ",
    waited!(),
    ") SELECT count(*) FROM held"
);

const OVERTAKE: &str = "WITH held AS (
        SELECT 1 FROM watches WHERE account = $1 AND ticket = $2 AND lease = $3 FOR UPDATE
    ), overtaken AS (
        UPDATE decisions SET carried = 'overtaken'
        WHERE account = $1 AND ticket = $2 AND carried = 'open' AND EXISTS (SELECT FROM held)
    ) SELECT count(*) FROM held";

const UNCONFIRMED: &str =
    "SELECT EXISTS (SELECT FROM decisions WHERE account = $1 AND ticket = $2 AND carried = 'open')";

#[async_trait]
impl Decisions for Postgres {
    async fn record_decision(&self, claim: &Claim, row: &DecisionRow) -> Result<bool, StoreError> {
        let (counted, titled, gist) = (row.counted()?, row.titled()?, row.gist()?);
        let said = serde_json::to_string(&gist).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let nodes = serde_json::to_string(&counted.walked).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let values: [&(dyn ToSql + Sync); 18] = [
            &claim.ticket.account,
            &number(claim.ticket.id)?,
            &claim.lease,
            &row.reference,
            &counted.policy,
            &row.verdict,
            &nodes,
            &millis(row.decided_at),
            &text(&row.fingerprint),
            &text(&row.decision),
            &text(&row.note),
            &row.carried.word(),
            &text(&row.basis),
            &day(row.decided_at),
            &counted.valid_until.map(millis),
            &text(&titled.subject),
            &i64::from(gist.gives() == Gives::Verdict),
            &text(&said),
        ];
        let client = self.connection().await?;
        let record = client.prepare_cached(RECORD).await?;
        let recorded = client.query_one(&record, &values).await?;
        held_by(claim, count(&recorded, 0)?)?;
        Ok(count(&recorded, 1)? > 0)
    }

    async fn posted(&self, claim: &Claim, reference: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
        let TicketKey { account, id } = &claim.ticket;
        let client = self.connection().await?;
        let posted = client.prepare_cached(POSTED).await?;
        let held = client.query_one(&posted, &[account, &number(*id)?, &claim.lease, &reference, &millis(at)]).await?;
        held_by(claim, count(&held, 0)?)
    }

    async fn overtake(&self, claim: &Claim) -> Result<(), StoreError> {
        let client = self.connection().await?;
        let overtake = client.prepare_cached(OVERTAKE).await?;
        let ticket = number(claim.ticket.id)?;
        let held = client.query_one(&overtake, &[&claim.ticket.account, &ticket, &claim.lease]).await?;
        held_by(claim, count(&held, 0)?)
    }

    async fn last_decision(&self, ticket: &TicketKey) -> Result<Option<DecisionRow>, StoreError> {
        let newest = format!(
            "SELECT {COLUMNS} FROM decisions WHERE account = $1 AND ticket = $2 AND carried IN ('posted', 'shadow')
             ORDER BY id DESC LIMIT 1"
        );
        let client = self.connection().await?;
        let newest = client.prepare_cached(&newest).await?;
        let row = client.query_opt(&newest, &[&ticket.account, &number(ticket.id)?]).await?;
        row.map(|row| decision(&row)).transpose()
    }

    async fn unconfirmed(&self, ticket: &TicketKey) -> Result<bool, StoreError> {
        let client = self.connection().await?;
        let open = client.prepare_cached(UNCONFIRMED).await?;
        column(&client.query_one(&open, &[&ticket.account, &number(ticket.id)?]).await?, 0)
    }
}

pub(super) fn decision(row: &Row) -> Result<DecisionRow, StoreError> {
    Ok(DecisionRow {
        reference: column(row, 0)?,
        ticket: TicketKey { account: column(row, 9)?, id: ticket_number(column(row, 10)?)? },
        decided_at: instant(column(row, 1)?)?,
        verdict: column(row, 2)?,
        fingerprint: column(row, 3)?,
        decision: column(row, 4)?,
        note: column(row, 5)?,
        basis: column(row, 7)?,
        carried: Carried::read(column(row, 6)?)?,
    })
}
