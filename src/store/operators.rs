//! Operator events: who did what at the console or the command line. Rows are only ever added; the worker performs what they ask for.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::database::{Outcome, Session, values};
use super::watches::{Wait, mark};
use super::{Store, StoreError};
use crate::decide::ticket::{OwnUsers, TicketKey};

/// What somebody did at the console or the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorEvent {
    /// When.
    pub at: DateTime<Utc>,
    /// Who, as they signed in; `somebody on this machine` where sign-in is not needed.
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
    SignedOut {
        /// Which session is over by it; none in rows of before it was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session: Option<String>,
    },
    /// Asked for another look at a ticket.
    LookAgain,
    /// Asked for another look at every open ticket.
    LookAgainAtAll {
        /// How many.
        tickets: u64,
    },
    /// Answered a question.
    Answered {
        /// The fact, as written.
        fact: String,
        /// Its value, as written.
        value: String,
    },
    /// Said no to what the bot proposed.
    Refused,
    /// Agreed with the verdict.
    Agreed,
    /// Disagreed with the verdict.
    Disagreed {
        /// Why.
        why: String,
    },
    /// Told the bot to leave a ticket alone.
    Stopped,
    /// Had what people wrote on a ticket forgotten.
    Forgot,
    /// Asked for a policy to be put in force, which takes another person.
    Proposed {
        /// Its hash.
        policy: String,
    },
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
    /// Took a ticket in hand.
    Took,
    /// Said that nothing is left to do on a ticket.
    Finished,
    /// Gave a ticket back, or said that it is not done after all.
    GaveBack,
}

const RECORD: &str = "INSERT INTO operator_events (at, who, account, ticket, did) VALUES ($1, $2, $3, $4, $5)";

const OF_TICKET: &str = "SELECT id, at, who, account, ticket, did FROM operator_events
    WHERE account = $1 AND ticket = $2 ORDER BY id";

const NEWEST: &str = "SELECT id, at, who, account, ticket, did FROM operator_events
    WHERE id < $1 ORDER BY id DESC LIMIT $2";

const OWN_USER: &str = "INSERT INTO own_users (account, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";

impl Store {
    /// Keeps an event; its ticket, where it has one, is due with it.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn record_operator(&self, event: &OperatorEvent) -> Result<(), StoreError> {
        let (event, due_at) = (event.clone(), self.shared(event.at));
        self.transaction(move |t| async move {
            recorded(&t, &event).await?;
            match &event.ticket {
                // What was just forgotten is not read again for that.
                Some(_) if matches!(event.did, Did::Forgot) => Ok(()),
                Some(ticket) => mark(&t, ticket, due_at, Wait::Ends).await,
                None => Ok(()),
            }
        })
        .await
    }

    /// What operators did on a ticket, oldest first.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn operators_on(&self, ticket: &TicketKey) -> Result<Vec<OperatorEvent>, StoreError> {
        let events = self.all(OF_TICKET, values![&ticket.account, ticket.id]).await?;
        events.into_iter().map(|columns| Ok(event(columns)?.1)).collect()
    }

    /// Up to `limit` events with their numbers, newest first, of those before the number `before`.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn operator_events(
        &self,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<(i64, OperatorEvent)>, StoreError> {
        let events = self.all(NEWEST, values![before.unwrap_or(i64::MAX), limit]).await?;
        events.into_iter().map(event).collect()
    }

    /// Adds the user of the helpdesk that the bot is now; all that it ever was, this one among them, so that a note of an
    /// earlier user is known as its own. Durable when it returns.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn known_as(&self, account: &str, user: u64) -> Result<OwnUsers, StoreError> {
        self.run(OWN_USER, values![account, user]).await?;
        let users = self.all("SELECT user_id FROM own_users WHERE account = $1", values![account]).await?;
        Ok(users.into_iter().map(|(user,): (u64,)| user).collect())
    }
}

/// Keeps an event, and no ticket is due with it.
pub(super) async fn recorded(t: &Session, event: &OperatorEvent) -> Outcome<()> {
    let did = serde_json::to_string(&event.did).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    let (account, ticket) = event.ticket.as_ref().map(|ticket| (&ticket.account, ticket.id)).unzip();
    t.run(RECORD, values![event.at, &event.who, account, ticket, did]).await.map(drop)
}

type Columns = (i64, DateTime<Utc>, String, Option<String>, Option<u64>, String);

fn event((number, at, who, account, id, did): Columns) -> Outcome<(i64, OperatorEvent)> {
    let ticket = account.zip(id).map(|(account, id)| TicketKey { account, id });
    let did = serde_json::from_str(&did).map_err(|_| StoreError::odd("operator event"))?;
    Ok((number, OperatorEvent { at, who, ticket, did }))
}
