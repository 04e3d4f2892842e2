//! Dates of digits: `2026-11-30`, `30.11.2026`, `11/30`, `08/2027`.

use chrono::NaiveDate;

use super::spelled::{What, date, days, month_day};
use super::tokens::{Kind, Token};

/// The date of digits that starts at a token, and the token behind it.
pub(super) fn read(tokens: &[Token<'_>], at: usize) -> Option<(What, usize)> {
    let first = tokens.get(at)?.number()?;
    if continues(tokens, at) {
        return None; // A version, a phone number, a part of a name.
    }
    let (mark, second) = next(tokens, at)?;
    let third = next(tokens, at + 2).filter(|(other, _)| *other == mark).map(|(_, third)| third);
    let end = if third.is_some() { at + 4 } else { at + 2 };
    if next(tokens, end).is_some() {
        return None; // An address such as 10.11.20.26, or no date at all such as 10/11.2026.
    }
    match (first, second, third) {
        ((year, 4), (month, 1 | 2), Some((day, 1 | 2))) => Some((date(year_of(year)?, of(month)?, of(day)?), at + 5)),
        ((year @ 1990..=2199, 4), (month @ 1..=12, 2), None) if mark != '.' => {
            Some((days(year_of(year)?, of(month)?)?, at + 3))
        }
        ((first, 1 | 2), (second, 1 | 2), Some((year, digits @ (2 | 4)))) => {
            let year = if digits == 2 { 2000 + year } else { year };
            Some((with_year(year_of(year)?, [of(first)?, of(second)?], mark, digits)?, at + 5))
        }
        ((month @ 1..=12, 1 | 2), (year @ 1990..=2199, 4), None) => Some((days(year_of(year)?, of(month)?)?, at + 3)),
        ((first, 1 | 2), (second, digits @ (1 | 2)), None) => {
            without_year(tokens, at, [of(first)?, of(second)?], mark, digits)
        }
        _ => None,
    }
}

fn of(number: i64) -> Option<u32> {
    u32::try_from(number).ok()
}

fn year_of(year: i64) -> Option<i32> {
    i32::try_from(year).ok()
}

/// The mark that joins a number to the next one, and that number.
fn next(tokens: &[Token<'_>], at: usize) -> Option<(char, (i64, usize))> {
    let (before, mark, after) = (tokens.get(at)?, tokens.get(at + 1)?, tokens.get(at + 2)?);
    let sign = mark.mark().filter(|sign| matches!(sign, '-' | '/' | '.'))?;
    (before.end == mark.at && mark.end == after.at).then_some((sign, after.number()?))
}

/// Whether a number goes on what stands before it: `v17.1`, `16.99.10`, `A-2026`.
fn continues(tokens: &[Token<'_>], at: usize) -> bool {
    let joined = |at: usize| -> Option<&Token<'_>> {
        let (before, here) = (tokens.get(at.checked_sub(1)?)?, tokens.get(at)?);
        (before.end == here.at).then_some(before)
    };
    let latin = |token: &Token<'_>| matches!(&token.kind, Kind::Word(word) if word.is_ascii());
    match joined(at) {
        Some(before) if latin(before) => true,
        Some(before) if matches!(before.mark(), Some('-' | '.' | '/' | '+' | '#')) => {
            before.mark() == Some('+')
                || before.mark() == Some('#')
                || at.checked_sub(1).and_then(joined).is_some_and(|token| token.number().is_some() || latin(token))
        }
        _ => false,
    }
}

/// With a year of two digits only a day there is, for `16.99.10` is a version.
fn with_year(year: i32, [first, second]: [u32; 2], mark: char, digits: usize) -> Option<What> {
    let day_first = NaiveDate::from_ymd_opt(year, second, first);
    let month_first = NaiveDate::from_ymd_opt(year, first, second).filter(|_| mark != '.');
    match (day_first, month_first) {
        (Some(one), Some(other)) if one != other => Some(What::Either([one, other])),
        (None, None) => (digits == 4).then_some(What::NoSuchDay),
        (one, other) => one.or(other).map(What::Day),
    }
}

/// `30.11.`, `30.11`, `11/30`
fn without_year(
    tokens: &[Token<'_>],
    at: usize,
    [first, second]: [u32; 2],
    mark: char,
    digits: usize,
) -> Option<(What, usize)> {
    let behind = tokens.get(at + 3);
    let dot = behind
        .is_some_and(|token| token.mark() == Some('.') && tokens.get(at + 2).is_some_and(|last| last.end == token.at));
    if behind.is_some_and(|token| token.unit().is_some() || token.mark() == Some('%')) || [first, second] == [24, 7] {
        return None;
    }
    let there = |month: u32, day: u32| matches!(month_day(month, day), What::MonthDay(..));
    match mark {
        '.' if there(second, first) && digits == 2 => {
            Some((What::MonthDay(second, first), if dot { at + 4 } else { at + 3 }))
        }
        '.' if dot && digits == 2 && (1..=12).contains(&second) => Some((What::NoSuchDay, at + 4)),
        '/' => match (there(second, first), there(first, second)) {
            (true, true) if first != second => Some((What::EitherMonthDay([(second, first), (first, second)]), at + 3)),
            (true, _) => Some((What::MonthDay(second, first), at + 3)),
            (false, true) => Some((What::MonthDay(first, second), at + 3)),
            (false, false) => None,
        },
        _ => None,
    }
}
