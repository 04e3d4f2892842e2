//! Lengths of time as a policy writes them.

use serde::{Deserialize, Deserializer, de::Error};

/// A span of time, written as `24h` or `14d`; milliseconds, from 0 to 1,000 years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub i64);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const LONGEST: i64 = 1000 * 366 * 86_400_000;
        let text = String::deserialize(deserializer)?;
        humantime::parse_duration(&text)
            .ok()
            .and_then(|span| i64::try_from(span.as_millis()).ok())
            .filter(|&millis| millis <= LONGEST)
            .map(Span)
            .ok_or_else(|| {
                D::Error::custom(format!("`{text}` is not a span of time; write it like \"24h\" or \"14d\""))
            })
    }
}
