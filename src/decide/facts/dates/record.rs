//! A text that is to give one date: the value of a field, a manager's answer.

use chrono::{DateTime, NaiveDate, Utc};

use super::clock::Unsaid;
use super::spelled::{self, Spelled, What};
use super::tokens::{self, Token};
use super::vocabulary::Vocabulary;
use super::{Context, Read, Tense, Unread, When, resolve};

/// From when a date without a year, or one such as `tomorrow`, is counted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Counted {
    /// Nobody knows, so that such dates are none.
    FromNothing,
    /// From when it was written.
    From(DateTime<Utc>),
}

/// What people and systems write where there is no date.
const NOTHING: [&str; 19] = [
    "",
    "n/a",
    "na",
    "n.a",
    "none",
    "null",
    "nil",
    "nan",
    "tbd",
    "tba",
    "tbc",
    "tdb",
    "unknown",
    "undefined",
    "not set",
    "not available",
    "empty",
    "no date",
    "keine",
];

/// Seconds since 1970 that are read as a date: from the year 2000 until 2100.
const EPOCHS: std::ops::Range<i64> = 946_684_800..4_102_444_800;

pub(super) fn read(text: &str, vocabulary: &Vocabulary, counted: Counted) -> Result<Read, Unread> {
    let bare = text.trim_matches(|c: char| c.is_whitespace() || ".,;:!?\"'`()[]<>-–—_*/".contains(c));
    if NOTHING.contains(&bare.to_lowercase().as_str()) {
        return Err(Unread::Empty);
    }
    if bare.bytes().all(|byte| byte.is_ascii_digit()) && bare.len() >= 8 {
        return of_digits(bare).map(|when| Read { when, rest: None });
    }
    let tokens = tokens::read(text, vocabulary);
    let (written, tense) = match counted {
        Counted::FromNothing => (DateTime::UNIX_EPOCH, Tense::Unsaid),
        Counted::From(written) => (written, Tense::Unsaid),
    };
    let context = Context { written, tense, unsaid: Unsaid::Utc };
    let dates: Vec<Spelled> = spelled::all(&tokens).into_iter().filter(|date| counts(date, counted)).collect();
    let mut found = Vec::new();
    for date in &dates {
        let (words, _) = place(text, &tokens, date);
        let when = resolve::resolve(date, words, &context)?;
        if !found.contains(&when) {
            found.push(when);
        }
    }
    match (found.as_slice(), dates.first()) {
        ([when], Some(date)) => {
            let (_, rest) = place(text, &tokens, date);
            let numbers = rest.as_ref().is_some_and(|rest| rest.contains(|c: char| c.is_ascii_digit()));
            if numbers && matches!(counted, Counted::From(_)) {
                return Err(Unread::NoDate); // Half understood: `24 Nov 2026, 25:00 UTC`.
            }
            Ok(Read { when: *when, rest })
        }
        ([], _) | (_, None) => Err(Unread::NoDate),
        (_, Some(_)) => Err(Unread::Several(found)),
    }
}

/// Whether a date can be known from when it is counted.
fn counts(date: &Spelled, counted: Counted) -> bool {
    match (counted, date.what) {
        (Counted::From(_), _) => true,
        (
            Counted::FromNothing,
            What::Day(_) | What::LastDay(_) | What::Either(_) | What::NoSuchDay | What::Days(..),
        ) => true,
        (Counted::FromNothing, _) => false,
    }
}

/// `20261130`; seconds or milliseconds since 1970.
fn of_digits(digits: &str) -> Result<When, Unread> {
    let number: i64 = digits.parse().map_err(|_| Unread::NoDate)?;
    let moment = |seconds: i64| {
        let at = DateTime::from_timestamp(seconds, 0).filter(|_| EPOCHS.contains(&seconds));
        at.map(When::At).ok_or(Unread::NoDate)
    };
    match digits.len() {
        8 => {
            let part =
                |range: std::ops::Range<usize>| digits.get(range).and_then(|part| part.parse().ok()).unwrap_or(0);
            let year = number / 10_000;
            let day = i32::try_from(year).ok().and_then(|year| NaiveDate::from_ymd_opt(year, part(4..6), part(6..8)));
            match (1990..2200).contains(&year) {
                true => day.map(When::Day).ok_or_else(|| Unread::NoSuchDay(digits.to_owned())),
                false => Err(Unread::NoDate),
            }
        }
        10 => moment(number),
        13 => moment(number / 1_000),
        _ => Err(Unread::NoDate),
    }
}

/// The words of a date, and what stands around it.
fn place<'a>(text: &'a str, tokens: &[Token<'_>], date: &Spelled) -> (&'a str, Option<String>) {
    let from = tokens.get(date.from).map_or(0, |token| token.at);
    let to = date.to.checked_sub(1).and_then(|last| tokens.get(last)).map_or(text.len(), |token| token.end);
    let part = |part: Option<&'a str>| part.unwrap_or_default().trim();
    let (before, after) = (part(text.get(..from)), part(text.get(to..)));
    let says = |part: &str| part.chars().any(char::is_alphanumeric);
    let rest = match (says(before), says(after)) {
        (false, false) => None,
        (true, false) => Some(format!("{before} …")),
        (false, true) => Some(format!("… {after}")),
        (true, true) => Some(format!("{before} … {after}")),
    };
    (text.get(from..to).unwrap_or_default(), rest)
}
