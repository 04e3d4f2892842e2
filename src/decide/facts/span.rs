//! A stretch of time within which an instant lies: what `last week` or a day without a time says.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// The earliest and the latest instant that something can be; both are possible.
///
/// A day is from 00:00:00 until 23:59:59 UTC. Its text is an ISO 8601 interval: `2026-11-16T00:00:00Z/2026-11-22T23:59:59Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The earliest instant.
    pub from: DateTime<Utc>,
    /// The latest instant; not before `from`.
    pub until: DateTime<Utc>,
}

impl Span {
    /// All of the days from one to another; none where a calendar has no such time.
    pub fn of_days(first: NaiveDate, last: NaiveDate) -> Option<Span> {
        let (from, until) = (first.and_hms_opt(0, 0, 0)?, last.and_hms_opt(23, 59, 59)?);
        (from <= until).then(|| Span { from: from.and_utc(), until: until.and_utc() })
    }
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        write!(f, "{}/{}", text(self.from), text(self.until))
    }
}

impl std::str::FromStr for Span {
    type Err = String;

    /// Reads an interval as it is displayed.
    fn from_str(text: &str) -> Result<Span, String> {
        let at = |text: &str| DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc());
        let ends = text.split_once('/').and_then(|(from, until)| Some((at(from)?, at(until)?)));
        let span = ends.filter(|(from, until)| from <= until).map(|(from, until)| Span { from, until });
        span.ok_or_else(|| format!("`{text}` is not an interval of two instants"))
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
