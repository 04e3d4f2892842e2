//! Tickets that the helpdesk refuses us, or fails with, while it answers us: one ticket's trouble, or everyone's.
//!
//! A 403 may be about a single ticket, which must not hold up the others, or about what our token may do; a 5xx may be one
//! ticket's, or a part of the helpdesk may be away. Everyone's trouble must not make dead letters of all. So tickets are
//! counted: where several in a row are in trouble, and none is let through between, it is the account's, until one is let
//! through. Those of before had a trouble of their own, and count for the account no more until they are let through.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many tickets in a row make it the account's trouble.
const IN_A_ROW: usize = 3;

/// How long the helpdesk has to fail with all of them: a failure now and then is nobody's trouble.
const FOR_LONG: Duration = Duration::from_secs(10);

/// What was to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// To read a ticket.
    Reading,
    /// To write on it.
    Writing,
}

/// What came in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It does not let us.
    Refused,
    /// It failed, or did not answer.
    Failed,
}

/// The refusal of one ticket, in a sentence.
pub fn refused(doing: Doing) -> &'static str {
    match doing {
        Doing::Reading => "the helpdesk does not let us read this ticket",
        Doing::Writing => "the helpdesk does not let us write on this ticket",
    }
}

/// The trouble with all tickets, in a sentence.
fn with_all(doing: Doing, trouble: Trouble) -> &'static str {
    match (doing, trouble) {
        (Doing::Reading, Trouble::Refused) => {
            "the helpdesk knows us and lets us read no ticket: give the token the scope tickets:read, or the agent access"
        }
        (Doing::Writing, Trouble::Refused) => {
            "the helpdesk knows us and lets us write on no ticket: give the token the scope tickets:write, or the agent access"
        }
        (Doing::Reading, Trouble::Failed) => {
            "the helpdesk knows us and fails to give any ticket: it is tried again until one comes"
        }
        (Doing::Writing, Trouble::Failed) => {
            "the helpdesk knows us and fails to take any note: it is tried again until one is taken"
        }
    }
}

/// The tickets of one account that are in trouble.
#[derive(Debug, Default)]
pub struct Troubles(Mutex<[Row; 4]>);

/// Those of one kind.
#[derive(Debug, Default)]
struct Row {
    /// In a row.
    tickets: BTreeSet<u64>,
    /// Since when.
    since: Option<Instant>,
    /// Others were let through while these were not.
    of_their_own: BTreeSet<u64>,
}

const KINDS: [(Doing, Trouble); 4] = [
    (Doing::Reading, Trouble::Refused),
    (Doing::Writing, Trouble::Refused),
    (Doing::Reading, Trouble::Failed),
    (Doing::Writing, Trouble::Failed),
];

impl Troubles {
    /// A ticket is in trouble.
    pub fn with(&self, ticket: u64, doing: Doing, trouble: Trouble, now: Instant) {
        for (kind, row) in KINDS.iter().zip(self.rows().iter_mut()) {
            if *kind == (doing, trouble) && !row.of_their_own.contains(&ticket) {
                row.since.get_or_insert(now);
                row.tickets.insert(ticket);
            }
        }
    }

    /// A ticket was let through.
    pub fn let_through(&self, ticket: u64, doing: Doing) {
        for ((of, _), row) in KINDS.iter().zip(self.rows().iter_mut()) {
            if *of == doing {
                row.of_their_own.append(&mut row.tickets);
                row.of_their_own.remove(&ticket);
                row.since = None;
            }
        }
    }

    /// The trouble with all tickets at `now`, in a sentence, if it is with all.
    pub fn of_account(&self, now: Instant) -> Option<&'static str> {
        let lasts = |row: &Row| row.since.is_some_and(|since| now.saturating_duration_since(since) >= FOR_LONG);
        let all =
            |trouble: Trouble, row: &Row| row.tickets.len() >= IN_A_ROW && (trouble == Trouble::Refused || lasts(row));
        let rows = self.rows();
        let found = KINDS.iter().zip(rows.iter()).find(|((_, trouble), row)| all(*trouble, row));
        found.map(|((doing, trouble), _)| with_all(*doing, *trouble))
    }

    fn rows(&self) -> MutexGuard<'_, [Row; 4]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
