//! Times of day and their zones.

use chrono::{DateTime, Duration, FixedOffset, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

use super::tokens::{Kind, Token};
use super::vocabulary::{Class, Unit};
use crate::decide::facts::span::Span;

/// A time of day as written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Clock {
    time: NaiveTime,
    /// 24:00 is the start of the day after.
    days_later: i64,
    zone: Zone,
}

/// A time's zone.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Zone {
    Offset(FixedOffset),
    Place(Tz),
    /// None is said.
    Unsaid,
    /// One is said that stands for several.
    Unclear,
}

/// The zone of a time that names none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unsaid {
    /// Systems and colleagues write UTC.
    Utc,
    /// A customer's own, which nobody knows.
    Anywhere,
}

/// Abbreviations that stand for one offset, in minutes; what stands for several places far apart is not among them.
const OFFSETS: [(&str, i32); 26] = [
    ("utc", 0),
    ("gmt", 0),
    ("z", 0),
    ("wet", 0),
    ("cet", 60),
    ("mez", 60),
    ("cest", 120),
    ("mesz", 120),
    ("eet", 120),
    ("eest", 180),
    ("msk", 180),
    ("sgt", 480),
    ("hkt", 480),
    ("jst", 540),
    ("kst", 540),
    ("aest", 600),
    ("aedt", 660),
    ("brt", -180),
    ("edt", -240),
    ("est", -300),
    ("cdt", -300),
    ("mdt", -360),
    ("mst", -420),
    ("pdt", -420),
    ("pst", -480),
    ("akst", -540),
];

/// Abbreviations that stand for a place's time, whatever the season.
const PLACES: [(&str, Tz); 2] = [("pt", Tz::America__Los_Angeles), ("et", Tz::America__New_York)];

/// Abbreviations of zones that stand for several.
const UNCLEAR: [&str; 6] = ["cst", "ist", "bst", "ast", "ct", "mt"];

impl Clock {
    /// The instant at which this time is on a day; a span where its zone is not known.
    pub(super) fn on(&self, date: NaiveDate, unsaid: Unsaid) -> Option<Span> {
        let local = (date + Duration::days(self.days_later)).and_time(self.time);
        let instant = |at: DateTime<Utc>| Span { from: at, until: at };
        match (self.zone, unsaid) {
            (Zone::Offset(offset), _) => Some(instant(offset.from_local_datetime(&local).single()?.to_utc())),
            (Zone::Place(place), _) => Some(instant(place.from_local_datetime(&local).earliest()?.to_utc())),
            (Zone::Unsaid, Unsaid::Utc) => Some(instant(local.and_utc())),
            // The time is first on the Line Islands, and last on Baker Island.
            (Zone::Unsaid, Unsaid::Anywhere) | (Zone::Unclear, _) => {
                let (from, until) = (local.and_utc() - Duration::hours(14), local.and_utc() + Duration::hours(12));
                Some(Span { from, until })
            }
        }
    }
}

