//! Who may call when: asked before every call to one account.

use std::time::Duration;

use async_trait::async_trait;

use super::error::CallError;

/// Shares an account's calls out among all who make them.
#[async_trait]
pub trait Pace: Send + Sync {
    /// Waits for the turn of one call.
    ///
    /// # Errors
    /// [`CallError::Limited`] while the helpdesk wants no calls, which may be long; [`CallError::NoTurn`] where nobody
    /// can be asked.
    async fn turn(&self) -> Result<(), CallError>;

    /// The helpdesk wants no calls for so long; it means everyone's.
    async fn hold(&self, length: Duration);

    /// The account's limit is nearly spent for so long: no new work is begun, and what was begun is brought to its end.
    async fn spare(&self, length: Duration);
}

/// Every call at once: for commands that make a few by hand.
#[derive(Debug, Clone, Copy)]
pub struct AtOnce;

#[async_trait]
impl Pace for AtOnce {
    async fn turn(&self) -> Result<(), CallError> {
        Ok(())
    }

    async fn hold(&self, _: Duration) {}

    async fn spare(&self, _: Duration) {}
}
