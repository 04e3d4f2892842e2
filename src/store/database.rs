//! One text for two databases: statements with `$1`, `$2`, … and steps that run them, in a transaction or as a read.
//!
//! What only one of them understands stands in a comment for it, which the other does not read:
//! `/*sqlite INDEXED BY watches_due*/`, `/*postgres FOR UPDATE*/`.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::StoreError;
use super::postgres::{Held, Postgres};
use super::sqlite::{Shared, Sqlite};

pub(super) type Outcome<T> = Result<T, StoreError>;

/// The two databases.
pub(super) enum Database {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

/// Where the steps of a transaction or a read run their statements.
#[derive(Clone)]
pub(super) struct Session {
    on: On,
    /// The accounts of which something became due.
    woken: Arc<Mutex<BTreeSet<String>>>,
}

#[derive(Clone)]
enum On {
    Sqlite(Shared),
    Postgres(Arc<Held>),
}

impl From<Shared> for Session {
    fn from(connection: Shared) -> Self {
        Session { on: On::Sqlite(connection), woken: Arc::default() }
    }
}

impl From<Arc<Held>> for Session {
    fn from(connection: Arc<Held>) -> Self {
        Session { on: On::Postgres(connection), woken: Arc::default() }
    }
}

impl Session {
    /// Every row of a query.
    pub(super) async fn all<T: FromRow>(&self, sql: &str, values: Vec<Value>) -> Outcome<Vec<T>> {
        refuse_too_high(&values)?;
        let rows = match &self.on {
            On::Sqlite(connection) => connection.query(sql, values)?,
            On::Postgres(connection) => connection.query(sql, &values).await?,
        };
        rows.into_iter().map(|row| T::read(&mut row.into_iter())).collect()
    }

    /// The first row, if there is one.
    pub(super) async fn one<T: FromRow>(&self, sql: &str, values: Vec<Value>) -> Outcome<Option<T>> {
        Ok(self.all(sql, values).await?.into_iter().next())
    }

    /// The one row that a count or a sum always gives.
    pub(super) async fn just<T: FromRow>(&self, sql: &str, values: Vec<Value>) -> Outcome<T> {
        self.one(sql, values).await?.ok_or_else(|| StoreError::odd("answer without a row"))
    }

    /// Changes rows; how many.
    pub(super) async fn run(&self, sql: &str, values: Vec<Value>) -> Outcome<u64> {
        refuse_too_high(&values)?;
        match &self.on {
            On::Sqlite(connection) => connection.run(sql, values),
            On::Postgres(connection) => connection.run(sql, &values).await,
        }
    }

    /// Locks a table until the end of the transaction; SQLite has one writer and needs no lock.
    pub(super) async fn lock(&self, table: &str) -> Outcome<()> {
        match &self.on {
            On::Sqlite(_) => Ok(()),
            On::Postgres(connection) => {
                connection.run(&format!("LOCK TABLE {table} IN EXCLUSIVE MODE"), &[]).await.map(drop)
            }
        }
    }

    /// Rings the account's bell here and on other replicas, once the transaction is committed.
    pub(super) fn wake(&self, account: &str) {
        self.woken.lock().unwrap_or_else(PoisonError::into_inner).insert(account.to_owned());
    }

    /// Whom to wake.
    pub(super) fn woken(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.woken.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn refuse_too_high(values: &[Value]) -> Outcome<()> {
    if values.contains(&Value::TooHigh) { Err(StoreError::odd("ticket number")) } else { Ok(()) }
}

/// A statement as one of the databases reads it: what is in comments for it is text.
pub(super) fn for_one<'a>(sql: &'a str, opening: &str) -> Cow<'a, str> {
    let Some((before, rest)) = sql.split_once(opening) else { return Cow::Borrowed(sql) };
    let (within, after) = rest.split_once("*/").unwrap_or((rest, ""));
    Cow::Owned(format!("{before}{within}{}", for_one(after, opening)))
}

/// A value that a statement is run with, or that a row has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    Number(i64),
    Text(String),
    Bytes(Vec<u8>),
    /// A number that no ticket and no user has, and no column holds: a statement is not run with it.
    TooHigh,
}

