//! Bells: hearing at once that something is due.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use super::Store;

impl Store {
    /// What is notified each time a ticket of the account was marked due, here or (PostgreSQL) by another replica, and
    /// when a pause ended. One waiter for each account. A notification may be lost with a connection: ask again by the
    /// clock too.
    pub fn wake(&self, account: &str) -> Arc<Notify> {
        self.bells().of(account)
    }
}

/// The accounts' bells.
#[derive(Debug, Default)]
pub(super) struct Bells(Mutex<BTreeMap<String, Arc<Notify>>>);

impl Bells {
    /// The account's own.
    pub(super) fn of(&self, account: &str) -> Arc<Notify> {
        let mut bells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match bells.get(account) {
            Some(bell) => bell.clone(),
            None => bells.entry(account.to_owned()).or_default().clone(),
        }
    }

    /// Rings all: something may have been missed.
    pub(super) fn ring_all(&self) {
        let bells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bells.values().for_each(|bell| bell.notify_one());
    }
}
