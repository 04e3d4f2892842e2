//! One fact: its value, how far it is to be trusted, and where it was read.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::source::Source;
use super::span::Span;

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

/// What a fact says: a word (`yes`, `no`, or one of a choice), an instant, or the span it lies in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A moment in time, UTC.
    Instant(DateTime<Utc>),
    /// Some moment of a longer time.
    Span(Span),
    /// `yes`, `no`, or one of the words of a choice, as the policy spells it.
    Word(String),
}

impl Value {
    /// The word, where it is one.
    pub fn word(&self) -> Option<&str> {
        match self {
            Value::Word(word) => Some(word),
            Value::Instant(_) | Value::Span(_) => None,
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Word(word) => f.write_str(word),
            Value::Instant(at) => f.write_str(&at.to_rfc3339_opts(SecondsFormat::Secs, true)),
            Value::Span(span) => span.fmt(f),
        }
    }
}

/// How sure a reader of words is: thousandths, from 0 to 1,000; in JSON from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Confidence(u16);

impl Confidence {
    /// From 0 to 1; what is outside is the nearest of these.
    pub fn of(share: f64) -> Confidence {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is within 0 and 1,000")]
        let thousandths = (share.clamp(0.0, 1.0) * 1000.0).round() as u16;
        Confidence(thousandths)
    }

    /// From 0 to 1.
    pub fn share(self) -> f64 {
        f64::from(self.0) / 1000.0
    }
}

impl Serialize for Confidence {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.share())
    }
}

impl<'de> Deserialize<'de> for Confidence {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        f64::deserialize(deserializer).map(Confidence::of)
    }
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
    /// For words: what was said, never longer than a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
    /// For words that a reader read: how sure it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
    /// When it was said, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime<Utc>>,
}

impl Fact {
    /// A fact that stands by itself: not read out of words.
    pub fn new(value: Value, trust: Trust, source: Source) -> Fact {
        Fact { value, trust, source, quote: None, confidence: None, at: None }
    }

    /// Where it was read, with the words: `“we started a trial” (customer, 23 Nov 2026)`, `tag trial`.
    pub fn cited(&self) -> String {
        cited(self.quote.as_deref(), &self.source)
    }
}

/// Where something was read, with the words where it was read in words.
pub fn cited(quote: Option<&str>, source: &Source) -> String {
    match quote {
        Some(quote) => format!("“{quote}” ({source})"),
        None => source.to_string(),
    }
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
            Value::Instant(_) | Value::Span(_) => None,
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
    /// Words that are not sure enough, or that others stand above.
    Passed,
}

/// Everything said on a ticket, taken or not: whatever may speak against a dismissal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Spoken {
    /// Every answer that was read in words, by fact.
    pub answers: BTreeMap<String, Vec<Fact>>,
    /// Whether what people wrote could be read.
    pub legible: Legible,
    /// When a manager last refused what a note proposed.
    pub refused: Option<DateTime<Utc>>,
}

/// Whether what people wrote could be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Legible {
    /// It could, or nothing was written.
    #[default]
    Yes,
    /// It could not, and why: `written in Korean, which I cannot read`.
    No(String),
}

/// The facts of one ticket by the names the policy gives them.
///
/// A name that is absent is unknown.
pub type Facts = BTreeMap<String, Finding>;
