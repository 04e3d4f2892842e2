//! A second, read-only connection, so that a page never keeps a delivery waiting.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::store::StoreError;

/// Reads beside the writer; it sees what was committed.
pub(super) struct Reader(Arc<Mutex<Connection>>);

impl Reader {
    /// Opens a file whose schema is up to date.
    pub(super) fn open(path: &Path) -> rusqlite::Result<Reader> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        Ok(Reader(Arc::new(Mutex::new(connection))))
    }

    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let connection = self.0.clone();
        let read = move || job(&connection.lock().unwrap_or_else(PoisonError::into_inner));
        tokio::task::spawn_blocking(read)
            .await
            .unwrap_or_else(|_| Err(StoreError::Unavailable("a read broke off".into())))
    }
}
