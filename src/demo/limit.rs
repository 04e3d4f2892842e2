//! The stand-in helpdesk's limit on calls, and who does not keep to it.

use std::time::{Duration, Instant};

use super::helpdesk::StandIn;

/// A call that comes so soon after a refusal was made before the refusal was read.
const ON_ITS_WAY: Duration = Duration::from_millis(500);

/// How many calls are taken in how long a time; the times follow each other without a gap.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// How many calls.
    pub calls: u32,
    /// In how long; the helpdesk's own is a minute.
    pub every: Duration,
}

/// What the limit says of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// There is no limit.
    Free,
    /// It is taken; of so many, so many are left until the limit is renewed in so many seconds.
    Counted { total: u32, left: u32, resets: u64 },
    /// It is refused; ask again in so many seconds.
    Refused { retry_after: u64 },
}

/// Where the limit stands.
#[derive(Default)]
pub(super) struct Turns {
    limit: Option<Limit>,
    /// When the time that is being counted began, and how many calls were taken in it.
    counted: Option<(Instant, u32)>,
    /// The newest refusal: since when, until when.
    refusal: Option<(Instant, Instant)>,
    violations: u64,
    /// What every answer says: so many of so many are left.
    told: Option<(u32, u32)>,
}

impl Turns {
    fn take(&mut self, now: Instant) -> Turn {
        if let Some((since, until)) = self.refusal.filter(|(_, until)| now < *until) {
            self.violations += u64::from(now > since + ON_ITS_WAY);
            return Turn::Refused { retry_after: seconds(until - now) };
        }
        if let Some((left, total)) = self.told {
            return Turn::Counted { total, left, resets: 30 };
        }
        let Some(Limit { calls, every }) = self.limit else { return Turn::Free };
        let (began, taken) = self.counted.filter(|(began, _)| now < *began + every).unwrap_or((now, 0));
        let ends = began + every;
        self.counted = Some((began, taken + 1));
        if taken < calls {
            return Turn::Counted { total: calls, left: calls - taken - 1, resets: seconds(ends - now) };
        }
        self.refuse(now, ends - now)
    }

    fn refuse(&mut self, now: Instant, wait: Duration) -> Turn {
        let retry_after = seconds(wait);
        self.refusal = Some((now, now + Duration::from_secs(retry_after)));
        Turn::Refused { retry_after }
    }
}

/// Whole seconds, and one for what is left over.
fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

impl StandIn {
    /// Takes no more calls than this from here on; none for any number.
    pub fn limit(&self, limit: Option<Limit>) {
        self.lock().turns.limit = limit;
    }

    /// Says in every answer from here on that so many calls of so many are left, as where others make many.
    pub fn tell_left(&self, left: u32, total: u32) {
        self.lock().turns.told = Some((left, total));
    }

    /// How many calls came though an answer of 429 had asked to wait, those left out that were on their way.
    pub fn violations(&self) -> u64 {
        self.lock().turns.violations
    }

    pub(super) fn turn(&self) -> Turn {
        self.lock().turns.take(Instant::now())
    }

    /// Refuses this call, and every other until so many seconds are over.
    pub(super) fn refuse(&self, seconds: u64) -> Turn {
        self.lock().turns.refuse(Instant::now(), Duration::from_secs(seconds))
    }
}