/// The values of a statement, in the order of their numbers.
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::store::database::Value::from($value)),*] };
}
pub(super) use values;

macro_rules! value_from {
    ($($kind:ty, |$value:ident| $made:expr;)+) => {
        $(impl From<$kind> for Value { fn from($value: $kind) -> Self { $made } })+
    };
}

value_from! {
    i64, |value| Value::Number(value);
    u32, |value| Value::Number(value.into());
    u64, |value| i64::try_from(value).map_or(Value::TooHigh, Value::Number);
    usize, |value| Value::Number(i64::try_from(value).unwrap_or(i64::MAX));
    bool, |value| Value::Number(value.into());
    DateTime<Utc>, |value| Value::Number(value.timestamp_millis());
    &str, |value| Value::Text(value.to_owned());
    &String, |value| Value::Text(value.clone());
    String, |value| Value::Text(value);
    &[u8], |value| Value::Bytes(value.to_vec());
    Vec<u8>, |value| Value::Bytes(value);
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

/// What a column is read as.
pub(super) trait FromValue: Sized {
    fn read(value: Value) -> Outcome<Self>;
}

macro_rules! from_value {
    ($($kind:ty, $pattern:pat => $read:expr;)+) => {
        $(impl FromValue for $kind {
            fn read(value: Value) -> Outcome<Self> {
                match value {
                    $pattern => $read,
                    _ => Err(StoreError::odd(concat!("column, which is no ", stringify!($kind)))),
                }
            }
        })+
    };
}

from_value! {
    i64, Value::Number(number) => Ok(number);
    u64, Value::Number(number) => u64::try_from(number).map_err(|_| StoreError::odd("number"));
    u32, Value::Number(number) => u32::try_from(number).map_err(|_| StoreError::odd("number"));
    bool, Value::Number(number) => Ok(number != 0);
    DateTime<Utc>, Value::Number(number) => DateTime::from_timestamp_millis(number).ok_or_else(|| StoreError::odd("instant"));
    String, Value::Text(text) => Ok(text);
    Vec<u8>, Value::Bytes(bytes) => Ok(bytes);
}

impl<T: FromValue> FromValue for Option<T> {
    fn read(value: Value) -> Outcome<Self> {
        if value == Value::Null { Ok(None) } else { T::read(value).map(Some) }
    }
}

/// What a row is read as: its columns in their order.
pub(super) trait FromRow: Sized {
    fn read(columns: &mut std::vec::IntoIter<Value>) -> Outcome<Self>;
}

fn next<T: FromValue>(columns: &mut std::vec::IntoIter<Value>) -> Outcome<T> {
    T::read(columns.next().ok_or_else(|| StoreError::odd("row, which is too short"))?)
}

macro_rules! from_row {
    ($(($($column:ident),+))+) => {
        $(impl<$($column: FromValue),+> FromRow for ($($column,)+) {
            fn read(columns: &mut std::vec::IntoIter<Value>) -> Outcome<Self> {
                Ok(($(next::<$column>(columns)?,)+))
            }
        })+
    };
}

from_row! {
    (A) (A, B) (A, B, C) (A, B, C, D) (A, B, C, D, E) (A, B, C, D, E, F) (A, B, C, D, E, F, G) (A, B, C, D, E, F, G, H)
    (A, B, C, D, E, F, G, H, I) (A, B, C, D, E, F, G, H, I, J) (A, B, C, D, E, F, G, H, I, J, K)
    (A, B, C, D, E, F, G, H, I, J, K, L, M, N, O)
}

/// The end of a lease.
pub(super) fn until(now: DateTime<Utc>, lease: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(lease).ok().and_then(|lease| now.checked_add_signed(lease)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// A list as JSON, for a statement to read rows from.
pub(super) fn list<T: serde::Serialize>(values: &[T]) -> Outcome<String> {
    serde_json::to_string(values).map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// A token that nobody else has: 24 hex digits.
pub(super) fn token() -> Outcome<String> {
    let mut bytes = [0_u8; 12];
    getrandom::fill(&mut bytes).map_err(|error| StoreError::Unavailable(format!("no randomness: {error}")))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
