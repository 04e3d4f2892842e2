//! Which day a spelled date is, once it is known when it was written and whether it has passed.

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};

use super::clock::{self, Later, Unsaid};
use super::spelled::{Part, Spelled, What, last_of};
use super::vocabulary::Unit;
use super::{Unread, When};
use crate::decide::facts::span::Span;

/// Whether what is dated has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tense {
    Past,
    /// It is still to come, or nothing says otherwise.
    Ahead,
    /// Nothing says.
    Unsaid,
}

/// What a date is counted from, and what may be assumed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context {
    /// When it was written.
    pub written: DateTime<Utc>,
    pub tense: Tense,
    pub unsaid: Unsaid,
}

/// The moment, day or span that is meant; `text` is how it is spelled.
pub(super) fn resolve(spelled: &Spelled, text: &str, context: &Context) -> Result<When, Unread> {
    let days = days(spelled.what, context).ok_or(Unread::NoDate)?;
    let (first, last) = match days {
        Meant::At(at) => return Ok(When::At(at)),
        Meant::NoSuchDay => return Err(Unread::NoSuchDay(text.to_owned())),
        Meant::Either(days) => return Err(Unread::Either(text.to_owned(), days)),
        Meant::LastDay(day) => return Ok(When::EndOfDay(day)),
        Meant::Days(first, last) => (first, last),
    };
    if first != last {
        return Span::of_days(first, last).map(When::Within).ok_or(Unread::NoDate);
    }
    if let Some(clock) = spelled.clock {
        let span = clock.on(first, context.unsaid).ok_or(Unread::NoDate)?;
        return Ok(if span.from == span.until { When::At(span.from) } else { When::Within(span) });
    }
    Ok(match spelled.part {
        Part::End => When::EndOfDay(first),
        Part::Night if first >= context.written.date_naive() => When::EndOfDay(first),
        Part::Night | Part::Midnight | Part::Unsaid => When::Day(first),
    })
}

enum Meant {
    At(DateTime<Utc>),
    Days(NaiveDate, NaiveDate),
    LastDay(NaiveDate),
    Either([NaiveDate; 2]),
    NoSuchDay,
}

fn one(day: NaiveDate) -> Meant {
    Meant::Days(day, day)
}

fn days(what: What, context: &Context) -> Option<Meant> {
    let today = context.written.date_naive();
    Some(match what {
        What::Day(day) => one(day),
        What::LastDay(day) => Meant::LastDay(day),
        What::Either(days) => Meant::Either(days),
        What::NoSuchDay => Meant::NoSuchDay,
        What::Days(first, last) => Meant::Days(first, last),
        What::MonthDay(month, day) => month_day(today, month, day, context.tense)?,
        What::EitherMonthDay([(month, day), (other_month, other_day)]) => {
            Meant::Either([nearest(today, month, day)?, nearest(today, other_month, other_day)?])
        }
        What::Month(month) => {
            let year = year_of(today, month, context.tense);
            Meant::Days(NaiveDate::from_ymd_opt(year, month, 1)?, last_of(year, month)?)
        }
        What::EndOfMonth(month) => Meant::LastDay(last_of(year_of(today, month, context.tense), month)?),
        What::DayOfMonth(day) => one(day_of_month(today, day, context.tense)?),
        What::Weekday(weekday) => weekday_near(today, weekday, context.tense)?,
        What::Ahead(away, unit) => {
            let (first, last) = whole(today, away, unit)?;
            Meant::Days(first, last)
        }
        What::EndOfAhead(away, unit) => Meant::LastDay(whole(today, away, unit)?.1),
        What::WeekdayOf(away, weekday) => weekday_of(today, away, weekday, context.tense)?,
        What::WeekdayOfWeek(away, weekday) => one(whole(today, away, Unit::Week)?.0 + Days::new(u64::from(weekday))),
        What::MonthDayOfYear(away, month, day) => {
            let year = today.year() + i32::try_from(away).ok()?;
            match day {
                Some(day) => NaiveDate::from_ymd_opt(year, month, day).map_or(Meant::NoSuchDay, one),
                None => Meant::Days(NaiveDate::from_ymd_opt(year, month, 1)?, last_of(year, month)?),
            }
        }
        What::Length(count, unit) | What::Remaining(count, unit) => match clock::later(context.written, count, unit)? {
            Later::At(at) => Meant::At(at),
            Later::Day(day) => one(day),
        },
    })
}

