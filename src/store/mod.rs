//! What is kept: deliveries, the tickets being watched, and every decision.
//!
//! One file an idea, with its types and its trait; [`Store`] is all of them. An implementation has a file for each too.

pub mod decisions;
pub mod deliveries;
pub mod feedback;
pub mod history;
pub mod operators;
pub mod overview;
pub mod sqlite;
pub mod watches;

use async_trait::async_trait;

use crate::helpdesk::ticket::TicketKey;
use decisions::Decisions;
use deliveries::Deliveries;
use feedback::Feedbacks;
use history::Histories;
use operators::Operators;
use overview::Overviews;
use watches::Watches;

/// Everything that outlives a restart. One suite of tests runs on every implementation.
pub trait Store: Deliveries + Watches + Decisions + Feedbacks + Histories + Overviews + Operators + Readiness {}

impl<T: Deliveries + Watches + Decisions + Feedbacks + Histories + Overviews + Operators + Readiness> Store for T {}

/// Says whether the store is of use.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// Whether the store can be read and written right now.
    async fn ready(&self) -> Result<(), StoreError>;
}

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
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
