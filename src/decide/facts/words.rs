//! Literal forms and dates found in people's words: guesses, always with the sentence quoted.

use std::cell::OnceCell;

use chrono::{DateTime, Utc};
use regex::Match;

use super::dates::Mention;
use super::pieces::{self, Piece};
use super::said::Speaker;
use super::source::{Author, Cited, Source};
use super::texts;
use crate::decide::policy::lexicon::Lexicon;
use crate::decide::policy::source::Pattern;
use crate::decide::ticket::{OwnUsers, Reading};

/// How much of a sentence is quoted, characters.
const LONGEST_QUOTE: usize = 90;

/// How far a sentence is followed on either side of a find, bytes.
const LONGEST_SENTENCE: usize = 300;

/// How much of a text is searched, bytes; a helpdesk's comment is no longer.
const MOST_SEARCHED: usize = 1 << 16;

/// The words of a ticket's customer, ready to be searched.
pub(super) struct Words<'a> {
    reading: &'a Reading,
    lexicon: &'a Lexicon,
    /// Cut when they are searched first.
    pieces: OnceCell<Vec<Piece>>,
}

impl<'a> Words<'a> {
    /// Takes the customer's words out of a reading.
    pub(super) fn of(reading: &'a Reading, lexicon: &'a Lexicon) -> Words<'a> {
        Words { reading, lexicon, pieces: OnceCell::new() }
    }

    /// The sentence in the customer's latest text in which one of the patterns stands.
    pub(super) fn find(&self, patterns: &[Pattern]) -> Option<Cited> {
        self.pieces().iter().find_map(|piece| {
            let text = piece.text.get(..piece.text.floor_char_boundary(MOST_SEARCHED)).unwrap_or_default();
            let found = patterns.iter().find_map(|pattern| pattern.0.regex()?.find(text))?;
            Some(Cited { quote: clip(sentence(text, found)), source: Box::new(piece.source.clone()) })
        })
    }

    /// The dates of each text with its place and when it was written (`now` where nobody knows), the latest text first.
    pub(super) fn dates(&self, now: DateTime<Utc>) -> impl Iterator<Item = (Vec<Mention>, Source, DateTime<Utc>)> {
        self.pieces().iter().map(move |piece| {
            let written = piece.written.unwrap_or(now);
            (self.lexicon.dates.in_words(&piece.text, written), piece.source.clone(), written)
        })
    }

    /// The same of what colleagues wrote in internal notes.
    pub(super) fn colleagues_dates(&self) -> impl Iterator<Item = (Vec<Mention>, Source, DateTime<Utc>)> {
        let texts = texts::of(self.reading, &OwnUsers::none(), &self.lexicon.languages);
        texts.into_iter().rev().filter_map(move |text| {
            let Speaker::Colleague { name } = text.by else { return None };
            let mentions = self.lexicon.dates.in_words(&text.words, text.at);
            Some((mentions, Source::Words { by: Author::Colleague(name), at: Some(text.at) }, text.at))
        })
    }

    fn pieces(&self) -> &[Piece] {
        self.pieces.get_or_init(|| pieces::of(self.reading, self.lexicon))
    }
}

/// The sentence around a find.
fn sentence<'a>(text: &'a str, found: Match<'_>) -> &'a str {
    let floor = text.floor_char_boundary(found.start().saturating_sub(LONGEST_SENTENCE));
    let ceiling = text.ceil_char_boundary((found.end() + LONGEST_SENTENCE).min(text.len()));
    let before = text.get(floor..found.start()).unwrap_or_default();
    let after = text.get(found.end()..ceiling).unwrap_or_default();
    let from = floor + ends(before).next_back().unwrap_or_default();
    let to = found.end() + ends(after).next().unwrap_or(after.len());
    let whole = text.get(from..to).unwrap_or_default();
    whole.trim_end_matches(|c: char| c.is_whitespace() || ".!?;".contains(c))
}

/// Where sentences end: behind `!`, `?`, `;`, an empty line, a line's end before a capital or a list's mark, and a full
/// stop before a space unless a digit follows (`Nov. 30`) or a day stands before it (`30. November`).
fn ends(text: &str) -> impl DoubleEndedIterator<Item = usize> {
    text.bytes().enumerate().filter_map(|(at, byte)| {
        if !matches!(byte, b'!' | b'?' | b';' | b'\n' | b'.') {
            return None;
        }
        let rest = text.get(at + 1..).unwrap_or_default();
        let next = || rest.trim_start_matches([' ', '\t', '\r']).chars().next();
        let ended = match byte {
            b'\n' => next().is_none_or(|next| next.is_uppercase() || "\n-*•".contains(next)),
            b'.' => {
                rest.is_empty()
                    || rest.starts_with(char::is_whitespace)
                        && !next().is_some_and(|next| next.is_ascii_digit())
                        && !numbers_a_day(text.get(..at).unwrap_or_default())
            }
            _ => true,
        };
        ended.then_some(at + 1)
    })
}

/// Whether a text ends with a number of one or two digits.
fn numbers_a_day(before: &str) -> bool {
    (1..=2).contains(&before.bytes().rev().take_while(u8::is_ascii_digit).count())
}

/// Words as one line that is not too long.
pub(super) fn clip(words: &str) -> String {
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONGEST_QUOTE {
        return line;
    }
    let cut: String = line.chars().take(LONGEST_QUOTE).collect();
    format!("{}…", cut.trim_end())
}
