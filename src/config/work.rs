//! How tickets are worked.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

/// How tickets are worked, in every account.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Work {
    /// How often in a row a ticket may fail before it becomes a dead letter. Absent: 8, which is some four minutes.
    pub tries: u32,
    /// How many notes a ticket may get in ten minutes before it is held back. Absent: 6; the helpdesk's limit is 30.
    pub notes_in_ten_minutes: u32,
    /// How long a call to the helpdesk may take. Absent: 20 seconds.
    #[serde(deserialize_with = "super::span")]
    #[schemars(with = "String")]
    pub answer_within: Duration,
    /// How long a ticket stays with a replica that gives no sign of life. Absent: 1 minute; at least twice `answer_within`.
    #[serde(deserialize_with = "super::span")]
    #[schemars(with = "String")]
    pub lease: Duration,
}

impl Default for Work {
    fn default() -> Self {
        Work {
            tries: 8,
            notes_in_ten_minutes: 6,
            answer_within: Duration::from_secs(20),
            lease: Duration::from_secs(60),
        }
    }
}

impl Work {
    /// Adds what serde cannot see.
    pub(super) fn validate(&self, faults: &mut Vec<String>) {
        let mut fault = |what: &str| faults.push(format!("work.{what}"));
        if self.tries == 0 {
            fault("tries is 0, so no ticket would ever be looked at: give at least 1");
        }
        if !(1..=25).contains(&self.notes_in_ten_minutes) {
            fault("notes_in_ten_minutes must be 1 to 25: the helpdesk takes 30 updates of a ticket in ten minutes");
        }
        if self.answer_within.is_zero() || self.lease < 2 * self.answer_within {
            fault("lease must be at least twice work.answer_within, and neither may be 0");
        }
    }
}