/// The time of day that starts at a token, with its zone, and the token behind it: `18:00 UTC`, `5pm PST`, `18 Uhr`.
pub(super) fn read(tokens: &[Token<'_>], from: usize) -> Option<(Clock, usize)> {
    let token = tokens.get(from)?;
    let (time, days_later, to) = match token.number() {
        None if token.is(Class::Noon) => (NaiveTime::from_hms_opt(12, 0, 0)?, 0, from + 1),
        None => {
            // 午後6時: what halves the day stands before the hour.
            let afternoon = token.is(Class::Pm);
            let hour = tokens.get(from + 1)?.number()?.0;
            let marked = tokens.get(from + 2).is_some_and(|mark| mark.is(Class::Hour));
            (afternoon || token.is(Class::Am)).then_some(()).filter(|()| marked)?;
            (hour_of(hour, Some(afternoon))?, 0, from + 3)
        }
        Some((hour, digits)) if digits <= 2 => of_numbers(tokens, from, hour)?,
        Some(_) => return None,
    };
    let (zone, to) = zone(tokens, to);
    Some((Clock { time, days_later, zone }, to))
}

fn of_numbers(tokens: &[Token<'_>], from: usize, hour: i64) -> Option<(NaiveTime, i64, usize)> {
    let joined = |at: usize| {
        let (before, here) = (tokens.get(at.checked_sub(1)?)?, tokens.get(at)?);
        (before.end == here.at).then_some(here)
    };
    let number = |at: usize| joined(at)?.number().filter(|(_, digits)| *digits == 2).map(|(number, _)| number);
    let parted = |at: usize| joined(at).is_some_and(|mark| mark.mark() == Some(':') || mark.is(Class::Hour));
    let (mut minute, mut second, mut to, mut said) = (0, 0, from + 1, false);
    if parted(to)
        && let Some(minutes) = number(to + 1)
    {
        (minute, to, said) = (minutes, to + 2, true);
        if parted(to)
            && let Some(seconds) = number(to + 1)
        {
            (second, to) = (seconds, to + 2);
            // Parts of a second say nothing here.
            if joined(to).is_some_and(|mark| matches!(mark.mark(), Some('.' | ',')))
                && joined(to + 1).is_some_and(|part| part.number().is_some())
            {
                to += 2;
            }
        }
    }
    let mut afternoon = None;
    if let Some(half) = tokens.get(to) {
        if half.is(Class::Am) || half.is(Class::Pm) {
            (afternoon, to, said) = (Some(half.is(Class::Pm)), to + 1, true);
        } else if half.is(Class::Hour) && !said {
            (to, said) = (to + 1, true);
        } else if half.is(Class::Hour) && !matches!(half.kind, Kind::Mark(_)) {
            to += 1;
        }
    }
    if !said {
        return None;
    }
    let whole = hour == 24 && minute == 0 && second == 0;
    let time = if whole { NaiveTime::MIN } else { hour_of(hour, afternoon)? };
    let (minute, second) = (u32::try_from(minute).ok()?, u32::try_from(second).ok()?);
    let time = time.overflowing_add_signed(Duration::minutes(i64::from(minute)) + Duration::seconds(i64::from(second)));
    (minute < 60 && second < 60).then_some((time.0, i64::from(whole), to))
}

fn hour_of(hour: i64, afternoon: Option<bool>) -> Option<NaiveTime> {
    let hour = match (hour, afternoon) {
        (0..=23, None) => hour,
        (12, Some(false)) => 0,
        (12, Some(true)) => 12,
        (1..=11, Some(true)) => hour + 12,
        (0..=11, Some(false)) => hour,
        _ => return None,
    };
    NaiveTime::from_hms_opt(u32::try_from(hour).ok()?, 0, 0)
}

/// The zone that starts at a token and the token behind it; in parentheses too.
fn zone(tokens: &[Token<'_>], from: usize) -> (Zone, usize) {
    let open = tokens.get(from).is_some_and(|token| token.mark() == Some('('));
    let start = if open { from + 1 } else { from };
    let Some((zone, to)) = named(tokens, start).or_else(|| offset(tokens, start).filter(|_| !open)) else {
        return (Zone::Unsaid, from);
    };
    let closed = tokens.get(to).is_some_and(|token| token.mark() == Some(')'));
    (zone, if open && closed { to + 1 } else { to })
}

fn named(tokens: &[Token<'_>], from: usize) -> Option<(Zone, usize)> {
    let Kind::Word(word) = &tokens.get(from)?.kind else { return None };
    if UNCLEAR.contains(&word.as_ref()) {
        return Some((Zone::Unclear, from + 1));
    }
    if let Some((_, place)) = PLACES.iter().find(|(name, _)| name == word) {
        return Some((Zone::Place(*place), from + 1));
    }
    let (name, minutes) = OFFSETS.iter().find(|(name, _)| name == word)?;
    if matches!(*name, "utc" | "gmt")
        && let Some(further) = offset(tokens, from + 1)
    {
        return Some(further);
    }
    Some((Zone::Offset(FixedOffset::east_opt(minutes * 60)?), from + 1))
}

/// `+01:00`, `+0100`, `+1`
fn offset(tokens: &[Token<'_>], from: usize) -> Option<(Zone, usize)> {
    let (sign, hours) = (tokens.get(from)?, tokens.get(from + 1)?);
    let east = match sign.mark()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let (number, digits) = hours.number().filter(|_| hours.at == sign.end)?;
    let minutes = || {
        let (colon, minutes) = (tokens.get(from + 2)?, tokens.get(from + 3)?);
        (colon.mark() == Some(':') && colon.at == hours.end && minutes.at == colon.end).then_some(minutes.number()?.0)
    };
    let (minutes, to) = match (digits, minutes()) {
        (4, _) => (number / 100 * 60 + number % 100, from + 2),
        (1 | 2, Some(minutes)) => (number * 60 + minutes, from + 4),
        (1 | 2, None) => (number * 60, from + 2),
        _ => return None,
    };
    let seconds = i32::try_from(minutes).ok().filter(|minutes| *minutes <= 14 * 60)? * 60 * east;
    Some((Zone::Offset(FixedOffset::east_opt(seconds)?), to))
}

/// A length of time added to a moment: days and more to its day, less to the moment itself.
pub(super) fn later(at: DateTime<Utc>, count: i64, unit: Unit) -> Option<Later> {
    let day = at.date_naive();
    let months = |count: i64| {
        let span = chrono::Months::new(u32::try_from(count.abs()).ok()?);
        if count < 0 { day.checked_sub_months(span) } else { day.checked_add_months(span) }.map(Later::Day)
    };
    match unit {
        Unit::Minute => at.checked_add_signed(Duration::minutes(count)).map(Later::At),
        Unit::Hour => at.checked_add_signed(Duration::hours(count)).map(Later::At),
        Unit::Day => day.checked_add_signed(Duration::days(count)).map(Later::Day),
        Unit::Week => day.checked_add_signed(Duration::weeks(count)).map(Later::Day),
        Unit::Month => months(count),
        Unit::Year => months(count * 12),
    }
}

/// What a length of time leads to.
pub(super) enum Later {
    /// A moment.
    At(DateTime<Utc>),
    /// A day, with no time.
    Day(NaiveDate),
}
