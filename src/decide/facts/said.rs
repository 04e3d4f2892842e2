//! What a reader made of the words on a ticket: answers with how sure each is, and whether the words were understood.

use chrono::{DateTime, Utc};

/// One answer read in words.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// The fact, by the policy's name.
    pub fact: String,
    /// The answer, as the policy spells it.
    pub answer: String,
    /// How sure the reader is, from 0 to 1.
    pub confidence: f64,
    /// The words it was read in, at most a line.
    pub quote: String,
    /// Who wrote them.
    pub by: Speaker,
    /// When they were written.
    pub at: DateTime<Utc>,
}

/// Who wrote words on a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Speaker {
    /// The customer: subject, description, public comments.
    Customer,
    /// Staff, in an internal note.
    Colleague {
        /// Their name, as the helpdesk has it.
        name: String,
    },
}

/// Everything read in the words on one ticket.
#[derive(Debug, Clone, PartialEq)]
pub struct Words {
    /// Every answer, in the order in which the words were written.
    pub said: Vec<Said>,
    /// Whether the words could be read.
    pub understood: Understanding,
    /// Which vectors they were read by: `built-in`, or a server's model that made those of all of them. None where there
    /// are no words.
    pub read_by: Option<String>,
}

/// Whether the words on a ticket could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Understanding {
    /// There are none, or none that say anything, such as `help` alone.
    Nothing,
    /// They were read, whatever was found in them.
    Read,
    /// They could not be read.
    Dark {
        /// Why, in words: `written in Korean, which I cannot read`.
        why: String,
    },
}

impl Words {
    /// No words.
    pub const fn none() -> Words {
        Words { said: Vec::new(), understood: Understanding::Nothing, read_by: None }
    }
}
