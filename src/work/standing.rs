//! How each account stands with its helpdesk, and each destination of follow-ups: whether we are taken there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How each account, or each destination, stands; clones share it.
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

    /// It takes us.
    pub fn well(&self, name: &str) {
        self.set(name, Ok(()));
    }

    /// It does not take us, or is away.
    pub fn refused(&self, name: &str, why: &str) {
        self.set(name, Err(why.to_owned()));
    }

    /// Whether it took us last.
    pub fn is_well(&self, name: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).is_some_and(Result::is_ok)
    }

    /// Every name.
    pub fn names(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// Those that do not take us, each with why.
    pub fn faults(&self) -> Vec<(String, String)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter_map(|(name, stands)| Some((name.clone(), stands.as_ref().err()?.clone()))).collect()
    }

    fn set(&self, name: &str, stands: Result<(), String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), stands);
    }
}
