//! Where people see a ticket at its helpdesk.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use reqwest::Url;

use crate::decide::ticket::TicketKey;

/// The accounts' addresses by name, swapped whole; clones share them.
#[derive(Clone, Default)]
pub struct Addresses(Arc<ArcSwap<BTreeMap<String, Url>>>);

impl Addresses {
    /// These are the accounts from here on.
    pub fn replace(&self, addresses: BTreeMap<String, Url>) {
        self.0.store(Arc::new(addresses));
    }

    /// The address of an account; none where it is configured no longer.
    pub fn of(&self, account: &str) -> Option<Url> {
        self.0.load().get(account).cloned()
    }

    /// Where an agent sees a ticket: `https://example.zendesk.com/agent/tickets/123`.
    pub fn ticket(&self, ticket: &TicketKey) -> Option<String> {
        let helpdesk = self.of(&ticket.account)?;
        Some(format!("{}/agent/tickets/{}", helpdesk.as_str().trim_end_matches('/'), ticket.id))
    }
}
