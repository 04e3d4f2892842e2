//! Decisions: made once, recorded before they are acted on, never made anew for a page.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::StoreError;
use super::watches::Claim;
use crate::decide::ticket::TicketKey;

/// A decision as it is kept: made once, recorded before it is acted on, never made anew for a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionRow {
    /// The short id its note carries.
    pub reference: String,
    /// Which ticket.
    pub ticket: TicketKey,
    /// When it was made.
    pub decided_at: DateTime<Utc>,
    /// Its verdict, for lists.
    pub verdict: String,
    /// What about it makes a note worth writing: two decisions with the same fingerprint say the same.
    pub fingerprint: String,
    /// The decision, as JSON in the shape of the interface.
    pub decision: String,
    /// The note, as text.
    pub note: String,
    /// What it was decided on, as JSON: [`crate::decide::basis::Basis`].
    pub basis: String,
    /// What became of it.
    pub carried: Carried,
}

/// What became of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Carried {
    /// Recorded; whether the helpdesk has it is not known yet.
    Open,
    /// Its note stands on the ticket.
    Posted,
    /// Shadow mode: recorded only.
    Shadow,
    /// Overtaken by a newer decision before it was written.
    Overtaken,
}

impl Carried {
    /// Its word in a row.
    pub(super) fn word(self) -> &'static str {
        match self {
            Carried::Open => "open",
            Carried::Posted => "posted",
            Carried::Shadow => "shadow",
            Carried::Overtaken => "overtaken",
        }
    }

    pub(super) fn read(word: &str) -> Result<Carried, StoreError> {
        match word {
            "open" => Ok(Carried::Open),
            "posted" => Ok(Carried::Posted),
            "shadow" => Ok(Carried::Shadow),
            "overtaken" => Ok(Carried::Overtaken),
            _ => Err(StoreError::odd("decision state")),
        }
    }
}

/// Keeps decisions.
#[async_trait]
pub trait Decisions: Send + Sync {
    /// Keeps a decision, before it is acted on; durable when it returns. Whether it is new: the same reference again is
    /// kept once, and is open again where it was overtaken or of shadow mode and is now to be acted on. Older open
    /// decisions of the ticket become [`Carried::Overtaken`] in the same breath. [`StoreError::LeaseLost`] where the
    /// ticket has been claimed anew or given back, and then nothing is written.
    async fn record_decision(&self, claim: &Claim, row: &DecisionRow) -> Result<bool, StoreError>;

    /// Says that a decision's note stands on the claimed ticket, as was known first at `at`; durable when it returns.
    /// [`StoreError::LeaseLost`] where the ticket has been claimed anew or given back, and then nothing is written:
    /// whoever has the ticket now finds out from its comments.
    async fn posted(&self, claim: &Claim, reference: &str, at: DateTime<Utc>) -> Result<(), StoreError>;

    /// Says of what is open on the claimed ticket that it was overtaken, where an older note says again what holds;
    /// durable when it returns. [`StoreError::LeaseLost`] as above.
    async fn overtake(&self, claim: &Claim) -> Result<(), StoreError>;

    /// The ticket's newest decision that was posted or, in shadow mode, recorded.
    async fn last_decision(&self, ticket: &TicketKey) -> Result<Option<DecisionRow>, StoreError>;

    /// Whether a decision of the ticket is still [`Carried::Open`]: a write of ours may be on its way.
    async fn unconfirmed(&self, ticket: &TicketKey) -> Result<bool, StoreError>;
}
