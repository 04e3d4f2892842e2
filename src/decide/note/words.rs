//! Words that several parts of a note share: who says something, what a value is called, when something ends.

use chrono::{DateTime, Datelike, NaiveTime, TimeDelta, Utc};

use super::{Subject, capital, lower_first};
use crate::decide::facts::expiry;
use crate::decide::facts::source::{Author, Source};
use crate::decide::facts::span::Span;
use crate::decide::policy::decision::Stretch;

/// Who says something of the customer, as a sentence begins.
pub(super) fn who(source: &Source) -> String {
    match source {
        Source::Words { by: Author::Customer | Author::Description | Author::Subject, .. } => {
            "Customer says they are".to_owned()
        }
        Source::Words { by: Author::Colleague(name), .. } => format!("{name} says the customer is"),
        Source::Note { who, .. } | Source::Console { who, .. } => format!("{who} says the customer is"),
        Source::Given(_)
        | Source::Tag(_)
        | Source::Form(_)
        | Source::Field(_)
        | Source::Organization(_)
        | Source::OrganizationTag(_)
        | Source::Lookup(_)
        | Source::Picture(_)
        | Source::Hours(_)
        | Source::Otherwise
        | Source::Grace(_)
        | Source::Doubted { .. }
        | Source::Told(_) => "The customer is".to_owned(),
    }
}

/// Who says something else than what is known.
pub(super) fn contradicts(source: &Source) -> String {
    if let Source::Words { by, .. } = source {
        let who = if let Author::Colleague(name) = by { name } else { "the customer" };
        return format!("{who} says otherwise");
    }
    format!("{source} says otherwise")
}

/// What was said and when: `“nobody can push”, 26 Nov`; where nobody said it, where it was read.
pub(super) fn said(quote: Option<&str>, source: &Source, now: DateTime<Utc>) -> String {
    match (quote, source.at()) {
        (Some(quote), Some(at)) => format!("“{quote}”, {}", day(at, now)),
        (Some(quote), None) => format!("“{quote}”"),
        (None, _) => source.to_string(),
    }
}

/// A source without its doubt, and the doubt.
pub(super) fn undoubted(source: &Source) -> (String, Option<&str>) {
    if let Source::Doubted { source, caveat } = source {
        return (source.to_string(), Some(caveat));
    }
    (source.to_string(), None)
}

/// The doubt that an answer rests on, its own or that of the instant it follows from.
pub(super) fn doubt(source: &Source) -> Option<&str> {
    if let Source::Grace(grace) = source {
        return [&grace.end, &grace.expiry].into_iter().flatten().find_map(|dated| dated.source.caveat());
    }
    source.caveat()
}

/// What an answer is called.
pub(super) fn called(subject: &Subject<'_>, fact: &str, answer: &str) -> String {
    subject.policy.answer_title(fact, answer).map_or_else(|| capital(&answer.replace('_', " ")), str::to_owned)
}

/// A value for people: what an answer is called, a day, or the days between which it lies.
pub(super) fn value(subject: &Subject<'_>, fact: &str, value: &str) -> String {
    if let Ok(span) = value.parse::<Span>() {
        return expiry::between(span);
    }
    match DateTime::parse_from_rfc3339(value) {
        Ok(at) => expiry::moment(at.to_utc()),
        Err(_) => lower_first(&called(subject, fact, value)),
    }
}

/// A stretch of time as an answer to when something ends: `ended by 12 Nov`, `ends later`.
pub(super) fn stretch(stretch: &Stretch, now: DateTime<Utc>) -> String {
    // What ends now has ended: `until` is the first moment after it.
    let past = |at: &DateTime<Utc>| *at <= now + TimeDelta::seconds(1);
    let last = |until: DateTime<Utc>| moment(until - TimeDelta::seconds(1), now);
    match (stretch.from, stretch.until) {
        (None, None) => "whenever it ends".to_owned(),
        (None, Some(until)) if past(&until) => format!("ended by {}", last(until)),
        (None, Some(until)) => format!("ended, or ends by {}", last(until)),
        (Some(from), Some(until)) if past(&until) => {
            if until >= now - TimeDelta::seconds(1) {
                format!("ended since {}", moment(from, now))
            } else {
                format!("ended from {} to {}", moment(from, now), last(until))
            }
        }
        (Some(from), Some(until)) if past(&from) && from >= now - TimeDelta::seconds(1) => {
            format!("ends by {}", last(until))
        }
        (Some(from), Some(until)) if past(&from) => {
            format!("ended since {}, or ends by {}", moment(from, now), last(until))
        }
        (Some(from), Some(until)) => format!("ends from {} to {}", moment(from, now), last(until)),
        (Some(from), None) if past(&from) && from < now - TimeDelta::seconds(1) => {
            format!("ended since {}, or ends later", moment(from, now))
        }
        (Some(_), None) => "ends later".to_owned(),
    }
}

/// A moment near now: its year is left out where it is this one, and its time at the start or end of a day.
fn moment(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let whole = at.time() == NaiveTime::MIN
        || at + TimeDelta::seconds(1) == (at + TimeDelta::seconds(1)).date_naive().and_time(NaiveTime::MIN).and_utc();
    if whole { day(at, now) } else { format!("{}, {} UTC", day(at, now), at.format("%H:%M")) }
}

/// A day near now.
fn day(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    at.format(if at.year() == now.year() { "%-d %b" } else { "%-d %b %Y" }).to_string()
}
