//! Dates as they are spelled: in digits, with names, and counted from the day of writing.

use chrono::NaiveDate;

use super::clock::{self, Clock};
use super::tokens::{Kind, Token};
use super::vocabulary::{Class, Sense, Unit};

/// A date as it is spelled, before it is known from when it is counted.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spelled {
    /// Its first token.
    pub from: usize,
    /// The token behind it.
    pub to: usize,
    pub what: What,
    pub part: Part,
    pub clock: Option<Clock>,
}

/// What is spelled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum What {
    Day(NaiveDate),
    /// The end of a day.
    LastDay(NaiveDate),
    /// Day first, month first.
    Either([NaiveDate; 2]),
    /// A day that no calendar has.
    NoSuchDay,
    /// All days from one to the other.
    Days(NaiveDate, NaiveDate),
    /// Without a year: month, day.
    MonthDay(u32, u32),
    /// The same where two can be meant.
    EitherMonthDay([(u32, u32); 2]),
    Month(u32),
    /// The last day of a month.
    EndOfMonth(u32),
    DayOfMonth(u32),
    Weekday(u32),
    /// Counted in weeks, months or years from the one of writing.
    Ahead(i64, Unit),
    EndOfAhead(i64, Unit),
    /// A day of this, the next or the last week, or the weekday so called.
    WeekdayOf(i64, u32),
    /// The same of a week that is named as such.
    WeekdayOfWeek(i64, u32),
    MonthDayOfYear(i64, u32, Option<u32>),
    /// A length of time from the day of writing.
    Length(i64, Unit),
    /// The same, which remains.
    Remaining(i64, Unit),
}

/// Which part of a day is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// None is named.
    Unsaid,
    End,
    /// The end, where the day is not over.
    Night,
    /// Its start or its end.
    Midnight,
}

/// Every date among the tokens, in order.
pub(super) fn all(tokens: &[Token<'_>]) -> Vec<Spelled> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let silent = token.senses.is_empty() && token.number().is_none();
        match Some(at).filter(|_| !silent).and_then(|at| whole(tokens, at)) {
            Some(spelled) => {
                at = spelled.to.max(at + 1);
                found.push(spelled);
            }
            None => at += 1,
        }
    }
    found
}

