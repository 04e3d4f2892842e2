//! How each account stands with its helpdesk.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How each account stands; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Standing(Arc<Mutex<BTreeMap<String, Result<(), String>>>>);

impl Standing {
    /// These are the accounts from here on; one that was not there before has still to be introduced.
    pub fn expect<'a>(&self, accounts: impl Iterator<Item = &'a String>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stood = std::mem::take(&mut *all);
        let mut stands = |name: &String| stood.remove(name).unwrap_or_else(|| Err("not introduced yet".to_owned()));
        *all = accounts.map(|name| (name.clone(), stands(name))).collect();
    }

    /// The account's credentials work.
    pub fn well(&self, account: &str) {
        self.set(account, Ok(()));
    }

    /// The account's credentials do not.
    pub fn refused(&self, account: &str, why: &str) {
        self.set(account, Err(why.to_owned()));
    }

    /// Whether the account's credentials worked last.
    pub fn is_well(&self, account: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(account).is_some_and(Result::is_ok)
    }

    /// Every account's name.
    pub fn accounts(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// Accounts that cannot be worked, each with why.
    pub fn faults(&self) -> Vec<(String, String)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter_map(|(account, stands)| Some((account.clone(), stands.as_ref().err()?.clone()))).collect()
    }

    fn set(&self, account: &str, stands: Result<(), String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(account.to_owned(), stands);
    }
}
