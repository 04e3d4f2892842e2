//! The loop: a due ticket is read, decided, brought to where it should be, and due again.
//!
//! # Why no note is doubled or lost
//!
//! A look goes: **lease** the ticket, **read** it, read its comments, **decide**, **record** the decision, **extend** the
//! lease, **write** note and tags in one guarded update, **confirm**. What holds it together:
//!
//! 1. *The id says what it says.* A decision's id is made from the ticket, what is decided, and the note it follows.
//!    Whoever looks at the same ticket comes to the same id, and a note of ours with that id means: done. Only comments
//!    whose author is the bot count, so an id that is quoted by a customer or a colleague means nothing.
//! 2. *The guard is the helpdesk's.* The write carries `safe_update` and the `updated_at` that was read. Of two writes
//!    upon one reading the first moves `updated_at`, and the second is refused.
//! 3. *The guard has whole seconds*, so nothing is written upon a stamp younger than two seconds by the helpdesk's own
//!    clock: every write after such a reading gets another stamp. See [`guard`].
//! 4. *Nothing is forgotten before it is seen.* The ticket stays due until the look is settled; whatever ends a look
//!    early leaves it due, when the lease ends at the latest.
//!
//! Case by case:
//!
//! - **The answer is lost, the write is done.** The next look finds the note by its id, and confirms.
//! - **The answer is lost, the write is still on its way.** The next look reads the ticket as it was and may write too:
//!   same stamp, so whichever comes first wins and the other is refused. If the write comes between the two, the stamp
//!   it brings is new, and either its note is in the comments, or the reading is older and is refused.
//! - **Killed** before the record: nothing happened. Between record and write, or write and confirmation: the same as a
//!   lost answer. The same decision gets the same id and the same row.
//! - **Two hold the ticket**, because one was slow and its lease ended. The slow one stops at its next heartbeat, at the
//!   record, or at the extension. Should its write be on its way already, it is one of two writes upon one reading, or
//!   its note is there for the other's reading; never both.
//! - **The comments lag behind the ticket.** The ticket tells how many it has; with fewer read, or with a write of ours
//!   unaccounted for, a fresh change is given time and read again. See [`guard`].
//! - **The decision changes while a write is on its way**, for time passed. Both carry one stamp; the one that comes
//!   first stands, the next look reads it, and says what has changed since.
//! - **The store is lost.** The notes on the ticket are enough to know what was said.

pub mod anew;
mod candidate;
mod catch_up;
pub mod clock;
pub mod conditions;
pub mod embedder;
pub mod feedback;
pub mod follow_ups;
pub mod integrity;
pub mod look;
pub mod loops;
pub mod operators;
pub mod pace;
pub mod preview;
pub mod promotion;
pub mod recovery;
pub mod reported;
pub mod retention;
pub mod retry;
pub mod rule;
pub mod standing;
pub mod status;
pub mod tags;
pub mod troubles;

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::Instrument;

use crate::config::Mode;
use crate::decide::facts::sources::Ids;
use crate::decide::policy::Policy;
use crate::decide::policy::binding::Condition;
use crate::decide::ticket::OwnUsers;
use crate::elsewhere::lookups::Systems;
use crate::helpdesk::client::Helpdesk;
use crate::helpdesk::error::CallError;
use crate::metrics;
use crate::store::follow_ups::Destination;
use crate::store::watches::{Claim, Next};
use crate::store::{Store, StoreError};
use anew::Anew;
use conditions::Conditions;
use embedder::Embedder;
use look::Looked;
use pace::Share;
use recovery::Recovery;
use rule::PolicyInForce;
use standing::Standing;
use tags::Tags;
use troubles::Troubles;

/// How many tickets of one account are in hand at once.
const IN_HAND: usize = 8;

/// How long to wait before a helpdesk that refuses us, or is away, is asked again.
const PATIENCE: Duration = Duration::from_secs(15);

/// How many tickets that failed are tried at once when a helpdesk is sound again; the budget paces their calls.
const MOST_BROUGHT_FORWARD: usize = 10_000;

/// How often is asked what is due where nothing tells: a notification may be lost with its connection.
const POLL: Duration = Duration::from_secs(15);

/// What is said of a look that ended by a defect of ours.
const BROKE_OFF: &str = "the look broke off by a defect of the bot; its log says where";

/// How long a loop that took what is due leaves its bell unheard: a burst of deliveries rings it once, not for each.
const LULL: Duration = Duration::from_millis(50);

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
    /// What reads its words.
    pub embedder: Embedder,
    /// Whether notes and tags are written.
    pub mode: Mode,
    /// Where follow-ups go, as far as that is switched on.
    pub follow_ups: BTreeSet<Destination>,
    /// The helpdesk's users that we are or were, once that is known.
    pub own: Arc<OnceLock<OwnUsers>>,
    /// How its tickets are worked.
    pub work: Work,
    /// How often starred tickets are looked for that no delivery told of, or that moved.
    pub catch_up_every: Option<Duration>,
    /// Our share of its API limit, which its API waits for.
    pub share: Share,
    /// Its tickets that are in trouble.
    pub troubles: Troubles,
    /// Tags that were missing on its tickets.
    pub tags: Tags,
    /// Whether it fails, or did of late.
    pub recovery: Recovery,
    /// Its tickets that the policy in force has not decided yet.
    pub anew: Anew,
    /// Woken when something of it is due.
    pub wake: Arc<Notify>,
}

