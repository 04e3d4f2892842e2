//! The decision's short id, by which the bot knows its own work again.
//!
//! It is made from the ticket, what the decision says, and the id of the note before it. So whether the newest note on
//! a ticket still says what is decided now can be told from the comments alone, whatever a crash, a lost answer or a
//! lost store left unsaid; and the same decision at a later turn has another id.

use std::fmt::Write;
use std::sync::LazyLock;

use regex::Regex;
use sha2::{Digest, Sha256};

use crate::decide::policy::decision::Decision;
use crate::decide::ticket::{OwnUsers, Reading, TicketKey};

/// Letters and digits nobody mistakes for one another.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// How many characters an id has.
const LENGTH: usize = 8;

/// What every note of ours is signed with, before its id.
pub(super) const NAME: &str = "starwarden";

/// Whether a text bears a decision's id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Signature {
    /// It is no note of the bot.
    #[default]
    None,
    /// It is signed by the bot, and its id cannot be read: part of it was redacted.
    Unreadable,
    /// It bears this id.
    Id(String),
}

impl Signature {
    /// Finds it wherever it stands: a footer below, markup within and blanks around it change nothing.
    pub(super) fn of(text: &str) -> Signature {
        if let Some(id) = in_text(text) {
            return Signature::Id(id.to_owned());
        }
        if text.contains(NAME) && SIGNED.is_match(text) { Signature::Unreadable } else { Signature::None }
    }

    /// This where there is one, else another.
    pub(super) fn or_else(self, other: impl FnOnce() -> Signature) -> Signature {
        match self {
            Signature::Id(_) => self,
            Signature::Unreadable | Signature::None => match other() {
                Signature::None => self,
                found @ (Signature::Id(_) | Signature::Unreadable) => found,
            },
        }
    }

    /// The id, where it can be read.
    pub fn id(&self) -> Option<&str> {
        match self {
            Signature::Id(id) => Some(id),
            Signature::None | Signature::Unreadable => None,
        }
    }
}

/// The last decision's id in a text, known by its own letters; what was quoted from another note stands above it.
pub fn in_text(text: &str) -> Option<&str> {
    if !text.contains(NAME) {
        return None;
    }
    Some(ID.captures_iter(text).last()?.get(1)?.as_str())
}

#[expect(clippy::expect_used, reason = "constant and tested")]
static ID: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"starwarden\W{1,20}ref\W{1,20}\b([A-HJ-NP-Z2-9]{8})\b").expect("a pattern"));

/// The signature without its id, of which a part may be blacked out.
#[expect(clippy::expect_used, reason = "constant and tested")]
static SIGNED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"starwarden\W{1,20}ref\b|[▇█*]{3,}\W{1,20}ref\b").expect("a pattern"));

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
