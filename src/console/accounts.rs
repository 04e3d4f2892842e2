//! By whose ids of forms and fields, and whose hours, a page decides that is given a ticket.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::page::Problem;
use crate::facts::sources::Ids;

/// The accounts' own ids by their names, swapped whole; clones share them.
#[derive(Clone, Default)]
pub struct Accounts(Arc<ArcSwap<BTreeMap<String, Ids>>>);

/// One of them, or the policy's own where none is chosen.
pub(super) struct Chosen {
    pub ids: Ids,
    pub account: String,
    /// The names there are to choose from.
    pub names: Vec<String>,
}

impl Accounts {
    /// These are the accounts from here on.
    pub fn replace(&self, accounts: BTreeMap<String, Ids>) {
        self.0.store(Arc::new(accounts));
    }

    /// What is chosen before anybody chose: the only account.
    pub(super) fn unasked(&self) -> Chosen {
        let accounts = self.0.load();
        let only = accounts.iter().next().filter(|_| accounts.len() == 1);
        let (account, ids) = only.map(|(name, ids)| (name.clone(), ids.clone())).unwrap_or_default();
        Chosen { ids, account, names: accounts.keys().cloned().collect() }
    }

    /// The account of this name; the policy's own ids where it is empty.
    pub(super) fn chosen(&self, account: &str) -> Result<Chosen, Problem> {
        let accounts = self.0.load();
        let ids = match accounts.get(account) {
            Some(ids) => ids.clone(),
            None if account.is_empty() => Ids::default(),
            None => return Err(Problem::Bad(format!("No account is called “{account}” any more; choose another."))),
        };
        Ok(Chosen { ids, account: account.to_owned(), names: accounts.keys().cloned().collect() })
    }
}
