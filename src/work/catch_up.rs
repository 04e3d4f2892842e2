//! Catch-up: starred tickets that no delivery told of, or that moved since they were last read.

use std::time::Duration;

use chrono::Utc;
use tokio::sync::watch;

use super::{Account, Shared, star_tags};
use crate::decide::ticket::TicketKey;

/// How soon a catch-up that failed is tried again, where it is not due sooner.
const SOON: Duration = Duration::from_secs(60);

/// Catches up at once and then every so often, until `stop` says so.
pub(super) async fn run(shared: &Shared, account: &Account, mut stop: watch::Receiver<bool>) {
    let Some(every) = account.catch_up_every else { return };
    while !*stop.borrow() {
        tokio::select! {
            _ = stop.changed() => {}
            () = async {
                let next = match starred(shared, account).await {
                    Ok(()) => every,
                    Err(error) => {
                        let error = format!("{error:#}");
                        tracing::warn!(account = account.name, error, "starred tickets cannot be caught up with");
                        every.min(SOON)
                    }
                };
                tokio::time::sleep(next).await;
            } => {}
        }
    }
}

/// Marks due what the helpdesk's search finds starred and the store does not know as it stands.
///
/// A write of our own moves its ticket too, so each is read once more: that confirms it.
async fn starred(shared: &Shared, account: &Account) -> anyhow::Result<()> {
    if shared.store.paused().await?.contains_key(&account.name) {
        return Ok(()); // What it misses is found when the pause has ended.
    }
    let tags = star_tags(&shared.rule.now());
    if tags.is_empty() {
        anyhow::bail!("no condition of the policy is a tag alone, so nobody knows what to search for");
    }
    for tag in tags {
        let mut at = None;
        loop {
            let page = account.helpdesk.tagged(&tag, at.take()).await?;
            let now = Utc::now();
            let found: Vec<_> = page.tickets.into_iter().map(|(id, changed)| (id, changed.unwrap_or(now))).collect();
            for id in shared.store.moved(&account.name, &found, now).await? {
                let ticket = TicketKey { account: account.name.clone(), id };
                tracing::info!(%ticket, "a starred ticket moved and no delivery told");
                shared.store.mark_due(&ticket, now).await?;
            }
            at = page.next;
            if at.is_none() {
                break;
            }
        }
    }
    Ok(())
}
