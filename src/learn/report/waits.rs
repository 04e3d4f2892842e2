//! A median of spans in little memory: the longer a span, the coarser it is kept.

use std::collections::BTreeMap;

use super::Waited;

/// Spans counted by length.
#[derive(Debug, Default)]
pub(super) struct Waits {
    lengths: BTreeMap<u64, u64>,
    count: u64,
}

impl Waits {
    /// Counts so many spans of a length.
    pub(super) fn add(&mut self, seconds: u64, spans: u64) {
        let grain = match seconds {
            0..3_600 => 1,
            3_600..604_800 => 60,
            _ => 3_600,
        };
        // A span beyond ten years is a wrong clock; it counts as ten years, so that there is an end to the lengths.
        *self.lengths.entry((seconds / grain * grain).min(315_360_000)).or_default() += spans;
        self.count += spans;
    }

    /// The median: of an even number the mean of the middle two.
    pub(super) fn median(&self) -> Option<Waited> {
        let upper = self.nth(self.count / 2)?;
        let lower = if self.count.is_multiple_of(2) { self.nth((self.count / 2).checked_sub(1)?)? } else { upper };
        let half_seconds = u32::try_from(lower + upper).ok()?;
        Some(Waited { tickets: self.count, median_minutes: f64::from(half_seconds) / 120.0 })
    }

    /// The length at a place of all lengths in order, counted from 0.
    fn nth(&self, place: u64) -> Option<u64> {
        let mut seen = 0;
        self.lengths.iter().find_map(|(length, count)| {
            seen += count;
            (seen > place).then_some(*length)
        })
    }
}
