//! Where a ticket's page is.

use super::chart::query;
use crate::decide::ticket::TicketKey;

/// The ticket a path names; none where the number is none, or larger than any the store keeps.
pub(super) fn ticket_key(account: String, id: &str) -> Option<TicketKey> {
    let id = id.parse().ok().filter(|id| i64::try_from(*id).is_ok())?;
    Some(TicketKey { account, id })
}

/// Where a ticket's page is.
pub(super) fn link(ticket: &TicketKey) -> String {
    format!("/tickets/{}/{}", query(&ticket.account), ticket.id)
}
