//! Values as columns hold them.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::store::StoreError;

pub(super) type Outcome<T> = Result<T, StoreError>;

pub(super) fn number(ticket: u64) -> Outcome<i64> {
    i64::try_from(ticket).map_err(|_| odd("ticket number"))
}

pub(super) fn millis(at: DateTime<Utc>) -> i64 {
    at.timestamp_millis()
}

pub(super) fn until(now: DateTime<Utc>, lease: Duration) -> i64 {
    millis(now).saturating_add(i64::try_from(lease.as_millis()).unwrap_or(i64::MAX))
}

pub(super) fn instant(millis: i64) -> Outcome<DateTime<Utc>> {
    DateTime::from_timestamp_millis(millis).ok_or_else(|| odd("instant"))
}

pub(super) fn odd(what: &str) -> StoreError {
    StoreError::Corrupt(format!("an impossible {what}"))
}
