//! Catch-up: starred tickets that no delivery told of, or that moved since they were last read.

use chrono::Utc;

use super::{Account, Shared, star_tags};
use crate::helpdesk::ticket::TicketKey;

/// Marks due what the helpdesk's search finds starred and the store does not know as it stands.
///
/// A write of our own moves its ticket too, so each is read once more: that confirms it. What goes wrong is told and left
/// to the next time.
pub(super) async fn starred(shared: &Shared, account: &Account) {
    for tag in star_tags(&shared.rule.now()) {
        if let Err(error) = tagged(shared, account, &tag).await {
            tracing::warn!(
                account = account.name,
                tag,
                error = format!("{error:#}"),
                "starred tickets cannot be caught up with"
            );
            return;
        }
    }
}

async fn tagged(shared: &Shared, account: &Account, tag: &str) -> anyhow::Result<()> {
    let mut at = None;
    loop {
        account.pace.take(1).await;
        let page = account.helpdesk.tagged(tag, at.take()).await?;
        let now = Utc::now();
        let found: Vec<_> = page.tickets.into_iter().map(|(id, changed)| (id, changed.unwrap_or(now))).collect();
        for id in shared.store.moved(&account.name, &found).await? {
            let ticket = TicketKey { account: account.name.clone(), id };
            tracing::info!(%ticket, "a starred ticket moved and no delivery told");
            shared.store.mark_due(&ticket, now).await?;
        }
        at = page.next;
        if at.is_none() {
            return Ok(());
        }
    }
}
