//! Pauses: an account whose deliveries are kept and whose tickets are left alone.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::database::values;
use super::{Store, StoreError};

/// An account at rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Paused {
    /// Who paused it.
    pub by: String,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// While an account is paused, [`Store::claim`] gives nothing of it and [`Store::next_due`] says that nothing waits.
impl Store {
    /// Pauses an account; durable when it returns. Pausing it again changes nothing: who was first stands.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn pause(&self, account: &str, by: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
        let pause = "INSERT INTO pauses (account, by, since) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        self.run(pause, values![account, by, at]).await.map(drop)
    }

    /// Ends a pause, durably, and wakes the account; whether there was one.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn resume(&self, account: &str) -> Result<bool, StoreError> {
        let account = account.to_owned();
        let resume = async move |t: super::Session| {
            t.wake(&account);
            Ok(t.run("DELETE FROM pauses WHERE account = $1", values![account]).await? > 0)
        };
        self.transaction(resume).await
    }

    /// The paused accounts, by name, with who paused each and when.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn paused(&self) -> Result<BTreeMap<String, Paused>, StoreError> {
        let paused = self.all("SELECT account, by, since FROM pauses", values![]).await?.into_iter();
        Ok(paused.map(|(account, by, since)| (account, Paused { by, since })).collect())
    }
}
