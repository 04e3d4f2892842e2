//! Whether a helpdesk that failed is sound again, so that its tickets need not wait out their backoff.
//!
//! A helpdesk that still fails now and then must not get all of them at once: they would be dead letters the sooner. So
//! one of them is tried some seconds after the last failure, and ever later while it fails; when one goes well and none
//! has failed for some seconds, the others follow.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long nothing may have failed before the others follow, and before the first is tried.
const QUIET: Duration = Duration::from_secs(5);

/// The longest wait between two that are tried.
const LONGEST: Duration = Duration::from_secs(300);

/// What is known of one account's helpdesk.
#[derive(Debug, Default)]
pub struct Recovery(Mutex<Option<Failing>>);

#[derive(Debug, Clone, Copy)]
struct Failing {
    last: Instant,
    tried: Instant,
    wait: Duration,
}

impl Recovery {
    /// The helpdesk failed with a ticket.
    pub fn failed(&self, now: Instant) {
        let mut failing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (tried, wait) = failing.map_or((now, QUIET), |of_late| (of_late.tried, of_late.wait));
        *failing = Some(Failing { last: now, tried, wait });
    }

    /// A look went well; whether the tickets that failed are to be tried now.
    pub fn went_well(&self, now: Instant) -> bool {
        let mut failing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sound = failing.is_some_and(|of_late| now.duration_since(of_late.last) >= QUIET);
        if sound {
            *failing = None;
        }
        sound
    }

    /// Whether one of the tickets that failed is to be tried, to see how the helpdesk is.
    pub fn tries_one(&self, now: Instant) -> bool {
        let mut failing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(failing) = &mut *failing else { return false };
        let due = now.duration_since(failing.last.max(failing.tried)) >= failing.wait;
        if due {
            failing.tried = now;
            failing.wait = (2 * failing.wait).min(LONGEST);
        }
        due
    }
}
