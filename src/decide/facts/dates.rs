//! Dates in people's words.
//!
//! Read are `2026-11-30` and `2026/11/30`; `30 Nov 2026`, `30th of November`, `Nov 30th`, `November 30, 2026`, with the
//! languages' names of months; `30.11.2026`, always day first; `30/11/2026` and `11-30-2026`, where only one of the two
//! can be the month. `03/04/2026` can be two days and is asked back with both; `31 November` is none and is told. A year of two digits is of this century; a missing
//! one makes the date the nearest to the day of writing. The languages' words for days (`tomorrow`, `in 28 days`) count
//! from the day of writing.

use std::sync::LazyLock;

use chrono::{Datelike, NaiveDate, TimeDelta};
use regex::{Captures, Regex};

use crate::decide::policy::expression::Expression;
use crate::decide::policy::lexicon::Lexicon;

/// A day as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Day {
    /// It can be no other.
    Certain(NaiveDate),
    /// It can be two days: day first, month first.
    Ambiguous(String, [NaiveDate; 2]),
    /// There is no such day.
    Impossible(String),
}

/// Dates of digits alone: year first; and three numbers with the same mark between them.
static DIGITS: LazyLock<Option<(Regex, Regex)>> = LazyLock::new(|| {
    let year_first = Regex::new(r"\b(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:\b|T)").ok()?;
    let year_last = Regex::new(r"\b(\d{1,2})([./-])(\d{1,2})([./-])(\d{4}|\d{2})\b").ok()?;
    Some((year_first, year_last))
});

/// The groups of the months in expressions for dates with a month's name.
const MONTHS: [&str; 12] = ["m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "m9", "m10", "m11", "m12"];

/// Every date in a text, in the order in which they stand; `written` is the day it was written.
pub fn read(text: &str, written: NaiveDate, lexicon: &Lexicon) -> Vec<Day> {
    let mut found: Vec<(usize, Day)> = Vec::new();
    if let Some((year_first, year_last)) = DIGITS.as_ref() {
        collect(&mut found, year_first, text, |found| {
            let (month, day) = (u32::try_from(number(found, 2)?).ok()?, u32::try_from(number(found, 3)?).ok()?);
            Some(NaiveDate::from_ymd_opt(number(found, 1)?, month, day).map_or_else(|| impossible(found), Day::Certain))
        });
        collect(&mut found, year_last, text, digits);
    }
    let named = lexicon.named_dates().map(|named| [&named.day_first, &named.month_first]);
    for expression in named.into_iter().flatten().filter_map(Expression::regex) {
        collect(&mut found, expression, text, |found| {
            let month = MONTHS.iter().zip(1..).find(|(name, _)| found.name(name).is_some()).map(|(_, month)| month)?;
            let day = found.name("day")?.as_str().parse().ok()?;
            let date = match found.name("year").and_then(|year| year.as_str().parse().ok()) {
                Some(year) => NaiveDate::from_ymd_opt(year, month, day),
                None => nearest(written, month, day),
            };
            Some(date.map_or_else(|| impossible(found), Day::Certain))
        });
    }
    for language in &lexicon.languages {
        for (word, days) in &language.days {
            let here = text.to_lowercase().match_indices(word.as_str()).map(|(at, _)| at).collect::<Vec<_>>();
            let whole = |at: &usize| {
                let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
                !letter(text.get(..*at).and_then(|before| before.chars().next_back()))
                    && !letter(text.get(at + word.len()..).and_then(|after| after.chars().next()))
            };
            let day = written + TimeDelta::days((*days).clamp(-3660, 3660));
            found.extend(here.into_iter().filter(whole).map(|at| (at, Day::Certain(day))));
        }
        if let Some(ahead) = language.days_ahead.any() {
            collect(&mut found, ahead, text, |found| {
                let days = found.iter().skip(1).flatten().next()?.as_str().parse::<u16>().ok()?;
                Some(Day::Certain(written.checked_add_signed(TimeDelta::days(i64::from(days)))?))
            });
        }
    }
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, day)| day).collect()
}

fn collect(days: &mut Vec<(usize, Day)>, pattern: &Regex, text: &str, day: impl Fn(&Captures<'_>) -> Option<Day>) {
    let at = |found: &Captures<'_>| found.get(0).map_or(0, |whole| whole.start());
    days.extend(pattern.captures_iter(text).filter_map(|found| Some((at(&found), day(&found)?))));
}

fn number(found: &Captures<'_>, group: usize) -> Option<i32> {
    found.get(group)?.as_str().parse().ok()
}

fn impossible(found: &Captures<'_>) -> Day {
    Day::Impossible(found.get(0).map_or("", |whole| whole.as_str().trim()).to_owned())
}

/// Three numbers, year last; with a year of two digits only a day there is, for `16.99.10` is a version.
fn digits(found: &Captures<'_>) -> Option<Day> {
    let (first, second) = (u32::try_from(number(found, 1)?).ok()?, u32::try_from(number(found, 3)?).ok()?);
    let year = number(found, 5).map(|year| if year < 100 { 2000 + year } else { year })?;
    let (mark, other) = (found.get(2)?.as_str(), found.get(4)?.as_str());
    if mark != other {
        return None; // A version or a phone number.
    }
    let (day_first, month_first) =
        (NaiveDate::from_ymd_opt(year, second, first), NaiveDate::from_ymd_opt(year, first, second));
    match (day_first, month_first.filter(|_| mark != ".")) {
        (Some(one), Some(other)) if one != other => {
            Some(Day::Ambiguous(found.get(0)?.as_str().to_owned(), [one, other]))
        }
        (None, None) => (found.get(5)?.len() == 4).then(|| impossible(found)),
        (one, other) => one.or(other).map(Day::Certain),
    }
}

/// The day of this month and day that is nearest to the day of writing.
fn nearest(written: NaiveDate, month: u32, day: u32) -> Option<NaiveDate> {
    let years = [written.year() - 1, written.year(), written.year() + 1];
    let days = years.into_iter().filter_map(|year| NaiveDate::from_ymd_opt(year, month, day));
    days.min_by_key(|day| (*day - written).num_days().abs())
}
