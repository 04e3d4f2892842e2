//! What is kept: deliveries, the tickets being watched, and every decision.
//!
//! One file an idea, with its types and its trait; [`Store`] is all of them. An implementation has a file for each too.

mod batch;
pub mod budget;
pub mod comparisons;
pub mod decisions;
pub mod deliveries;
pub mod feedback;
pub mod follow_ups;
pub mod history;
pub mod looks;
pub mod operators;
pub mod overview;
pub mod own_users;
pub mod pauses;
pub mod policies;
pub mod postgres;
pub mod promotions;
pub mod retention;
pub mod sqlite;
pub mod sums;
mod values;
pub mod wakes;
pub mod watches;

use async_trait::async_trait;

use crate::decide::ticket::TicketKey;

/// Declares [`Store`] as all of these traits together.
macro_rules! store {
    ($($idea:path),+ $(,)?) => {
        /// Everything that outlives a restart. One suite of tests runs on every implementation.
        pub trait Store: $($idea +)+ {}
        impl<T: $($idea +)+> Store for T {}
    };
}

store! {
    budget::Budget,
    comparisons::Comparisons,
    decisions::Decisions,
    deliveries::Deliveries,
    feedback::Feedbacks,
    follow_ups::FollowUps,
    history::Histories,
    looks::Looks,
    operators::Operators,
    overview::Overviews,
    own_users::KnownUsers,
    pauses::Pauses,
    policies::Policies,
    promotions::Promotions,
    retention::Retention,
    sums::Summed,
    wakes::Wakes,
    watches::Watches,
    Readiness,
}

/// Says whether the store is of use.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// Whether the store can be read and written right now.
    async fn ready(&self) -> Result<(), StoreError>;
}

/// Why the store could not do it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached or written: a full disk, a locked or vanished file, a server gone.
    #[error("the store cannot be used: {0}")]
    Unavailable(String),
    /// What it holds is not what this version writes.
    #[error("the store holds something unexpected: {0}")]
    Corrupt(String),
    /// The lease on the ticket ended and someone else has it now; nothing was written.
    #[error("the lease on ticket {0} is gone")]
    LeaseLost(TicketKey),
}

impl StoreError {
    /// A column holds what no version ever wrote.
    fn odd(what: &str) -> StoreError {
        StoreError::Corrupt(format!("an impossible {what}"))
    }
}
