//! Tickets the helpdesk does not let us touch although it takes our credentials: one ticket's trouble, or everyone's.
//!
//! A 403 may be about a single ticket, which must not hold up the others, or about what our token may do, which must not
//! make dead letters of all of them. So they are counted: where several tickets in a row are refused, and none is let
//! through between, it is the account's trouble, until one is let through.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// How many tickets in a row make it the account's trouble.
const IN_A_ROW: usize = 3;

/// What was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// To read a ticket.
    Reading,
    /// To write on it.
    Writing,
}

impl Doing {
    /// The refusal of one ticket, in a sentence.
    pub fn of_ticket(self) -> &'static str {
        match self {
            Doing::Reading => "the helpdesk does not let us read this ticket",
            Doing::Writing => "the helpdesk does not let us write on this ticket",
        }
    }

    /// The refusal of all tickets, in a sentence.
    pub fn of_account(self) -> &'static str {
        match self {
            Doing::Reading => {
                "the helpdesk knows us and lets us read no ticket: give the token the scope tickets:read, or the agent access"
            }
            Doing::Writing => {
                "the helpdesk knows us and lets us write on no ticket: give the token the scope tickets:write, or the agent access"
            }
        }
    }
}

/// Tickets of one account refused in a row.
#[derive(Debug, Default)]
pub struct Refusals {
    reads: Row,
    writes: Row,
}

type Row = Mutex<BTreeSet<u64>>;

impl Refusals {
    /// A ticket was refused.
    pub fn refused(&self, doing: Doing, ticket: u64) {
        self.row(doing).lock().unwrap_or_else(PoisonError::into_inner).insert(ticket);
    }

    /// A ticket was let through.
    pub fn let_through(&self, doing: Doing) {
        self.row(doing).lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// What the whole account is refused, if it is.
    pub fn of_account(&self) -> Option<Doing> {
        let all = |doing: &Doing| self.row(*doing).lock().unwrap_or_else(PoisonError::into_inner).len() >= IN_A_ROW;
        [Doing::Reading, Doing::Writing].into_iter().find(all)
    }

    fn row(&self, doing: Doing) -> &Row {
        match doing {
            Doing::Reading => &self.reads,
            Doing::Writing => &self.writes,
        }
    }
}
