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

    /// The ticket at an address of one of the accounts: where an agent sees it, the requester does, or the API has it; none
    /// where it is no ticket's, or of a helpdesk that is not here.
    pub fn ticket_at(&self, address: &str) -> Option<TicketKey> {
        let url: Url = address.trim().parse().ok()?;
        let accounts = self.0.load();
        let here = |helpdesk: &Url| {
            let port = |url: &Url| url.port_or_known_default();
            helpdesk.host_str() == url.host_str() && port(helpdesk) == port(&url)
        };
        let (account, _) = accounts.iter().find(|(_, helpdesk)| here(helpdesk))?;
        // `/agent/#/tickets/1` is how agents' addresses once were.
        let fragment = url.fragment().unwrap_or_default();
        let mut parts = url.path().split('/').chain(fragment.split('/')).skip_while(|part| !is_before_number(part));
        let number = parts.nth(1)?.trim_end_matches(".json");
        let id = number.split('-').next()?.parse().ok().filter(|id| i64::try_from(*id).is_ok())?;
        Some(TicketKey { account: account.clone(), id })
    }

    /// Where an agent sees a ticket: `https://example.zendesk.com/agent/tickets/123`.
    pub fn ticket(&self, ticket: &TicketKey) -> Option<String> {
        let helpdesk = self.of(&ticket.account)?;
        Some(format!("{}/agent/tickets/{}", helpdesk.as_str().trim_end_matches('/'), ticket.id))
    }
}

/// What stands before a ticket's number in its addresses.
fn is_before_number(part: &str) -> bool {
    part == "tickets" || part == "requests"
}
