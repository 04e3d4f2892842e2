//! Connections that only read: pages and lists do not queue behind the writer.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;

use super::Shared;
use crate::store::StoreError;
use crate::store::database::Outcome;

/// How many read at once at most.
const READERS: usize = 4;

/// A few connections, opened as they are needed.
pub(super) struct Readers {
    path: PathBuf,
    seats: Semaphore,
    idle: Arc<Mutex<Vec<Shared>>>,
}

impl Readers {
    pub(super) fn of(path: &Path) -> Readers {
        Readers { path: path.to_owned(), seats: Semaphore::new(READERS), idle: Arc::default() }
    }

    /// Reads, seeing all that was committed before.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Shared) -> Outcome<T> + Send + 'static,
    ) -> Outcome<T> {
        let gone = || StoreError::Unavailable("its readers have ended".into());
        let _seat = self.seats.acquire().await.map_err(|_| gone())?;
        let (idle, path) = (self.idle.clone(), self.path.clone());
        let reading = tokio::task::spawn_blocking(move || {
            let kept = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = kept.map_or_else(|| open(&path), Ok)?;
            let read = job(&connection);
            if read.is_ok() {
                idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection); // After a fault a fresh one is safer.
            }
            read
        });
        reading.await.unwrap_or_else(|_| Err(gone()))
    }
}

fn open(path: &Path) -> Outcome<Shared> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    super::prepare(&connection)?;
    Ok(Shared::of(connection))
}
