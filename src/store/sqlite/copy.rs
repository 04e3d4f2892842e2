//! A copy of a store's file, whole as of one moment, while others go on writing to it.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, params};

use crate::store::StoreError;

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// Something is there where it was to be.
    #[error("{} is there already: name another file", .0.display())]
    Taken(PathBuf),
    /// It could not be read or written, or is not sound.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Copies the store at `from` into the new file `to`, which only its owner may read, and reads the copy through once.
///
/// `to` is there when it is whole and on disk, or not at all.
///
/// # Errors
/// [`CopyError::Taken`] where `to` is there already; [`StoreError::Unavailable`] where there is no store, where `to` cannot
/// be written, or where the copy is not sound.
pub fn copy(from: &Path, to: &Path) -> Result<(), CopyError> {
    let unwritten = |error: std::io::Error| StoreError::Unavailable(format!("{}: {error}", to.display()));
    if to.exists() {
        return Err(CopyError::Taken(to.to_owned()));
    }
    let told = |error: rusqlite::Error| StoreError::Unavailable(format!("{}: {error}", from.display()));
    let store = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(told)?;
    store.busy_timeout(super::PATIENCE).map_err(told)?;
    let part = to.with_added_extension("part");
    // SQLite writes into a file that is empty; with this one's rights, for it holds customers' words.
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part).map_err(unwritten)?;
    store.execute("VACUUM INTO ?1", params![part.to_string_lossy()]).map_err(told)?;
    sound(&part)?;
    File::open(&part).and_then(|file| file.sync_all()).map_err(unwritten)?;
    std::fs::rename(&part, to).map_err(unwritten)?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(unwritten)?;
    Ok(())
}

fn sound(copy: &Path) -> Result<(), StoreError> {
    let connection = Connection::open_with_flags(copy, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let says: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if says == "ok" { Ok(()) } else { Err(StoreError::Unavailable(format!("the copy is not sound: {says}"))) }
}