/// The day of this month and day that is nearest; two where that contradicts what has passed.
fn month_day(today: NaiveDate, month: u32, day: u32, tense: Tense) -> Option<Meant> {
    let near = nearest(today, month, day)?;
    if tense != Tense::Past || near <= today {
        return Some(one(near));
    }
    let before = NaiveDate::from_ymd_opt(near.year() - 1, month, day);
    Some(before.map_or(one(near), |before| Meant::Either([before, near])))
}

fn nearest(today: NaiveDate, month: u32, day: u32) -> Option<NaiveDate> {
    let years = [today.year() - 1, today.year(), today.year() + 1];
    let days = years.into_iter().filter_map(|year| NaiveDate::from_ymd_opt(year, month, day));
    days.min_by_key(|day| (*day - today).num_days().abs())
}

fn year_of(today: NaiveDate, month: u32, tense: Tense) -> i32 {
    match tense {
        Tense::Past if month > today.month() => today.year() - 1,
        Tense::Ahead | Tense::Unsaid if month < today.month() => today.year() + 1,
        Tense::Past | Tense::Ahead | Tense::Unsaid => today.year(),
    }
}

fn day_of_month(today: NaiveDate, day: u32, tense: Tense) -> Option<NaiveDate> {
    let months = (0..12).filter_map(|away| {
        let first = today.with_day(1)?;
        let months = chrono::Months::new(away);
        let month =
            if tense == Tense::Past { first.checked_sub_months(months) } else { first.checked_add_months(months) };
        month?.with_day(day)
    });
    let mut fitting = months.filter(|day| if tense == Tense::Past { *day <= today } else { *day >= today });
    fitting.next()
}

/// The weekday that comes next or was last; today can be meant as well.
fn weekday_near(today: NaiveDate, weekday: u32, tense: Tense) -> Option<Meant> {
    let ahead = (7 + weekday - today.weekday().num_days_from_monday()) % 7;
    let day = today.checked_add_days(Days::new(u64::from(ahead)))?;
    let other =
        if tense == Tense::Past { day.checked_sub_days(Days::new(7))? } else { day.checked_add_days(Days::new(7))? };
    Some(match (ahead, tense) {
        (0, _) => Meant::Either([day, other]),
        (_, Tense::Past) => one(other),
        (_, Tense::Ahead | Tense::Unsaid) => one(day),
    })
}

/// `this Friday`, `next Friday`, `last Friday`; two where people mean different ones.
fn weekday_of(today: NaiveDate, away: i64, weekday: u32, tense: Tense) -> Option<Meant> {
    let (monday, _) = whole(today, 0, Unit::Week)?;
    let of_this_week = monday.checked_add_days(Days::new(u64::from(weekday)))?;
    let week = Days::new(7);
    Some(match away {
        0 if of_this_week < today && tense != Tense::Past => {
            Meant::Either([of_this_week, of_this_week.checked_add_days(week)?])
        }
        0 => one(of_this_week),
        1 if of_this_week > today => Meant::Either([of_this_week, of_this_week.checked_add_days(week)?]),
        1 => one(of_this_week.checked_add_days(week)?),
        _ if of_this_week < today => Meant::Either([of_this_week.checked_sub_days(week)?, of_this_week]),
        _ => one(of_this_week.checked_sub_days(week)?),
    })
}

/// The first and last day of a week, month or year, counted from that of a day.
fn whole(today: NaiveDate, away: i64, unit: Unit) -> Option<(NaiveDate, NaiveDate)> {
    let Later::Day(day) = clock::later(today.and_hms_opt(0, 0, 0)?.and_utc(), away, unit)? else { return None };
    match unit {
        Unit::Week => {
            let monday = day.checked_sub_days(Days::new(u64::from(day.weekday().num_days_from_monday())))?;
            Some((monday, monday.checked_add_days(Days::new(6))?))
        }
        Unit::Month => Some((day.with_day(1)?, last_of(day.year(), day.month())?)),
        Unit::Year => Some((NaiveDate::from_ymd_opt(day.year(), 1, 1)?, NaiveDate::from_ymd_opt(day.year(), 12, 31)?)),
        Unit::Minute | Unit::Hour | Unit::Day => Some((day, day)),
    }
}
