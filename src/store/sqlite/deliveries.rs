//! Deliveries in SQLite: all that wait are one job of the writer's.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::params;

use super::writer::gone;
use super::{Shared, Sqlite, in_sqlite};
use crate::store::StoreError;
use crate::store::database::{Outcome, values};
use crate::store::deliveries::{NewDelivery, Recorded, Relevance, Waiting, answer};
use crate::store::watches::{MARK, Wait};

/// How many wait at most; the helpdesk sends more of them again.
const MOST_WAITING: usize = 2048;

/// Deliveries the writer has not come to yet.
#[derive(Default)]
pub(super) struct Arrivals(Mutex<Vec<Waiting>>);

impl Arrivals {
    /// Has one wait; whether it is the first, so that the writer is to be told.
    fn join(&self, one: Waiting) -> Outcome<bool> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() == MOST_WAITING {
            return Err(StoreError::Unavailable("too much waits to be written".into()));
        }
        waiting.push(one);
        Ok(waiting.len() == 1)
    }

    fn take(&self) -> Vec<Waiting> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Sqlite {
    /// Keeps a delivery with all others that wait, and rings its account's bell.
    pub(in crate::store) async fn record(&self, delivery: NewDelivery) -> Outcome<Recorded> {
        let bell = self.bells.of(&delivery.ticket.account);
        let (waiting, told) = Waiting::new(delivery)?;
        if self.arrivals.join(waiting)? {
            self.submit_arrivals();
        }
        let recorded = told.await.unwrap_or_else(|_| Err(gone()))?;
        if recorded == Recorded::Accepted {
            bell.notify_one();
        }
        Ok(recorded)
    }

    /// Submits one job that records every delivery that waits by then, and answers each sender once it is durable.
    fn submit_arrivals(&self) {
        let arrivals: Arc<Arrivals> = self.arrivals.clone();
        let submitted = self.writer.submit(Box::new(move |begun| {
            let batch = arrivals.take();
            let done = begun.and_then(|begun| begun.run(|connection| record(connection, &batch)));
            Box::new(move |committed| answer(batch, committed.and(done)))
        }));
        if let Err(error) = submitted {
            answer(self.arrivals.take(), Err(error));
        }
    }
}

/// What becomes of each, by its place. A ticket is marked once for all its deliveries.
fn record(shared: &Shared, batch: &[Waiting]) -> Outcome<Vec<Recorded>> {
    let connection = shared.lock();
    let mut watched =
        connection.prepare_cached("SELECT 1 FROM watches WHERE account = ?1 AND ticket = ?2 AND state <> 'stopped'")?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO deliveries (account, ticket, key, kind, happened_at, received_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO NOTHING",
    )?;
    let mut due: BTreeMap<(&str, i64), i64> = BTreeMap::new();
    let mut recorded = Vec::with_capacity(batch.len());
    for Waiting { delivery, ticket, .. } in batch {
        let account = delivery.ticket.account.as_str();
        let marked = due.entry((account, *ticket));
        if delivery.relevance == Relevance::OnlyIfWatched
            && matches!(marked, Entry::Vacant(_))
            && !watched.exists(params![account, ticket])?
        {
            recorded.push(Recorded::Ignored);
            continue;
        }
        let happened_at = delivery.happened_at.map(|at| at.timestamp_millis());
        let received_at = delivery.received_at.timestamp_millis();
        if insert.execute(params![account, ticket, delivery.key, delivery.kind, happened_at, received_at])? == 0 {
            recorded.push(Recorded::Duplicate);
            continue;
        }
        let due_at = delivery.due_at.timestamp_millis();
        marked.and_modify(|earliest| *earliest = due_at.min(*earliest)).or_insert(due_at);
        recorded.push(Recorded::Accepted);
    }
    let mut mark = connection.prepare_cached(&in_sqlite(MARK))?;
    for ((account, ticket), due_at) in due {
        mark.execute(rusqlite::params_from_iter(values![account, ticket, due_at, Wait::Stands.value()]))?;
    }
    Ok(recorded)
}
