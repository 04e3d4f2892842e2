//! Operator events: who did what at the console or the command line. Rows are only ever added; the worker performs what they ask for.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::decide::ticket::TicketKey;

/// What somebody did at the console or the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorEvent {
    /// When.
    pub at: DateTime<Utc>,
    /// Who, as they signed in; `operator` where sign-in is not needed.
    pub who: String,
    /// On which ticket, where it was on one.
    pub ticket: Option<TicketKey>,
    /// What.
    pub did: Did,
}

/// What an operator can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "did", rename_all = "snake_case")]
pub enum Did {
    /// Signed in.
    SignedIn,
    /// Was refused at sign-in.
    SignInRefused,
    /// Signed out.
    SignedOut,
    /// Asked for another look at a ticket.
    LookAgain,
    /// Answered a question.
    Answered {
        /// The fact, as written.
        fact: String,
        /// Its value, as written.
        value: String,
    },
    /// Agreed with the verdict.
    Agreed,
    /// Disagreed with the verdict.
    Disagreed {
        /// Why.
        why: String,
    },
    /// Told the bot to leave a ticket alone.
    Stopped,
    /// Put a policy in force.
    Promoted {
        /// Its hash.
        policy: String,
    },
    /// Took the newest promotion back.
    SteppedBack {
        /// The hash of the policy that is in force again.
        policy: String,
    },
    /// Sent dead letters back.
    SentBack {
        /// How many.
        tickets: u64,
    },
    /// Paused an account.
    Paused {
        /// Its name.
        account: String,
    },
    /// Ended an account's pause.
    Resumed {
        /// Its name.
        account: String,
    },
    /// Sent follow-ups back that needed somebody.
    TriedAgain,
}

/// Keeps operator events.
#[async_trait]
pub trait Operators: Send + Sync {
    /// Keeps an event; its ticket, where it has one, is due with it.
    async fn record_operator(&self, event: &OperatorEvent) -> Result<(), StoreError>;

    /// What operators did on a ticket, oldest first.
    async fn operators_on(&self, ticket: &TicketKey) -> Result<Vec<OperatorEvent>, StoreError>;

    /// Up to `limit` events with their numbers, newest first, of those before the number `before`.
    async fn operator_events(&self, before: Option<i64>, limit: usize)
    -> Result<Vec<(i64, OperatorEvent)>, StoreError>;

    /// The key kept under a name; `fresh` is kept where there is none yet.
    async fn own_key(&self, name: &str, fresh: &[u8]) -> Result<Vec<u8>, StoreError>;
}
