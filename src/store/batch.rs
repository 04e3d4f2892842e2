//! Deliveries that are written together.

use tokio::sync::oneshot;

use super::deliveries::{NewDelivery, Recorded};
use super::values::{Outcome, number};

/// One that waits.
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
        Ok((Waiting { ticket: number(delivery.ticket.id)?, delivery, reply }, answer))
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
