//! The two shapes of a delivery: an event subscription's envelope, and a trigger's own body.

use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, SeqAccess};

use super::loose::{Loose, Wanted};
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
    /// JSON without a ticket.
    #[error("the body names no ticket: give `ticket_id`, or an event with `detail.id`")]
    NoTicket,
}

/// Reads a delivery; what is not needed is not looked at.
///
/// # Errors
/// A body that is not JSON, or has no ticket id in it.
pub fn parse(verified: Verified<'_>) -> Result<Parsed, ParseError> {
    let Loose(body) = serde_json::from_slice::<Loose<Object>>(verified.body())
        .map_err(|error| ParseError::NotJson { line: error.line(), column: error.column() })?;
    let body = body.unwrap_or_default();
    let account = body.account_id.and_then(Scalar::id);
    let Some(kind) = body.kind.and_then(Scalar::text).filter(|kind| kind.starts_with("zen:event-type:")) else {
        let ticket = body.ticket_id.and_then(Scalar::id).ok_or(ParseError::NoTicket)?;
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
        return Ok(Parsed::Other { account, why: format!("{kind} is no ticket event") });
    }
    let subject = body.subject.and_then(Scalar::text);
    let subject = subject.and_then(|subject| Scalar::Text(subject.strip_prefix("zen:ticket:")?.to_owned()).id());
    let detail = body.detail.map(|detail| *detail).unwrap_or_default();
    let ticket = detail.id.and_then(Scalar::id).or(subject).ok_or(ParseError::NoTicket)?;
    let author = || body.event?.comment?.author?.id?.id();
    Ok(Parsed::Ticket(Delivery {
        ticket,
        event: body.id.and_then(Scalar::text).filter(|id| !id.is_empty()),
        kind,
        actor: detail.actor_id.and_then(Scalar::id).or_else(author),
        account,
        tags: detail.tags,
    }))
}

/// What is looked at of a body, and of the objects within it.
#[derive(Default)]
struct Object {
    kind: Option<Scalar>,
    id: Option<Scalar>,
    account_id: Option<Scalar>,
    ticket_id: Option<Scalar>,
    actor_id: Option<Scalar>,
    subject: Option<Scalar>,
    tags: Option<Vec<String>>,
    detail: Option<Box<Object>>,
    event: Option<Box<Object>>,
    comment: Option<Box<Object>>,
    author: Option<Box<Object>>,
}

/// The keys that are looked at.
#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Key {
    Type,
    Id,
    AccountId,
    TicketId,
    ActorId,
    Subject,
    Tags,
    Detail,
    Event,
    Comment,
    Author,
    #[serde(other)]
    Other,
}

impl<'de> Wanted<'de> for Object {
    fn of_object<A: MapAccess<'de>>(mut entries: A) -> Result<Option<Object>, A::Error> {
        fn value<'de, A: MapAccess<'de>, T: Wanted<'de>>(entries: &mut A) -> Result<Option<T>, A::Error> {
            entries.next_value().map(|Loose(value)| value)
        }
        let mut object = Object::default();
        while let Some(key) = entries.next_key()? {
            match key {
                Key::Type => object.kind = value(&mut entries)?,
                Key::Id => object.id = value(&mut entries)?,
                Key::AccountId => object.account_id = value(&mut entries)?,
                Key::TicketId => object.ticket_id = value(&mut entries)?,
                Key::ActorId => object.actor_id = value(&mut entries)?,
                Key::Subject => object.subject = value(&mut entries)?,
                Key::Tags => object.tags = value(&mut entries)?.map(|Texts(tags)| tags),
                Key::Detail => object.detail = value(&mut entries)?.map(Box::new),
                Key::Event => object.event = value(&mut entries)?.map(Box::new),
                Key::Comment => object.comment = value(&mut entries)?.map(Box::new),
                Key::Author => object.author = value(&mut entries)?.map(Box::new),
                Key::Other => drop(entries.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Some(object))
    }
}

/// A text or a number of at least 0.
enum Scalar {
    Text(String),
    Number(u64),
}

impl Scalar {
    fn text(self) -> Option<String> {
        match self {
            Scalar::Text(text) => Some(text),
            Scalar::Number(_) => None,
        }
    }

    /// A positive id of at most 63 bits, which may be a number or a text.
    fn id(self) -> Option<u64> {
        match self {
            Scalar::Text(text) => text.trim().parse().ok(),
            Scalar::Number(number) => Some(number),
        }
        .filter(|id| (1..=i64::MAX.unsigned_abs()).contains(id))
    }
}

impl Wanted<'_> for Scalar {
    fn of_text(text: &str) -> Option<Scalar> {
        Some(Scalar::Text(text.to_owned()))
    }

    fn of_number(number: u64) -> Option<Scalar> {
        Some(Scalar::Number(number))
    }
}

/// The texts of a list; what else is in it is passed over.
struct Texts(Vec<String>);

impl<'de> Wanted<'de> for Texts {
    fn of_list<A: SeqAccess<'de>>(mut list: A) -> Result<Option<Texts>, A::Error> {
        let mut texts = Vec::new();
        while let Some(Loose(element)) = list.next_element()? {
            texts.extend(element.and_then(Scalar::text));
        }
        Ok(Some(Texts(texts)))
    }
}
