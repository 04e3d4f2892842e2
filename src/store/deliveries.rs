//! Deliveries: what the helpdesk told, kept before it is answered.

use chrono::{DateTime, Utc};
use tokio::sync::oneshot;

use super::database::{Database, Outcome};
use super::{Store, StoreError};
use crate::decide::ticket::TicketKey;

/// A verified delivery to be recorded. An event is a hint: only which ticket and why is kept, no customer text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// Which ticket it speaks of.
    pub ticket: TicketKey,
    /// What a repeat of the same delivery shares with it: invocation id, else event id; none where the
    /// sender gave neither.
    pub key: Option<String>,
    /// What happened, as the sender names it: `zen:event-type:ticket.tags_changed`, or `trigger`.
    pub kind: String,
    /// When it happened, by the helpdesk's word and clock; none where the sender does not say.
    pub happened_at: Option<DateTime<Utc>>,
    /// When it was received.
    pub received_at: DateTime<Utc>,
    /// From when on the ticket may be looked at because of it: a burst settles before the look.
    pub due_at: DateTime<Utc>,
    /// Whether it matters for a ticket that is not watched yet.
    pub relevance: Relevance,
}

/// Whether a delivery shows a ticket of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relevance {
    /// It may be ours: watch it.
    Ours,
    /// It shows a ticket that is not ours; it matters only where the ticket is already watched.
    OnlyIfWatched,
}

/// What recording a delivery came to. Everything but [`Recorded::Ignored`] is durable when it is returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It is on disk and its ticket is due.
    Accepted,
    /// It was on disk already.
    Duplicate,
    /// [`Relevance::OnlyIfWatched`], and the ticket is not watched; nothing was kept.
    Ignored,
}

impl Store {
    /// Keeps a delivery and marks its ticket due; durable when it returns.
    ///
    /// A repeat is known among the deliveries of its ticket, for as long as they are kept: the signature covers the
    /// ticket, and not the invocation id, so the same id with another ticket is no repeat.
    ///
    /// # Errors
    /// A store that cannot be used, or to which more comes than it can write.
    pub async fn record(&self, delivery: NewDelivery) -> Result<Recorded, StoreError> {
        let delivery = NewDelivery { due_at: self.shared(delivery.due_at), ..delivery };
        match &self.0.database {
            Database::Sqlite(sqlite) => sqlite.record(delivery).await,
            Database::Postgres(postgres) => postgres.record(delivery).await,
        }
    }
}

/// One that waits to be written together with others.
pub(super) struct Waiting {
    pub(super) delivery: NewDelivery,
    /// Its ticket's number, as columns hold it.
    pub(super) ticket: i64,
    reply: oneshot::Sender<Outcome<Recorded>>,
}

impl Waiting {
    /// One, and where its sender hears what became of it.
    pub(super) fn new(delivery: NewDelivery) -> Outcome<(Waiting, oneshot::Receiver<Outcome<Recorded>>)> {
        let (reply, answer) = oneshot::channel();
        let ticket = i64::try_from(delivery.ticket.id).map_err(|_| StoreError::odd("ticket number"))?;
        Ok((Waiting { ticket, delivery, reply }, answer))
    }
}

/// Tells each what became of it.
pub(super) fn answer(batch: Vec<Waiting>, outcome: Outcome<Vec<Recorded>>) {
    match outcome {
        Ok(recorded) => {
            for (waiting, recorded) in batch.into_iter().zip(recorded) {
                let _caller_gone = waiting.reply.send(Ok(recorded));
            }
        }
        Err(error) => {
            for waiting in batch {
                let _caller_gone = waiting.reply.send(Err(error.clone()));
            }
        }
    }
}
