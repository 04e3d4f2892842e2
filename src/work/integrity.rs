//! Whether the store's file is sound: it is read through at the start and once a day, for whoever finds damage only at a
//! restore has no copy from before it.

use std::time::Duration;

use crate::metrics;
use crate::store::{Store, StoreError};

const DAY: Duration = Duration::from_hours(24);

/// Reads it through for ever; what it finds is in the log, on `/readyz` and in the metrics.
pub async fn run(store: Store) {
    loop {
        let found = store.sound().await;
        metrics::store_damaged(found.as_ref().err().filter(|error| matches!(error, StoreError::Damaged(_))));
        if let Err(error) = found {
            tracing::error!(%error, "the store could not be read through");
        }
        tokio::time::sleep(DAY).await;
    }
}
