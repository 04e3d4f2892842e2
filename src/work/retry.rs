//! How long to wait before the next try.

use std::time::Duration;

/// Waits before try `n + 1`, where `n` tries in a row have failed (the first failure is 1).
///
/// 2 s doubled each time, at most 5 minutes, and up to a quarter more by `chance`, so that tickets that failed together
/// do not come back together. Total: a huge `n` gives the ceiling, never an overflow.
pub fn backoff(n: u32, chance: u64) -> Duration {
    let doubled = 2_000_u64.saturating_mul(2_u64.saturating_pow(n.saturating_sub(1))).min(300_000);
    Duration::from_millis(doubled + chance % (doubled / 4 + 1))
}
