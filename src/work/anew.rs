//! What the policy in force has not decided yet is decided beside what is due: a few tickets at a time, and only while calls
//! are left for what is new.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::Utc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::{Account, Shared};
use crate::store::StoreError;
use crate::store::watches::Claim;

/// How many such tickets are in hand at once.
const IN_HAND: usize = 2;

/// How long nothing is looked for where nothing was found.
const NONE_FOR: Duration = Duration::from_secs(2);

/// How soon is asked again whether enough calls are left.
const ASKED_AGAIN: Duration = Duration::from_secs(1);

/// How an account decides anew.
pub struct Anew {
    hands: Arc<Semaphore>,
    /// Until when nothing is looked for.
    rests_until: Mutex<Option<Instant>>,
}

impl Default for Anew {
    fn default() -> Anew {
        Anew { hands: Arc::new(Semaphore::new(IN_HAND)), rests_until: Mutex::default() }
    }
}

/// Tickets to decide anew, each with the hand that holds it.
#[derive(Default)]
pub(super) struct Taken {
    pub claims: Vec<(Claim, OwnedSemaphorePermit)>,
    /// When to ask again, where that is soon.
    pub again: Option<Duration>,
}

/// Takes what the policy in force has not decided yet, at most `free` tickets.
pub(super) async fn take(shared: &Shared, account: &Account, free: usize) -> Result<Taken, StoreError> {
    let Anew { hands, rests_until } = &account.anew;
    let wanted = free.min(hands.available_permits());
    let rests = *rests_until.lock().unwrap_or_else(PoisonError::into_inner);
    if wanted == 0 || rests.is_some_and(|until| until > Instant::now()) {
        return Ok(Taken::default());
    }
    if !account.share.is_ample().await? {
        return Ok(Taken { again: Some(ASKED_AGAIN), ..Taken::default() });
    }
    let policy = shared.rule.now();
    let outcomes = policy.binding.outcomes.iter().filter(|(_, outcome)| outcome.dismisses());
    let dismissing: Vec<&str> = outcomes.map(|(name, _)| name.get_ref().as_str()).collect();
    let lease = account.work.lease;
    let found = shared.store.claim_anew(&account.name, &policy.hash, &dismissing, Utc::now(), lease, wanted).await?;
    if found.is_empty() {
        *rests_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + NONE_FOR);
    }
    let held = found.into_iter().filter_map(|claim| Some((claim, hands.clone().try_acquire_owned().ok()?)));
    Ok(Taken { claims: held.collect(), again: None })
}
