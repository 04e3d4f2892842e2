//! How moments are written for people, and which end of a day counts. UTC throughout.

use chrono::{DateTime, Datelike, Month, NaiveDate, NaiveTime, TimeDelta, Timelike, Utc};
use schemars::JsonSchema;
use serde::Deserialize;

use super::span::Span;

/// Which end of a day a date without a time means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Day {
    /// 00:00:00 UTC.
    #[default]
    Start,
    /// 23:59:59 UTC.
    End,
}

/// The start or end of a day, UTC.
pub fn of_day(date: NaiveDate, day: Day) -> Option<DateTime<Utc>> {
    let time = match day {
        Day::Start => NaiveTime::MIN,
        Day::End => NaiveTime::from_hms_opt(23, 59, 59)?,
    };
    Some(date.and_time(time).and_utc())
}

/// A moment for people: `3 Dec 2026`, or with its time where it is not midnight: `3 Dec 2026, 17:00 UTC`.
pub fn moment(at: DateTime<Utc>) -> String {
    if at.num_seconds_from_midnight() == 0 { day(at) } else { exact(at) }
}

/// A moment with its time and zone: `3 Dec 2026, 00:00 UTC`.
pub fn exact(at: DateTime<Utc>) -> String {
    format!("{}, {:02}:{:02} UTC", day(at), at.hour(), at.minute())
}

/// A span for people: `16 Nov 2026 to 22 Nov 2026`, or its day.
pub fn between(span: Span) -> String {
    let (from, until) = (day(span.from), day(span.until));
    if from == until { from } else { format!("{from} to {until}") }
}

fn day(at: DateTime<Utc>) -> String {
    let month = Month::try_from(u8::try_from(at.month()).unwrap_or_default()).map_or("", |month| month.name());
    format!("{} {} {}", at.day(), month.get(..3).unwrap_or_default(), at.year())
}

/// A span in milliseconds for people, its two largest units: `8 d 12 h`, `23 h`, `40 min`, `under a minute`; whole days and a month or more as
/// `14 days`.
pub fn length(millis: i64) -> String {
    let span = TimeDelta::milliseconds(millis.saturating_abs());
    let (days, hours, minutes) = (span.num_days(), span.num_hours() % 24, span.num_minutes() % 60);
    match (days, hours, minutes) {
        (1, 0, 0) => "1 day".to_owned(),
        (days, 0, 0) if days > 0 => format!("{days} days"),
        (30.., _, _) => format!("{days} days"),
        (days, 0, _) if days > 0 => format!("{days} d"),
        (days, hours, _) if days > 0 => format!("{days} d {hours} h"),
        (_, 0, 0) => "under a minute".to_owned(),
        (_, 0, minutes) => format!("{minutes} min"),
        (_, hours, 0) => format!("{hours} h"),
        (_, hours, minutes) => format!("{hours} h {minutes} min"),
    }
}
