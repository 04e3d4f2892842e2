//! One fact: its value, how far it is to be trusted, and where it was read.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::source::Source;

/// How far a fact can be trusted, weakest first.
///
/// Only facts above [`Trust::Inferred`] may lead to a verdict that dismisses a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// Read out of words: a guess.
    Inferred,
    /// A field, a tag, a system of record, or the policy's own word.
    Recorded,
    /// A manager's answer.
    Stated,
}

/// What a fact says: a word (`yes`, `no`, or one of a choice) or an instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A moment in time, UTC.
    Instant(DateTime<Utc>),
    /// `yes`, `no`, or one of the words of a choice, as the policy spells it.
    Word(String),
}

impl Value {
    /// The word, where it is one.
    pub fn word(&self) -> Option<&str> {
        match self {
            Value::Word(word) => Some(word),
            Value::Instant(_) => None,
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Word(word) => f.write_str(word),
            Value::Instant(at) => f.write_str(&at.to_rfc3339_opts(SecondsFormat::Secs, true)),
        }
    }
}

/// Customer words a fact was inferred from, and where they stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Quote {
    /// The words, as written; never longer than a line.
    pub words: String,
    /// Where they stand, in words: `subject, 22 Nov`, `description, 22 Nov`, `customer, 23 Nov`.
    pub place: String,
}

/// A known fact with its provenance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// What it says.
    pub value: Value,
    /// How far it can be trusted.
    pub trust: Trust,
    /// Where it was read.
    pub source: Source,
    /// For words: what was said, and where.
    pub quote: Option<Quote>,
}

/// What the sources of one fact gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// A source answered.
    Known(Fact),
    /// Records contradict each other, so none of them counts; the first two that do.
    Conflict(Box<(Fact, Fact)>),
    /// None did; `looked` says in words what was looked at and what was wrong with it.
    Unknown {
        /// One entry a source worth telling of: `organisation's expiration date says "n/a"`.
        looked: Vec<String>,
        /// Moments that words can mean, where they can mean several.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        readings: Vec<DateTime<Utc>>,
    },
}

impl Finding {
    /// The fact, where there is one.
    pub fn known(&self) -> Option<&Fact> {
        match self {
            Finding::Known(fact) => Some(fact),
            Finding::Conflict(_) | Finding::Unknown { .. } => None,
        }
    }

    /// The word, where it is known and one.
    pub fn word(&self) -> Option<&str> {
        match &self.known()?.value {
            Value::Word(word) => Some(word),
            Value::Instant(_) => None,
        }
    }
}

/// What one source said of a fact, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// What it said: the value, or the words that were set aside.
    pub said: String,
    /// Where it was read.
    pub source: String,
    /// What came of it.
    pub came: Came,
}

/// What came of what a source said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    /// It is the fact.
    Taken,
    /// Another source stands above it: the one named.
    Overruled(String),
    /// It contradicts another record: the one named.
    Contradicts(String),
    /// Words that do not count, and why: `denied`.
    SetAside(&'static str),
}

/// The facts of one ticket by the names the policy gives them.
///
/// A name that is absent is unknown.
pub type Facts = BTreeMap<String, Finding>;
