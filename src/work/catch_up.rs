//! Catch-up: starred tickets that no delivery told of, or that moved since they were last read.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;

use super::{Account, Shared, star_tags};
use crate::decide::ticket::TicketKey;
use crate::store::StoreError;

/// How soon a catch-up that failed is tried again, where it is not due sooner.
const SOON: Duration = Duration::from_secs(60);

/// How long a delivery may be under way.
const UNDER_WAY: TimeDelta = TimeDelta::seconds(30);

/// Catches up at once and then every so often, until `stop` says so.
pub(super) async fn run(shared: &Shared, account: &Account, mut stop: watch::Receiver<bool>) {
    let Some(every) = account.catch_up_every else { return };
    let mut silence = Silence::new(Utc::now(), every);
    while !*stop.borrow() {
        tokio::select! {
            _ = stop.changed() => {}
            () = async {
                let came = starred(shared, account, &mut silence).await.map_err(|error| format!("{error:#}"));
                let next = match &came {
                    Ok(()) => every,
                    Err(error) => {
                        tracing::warn!(account = account.name, error, "starred tickets cannot be caught up with");
                        every.min(SOON)
                    }
                };
                shared.conditions.caught_up(&account.name, came);
                tokio::time::sleep(next).await;
            } => {}
        }
    }
}

/// Marks due what the helpdesk's search finds starred and the store does not know as it stands.
///
/// A write of our own moves its ticket too, so each is read once more: that confirms it.
async fn starred(shared: &Shared, account: &Account, silence: &mut Silence) -> anyhow::Result<()> {
    if shared.store.paused().await?.contains_key(&account.name) {
        return Ok(()); // What it misses is found when the pause has ended.
    }
    let tags = star_tags(&shared.rule.now());
    if tags.is_empty() {
        anyhow::bail!("no condition of the policy is a tag alone, so nobody knows what to search for");
    }
    silence.tell(shared, account).await?;
    for tag in tags {
        let mut at = None;
        loop {
            let page = account.helpdesk.tagged(&tag, at.take()).await?;
            let now = Utc::now();
            let found: Vec<_> = page.tickets.into_iter().map(|(id, changed)| (id, changed.unwrap_or(now))).collect();
            for id in shared.store.moved(&account.name, &found, now).await? {
                let ticket = TicketKey { account: account.name.clone(), id };
                let changed = found.iter().find(|(one, _)| *one == id).map(|(_, changed)| *changed);
                silence.found(shared, &ticket, changed.unwrap_or(now)).await?;
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

/// Starred tickets that were found and that no delivery told of yet. A delivery may be under way, so each is given a while.
struct Silence {
    /// What changed before, while nobody listened, is no silence.
    since: DateTime<Utc>,
    under_way: TimeDelta,
    found: BTreeMap<u64, DateTime<Utc>>,
}

impl Silence {
    fn new(since: DateTime<Utc>, every: Duration) -> Silence {
        let every = TimeDelta::from_std(every).unwrap_or(UNDER_WAY);
        Silence { since, under_way: UNDER_WAY.min(every), found: BTreeMap::new() }
    }

    /// A ticket was found that changed then.
    async fn found(&mut self, shared: &Shared, ticket: &TicketKey, changed: DateTime<Utc>) -> Result<(), StoreError> {
        // One that was heard of before may have moved by our own write. Whole seconds, and a clock that may differ a little.
        if changed >= self.since - TimeDelta::seconds(2) && shared.store.history(ticket).await?.is_none() {
            self.found.entry(ticket.id).or_insert_with(Utc::now);
        }
        Ok(())
    }

    /// Tells of those that no delivery has told of in the meantime.
    async fn tell(&mut self, shared: &Shared, account: &Account) -> Result<(), StoreError> {
        let now = Utc::now();
        let over: Vec<u64> =
            self.found.iter().filter(|(_, at)| **at + self.under_way <= now).map(|(id, _)| *id).collect();
        for id in over {
            self.found.remove(&id);
            let ticket = TicketKey { account: account.name.clone(), id };
            if !is_told(shared, &ticket).await? {
                tracing::warn!(%ticket, "no delivery told of a starred ticket: run starwarden doctor");
                shared.conditions.untold(&account.name, id, now);
            }
        }
        Ok(())
    }
}

/// Whether any delivery told of a ticket.
async fn is_told(shared: &Shared, ticket: &TicketKey) -> Result<bool, StoreError> {
    Ok(shared.store.history(ticket).await?.is_some_and(|history| !history.deliveries.is_empty()))
}
