//! By whose ids of forms and fields, and whose hours, a page decides that is given a ticket.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::page::Problem;
use crate::decide::facts::sources::Ids;
use crate::decide::near::instead;

/// The accounts' own ids by their names, swapped whole; clones share them.
#[derive(Clone, Default)]
pub struct AccountIds(Arc<ArcSwap<BTreeMap<String, Ids>>>);

/// One of them, or the policy's own where none is chosen.
pub(super) struct Chosen {
    /// What there is to choose from.
    pub accounts: Arc<BTreeMap<String, Ids>>,
    /// The account's name; empty for the policy's own.
    pub account: String,
}

impl Chosen {
    /// The account's own ids; none for the policy's own.
    pub(super) fn ids(&self) -> Ids {
        self.accounts.get(&self.account).cloned().unwrap_or_default()
    }
}

impl AccountIds {
    /// These are the accounts from here on.
    pub fn replace(&self, accounts: BTreeMap<String, Ids>) {
        self.0.store(Arc::new(accounts));
    }

    /// What is chosen before anybody chose: the only account.
    pub(super) fn unasked(&self) -> Chosen {
        let accounts = self.0.load_full();
        let only = accounts.keys().next().filter(|_| accounts.len() == 1);
        Chosen { account: only.cloned().unwrap_or_default(), accounts }
    }

    /// The account of this name.
    ///
    /// # Errors
    /// There is none: which there are.
    pub(super) fn named(&self, account: &str) -> Result<Chosen, String> {
        let accounts = self.0.load_full();
        if accounts.contains_key(account) {
            return Ok(Chosen { accounts, account: account.to_owned() });
        }
        let there: Vec<&str> = accounts.keys().map(String::as_str).collect();
        Err(format!("there is no account {account}: {}", instead(account, &there)))
    }

    /// The account of this name; the policy's own ids where it is empty.
    pub(super) fn chosen(&self, account: &str) -> Result<Chosen, Problem> {
        let accounts = self.0.load_full();
        if !account.is_empty() && !accounts.contains_key(account) {
            return Err(Problem::Bad(format!("No account is called “{account}” any more; choose another.")));
        }
        Ok(Chosen { accounts, account: account.to_owned() })
    }
}
