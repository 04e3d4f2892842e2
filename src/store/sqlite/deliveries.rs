//! The statements of [`crate::store::deliveries`]: all deliveries that wait are one job of the writer's.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use rusqlite::{Connection, params};

use super::Sqlite;
use super::watches::{Wait, mark};
use super::writer::gone;
use crate::store::StoreError;
use crate::store::batch::{Waiting, answer};
use crate::store::deliveries::{Deliveries, NewDelivery, Recorded, Relevance};
use crate::store::values::{Outcome, millis};

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

#[async_trait]
impl Deliveries for Sqlite {
    async fn record(&self, delivery: NewDelivery) -> Result<Recorded, StoreError> {
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
}

impl Sqlite {
    /// Has all that wait when the writer comes to it recorded, and each told once that is durable.
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
fn record(connection: &Connection, batch: &[Waiting]) -> Outcome<Vec<Recorded>> {
    let mut watched =
        connection.prepare_cached("SELECT 1 FROM watches WHERE account = ?1 AND ticket = ?2 AND state <> 'stopped'")?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO deliveries (account, ticket, key, kind, received_at) VALUES (?1, ?2, ?3, ?4, ?5)
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
        let received_at = millis(delivery.received_at);
        if insert.execute(params![account, ticket, delivery.key, delivery.kind, received_at])? == 0 {
            recorded.push(Recorded::Duplicate);
            continue;
        }
        let due_at = millis(delivery.due_at);
        marked.and_modify(|earliest| *earliest = due_at.min(*earliest)).or_insert(due_at);
        recorded.push(Recorded::Accepted);
    }
    for ((account, ticket), due_at) in due {
        mark(connection, account, ticket, due_at, Wait::Stands)?;
    }
    Ok(recorded)
}