impl Account {
    /// The helpdesk's users that we are or were; none before the helpdesk said who we are.
    fn own_users(&self) -> &OwnUsers {
        static NONE: OwnUsers = OwnUsers::none();
        self.own.get().unwrap_or(&NONE)
    }
}

/// How tickets are worked.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    /// How often in a row a ticket may fail before it becomes a dead letter; at least 1.
    pub tries: u32,
    /// How long a ticket stays in one pair of hands without a sign of life; longer than a call may take.
    pub lease: Duration,
    /// How many notes a ticket may get in ten minutes; the helpdesk's own limit is 30 updates.
    pub notes: u32,
}

/// What every account's loop shares.
pub struct Shared {
    /// Where everything is kept.
    pub store: Store,
    /// The rule.
    pub rule: PolicyInForce,
    /// How each account stands, for `/readyz`.
    pub standing: Standing,
    /// What else is to be known of each account.
    pub conditions: Conditions,
    /// How each destination of follow-ups stands.
    pub destinations: Standing,
    /// Our own address as people reach it, for links in notes.
    pub public_url: Option<String>,
}

/// Works one account until `stop` says so, and then ends what is in hand.
pub async fn run(shared: Arc<Shared>, account: Arc<Account>, stop: watch::Receiver<bool>) {
    tokio::join!(due_tickets(&shared, &account, stop.clone()), catch_up::run(&shared, &account, stop));
}

async fn due_tickets(shared: &Arc<Shared>, account: &Arc<Account>, mut stop: watch::Receiver<bool>) {
    let mut in_hand = InHand::new();
    let mut rests_until = Instant::now();
    while !*stop.borrow() {
        let next = match rests_until.checked_duration_since(Instant::now()) {
            Some(rest) => rest,
            None => take(shared, account, &mut in_hand).await.unwrap_or_else(|error| {
                tracing::error!(account = account.name, %error, "due tickets cannot be taken");
                Duration::from_secs(1)
            }),
        };
        let lull = tokio::time::sleep(LULL);
        tokio::select! {
            _ = stop.changed() => {}
            () = async { lull.await; account.wake.notified().await } => {}
            () = tokio::time::sleep(next.min(POLL)) => {}
            Some(done) = in_hand.join_next() => if let Ok(Some(why)) = done {
                tracing::error!(account = account.name, why, "the account rests");
                shared.standing.refused(&account.name, &why);
                rests_until = Instant::now() + PATIENCE;
            }
        }
    }
    while in_hand.join_next().await.is_some() {}
}

/// Looks that go on; each ends with why the account is to rest, if it is.
type InHand = JoinSet<Option<String>>;

/// Takes what is due, as far as hands and budget reach; how long until there is something to take.
async fn take(shared: &Arc<Shared>, account: &Arc<Account>, in_hand: &mut InHand) -> Result<Duration, StoreError> {
    let free = hands(account).saturating_sub(in_hand.len());
    if free == 0 {
        return Ok(POLL); // A look that ends wakes the loop.
    }
    let until = |at: DateTime<Utc>| (at - Utc::now()).to_std().unwrap_or(Duration::from_millis(20));
    shared.conditions.held(&account.name, account.share.held_until().await?);
    if let Some(at) = account.share.not_before().await? {
        return Ok(until(at));
    }
    if let Err(error) = introduce(shared, account).await? {
        tracing::error!(account = account.name, %error, "the helpdesk does not take us");
        shared.standing.refused(&account.name, &error.to_string());
        return Ok(PATIENCE);
    }
    if account.recovery.tries_one(Instant::now()) {
        shared.store.bring_forward(&account.name, Utc::now(), 1).await?;
    }
    let due = shared.store.claim(&account.name, Utc::now(), account.work.lease, free).await?;
    let anew = anew::take(shared, account, free.saturating_sub(due.len())).await?;
    let held = anew.claims.into_iter().map(|(claim, hand)| (claim, Some(hand)));
    for (claim, hand) in due.into_iter().map(|claim| (claim, None)).chain(held) {
        let (shared, account) = (shared.clone(), account.clone());
        // What is logged on the way, by whomever, bears the ticket's id.
        let span = tracing::info_span!("look", ticket = %claim.ticket);
        let look = async move {
            let _until_it_ends = hand;
            one(&shared, &account, claim).await
        };
        in_hand.spawn(look.instrument(span));
    }
    let next = shared.store.next_due(&account.name).await?.map_or(POLL, until);
    Ok(anew.again.map_or(next, |again| again.min(next)))
}

/// How many tickets may be in hand: one to try with while the helpdesk lets us touch none, or while little is left of its
/// limit.
fn hands(account: &Account) -> usize {
    let troubled = account.troubles.of_account(std::time::Instant::now()).is_some();
    if troubled || account.share.is_tight() { 1 } else { IN_HAND }
}

