//! The one reader of dates: in records, in managers' answers and in people's words.
//!
//! The three differ in what may be assumed. A record is one date, written by a system or typed into a field: it has a
//! year, and a time without a zone is UTC. An answer is one date too, and counts from the day it was written: `today`,
//! `next Monday`, `30 Nov`. Words hold any number of dates, each of which means something: that a licence ends, was
//! renewed, should be extended; a time without a zone can be anywhere on earth.
//!
//! A date that is read wrong is worse than one that is not read. So a day and a time are told apart, what can be two days
//! gives both, and what cannot be placed is [`Means::Unknown`].

mod clauses;
mod clock;
mod cues;
mod cut;
mod meaning;
mod numbers;
mod record;
mod resolve;
mod spelled;
mod tokens;
pub mod vocabulary;

use chrono::{DateTime, NaiveDate, Utc};

use super::span::Span;
use resolve::{Context, Tense};
use vocabulary::{DateWords, Vocabulary};

/// When something is, as far as it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// A day without a time.
    Day(NaiveDate),
    /// The end of a day, 23:59:59 UTC: `tonight`, `end of May`.
    EndOfDay(NaiveDate),
    /// A moment.
    At(DateTime<Utc>),
    /// Some moment of a longer time: `last week`, or 18:00 of a day in no named zone.
    Within(Span),
}

/// Why a text gives no date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unread {
    /// It is empty, or stands for that: `n/a`, `TBD`.
    Empty,
    /// There is no date in it.
    NoDate,
    /// It names a day that no calendar has; the words.
    NoSuchDay(String),
    /// It can be two days; the words, and the days.
    Either(String, [NaiveDate; 2]),
    /// It gives several dates.
    Several(Vec<When>),
}

/// A date that was read from a text which is to give one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The date.
    pub when: When,
    /// What stands around it, with `…` in its place; none where nothing does.
    pub rest: Option<String>,
}

/// A date in people's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// When; or why that is not known: [`Unread::Either`] or [`Unread::NoSuchDay`].
    pub when: Result<When, Unread>,
    /// What it dates.
    pub means: Means,
    /// The sentence it stands in.
    pub sentence: String,
}

/// What a date in words dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Means {
    /// A licence, plan or trial ends, or has ended.
    Ends(Which),
    /// Something began or was bought.
    Started,
    /// It was renewed or paid.
    Renewed,
    /// It should last until then.
    Wished,
    /// It is said to end then, by somebody else or under a condition, or it is denied.
    Disputed,
    /// An invoice or the like is due.
    Due,
    /// Nothing that can be told.
    Unknown,
}

/// Which of several licences ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Which {
    /// The only one there is, as far as it is said.
    One,
    /// The older one, or the one in use.
    Former,
    /// A newer one, which may not be in use.
    New,
    /// One that the product does not take.
    Refused,
}

/// Reads dates in the languages of a policy.
#[derive(Debug, Default)]
pub struct Reader {
    vocabulary: Vocabulary,
}

impl Reader {
    /// With these languages' words.
    pub fn new<'a>(languages: impl Iterator<Item = &'a DateWords>) -> Reader {
        Reader { vocabulary: Vocabulary::new(languages) }
    }

    /// The date that a record gives.
    ///
    /// # Errors
    /// Why there is none.
    pub fn record(&self, text: &str) -> Result<Read, Unread> {
        record::read(text, &self.vocabulary, record::Counted::FromNothing)
    }

    /// The date that somebody answers, who wrote it then.
    ///
    /// # Errors
    /// Why there is none.
    pub fn answer(&self, text: &str, written: DateTime<Utc>) -> Result<Read, Unread> {
        record::read(text, &self.vocabulary, record::Counted::From(written))
    }

    /// Every date in people's words, in order.
    pub fn in_words(&self, text: &str, written: DateTime<Utc>) -> Vec<Mention> {
        meaning::mentions(text, &self.vocabulary, written)
    }
}

impl When {
    /// The span it lies in: a day is all of that day, and `None` what no calendar holds.
    pub fn span(&self) -> Option<Span> {
        match self {
            When::Day(day) => Span::of_days(*day, *day),
            When::EndOfDay(day) => Span::of_days(*day, *day).map(|span| Span { from: span.until, ..span }),
            When::At(at) => Some(Span { from: *at, until: *at }),
            When::Within(span) => Some(*span),
        }
    }
}
