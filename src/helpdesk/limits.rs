//! What an answer's headers say about the helpdesk's limits.
//!
//! Follows <https://developer.zendesk.com/api-reference/introduction/rate-limits/>. All of them are optional, and come in
//! several spellings: `X-Rate-Limit-Remaining`, `ratelimit-remaining` and `rate-limit-remaining` for the account;
//! `zendesk-ratelimit-tickets-update: total=100; remaining=99; resets=41` (or `zendesk-rate-limit-…`) for one endpoint.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::Method;
use reqwest::header::{self, HeaderMap};

/// How many calls are left to others where a limit does not say how large it is.
const LEFT_TO_OTHERS: u64 = 5;

/// How long to hold back where a limit is nearly spent and nothing says when it is renewed.
const USUAL_HOLD: Duration = Duration::from_secs(10);

/// No hold is longer: a header that says so is not about a limit a minute.
const LONGEST_HOLD: Duration = Duration::from_secs(300);

/// No refusal is obeyed for longer.
const LONGEST_WAIT: Duration = Duration::from_secs(900);

/// No refusal is obeyed for less: a loop of refusals would eat the account's share in seconds.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// What a limit is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Every call of the account.
    Account,
    /// One kind of call.
    Endpoint,
    /// One ticket.
    Ticket,
}

/// Kinds of calls with a limit of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    /// Writing on tickets.
    Updates,
    /// Searching.
    Search,
    /// The incremental export.
    Export,
}

impl Endpoint {
    /// The kind of this call, where it has a limit of its own.
    pub fn of(method: &Method, path: &str) -> Option<Endpoint> {
        match path {
            _ if *method == Method::PUT && path.starts_with("/api/v2/tickets/") => Some(Endpoint::Updates),
            _ if path.starts_with("/api/v2/search") => Some(Endpoint::Search),
            _ if path.starts_with("/api/v2/incremental/") => Some(Endpoint::Export),
            _ => None,
        }
    }
}

/// What a refusal is about: the limit that its headers show as spent, else what the call has a limit for.
pub fn scope(headers: &HeaderMap, path: &str) -> Scope {
    if account(headers).is_some_and(|limit| limit.remaining == 0) {
        return Scope::Account;
    }
    let own = headers.iter().filter(|(name, _)| {
        let name = name.as_str();
        name.starts_with("zendesk-ratelimit-") || name.starts_with("zendesk-rate-limit-")
    });
    let spent: Vec<&str> = own
        .filter(|(_, value)| value.to_str().ok().and_then(told).is_some_and(|limit| limit.remaining == 0))
        .map(|(name, _)| name.as_str())
        .collect();
    if spent.iter().any(|name| name.contains("per-ticket")) {
        Scope::Ticket
    } else if !spent.is_empty() || path.starts_with("/api/v2/search") || path.starts_with("/api/v2/incremental/") {
        Scope::Endpoint
    } else {
        Scope::Account
    }
}

/// How long to hold back with new work so that the account's limit, which is nearly spent, is not run into; none where
/// there is room.
pub fn hold(headers: &HeaderMap) -> Option<Duration> {
    account(headers).and_then(Limit::hold)
}

/// The same of the limit on updating tickets.
pub fn hold_updates(headers: &HeaderMap) -> Option<Duration> {
    updates(headers).and_then(Limit::hold)
}

/// How long a refusal asks to wait: seconds, or until a date, which is compared with the answer's own.
///
/// At least a second. At most a quarter of an hour: asking once more then costs little, and what asks for longer may be a proxy's mistake.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let asked = text(headers, header::RETRY_AFTER.as_str())?;
    let wait = match asked.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds.min(LONGEST_WAIT.as_secs_f64())).ok()?,
        Err(_) => (DateTime::parse_from_rfc2822(asked).ok()?.to_utc() - date(headers)?).to_std().ok()?,
    };
    Some(wait.clamp(SHORTEST_WAIT, LONGEST_WAIT))
}

/// The helpdesk's own time, whole seconds.
pub fn date(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    Some(DateTime::parse_from_rfc2822(text(headers, header::DATE.as_str())?).ok()?.to_utc())
}

/// One limit, as far as the headers tell.
struct Limit {
    total: Option<u64>,
    remaining: u64,
    resets: Option<u64>,
}

impl Limit {
    fn hold(self) -> Option<Duration> {
        let left_to_others = self.total.map_or(LEFT_TO_OTHERS, |total| total.div_ceil(20));
        let resets = self.resets.map_or(USUAL_HOLD, Duration::from_secs);
        (self.remaining <= left_to_others).then(|| resets.clamp(Duration::from_secs(1), LONGEST_HOLD))
    }
}

/// The account's limit.
fn account(headers: &HeaderMap) -> Option<Limit> {
    let first = |names: [&str; 3]| names.into_iter().find_map(|name| text(headers, name)?.parse().ok());
    Some(Limit {
        total: first(["ratelimit-limit", "rate-limit-limit", "x-rate-limit"]),
        remaining: first(["ratelimit-remaining", "rate-limit-remaining", "x-rate-limit-remaining"])?,
        resets: first(["ratelimit-reset", "rate-limit-reset", "x-rate-limit-reset"]),
    })
}

/// The limit on updating tickets.
fn updates(headers: &HeaderMap) -> Option<Limit> {
    let named = ["zendesk-ratelimit-tickets-update", "zendesk-rate-limit-tickets-update"];
    told(named.into_iter().find_map(|name| text(headers, name))?)
}

/// A limit as one header tells it: `total=100; remaining=99; resets=41`.
fn told(text: &str) -> Option<Limit> {
    let part = |wanted: &str| {
        let mut parts = text.split(';').filter_map(|part| part.trim().split_once('='));
        parts.find(|(name, _)| *name == wanted).and_then(|(_, value)| value.trim().parse().ok())
    };
    Some(Limit { total: part("total"), remaining: part("remaining")?, resets: part("resets") })
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}
