//! Tags that should be on a ticket and are not: put back within reason.
//!
//! A helpdesk may take a note and not its tags, for the role or a trigger of its own; then they are asked for again a few
//! times. Or they were there, and somebody else's write took them away; then they are put back once. Whoever takes them off
//! again is left in peace.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// How often tags are asked for that were never seen on the ticket, the note's own write among them.
const ASKED: u8 = 3;

/// How often tags are put back that were there.
const PUT_BACK: u8 = 1;

/// How many tickets are remembered; the oldest by number go first.
const MOST: usize = 10_000;

/// What was tried on the tickets of one account, since this process began.
#[derive(Debug, Default)]
pub struct Tags(Mutex<BTreeMap<u64, Tried>>);

#[derive(Debug, Default)]
struct Tried {
    /// Of which note.
    reference: String,
    /// How often they were written and were not on the ticket afterwards.
    not_taken: u8,
    /// How often they were put back after they had been there.
    put_back: u8,
    /// Whether they were ever seen there.
    seen: Seen,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Seen {
    #[default]
    Never,
    Once,
}

/// What is to be done about tags that are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// To write them again.
    Write,
    /// Nothing more: the helpdesk does not take them.
    NotTaken,
    /// Nothing more: somebody takes them off.
    TakenOff,
}

impl Tags {
    /// All of a note's tags are on its ticket.
    pub fn there(&self, ticket: u64, reference: &str) {
        self.with(ticket, reference, |tried| {
            tried.seen = Seen::Once;
            tried.not_taken = 0;
        });
    }

    /// The tags of a note were written, and the answer does not have them all.
    pub fn not_taken(&self, ticket: u64, reference: &str) {
        self.with(ticket, reference, |tried| tried.not_taken = tried.not_taken.saturating_add(1));
    }

    /// Tags of a note are missing; what to do is counted as done.
    pub fn missing(&self, ticket: u64, reference: &str) -> Missing {
        self.with(ticket, reference, |tried| match (tried.seen, tried.not_taken) {
            // What this process did not see written may have been there.
            (Seen::Never, 1..ASKED) => Missing::Write,
            (Seen::Never, ASKED..) => Missing::NotTaken,
            (Seen::Never, 0) | (Seen::Once, _) if tried.put_back < PUT_BACK => {
                tried.put_back += 1;
                Missing::Write
            }
            (Seen::Never, 0) | (Seen::Once, _) => Missing::TakenOff,
        })
    }

    fn with<T>(&self, ticket: u64, reference: &str, what: impl FnOnce(&mut Tried) -> T) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while all.len() >= MOST && !all.contains_key(&ticket) {
            all.pop_first();
        }
        let tried = all.entry(ticket).or_default();
        if tried.reference != reference {
            *tried = Tried { reference: reference.to_owned(), ..Tried::default() };
        }
        what(tried)
    }
}
