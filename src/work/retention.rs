//! What is old goes: a sweep an hour, in small steps, so that no delivery waits for it. What was forgotten leaves no trace.

use std::time::Duration;

use chrono::Utc;

use crate::store::Store;
use crate::store::retention::Swept;

/// How many rows of each kind one step takes away.
const STEP: u32 = 500;

/// How long deliveries go first between two steps.
const REST: Duration = Duration::from_millis(100);

const HOUR: Duration = Duration::from_hours(1);

/// How long at least between two times that traces are erased: PostgreSQL writes its tables anew for it.
const BETWEEN: Duration = Duration::from_mins(10);

/// Erases what was forgotten from the database's files, for ever.
pub async fn erase(store: Store) {
    loop {
        store.forgot().await;
        while let Err(error) = store.erase_traces().await {
            tracing::warn!(%error, "traces of what was forgotten cannot be erased yet");
            tokio::time::sleep(BETWEEN).await;
        }
        tokio::time::sleep(BETWEEN).await;
    }
}

/// Sweeps for ever.
pub async fn run(store: Store, keep: Duration) {
    loop {
        let step =
            match Utc::now().checked_sub_signed(chrono::TimeDelta::from_std(keep).unwrap_or(chrono::TimeDelta::MAX)) {
                Some(before) => store.sweep(before, STEP).await,
                None => return, // Older than time itself.
            };
        match step {
            Ok(swept) if swept.total() > 0 => {
                let Swept { deliveries, decisions, watches, comparisons, failures, vectors, refusals } = swept;
                tracing::info!(
                    deliveries,
                    decisions,
                    watches,
                    comparisons,
                    failures,
                    vectors,
                    refusals,
                    "what was old is gone"
                );
                tokio::time::sleep(REST).await;
            }
            Ok(_) => tokio::time::sleep(HOUR).await,
            Err(error) => {
                tracing::warn!(%error, "what is old cannot be swept");
                tokio::time::sleep(HOUR).await;
            }
        }
    }
}