/// Learns who we are, which tells our own notes from a manager's.
async fn introduce(shared: &Shared, account: &Account) -> Result<Result<(), CallError>, StoreError> {
    if account.own.get().is_some() && shared.standing.is_well(&account.name) {
        return Ok(Ok(()));
    }
    let id = match account.helpdesk.me().await {
        Ok(me) => me.id,
        Err(error) => return Ok(Err(error)),
    };
    if account.own.get().is_none() {
        let _first = account.own.set(shared.store.known_as(&account.name, id).await?);
    }
    if !account.own_users().has(Some(id)) {
        let why = format!("it now takes us for user {id}, and did not before; restart to go on as that");
        return Ok(Err(CallError::Unauthorized(why)));
    }
    match account.troubles.of_account(std::time::Instant::now()) {
        Some(why) => shared.standing.refused(&account.name, why),
        None => shared.standing.well(&account.name),
    }
    Ok(Ok(()))
}

/// Tags that show that a ticket may be ours: a condition of the policy that asks for nothing else.
pub fn star_tags(policy: &Policy) -> Vec<String> {
    let conditions = || policy.binding.applies_to.conditions.values();
    let tags_alone = |condition: &&Condition| condition.form_any.is_empty() && !condition.tag_any.is_empty();
    let star = conditions().find(|condition| condition.star).or_else(|| conditions().find(tags_alone));
    star.map(|condition| condition.tag_any.clone()).unwrap_or_default()
}

/// One ticket: looked at while its lease is kept, and given back; why the account is to rest, if it is.
async fn one(shared: &Arc<Shared>, account: &Arc<Account>, claim: Claim) -> Option<String> {
    // In a task of its own: what breaks it off is told, and is the ticket's failure like any other.
    let mut look = JoinSet::new();
    let (its_shared, its_account, its_claim) = (shared.clone(), account.clone(), claim.clone());
    look.spawn(async move { look::at(&its_shared, &its_account, &its_claim).await }.in_current_span());
    let looked = tokio::select! {
        Some(looked) = look.join_next() => looked.unwrap_or_else(|_| Ok(look::defect(account, &claim, BROKE_OFF.into()))),
        lost = heartbeat(shared, account, &claim) => Err(lost),
    };
    let Looked { next, refused } = match looked {
        Ok(looked) => looked,
        Err(error @ StoreError::Corrupt(_)) => look::defect(account, &claim, error.to_string()),
        Err(error) => {
            tracing::error!(ticket = %claim.ticket, %error, "a look came to nothing; the ticket is due again when its lease ends");
            return None;
        }
    };
    let result = next.name();
    let (ticket, look_at) = (&claim.ticket, next.look_at().map(|at| at.to_rfc3339()));
    match &next {
        Next::Settled { .. } | Next::Again { .. } | Next::Stopped { .. } => {
            tracing::info!(%ticket, result, look_at, why = next.why(), "looked");
        }
        Next::Held { .. } | Next::Retry { .. } | Next::Dead { .. } => {
            let failed_before = claim.failures;
            tracing::warn!(%ticket, result, look_at, why = next.why(), failed_before, "looked");
        }
    }
    let well = matches!(next, Next::Settled { .. } | Next::Stopped { .. });
    match shared.store.settle(&claim, next, Utc::now()).await {
        Ok(()) => {
            metrics::look(&account.name, result);
            if well && account.recovery.went_well(Instant::now()) {
                bring_forward(shared, account).await;
            }
        }
        Err(error) => {
            tracing::error!(ticket = %claim.ticket, %error, "a ticket could not be given back; it is due again when its lease ends");
        }
    }
    refused
}

/// The helpdesk is sound again: what failed with it does not wait out its backoff.
async fn bring_forward(shared: &Shared, account: &Account) {
    match shared.store.bring_forward(&account.name, Utc::now(), MOST_BROUGHT_FORWARD).await {
        Ok(0) => {}
        Ok(tickets) => {
            tracing::info!(
                account = account.name,
                tickets,
                "the helpdesk is sound again: what failed is tried at once"
            );
            account.wake.notify_one();
        }
        Err(error) => {
            tracing::warn!(account = account.name, %error, "tickets that failed could not be brought forward; they wait out their backoff");
        }
    }
}

/// Keeps the lease as long as the look goes on; ends only when the lease is lost, and the look with it.
///
/// A store that cannot be reached is no loss yet: the lease stands until it ends, and the look extends it before it writes.
async fn heartbeat(shared: &Shared, account: &Account, claim: &Claim) -> StoreError {
    loop {
        tokio::time::sleep(account.work.lease / 3).await;
        match shared.store.extend(claim, Utc::now(), account.work.lease).await {
            Err(lost @ StoreError::LeaseLost(_)) => return lost,
            Err(error) => tracing::warn!(ticket = %claim.ticket, %error, "a lease could not be lengthened"),
            Ok(()) => {}
        }
    }
}
