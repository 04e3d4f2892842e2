//! The two shapes of a delivery: an event subscription's envelope, and a trigger's own body.

use serde_json::Value as Json;

use super::verify::Verified;

/// What a delivery says; only which ticket and why, for the event is a hint and the ticket the truth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Which ticket.
    pub ticket: u64,
    /// The event's own id.
    pub event: Option<String>,
    /// What happened: `zen:event-type:ticket.tags_changed`, or `trigger`.
    pub kind: String,
    /// Who made it happen, by the helpdesk's id.
    pub actor: Option<u64>,
    /// The helpdesk's own number.
    pub account: Option<u64>,
    /// The ticket's tags, where the event tells.
    pub tags: Option<Vec<String>>,
}

/// What a verified body comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    /// It speaks of a ticket.
    Ticket(Delivery),
    /// It speaks of something else, in words.
    Other(String),
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
    /// JSON without a ticket.
    #[error("the body names no ticket: give `ticket_id`, or an event with `detail.id`")]
    NoTicket,
}

/// Reads a delivery; what is not needed is not looked at.
///
/// # Errors
/// A body that is not JSON, or has no ticket id in it.
pub fn parse(verified: Verified<'_>) -> Result<Parsed, ParseError> {
    let body: Json = serde_json::from_slice(verified.body())
        .map_err(|error| ParseError::NotJson { line: error.line(), column: error.column() })?;
    let account = body.get("account_id").and_then(id);
    let Some(kind) = body.get("type").and_then(Json::as_str).filter(|kind| kind.starts_with("zen:event-type:")) else {
        let ticket = body.get("ticket_id").and_then(id).ok_or(ParseError::NoTicket)?;
        return Ok(Parsed::Ticket(Delivery {
            ticket,
            event: None,
            kind: "trigger".into(),
            actor: None,
            account,
            tags: None,
        }));
    };
    if !kind.starts_with("zen:event-type:ticket.") {
        return Ok(Parsed::Other(format!("{kind} is no ticket event")));
    }
    let subject = body
        .get("subject")
        .and_then(Json::as_str)
        .and_then(|subject| subject.strip_prefix("zen:ticket:"))
        .and_then(|id| id.parse().ok());
    let ticket =
        body.pointer("/detail/id").and_then(id).or(subject).filter(|id| *id > 0).ok_or(ParseError::NoTicket)?;
    let tags = body.pointer("/detail/tags").and_then(Json::as_array);
    Ok(Parsed::Ticket(Delivery {
        ticket,
        event: body.get("id").and_then(Json::as_str).filter(|id| !id.is_empty()).map(str::to_owned),
        kind: kind.to_owned(),
        actor: body
            .pointer("/detail/actor_id")
            .and_then(id)
            .or_else(|| body.pointer("/event/comment/author/id").and_then(id)),
        account,
        tags: tags.map(|tags| tags.iter().filter_map(Json::as_str).map(str::to_owned).collect()),
    }))
}

/// A positive id, which may be a number or a text.
fn id(value: &Json) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|id| *id > 0)
}
