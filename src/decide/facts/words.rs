//! Facts read out of customers' words: guesses, always with the words quoted.
//!
//! A find counts unless its sentence speaks of something long over, or a denial stands before it in its clause within
//! reach, right before its last word (`does not expire`), or behind it in its sentence; a question that asks by a denial
//! (`can you not …?`) denies nothing. What a customer denied last outweighs what they said before.

use std::cell::OnceCell;

use chrono::{DateTime, Utc};
use regex::Match;

use super::dates::Mention;
use super::pieces::{self, Piece};
use super::said::Speaker;
use super::source::{Author, Cited, Source};
use super::texts;
use crate::decide::policy::language::Language;
use crate::decide::policy::lexicon::Lexicon;
use crate::decide::policy::source::Pattern;
use crate::decide::ticket::{OwnUsers, Reading};

/// How much of a sentence is quoted, characters.
const LONGEST_QUOTE: usize = 90;

/// How far a sentence is followed on either side of a find, bytes.
const LONGEST_SENTENCE: usize = 300;

/// How many words a denial reaches over.
const REACH: usize = 8;

/// How many words before a find's last one a denial inside of it can stand.
const REACH_INSIDE: usize = 2;

/// How many finds of one pattern in one text are weighed; so every search is linear in the text.
const MOST_FINDS: usize = 50;

/// The words of a ticket's customer, ready to be searched.
pub(super) struct Words<'a> {
    reading: &'a Reading,
    lexicon: &'a Lexicon,
    /// Cut when they are searched first.
    pieces: OnceCell<Vec<Piece>>,
}

/// What a search came to.
#[derive(Default)]
pub(super) struct Search<T> {
    /// What was found, and the sentence it stands in.
    pub found: Option<(T, Cited)>,
    /// Sentences that do not count, and why.
    pub set_aside: Vec<(Cited, &'static str)>,
}

/// One find with its sentence.
struct Sentence<'a> {
    before: &'a str,
    found: &'a str,
    after: &'a str,
    /// What it ends with: `?` is a question's.
    mark: Option<char>,
}

impl<'a> Words<'a> {
    /// Takes the customer's words out of a reading.
    pub(super) fn of(reading: &'a Reading, lexicon: &'a Lexicon) -> Words<'a> {
        Words { reading, lexicon, pieces: OnceCell::new() }
    }

    /// The first sentence that one of the patterns finds.
    pub(super) fn find(&self, patterns: &[Pattern]) -> Search<()> {
        self.search(patterns, |_, _| Some(()))
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

    fn search<T>(&self, patterns: &[Pattern], take: impl Fn(&Sentence<'_>, &Piece) -> Option<T>) -> Search<T> {
        let mut set_aside = Vec::new();
        for piece in self.pieces() {
            let mut denied = false;
            for pattern in patterns {
                let reach = piece.hits.reach(pattern);
                if reach == 0 {
                    continue;
                }
                let reach = piece.text.floor_char_boundary(reach.min(piece.text.len()));
                let text = piece.text.get(..reach).unwrap_or_default();
                let Some(regex) = pattern.whole.regex().filter(|_| !text.is_empty()) else { continue };
                let mut from = 0;
                for _ in 0..MOST_FINDS {
                    let Some(found) = regex.find_at(text, from) else { break };
                    from = next_word(text, found.start());
                    let sentence = sentence(text, found);
                    let whole = sentence.whole();
                    let quote = || Cited { quote: clip(&whole), source: Box::new(piece.source.clone()) };
                    if self.any(|language| language.past.found_in(&whole)) {
                        set_aside.push((quote(), "speaks of the past"));
                    } else if self.denied(&sentence, pattern) {
                        set_aside.push((quote(), "denied"));
                        denied = true;
                    } else if let Some(taken) = take(&sentence, piece) {
                        return Search { found: Some((taken, quote())), set_aside };
                    }
                }
            }
            if denied {
                break; // Their latest word on it.
            }
        }
        set_aside.dedup();
        Search { found: None, set_aside }
    }

    /// Whether a find is turned into its opposite.
    fn denied(&self, sentence: &Sentence<'_>, pattern: &Pattern) -> bool {
        let clause = sentence.before.rsplit([',', ':', '(', ')', '–']).next().unwrap_or_default();
        let ends = |language: &Language| {
            language.turns.any().and_then(|any| any.find_iter(clause).last()).map(|found| found.end())
        };
        let from = self.lexicon.languages.iter().filter_map(ends).max().unwrap_or_default();
        let reach: Vec<&str> = clause.get(from..).unwrap_or_default().split_whitespace().collect();
        let near = last(&reach, REACH);
        let found: Vec<&str> = sentence.found.split_whitespace().collect();
        let inside = last(found.split_last().map(|(_, before)| before).unwrap_or_default(), REACH_INSIDE);
        // A pattern that looks for a denial, such as “has not arrived”, finds one.
        let denied_inside = |language: &Language| {
            language.denies.found_in(&inside) && !self.any(|language| language.denies.found_in(pattern.whole.text()))
        };
        let question = sentence.mark == Some('?');
        let begins = if question { format!("{near} {}", sentence.found) } else { String::new() };
        self.any(|language| {
            let asked = |text: &str| question && language.asks.found_in(text);
            let rest = match language.denies_nothing.any() {
                Some(any) => any.replace_all(&near, " "),
                None => near.as_str().into(),
            };
            let after = || language.denies_after.any()?.find(sentence.after);
            (language.denies.found_in(&rest) || denied_inside(language)) && !asked(&begins)
                || after().is_some_and(|found| found.start() < LONGEST_QUOTE / 3) && !asked(sentence.after)
        })
    }

    fn any(&self, holds: impl Fn(&Language) -> bool) -> bool {
        self.lexicon.languages.iter().any(holds)
    }
}

impl Sentence<'_> {
    fn whole(&self) -> String {
        format!("{}{}{}", self.before, self.found, self.after)
    }
}

/// The last words of several.
fn last(words: &[&str], count: usize) -> String {
    words.get(words.len().saturating_sub(count)..).unwrap_or_default().join(" ")
}

/// Where the next word after the one at `at` starts: a find that does not count can have another within it.
fn next_word(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let word = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let white = rest.get(word..).unwrap_or_default();
    at + word + (white.len() - white.trim_start().len()).max(usize::from(word == 0))
}

/// The sentence around a find.
fn sentence<'a>(text: &'a str, found: Match<'a>) -> Sentence<'a> {
    let floor = text.floor_char_boundary(found.start().saturating_sub(LONGEST_SENTENCE));
    let ceiling = text.ceil_char_boundary((found.end() + LONGEST_SENTENCE).min(text.len()));
    let before = text.get(floor..found.start()).unwrap_or_default();
    let after = text.get(found.end()..ceiling).unwrap_or_default();
    let from = ends(before).next_back().unwrap_or_default();
    let to = ends(after).next().map_or(after.len(), |end| end);
    let after = after.get(..to).unwrap_or_default();
    let mark = after.trim_end().chars().next_back();
    let after = after.trim_end_matches(|c: char| c.is_whitespace() || ".!?;".contains(c));
    Sentence { before: before.get(from..).unwrap_or_default(), found: found.as_str(), after, mark }
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
