//! The loop: a due ticket is read, decided, brought to where it should be, and due again.

pub mod basis;
pub mod feedback;
pub mod judge;
pub mod line;
pub mod look;
pub mod operators;
pub mod pace;
pub mod reference;
pub mod retention;
pub mod rule;
pub mod standing;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chrono::Utc;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::config::Mode;
use crate::facts::lookups::Systems;
use crate::facts::sources::Ids;
use crate::helpdesk::client::{CallError, Helpdesk};
use crate::helpdesk::ticket::TicketKey;
use crate::metrics;
use crate::policy::Policy;
use crate::store::Store;
use look::{Looked, Pause};
use pace::Pace;
use rule::PolicyInForce;
use standing::Standing;

/// How many tickets of one account are in hand at once.
const IN_HAND: usize = 4;

/// How many calls a look makes at most: ticket, comments, update.
const CALLS: u32 = 3;

/// How long a ticket may stay in one pair of hands: longer than all calls of a look can take.
const LEASE: Duration = Duration::from_secs(150);

/// How long to wait before refused credentials or an unusable store are tried again.
const PATIENCE: Duration = Duration::from_secs(15);

/// One helpdesk account as the loop needs it.
pub struct Account {
    /// Its name in the configuration.
    pub name: String,
    /// Its API.
    pub helpdesk: Helpdesk,
    /// Its ids of forms and fields.
    pub ids: Ids,
    /// Systems of record the policy's lookups may ask.
    pub systems: Arc<Systems>,
    /// Whether notes and tags are written.
    pub mode: Mode,
    /// The helpdesk's id of ourselves, once it is known.
    pub bot: Arc<OnceLock<u64>>,
    /// How often starred tickets are looked for that no delivery told of.
    pub catch_up_every: Option<Duration>,
    /// Our share of its API limit.
    pub pace: Pace,
    /// Woken when something of it is due.
    pub wake: Arc<Notify>,
}

/// What every account's loop shares.
pub struct Shared {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// The rule.
    pub rule: PolicyInForce,
    /// How each account stands, for `/readyz`.
    pub standing: Standing,
    /// Our own address as people reach it, for links in notes.
    pub public_url: Option<String>,
}

/// Works one account until `stop` says so, and then ends what is in hand.
pub async fn run(shared: Arc<Shared>, account: Arc<Account>, mut stop: watch::Receiver<bool>) {
    let mut in_hand: JoinSet<Option<Pause>> = JoinSet::new();
    let mut not_before = Instant::now();
    let mut catch_up = Instant::now();
    while !*stop.borrow() {
        let mut next = Instant::now() + Duration::from_secs(60);
        if Instant::now() < not_before {
            next = not_before;
        } else if let Err(error) = introduce(&shared, &account).await {
            tracing::error!(account = account.name, %error, "the helpdesk does not take us");
            shared.standing.refused(&account.name, &error.to_string());
            not_before = Instant::now() + PATIENCE;
            continue;
        } else {
            if let Some(every) = account.catch_up_every.filter(|_| Instant::now() >= catch_up) {
                look_around(&shared, &account).await;
                catch_up = Instant::now() + every;
            }
            match take(&shared, &account, &mut in_hand).await {
                Ok(due) => next = next.min(due).min(account.catch_up_every.map_or(next, |_| catch_up)),
                Err(error) => {
                    tracing::error!(account = account.name, %error, "due tickets cannot be taken");
                    next = Instant::now() + Duration::from_secs(1);
                }
            }
        }
        tokio::select! {
            _ = stop.changed() => {}
            () = account.wake.notified() => {}
            () = tokio::time::sleep_until(next) => {}
            Some(done) = in_hand.join_next() => {
                if let Ok(Some(pause)) = done {
                    not_before = not_before.max(Instant::now() + pause.length);
                    if let Some(why) = pause.refused {
                        account.forget(&shared, &why);
                    }
                }
            }
        }
    }
    while in_hand.join_next().await.is_some() {}
}

