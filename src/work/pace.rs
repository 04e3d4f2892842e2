//! Our share of a helpdesk's API limit, as calls a minute.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A budget of calls that fills up evenly; a minute's worth can be spent at once.
#[derive(Debug)]
pub struct Pace {
    per_minute: f64,
    left: Mutex<(f64, Instant)>,
}

impl Pace {
    /// So many calls a minute.
    pub fn new(per_minute: u32) -> Pace {
        let per_minute = f64::from(per_minute.max(1));
        Pace { per_minute, left: Mutex::new((per_minute, Instant::now())) }
    }

    /// Waits until so many calls may be made, and takes them.
    pub async fn take(&self, calls: u32) {
        while let Some(wait) = self.short(calls) {
            tokio::time::sleep(wait).await;
        }
    }

    /// How many calls may be made at once.
    pub fn left(&self) -> f64 {
        let (left, at) = *self.left.lock().unwrap_or_else(PoisonError::into_inner);
        (left + at.elapsed().as_secs_f64() * self.per_minute / 60.0).min(self.per_minute)
    }

    /// Takes the calls, or says how long until they are there.
    fn short(&self, calls: u32) -> Option<Duration> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let (before, at) = *left;
        let filled = (before + now.duration_since(at).as_secs_f64() * self.per_minute / 60.0).min(self.per_minute);
        let wanted = f64::from(calls).min(self.per_minute); // A budget smaller than one look must not wait for ever.
        if filled >= wanted {
            *left = (filled - wanted, now);
            return None;
        }
        *left = (filled, now);
        Some(Duration::from_secs_f64((wanted - filled) * 60.0 / self.per_minute))
    }
}
