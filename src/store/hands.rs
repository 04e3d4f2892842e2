//! Who has a ticket in hand: a person says "mine" or "done", and others see it. A newer verdict ends it.

use chrono::{DateTime, Utc};

use super::database::{Outcome, Session, values};
use super::operators::{Did, OperatorEvent, recorded};
use super::{Store, StoreError};
use crate::decide::ticket::TicketKey;

/// That somebody has a ticket in hand, or is done with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hand {
    /// Who said so.
    pub who: String,
    /// When.
    pub at: DateTime<Utc>,
    /// What they said.
    pub said: Said,
}

/// What somebody says of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// It is theirs.
    Mine,
    /// Nothing is left to do.
    Done,
}

/// What came of taking a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    /// It is theirs.
    So,
    /// Somebody else has it; nothing changed.
    Others(Hand),
}

const TAKE: &str = "UPDATE watches SET hand = 'taken', hand_who = $3, hand_at = $4
    WHERE account = $1 AND ticket = $2 AND (hand IS NULL OR hand_who IN ($3, $5))";

const DONE: &str = "UPDATE watches SET hand = 'done', hand_who = $3, hand_at = $4 WHERE account = $1 AND ticket = $2";

const GIVE_BACK: &str =
    "UPDATE watches SET hand = NULL, hand_who = NULL, hand_at = NULL WHERE account = $1 AND ticket = $2";

/// What is done is open again with every new decision, and nobody's with another verdict.
const LET_GO: &str = "UPDATE watches SET hand = NULL, hand_who = NULL, hand_at = NULL
    WHERE account = $1 AND ticket = $2 AND (hand = 'done' OR verdict <> $3)";

const HAND: &str = "SELECT hand, hand_who, hand_at FROM watches WHERE account = $1 AND ticket = $2";

impl Hand {
    /// Reads a row's columns.
    pub(super) fn read(hand: Option<String>, who: Option<String>, at: Option<DateTime<Utc>>) -> Outcome<Option<Hand>> {
        let said = match hand.as_deref() {
            None => return Ok(None),
            Some("taken") => Said::Mine,
            Some("done") => Said::Done,
            Some(_) => return Err(StoreError::odd("hand")),
        };
        Ok(who.zip(at).map(|(who, at)| Hand { who, at, said }))
    }
}

impl Store {
    /// Somebody takes a ticket, `over` from somebody where that is named; durable when it returns, and no reason to look at
    /// the ticket. Of two who take it the second gets what the first said.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn take_in_hand(
        &self,
        ticket: &TicketKey,
        over: &str,
        who: &str,
        at: DateTime<Utc>,
    ) -> Result<Came, StoreError> {
        let (ticket, over, who) = (ticket.clone(), over.to_owned(), who.to_owned());
        self.transaction(move |t| async move {
            if t.run(TAKE, values![&ticket.account, ticket.id, &who, at, over]).await? == 0 {
                return Ok(hand(&t, &ticket).await?.map_or(Came::So, Came::Others));
            }
            let event = OperatorEvent { at, who, ticket: Some(ticket), did: Did::Took };
            recorded(&t, &event).await?;
            Ok(Came::So)
        })
        .await
    }

    /// Somebody says that nothing is left to do on a ticket; durable when it returns.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn finish(&self, ticket: &TicketKey, who: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
        let event = OperatorEvent { at, who: who.to_owned(), ticket: Some(ticket.clone()), did: Did::Finished };
        let ticket = ticket.clone();
        self.transaction(move |t| async move {
            t.run(DONE, values![&ticket.account, ticket.id, &event.who, at]).await?;
            recorded(&t, &event).await
        })
        .await
    }

    /// Somebody says that a ticket is nobody's, or not done after all; durable when it returns.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn give_back(&self, ticket: &TicketKey, who: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
        let event = OperatorEvent { at, who: who.to_owned(), ticket: Some(ticket.clone()), did: Did::GaveBack };
        let ticket = ticket.clone();
        self.transaction(move |t| async move {
            t.run(GIVE_BACK, values![&ticket.account, ticket.id]).await?;
            recorded(&t, &event).await
        })
        .await
    }

    /// Who has a ticket in hand.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn hand(&self, ticket: &TicketKey) -> Result<Option<Hand>, StoreError> {
        let ticket = ticket.clone();
        self.read(move |t| async move { hand(&t, &ticket).await }).await
    }
}

async fn hand(t: &Session, ticket: &TicketKey) -> Outcome<Option<Hand>> {
    let found = t.one(HAND, values![&ticket.account, ticket.id]).await?;
    let read = |(hand, who, at)| Hand::read(hand, who, at);
    found.map(read).transpose().map(Option::flatten)
}

/// A new decision with this verdict was recorded.
pub(super) async fn let_go(t: &Session, ticket: &TicketKey, verdict: &str) -> Outcome<()> {
    t.run(LET_GO, values![&ticket.account, ticket.id, verdict]).await.map(drop)
}
