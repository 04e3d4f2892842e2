//! The two shapes of a delivery: an event subscription's envelope, and a trigger's own body.

use chrono::{DateTime, Utc};
use serde_json::Value as Json;

use super::verify::Verified;
use crate::decide::signature;

/// What a delivery says; only which ticket and why, for the event is a hint and the ticket the truth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Which ticket.
    pub ticket: u64,
    /// The event's own id.
    pub event: Option<String>,
    /// What happened: `zen:event-type:ticket.tags_changed`, or `trigger`.
    pub kind: String,
    /// When it happened, by the helpdesk's clock, where the event tells.
    pub happened: Option<DateTime<Utc>>,
    /// Who made it happen, by the helpdesk's id.
    pub actor: Option<u64>,
    /// The comment it tells of.
    pub comment: Told,
    /// The helpdesk's own number.
    pub account: Option<u64>,
    /// The ticket's tags, where the event tells.
    pub tags: Option<Vec<String>>,
}

/// Events after which what people wrote on a ticket is not to be kept.
const FORGETTING: [&str; 3] = [
    "zen:event-type:ticket.permanently_deleted",
    "zen:event-type:ticket.comment_redacted",
    "zen:event-type:ticket.attachment_redacted_from_comment",
];

impl Delivery {
    /// Whether what people wrote on the ticket is to be forgotten.
    pub fn forgets(&self) -> bool {
        FORGETTING.contains(&self.kind.as_str())
    }
}

/// The comment that a delivery tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// None, or one without its text.
    Nothing,
    /// A note with a decision's id.
    Signed,
    /// Any other.
    Unsigned,
}

/// What a verified body comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    /// It speaks of a ticket.
    Ticket(Delivery),
    /// It speaks of something else.
    Other {
        /// The helpdesk's own number.
        account: Option<u64>,
        /// Why it is none of ours, in words.
        why: String,
    },
}

/// Why a verified body says nothing.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Not JSON; a placeholder in a trigger's body may have put raw quotes in it.
    #[error(
        "the body is not JSON (at line {line}, column {column}); a trigger's body needs only {{\"ticket_id\": {{{{ticket.id}}}}}}"
    )]
    NotJson {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// JSON without a ticket, or a body whose placeholder was not filled in: what the helpdesk's own test button sends.
    #[error("the body names no ticket: give `ticket_id`, or an event with `detail.id`")]
    NoTicket,
}

/// Reads a delivery; what is there in another shape than expected is as if it were not there.
///
/// # Errors
/// A body that is not JSON, or has no ticket id in it.
pub fn parse(verified: Verified<'_>) -> Result<Parsed, ParseError> {
    let body: Json = serde_json::from_slice(verified.body()).map_err(|error| {
        let unfilled = String::from_utf8_lossy(verified.body()).contains("{{ticket.id}}");
        if unfilled { ParseError::NoTicket } else { ParseError::NotJson { line: error.line(), column: error.column() } }
    })?;
    let text = |pointer: &str| body.pointer(pointer).and_then(Json::as_str);
    let id_at = |pointer: &str| id(body.pointer(pointer)?);
    let account = id_at("/account_id");
    let Some(kind) = text("/type").filter(|kind| kind.starts_with("zen:event-type:")) else {
        let ticket = id_at("/ticket_id").ok_or(ParseError::NoTicket)?;
        return Ok(Parsed::Ticket(Delivery {
            ticket,
            event: None,
            kind: "trigger".into(),
            happened: None,
            actor: None,
            comment: Told::Nothing,
            account,
            tags: None,
        }));
    };
    if !kind.starts_with("zen:event-type:ticket.") {
        return Ok(Parsed::Other { account, why: format!("{kind} is no ticket event") });
    }
    let subject = || text("/subject")?.strip_prefix("zen:ticket:").and_then(positive);
    let tags = body.pointer("/detail/tags").and_then(Json::as_array);
    Ok(Parsed::Ticket(Delivery {
        ticket: id_at("/detail/id").or_else(subject).ok_or(ParseError::NoTicket)?,
        event: text("/id").filter(|id| !id.is_empty()).map(str::to_owned),
        kind: kind.to_owned(),
        happened: text("/time").and_then(|time| time.parse().ok()),
        actor: id_at("/detail/actor_id").or_else(|| id_at("/event/comment/author/id")),
        comment: match text("/event/comment/body") {
            None => Told::Nothing,
            Some(body) if signature::in_text(body).is_some() => Told::Signed,
            Some(_) => Told::Unsigned,
        },
        account,
        tags: tags.map(|tags| tags.iter().filter_map(Json::as_str).map(str::to_owned).collect()),
    }))
}

/// A positive id of at most 63 bits, which may be a number or a text.
fn id(value: &Json) -> Option<u64> {
    match value {
        Json::Number(number) => number.as_u64().filter(|id| (1..=LARGEST).contains(id)),
        Json::String(text) => positive(text),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

fn positive(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|id| (1..=LARGEST).contains(id))
}

const LARGEST: u64 = i64::MAX.unsigned_abs();
