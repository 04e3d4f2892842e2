//! Values as columns hold them, in either store.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::store::StoreError;

pub(in crate::store) type Outcome<T> = Result<T, StoreError>;

pub(in crate::store) fn number(ticket: u64) -> Outcome<i64> {
    i64::try_from(ticket).map_err(|_| StoreError::odd("ticket number"))
}

pub(in crate::store) fn ticket_number(column: i64) -> Outcome<u64> {
    u64::try_from(column).map_err(|_| StoreError::odd("ticket number"))
}

pub(in crate::store) fn millis(at: DateTime<Utc>) -> i64 {
    at.timestamp_millis()
}

pub(in crate::store) fn until(now: DateTime<Utc>, lease: Duration) -> i64 {
    millis(now).saturating_add(i64::try_from(lease.as_millis()).unwrap_or(i64::MAX))
}

pub(in crate::store) fn instant(millis: i64) -> Outcome<DateTime<Utc>> {
    DateTime::from_timestamp_millis(millis).ok_or_else(|| StoreError::odd("instant"))
}