/// A date with the words for a part of the day and the time before and behind it.
fn whole(tokens: &[Token<'_>], at: usize) -> Option<Spelled> {
    let token = tokens.get(at)?;
    let plain = |from: usize| core(tokens, from).map(|(what, to)| behind(tokens, from, what, to));
    if token.is(Class::DayEnd) {
        let next = light(tokens, at + 1);
        let today = || Spelled { from: at, to: at + 1, what: What::Length(0, Unit::Day), part: Part::End, clock: None };
        return Some(plain(next).map_or_else(today, |day| Spelled { from: at, part: Part::End, ..day }));
    }
    if token.is(Class::Midnight)
        && let Some(day) = plain(light(tokens, at + 1)).filter(|day| day.clock.is_none())
    {
        return Some(Spelled { from: at, part: midnight(&day), ..day });
    }
    if let Some(day) = plain(at) {
        return Some(day);
    }
    let (clock, to) = clock::read(tokens, at)?;
    let day = plain(light(tokens, to)).filter(|day| day.clock.is_none() && day.from <= to + 3)?;
    Some(Spelled { from: at, clock: Some(clock), ..day })
}

/// Past a comma and words that say nothing.
fn light(tokens: &[Token<'_>], from: usize) -> usize {
    let between = |token: &Token<'_>| token.mark() == Some(',') || token.any(&[Class::Light, Class::Of, Class::OnDay]);
    from + tokens.iter().skip(from).take(3).take_while(|token| between(token)).count()
}

fn midnight(day: &Spelled) -> Part {
    match (day.what, day.part) {
        (What::Length(0, Unit::Day), _) | (_, Part::Night | Part::End) => Part::End,
        _ => Part::Midnight,
    }
}

fn behind(tokens: &[Token<'_>], from: usize, what: What, to: usize) -> Spelled {
    let night = |token: &Token<'_>| token.senses.iter().any(|sense| matches!(sense, Sense::Night(_)));
    let part = if tokens.get(from).is_some_and(night) { Part::Night } else { Part::Unsaid };
    let mut day = Spelled { from, to, what, part, clock: None };
    for _ in 0..3 {
        let iso = tokens.get(day.to).filter(|mark| mark.kind == Kind::Word("t".into()));
        let next = if iso.is_some() { day.to + 1 } else { light(tokens, day.to) };
        let bracket = tokens.get(next).is_some_and(|token| token.mark() == Some('('));
        if let Some((clock, to)) = clock::read(tokens, next).filter(|_| day.clock.is_none()) {
            (day.clock, day.to) = (Some(clock), to);
        } else if let Some(token) = tokens.get(next).filter(|token| token.any(&PARTS)) {
            day.part = match () {
                () if token.is(Class::DayEnd) => Part::End,
                () if token.is(Class::Night) => Part::Night,
                () => midnight(&day),
            };
            day.to = next + 1;
        } else if bracket && tokens.get(next + 1).is_some_and(|token| token.weekday().is_some()) {
            day.to = next + 3;
        } else {
            break;
        }
    }
    day
}

const PARTS: [Class; 3] = [Class::DayEnd, Class::Night, Class::Midnight];

/// A date alone, and the token behind it.
fn core(tokens: &[Token<'_>], at: usize) -> Option<(What, usize)> {
    let token = tokens.get(at)?;
    let counted = |sense: &Sense| if let Sense::Day(days) | Sense::Night(days) = sense { Some(*days) } else { None };
    if let Some(days) = token.senses.iter().find_map(counted) {
        return Some((What::Length(days, Unit::Day), at + 1));
    }
    length(tokens, at)
        .or_else(|| of_year(tokens, at))
        .or_else(|| end_of(tokens, at))
        .or_else(|| which(tokens, at))
        .or_else(|| super::numbers::read(tokens, at))
        .or_else(|| named(tokens, at))
        .or_else(|| day_of_month(tokens, at))
        .or_else(|| weekday(tokens, at))
}

/// `in two days`, `3 weeks ago`, `6 hours left`
fn length(tokens: &[Token<'_>], at: usize) -> Option<(What, usize)> {
    let first = tokens.get(at)?;
    let leads = [Class::In, Class::AgoBefore, Class::Since, Class::LeftBefore];
    let mut number = if first.any(&leads) && first.count().is_none() { at + 1 } else { at };
    if number > at {
        number += tokens.iter().skip(number).take(3).take_while(|token| says_nothing(token)).count();
    } else if at.checked_sub(1).and_then(|before| tokens.get(before)).is_some_and(|token| token.is(Class::Vague)) {
        return None;
    }
    let count = i64::from(tokens.get(number)?.count()?);
    let of = number + 1 + tokens.iter().skip(number + 1).take(1).take_while(|token| says_nothing(token)).count();
    let unit = tokens.get(of)?.unit()?;
    let next = of + 1 + tokens.iter().skip(of + 1).take(1).take_while(|token| says_nothing(token)).count();
    let after = tokens.get(next);
    let behind = |class: Class| after.is_some_and(|token| token.is(class));
    let lead = |class: Class| number > at && first.is(class);
    Some(match () {
        () if behind(Class::Ago) => (What::Length(-count, unit), next + 1),
        () if behind(Class::Left) => (What::Remaining(count, unit), next + 1),
        () if lead(Class::LeftBefore) => (What::Remaining(count, unit), of + 1),
        () if behind(Class::Ahead) => (What::Length(count, unit), next + 1),
        () if lead(Class::AgoBefore) || lead(Class::Since) => (What::Length(-count, unit), of + 1),
        () if lead(Class::In) => (What::Length(count, unit), of + 1),
        () => return None,
    })
}

fn says_nothing(token: &Token<'_>) -> bool {
    token.is(Class::Light) && token.count().is_none() && token.unit().is_none()
}

/// `next week`, `last month`, `this Friday`, `lundi prochain`
fn which(tokens: &[Token<'_>], at: usize) -> Option<(What, usize)> {
    let (first, second) = (tokens.get(at)?, tokens.get(at + 1)?);
    let (away, named, to) = match (away(first), away(second)) {
        (Some(away), _) => (away, second, at + 2),
        (None, Some(away)) if first.unit().is_some() || first.weekday().is_some() => (away, first, at + 2),
        _ => return None,
    };
    if let Some(weekday) = named.weekday() {
        return Some((What::WeekdayOf(away, weekday), to));
    }
    if let Some(month) = named.month().filter(|_| away != 0 || first.is(Class::This)) {
        return Some((What::Month(month), to));
    }
    match named.unit()? {
        Unit::Week => {
            let next = light(tokens, to);
            match tokens.get(next).and_then(Token::weekday) {
                Some(weekday) => Some((What::WeekdayOfWeek(away, weekday), next + 1)),
                None => Some((What::Ahead(away, Unit::Week), to)),
            }
        }
        unit @ (Unit::Month | Unit::Year) => Some((What::Ahead(away, unit), to)),
        Unit::Minute | Unit::Hour | Unit::Day => None,
    }
}

fn away(token: &Token<'_>) -> Option<i64> {
    [(Class::This, 0), (Class::Next, 1), (Class::Last, -1)]
        .into_iter()
        .find_map(|(class, away)| token.is(class).then_some(away))
}

/// `来年3月`: a month, or a day, of this, the next or the last year.
fn of_year(tokens: &[Token<'_>], at: usize) -> Option<(What, usize)> {
    let away = away(tokens.get(at)?)?;
    let to = at + 2;
    tokens.get(at + 1)?.unit().filter(|unit| *unit == Unit::Year)?;
    match named(tokens, to) {
        Some((What::Month(month), to)) => Some((What::MonthDayOfYear(away, month, None), to)),
        Some((What::MonthDay(month, day), to)) => Some((What::MonthDayOfYear(away, month, Some(day)), to)),
        _ => None,
    }
}

/// `end of May`, `end of the month`, `end of next month`, `12月末`
fn end_of(tokens: &[Token<'_>], at: usize) -> Option<(What, usize)> {
    let token = tokens.get(at)?;
    if token.is(Class::MonthEnd) {
        return Some((What::EndOfAhead(0, Unit::Month), at + 1));
    }
    if token.is(Class::YearEnd) {
        return Some((What::EndOfAhead(0, Unit::Year), at + 1));
    }
    let ends = |token: Option<&Token<'_>>| token.is_some_and(|token| token.is(Class::MonthEnd));
    if let (Some((month @ 1..=12, 1 | 2)), true) = (token.number(), ends(tokens.get(at + 1))) {
        return Some((What::EndOfMonth(u32::try_from(month).ok()?), at + 2));
    }
    if let (Some(away), true) = (away(token), ends(tokens.get(at + 1))) {
        return Some((What::EndOfAhead(away, Unit::Month), at + 2));
    }
    if let Some((What::Ahead(away, Unit::Month), to)) = which(tokens, at)
        && ends(tokens.get(to))
    {
        return Some((What::EndOfAhead(away, Unit::Month), to + 1));
    }
    if !token.is(Class::EndOf) {
        return None;
    }
    let next = light(tokens, at + 1);
    if let Some(unit @ (Unit::Month | Unit::Year)) = tokens.get(next)?.unit() {
        return Some((What::EndOfAhead(0, unit), next + 1));
    }
    if let Some(month) = tokens.get(next)?.month() {
        let (year, to) = year(tokens, next + 1);
        return Some(match year {
            Some(year) => (What::LastDay(last_of(year, month)?), to),
            None => (What::EndOfMonth(month), next + 1),
        });
    }
    let (what, to) = which(tokens, next)?;
    let What::Ahead(away, unit @ (Unit::Month | Unit::Year)) = what else { return None };
    Some((What::EndOfAhead(away, unit), to))
}

/// The last day of a month.
pub(super) fn last_of(year: i32, month: u32) -> Option<NaiveDate> {
    let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    NaiveDate::from_ymd_opt(year, month, 1)?.pred_opt()
}

/// A year that may stand behind a day and a month, and the token behind it.
fn year(tokens: &[Token<'_>], from: usize) -> (Option<i32>, usize) {
    let between = |token: &&Token<'_>| matches!(token.mark(), Some(',' | '-' | '.' | '/')) || token.is(Class::Of);
    let at = from + tokens.iter().skip(from).take(2).take_while(between).count();
    let hyphen = at > from && tokens.get(from).is_some_and(|token| token.mark() == Some('-'));
    match tokens.get(at).and_then(Token::number) {
        Some((year @ 1990..=2199, 4)) => (i32::try_from(year).ok(), at + 1),
        Some((year, 2)) if hyphen => (i32::try_from(2000 + year).ok(), at + 1),
        _ => (None, from),
    }
}

/// `30th of November, 2026`, `Monday, November 30`, `Nov 2026`, `2026年11月30日`
fn named(tokens: &[Token<'_>], at: usize) -> Option<(What, usize)> {
    let token = tokens.get(at)?;
    if token.weekday().is_some() && token.month().is_none() {
        let next = light(tokens, at + 1);
        let next = if tokens.get(next).is_some_and(|token| token.mark() == Some('.')) { next + 1 } else { next };
        return named(tokens, next)
            .or_else(|| super::numbers::read(tokens, next))
            .filter(|(what, _)| !matches!(what, What::Month(_) | What::Days(..)));
    }
    marked(tokens, at).or_else(|| day_first(tokens, at)).or_else(|| month_first(tokens, at))
}

/// `2026年11月30日`, `11月30日`, `3月`
fn marked(tokens: &[Token<'_>], at: usize) -> Option<(What, usize)> {
    let part = |at: usize, class: Class| {
        let (number, mark) = (tokens.get(at)?, tokens.get(at + 1)?);
        mark.is(class).then_some(())?;
        Some((number.number()?.0, at + 2))
    };
    let (year, next) = part(at, Class::YearMark).map_or((None, at), |(year, next)| (Some(year), next));
    let (month, next) = part(next, Class::MonthMark)?;
    let month = u32::try_from(month).ok()?;
    let day = part(next, Class::DayMark).and_then(|(day, next)| Some((u32::try_from(day).ok()?, next)));
    let year = year.and_then(|year| i32::try_from(year).ok());
    Some(match (year, day) {
        (Some(year), Some((day, to))) => (date(year, month, day), to),
        (None, Some((day, to))) => (month_day(month, day), to),
        (Some(year), None) => (days(year, month)?, next),
        (None, None) => ((1..=12).contains(&month).then_some(What::Month(month))?, next),
    })
}

fn day_first(tokens: &[Token<'_>], at: usize) -> Option<(What, usize)> {
    let (day, _) = tokens.get(at)?.number().filter(|(day, digits)| *digits <= 2 && (1..=99).contains(day))?;
    let between = |token: &&Token<'_>| {
        matches!(token.mark(), Some('.' | '-' | '/')) || token.any(&[Class::Ordinal, Class::Of, Class::Light])
    };
    let named = at + 1 + tokens.iter().skip(at + 1).take(3).take_while(between).count();
    let month = tokens.get(named)?.month()?;
    let (year, to) = year(tokens, named + 1);
    let day = u32::try_from(day).ok()?;
    Some((year.map_or_else(|| month_day(month, day), |year| date(year, month, day)), to))
}

fn month_first(tokens: &[Token<'_>], at: usize) -> Option<(What, usize)> {
    let month = tokens.get(at)?.month()?;
    let between = |token: &&Token<'_>| matches!(token.mark(), Some('.' | '-')) || token.is(Class::Light);
    let next = at + 1 + tokens.iter().skip(at + 1).take(2).take_while(between).count();
    if let Some((day @ 1..=99, 1 | 2)) = tokens.get(next).and_then(Token::number)
        && !clock::read(tokens, next).is_some_and(|_| true)
    {
        let day = u32::try_from(day).ok()?;
        let ordinal = tokens.get(next + 1).is_some_and(|token| token.is(Class::Ordinal));
        let behind = if ordinal { next + 2 } else { next + 1 };
        let (year, to) = year(tokens, behind);
        return Some((year.map_or_else(|| month_day(month, day), |year| date(year, month, day)), to));
    }
    if let (Some(year), to) = year(tokens, at + 1) {
        return Some((days(year, month)?, to));
    }
    // `may` is no month in `it may expire`.
    const LEADS: [Class; 7] = [Class::In, Class::To, Class::From, Class::Since, Class::Before, Class::By, Class::Of];
    let leads = |away: usize| at.checked_sub(away).and_then(|at| tokens.get(at)).is_some_and(|token| token.any(&LEADS));
    let light = at.checked_sub(1).and_then(|at| tokens.get(at)).is_some_and(|token| token.is(Class::Light));
    (leads(1) || light && leads(2)).then_some((What::Month(month), at + 1))
}

pub(super) fn date(year: i32, month: u32, day: u32) -> What {
    NaiveDate::from_ymd_opt(year, month, day).map_or(What::NoSuchDay, What::Day)
}

pub(super) fn days(year: i32, month: u32) -> Option<What> {
    Some(What::Days(NaiveDate::from_ymd_opt(year, month, 1)?, last_of(year, month)?))
}

pub(super) fn month_day(month: u32, day: u32) -> What {
    // 2028 has a 29 February.
    NaiveDate::from_ymd_opt(2028, month, day).map_or(What::NoSuchDay, |_| What::MonthDay(month, day))
}

/// `the 20th`, `am 20.`, `20日`
fn day_of_month(tokens: &[Token<'_>], at: usize) -> Option<(What, usize)> {
    let token = tokens.get(at)?;
    let (day @ 1..=31, 1 | 2) = token.number()? else { return None };
    let what = What::DayOfMonth(u32::try_from(day).ok()?);
    let (behind, before) = (tokens.get(at + 1), at.checked_sub(1).and_then(|before| tokens.get(before)));
    let ends = |at: usize| tokens.get(at).is_none_or(|token| !token.senses.is_empty() || token.mark().is_some());
    if behind.is_some_and(|mark| mark.at == token.end && mark.is(Class::Ordinal)) && ends(at + 2) {
        return Some((what, at + 2));
    }
    if behind.is_some_and(|mark| mark.is(Class::DayMark)) {
        return Some((what, at + 2));
    }
    let led = before.is_some_and(|before| before.is(Class::OnDay));
    let dot = behind.is_some_and(|mark| mark.mark() == Some('.') && mark.at == token.end);
    (led && dot).then_some((what, at + 2))
}

fn weekday(tokens: &[Token<'_>], at: usize) -> Option<(What, usize)> {
    tokens.get(at)?.weekday().map(|weekday| (What::Weekday(weekday), at + 1))
}
