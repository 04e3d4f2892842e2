//! The store that the configuration names.

use std::sync::Arc;

use anyhow::Context;
use secrecy::ExposeSecret;

use crate::config::{self, StoreAt};
use crate::store::Store;
use crate::store::postgres::Postgres;
use crate::store::sqlite::Sqlite;

/// Opens it, with its schema up to date.
pub(super) async fn open(store: &config::Store) -> anyhow::Result<Arc<dyn Store>> {
    Ok(match store.at()? {
        StoreAt::Sqlite(file) => Arc::new(Sqlite::open(&file)?),
        StoreAt::Postgres(url) => Arc::new(Postgres::open(url.expose_secret()).await?),
    })
}

/// A store that is not there is not made where it is only asked: it would be an empty one.
///
/// # Errors
/// A SQLite file that is not there.
pub(super) fn must_be_there(store: &config::Store) -> anyhow::Result<()> {
    if let StoreAt::Sqlite(file) = store.at()? {
        std::fs::metadata(&file).with_context(|| format!("the store {} cannot be read: nothing was kept yet, or the command is started in another folder than the bot", file.display()))?;
    }
    Ok(())
}
