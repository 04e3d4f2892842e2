//! The helpdesk's users the bot is or was.

use async_trait::async_trait;

use super::StoreError;
use crate::decide::ticket::OwnUsers;

/// Keeps as whom the bot has worked, so that a note of an earlier user is known as its own.
#[async_trait]
pub trait KnownUsers: Send + Sync {
    /// Adds the user the bot is now; all that it ever was, this one among them. Durable when it returns.
    async fn known_as(&self, account: &str, user: u64) -> Result<OwnUsers, StoreError>;
}
