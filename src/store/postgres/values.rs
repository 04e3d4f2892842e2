//! Values as PostgreSQL holds them.

use std::borrow::Cow;

use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use crate::store::StoreError;

/// PostgreSQL's text holds no NUL, which a sender or a customer may well write.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

/// A column of a row.
pub(super) fn column<'a, T: FromSql<'a>>(row: &'a Row, nth: usize) -> Result<T, StoreError> {
    row.try_get(nth).map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// A count, which is never negative.
pub(super) fn count(row: &Row, nth: usize) -> Result<u64, StoreError> {
    Ok(column::<i64>(row, nth)?.unsigned_abs())
}
