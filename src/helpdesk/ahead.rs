//! By how much the helpdesk's clock is ahead of this machine's, as its answers tell.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

/// By how much the helpdesk is ahead, from its newest answer; clones share it.
#[derive(Debug, Clone)]
pub struct Ahead(Arc<AtomicI64>);

const UNKNOWN: i64 = i64::MIN;

impl Default for Ahead {
    fn default() -> Ahead {
        Ahead(Arc::new(AtomicI64::new(UNKNOWN)))
    }
}

impl Ahead {
    /// An answer that has just come says what time it is there; one that says nothing changes nothing.
    pub(super) fn told(&self, there: Option<DateTime<Utc>>) {
        if let Some(there) = there {
            self.0.store((there - Utc::now()).num_milliseconds(), Ordering::Relaxed);
        }
    }

    /// By how much; none before it was told.
    pub fn now(&self) -> Option<TimeDelta> {
        Some(self.0.load(Ordering::Relaxed)).filter(|known| *known != UNKNOWN).and_then(TimeDelta::try_milliseconds)
    }
}
