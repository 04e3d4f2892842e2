//! Days and moments as they are given at the command line.

use chrono::{DateTime, NaiveDate, Utc};

/// A day, such as 2026-11-30.
///
/// # Errors
/// In words, how one is written.
pub(super) fn day(text: &str) -> Result<NaiveDate, String> {
    text.parse().map_err(|_| "this is no day: write it like 2026-11-30".to_owned())
}

/// A moment in RFC 3339.
///
/// # Errors
/// In words, how one is written.
pub(super) fn moment(text: &str) -> Result<DateTime<Utc>, String> {
    text.parse().map_err(|_| "this is no moment: write it like 2026-11-30T17:00:00Z".to_owned())
}
