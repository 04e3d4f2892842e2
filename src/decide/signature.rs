//! How a note of the bot is signed: its name, and the short id of the decision it tells.

use std::sync::LazyLock;

use regex::Regex;

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
