//! What records, managers' answers and customers' words say of when something ends, as values of a fact.

use chrono::{DateTime, NaiveDate, Utc};

use super::dates::{Means, Mention, Read, Reader, Unread, When, Which};
use super::expiry;
use super::fact::Value;
use super::source::{Cited, Source};
use super::span::Span;
use super::words::clip;
use crate::decide::facts::expiry::Day;

/// What can be said of when something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Dated {
    /// It is then; and what stands around the date.
    Value(Value, Option<String>),
    /// It can be any of these moments; why that is so.
    Unclear(String, Vec<DateTime<Utc>>),
    /// There is no date; why, in words that follow the text.
    Not(String),
    /// There is no text.
    Empty,
}

/// From where dates are counted, and which end of a day counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counting {
    /// Which end of a day a date without a time means.
    pub day: Day,
    pub now: DateTime<Utc>,
    /// When the text was written.
    pub written: DateTime<Utc>,
}

impl Counting {
    /// The span that is meant: a day that has begun and is not over can end at any time of it.
    fn span(&self, when: &When) -> Option<Span> {
        match when {
            When::Day(day) if *day != self.now.date_naive() => {
                let at = expiry::of_day(*day, self.day)?;
                Some(Span { from: at, until: at })
            }
            When::Day(_) | When::EndOfDay(_) | When::At(_) | When::Within(_) => when.span(),
        }
    }

    /// Both moments that a day can mean.
    fn moments(&self, days: &[NaiveDate]) -> Vec<DateTime<Utc>> {
        days.iter().filter_map(|day| expiry::of_day(*day, self.day)).collect()
    }
}

/// The value of a record.
pub(super) fn record(text: &str, reader: &Reader, counting: &Counting) -> Dated {
    one(reader.record(text), counting)
}

/// The value of a manager's answer.
pub(super) fn answer(text: &str, reader: &Reader, counting: &Counting) -> Dated {
    one(reader.answer(text, counting.written), counting)
}

fn one(read: Result<Read, Unread>, counting: &Counting) -> Dated {
    let shown = |days: &[NaiveDate]| days.iter().map(|day| shown(*day)).collect::<Vec<_>>().join(" or ");
    match read {
        Ok(Read { when, rest }) => match counting.span(&when) {
            Some(span) => Dated::Value(value(span), rest),
            None => Dated::Not("which is no date".into()),
        },
        Err(Unread::Empty) => Dated::Empty,
        Err(Unread::NoDate) => Dated::Not("which is no date".into()),
        Err(Unread::NoSuchDay(_)) => Dated::Not("and there is no such day".into()),
        Err(Unread::Several(_)) => Dated::Not("which is more than one date".into()),
        Err(Unread::Either(_, days)) => {
            Dated::Unclear(format!("which can be {}", shown(&days)), counting.moments(&days))
        }
    }
}

fn shown(day: NaiveDate) -> String {
    day.format("%-d %b %Y").to_string()
}

/// A span as a value: an instant where it is one.
fn value(span: Span) -> Value {
    if span.from == span.until { Value::Instant(span.from) } else { Value::Span(span) }
}

/// What words say of when a plan or licence ends.
pub(super) enum Ending {
    /// It ends then, by these words.
    At(Value, Cited),
    /// Words leave it open: why, these words, and what it can be.
    Unclear(String, Cited, Vec<Value>),
    /// They say something that cannot be used: why.
    Unreadable(String),
    /// They say nothing of it.
    Unsaid,
}

/// Dates of texts, the latest text first: each text's, with its place and when it was written.
pub(super) type Dates<'a> = &'a mut dyn Iterator<Item = (Vec<Mention>, Source, DateTime<Utc>)>;

/// What somebody's words say of when the plan or licence in use ends: the latest words that speak of it; and the words that
/// were set aside, and why.
pub(super) fn ending(dates: Dates<'_>, day: Day, now: DateTime<Utc>) -> (Ending, Vec<(Cited, &'static str)>) {
    let mut set_aside = Vec::new();
    for (mentions, source, written) in dates {
        let counting = Counting { day, now, written };
        let quoted = |mention: &Mention| Cited { quote: clip(&mention.sentence), source: Box::new(source.clone()) };
        let disputed = mentions.iter().filter(|mention| mention.means == Means::Disputed);
        set_aside.extend(disputed.map(|mention| (quoted(mention), "denied, or said under a condition")));
        let found = of_piece(&mentions, &counting, &quoted);
        if !matches!(found, Ending::Unsaid) {
            return (found, set_aside);
        }
    }
    (Ending::Unsaid, set_aside)
}

fn of_piece(mentions: &[Mention], counting: &Counting, quoted: &impl Fn(&Mention) -> Cited) -> Ending {
    let of = |which: &[Which]| -> Vec<&Mention> {
        mentions.iter().filter(|one| matches!(one.means, Means::Ends(of) if which.contains(&of))).collect()
    };
    let in_use = of(&[Which::One, Which::Former]);
    let (read, unread): (Vec<_>, Vec<_>) = in_use.into_iter().partition(|mention| mention.when.is_ok());
    let spans: Vec<(Span, &Mention)> =
        read.into_iter().filter_map(|one| Some((counting.span(one.when.as_ref().ok()?)?, one))).collect();
    let newer = of(&[Which::New]);
    match (narrowest(&spans), newer.first()) {
        (Some((span, mention)), None) => Ending::At(value(span), quoted(mention)),
        (Some((span, mention)), Some(new)) => {
            let other = new.when.as_ref().ok().and_then(|when| counting.span(when));
            let two: Vec<Span> = std::iter::once(span).chain(other).collect();
            Ending::Unclear(format!("{} speaks of two licences", quoted(mention)), quoted(mention), values(&two))
        }
        (None, _) if !spans.is_empty() => {
            let all: Vec<Span> = spans.iter().map(|(span, _)| *span).collect();
            let Some(last) = spans.last().map(|(_, mention)| quoted(mention)) else { return Ending::Unsaid };
            Ending::Unclear(format!("{last} is not the only date of an end that is named"), last, values(&all))
        }
        (None, _) => unread.into_iter().next().map_or(Ending::Unsaid, |mention| unusable(mention, counting, quoted)),
    }
}

/// The one span that lies within all others; none where they say different things.
fn narrowest<'a>(spans: &[(Span, &'a Mention)]) -> Option<(Span, &'a Mention)> {
    let length = |span: &Span| span.until - span.from;
    let (span, mention) = spans.iter().min_by_key(|(span, _)| length(span))?;
    let day = |span: &Span| Span::of_days(span.from.date_naive(), span.until.date_naive());
    let within = |(other, _): &(Span, &Mention)| {
        day(other).is_some_and(|other| other.from <= span.from && span.until <= other.until)
    };
    spans.iter().all(within).then_some((*span, *mention))
}

fn values(spans: &[Span]) -> Vec<Value> {
    spans.iter().map(|span| value(*span)).collect()
}

fn unusable(mention: &Mention, counting: &Counting, quoted: &impl Fn(&Mention) -> Cited) -> Ending {
    let place = quoted(mention);
    match &mention.when {
        Err(Unread::Either(words, days)) => {
            let [one, other] = days.map(shown);
            let moments = counting.moments(days).into_iter().map(Value::Instant).collect();
            Ending::Unclear(format!("{words} in {place} can be {one} or {other}"), place, moments)
        }
        Err(Unread::NoSuchDay(words)) => Ending::Unreadable(format!("there is no {words}, which {place} says")),
        Err(Unread::Empty | Unread::NoDate | Unread::Several(_)) | Ok(_) => Ending::Unsaid,
    }
}
