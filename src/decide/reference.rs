//! The decision's short id, by which the bot knows its own work again.
//!
//! It is made from the ticket, what the decision says, and the id of the note before it. So whether the newest note on
//! a ticket still says what is decided now can be told from the comments alone, whatever a crash, a lost answer or a
//! lost store left unsaid; and the same decision at a later turn has another id.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::decide::policy::decision::Decision;
use crate::decide::ticket::{OwnUsers, Reading, TicketKey};

/// Letters and digits nobody mistakes for one another.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// How many characters an id has.
const LENGTH: usize = 8;

/// What about a decision makes a note worth writing: two with the same fingerprint say the same.
pub fn fingerprint(decision: &Decision, problems: &[String]) -> String {
    let mut said = decision.verdict.clone();
    for answered in decision.path.iter().chain(&decision.beyond) {
        let _infallible = write!(said, "|{} {}={}", answered.node, answered.answer, answered.value);
    }
    for missing in &decision.missing {
        let _infallible = write!(said, "|{}? {:?}", missing.fact, missing.suggested);
    }
    for against in &decision.against {
        let _infallible = write!(said, "|!{}={}", against.fact, against.value);
    }
    for (fact, value) in &decision.proposal {
        let _infallible = write!(said, "|>{fact}={value}");
    }
    for why in decision.illegible.iter() {
        let _infallible = write!(said, "|?{why}");
    }
    for problem in problems {
        let _infallible = write!(said, "|{problem}");
    }
    said
}

/// The id of a decision on a ticket after the note with the id `before`.
pub fn reference(ticket: &TicketKey, fingerprint: &str, before: Option<&str>) -> String {
    let digest = Sha256::digest(format!("{ticket}\n{fingerprint}\n{}", before.unwrap_or_default()));
    let letter = |byte: &u8| ALPHABET.get(usize::from(byte % 32)).copied().map_or('A', char::from);
    digest.iter().take(LENGTH).map(letter).collect()
}

/// The ids in our own notes on a ticket, oldest first; a note that quotes one is not ours unless we wrote it.
pub fn posted(reading: &Reading, own: &OwnUsers) -> Vec<String> {
    reading.own_comments(own).filter_map(|comment| comment.signature().id()).map(str::to_owned).collect()
}

/// Who leaves notes of another bot of this kind: staff with an id in their own internal note, who are not us.
pub fn of_another_bot(reading: &Reading, own: &OwnUsers) -> Option<u64> {
    let others = reading.comments.iter().filter(|comment| !comment.public && !own.has(comment.author_id));
    let mut others = others.filter(|comment| reading.is_staff(comment.author_id));
    others.find(|comment| comment.signature().id().is_some())?.author_id
}