impl Account {
    /// Marks the account refused; who we are is asked again before the next look.
    fn forget(&self, shared: &Shared, why: &str) {
        tracing::error!(account = self.name, why, "the account is paused");
        shared.standing.refused(&self.name, why);
    }
}

/// Learns who we are, which tells our own notes from a manager's.
async fn introduce(shared: &Shared, account: &Account) -> Result<(), CallError> {
    if account.bot.get().is_some() && shared.standing.is_well(&account.name) {
        return Ok(());
    }
    account.pace.take(1).await;
    let id = account.helpdesk.me().await?;
    let known = account.bot.get_or_init(|| id);
    if *known != id {
        return Err(CallError::Unauthorized(format!(
            "it now takes us for user {id}, and was {known}; restart to go on as that"
        )));
    }
    shared.standing.well(&account.name);
    Ok(())
}

/// Marks starred tickets due that were never heard of.
async fn look_around(shared: &Shared, account: &Account) {
    for tag in star_tags(&shared.rule.now()) {
        account.pace.take(1).await;
        let found = match account.helpdesk.tagged(&tag).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(account = account.name, %error, "starred tickets cannot be searched");
                return;
            }
        };
        for id in found {
            let ticket = TicketKey { account: account.name.clone(), id };
            let marked = match shared.store.history(&ticket).await {
                Ok(None) => shared.store.mark_due(&ticket, Utc::now()).await,
                Ok(Some(_)) => Ok(()),
                Err(error) => Err(error),
            };
            if let Err(error) = marked {
                tracing::warn!(%ticket, %error, "a starred ticket could not be marked due");
            }
        }
    }
}

/// Tags that show that a ticket may be ours: a condition of the policy that asks for nothing else.
pub fn star_tags(policy: &Policy) -> Vec<String> {
    let conditions = policy.binding.applies_to.conditions.values();
    let tags = conditions.filter(|condition| condition.form_any.is_empty() && !condition.tag_any.is_empty());
    tags.map(|condition| condition.tag_any.clone()).next().unwrap_or_default()
}

/// Takes what is due, as far as hands and budget reach; when something will be due next.
async fn take(
    shared: &Arc<Shared>,
    account: &Arc<Account>,
    in_hand: &mut JoinSet<Option<Pause>>,
) -> Result<Instant, crate::store::StoreError> {
    let free = IN_HAND.saturating_sub(in_hand.len());
    let later = Instant::now() + Duration::from_secs(60);
    if free == 0 {
        return Ok(later); // A look that ends wakes the loop.
    }
    for claim in shared.store.claim(&account.name, Utc::now(), LEASE, free).await? {
        account.pace.take(CALLS).await;
        metrics::budget_left(&account.name, account.pace.left());
        let (shared, account) = (shared.clone(), account.clone());
        in_hand.spawn(async move { one(&shared, &account, claim).await });
    }
    let next = shared.store.next_due(&account.name).await?;
    let wait = next.map(|at| (at - Utc::now()).to_std().unwrap_or(Duration::from_millis(20)));
    Ok(wait.map_or(later, |wait| later.min(Instant::now() + wait)))
}

/// One ticket: looked at, and given back.
async fn one(shared: &Shared, account: &Account, claim: crate::store::watches::Claim) -> Option<Pause> {
    let Looked { next, pause } = match look::at(shared, account, &claim).await {
        Ok(looked) => looked,
        Err(error) => {
            tracing::error!(ticket = %claim.ticket, %error, "a look came to nothing; the ticket is due again when its lease ends");
            return None;
        }
    };
    tracing::info!(ticket = %claim.ticket, next = ?next, "looked");
    metrics::look(&account.name, next.name());
    if let Err(error) = shared.store.settle(&claim, next, Utc::now()).await {
        tracing::error!(ticket = %claim.ticket, %error, "a ticket could not be given back; it is due again when its lease ends");
    }
    pause
}
