//! The store that the configuration names.

use std::sync::Arc;

use crate::config::{self, StoreAt};
use crate::store::Store;
use crate::store::postgres::Postgres;
use crate::store::sqlite::Sqlite;

/// Opens it, with its schema up to date.
pub(super) async fn open(store: &config::Store) -> anyhow::Result<Arc<dyn Store>> {
    Ok(match store.at()? {
        StoreAt::Sqlite(file) => Arc::new(Sqlite::open(&file)?),
        StoreAt::Postgres(url) => Arc::new(Postgres::open(url).await?),
    })
}
