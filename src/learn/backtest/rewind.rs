//! A ticket as it was at an earlier moment, from its audits.
//!
//! Follows <https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_audits/>: an event of type `Create` or
//! `Change` names a field, its value and the value before; custom fields are named by their ids.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value as Json;

use crate::decide::ticket::{CustomField, Ticket};

/// One saved change of a ticket.
#[derive(Debug, Deserialize)]
pub struct Audit {
    /// When it was saved.
    pub created_at: DateTime<Utc>,
    /// What changed.
    #[serde(default)]
    pub events: Vec<Event>,
}

/// One changed field of an audit; events of other types have no field.
#[derive(Debug, Deserialize)]
pub struct Event {
    /// The field's name, or a custom field's id.
    #[serde(default)]
    pub field_name: Option<String>,
    /// What it became.
    #[serde(default)]
    pub value: Json,
    /// What it was; absent when the ticket was made.
    #[serde(default)]
    pub previous_value: Json,
}

/// When one of `tags` was last added; none where no audit tells of it.
pub fn tagged_at(audits: &[Audit], tags: &[String]) -> Option<DateTime<Utc>> {
    let added = |event: &Event| {
        event.field_name.as_deref() == Some("tags") && {
            let (before, after) = (words(&event.previous_value), words(&event.value));
            tags.iter().any(|tag| after.contains(tag) && !before.contains(tag))
        }
    };
    audits.iter().filter(|audit| audit.events.iter().any(added)).map(|audit| audit.created_at).max()
}

/// Undoes what was changed after `moment`, the newest first.
pub fn undo(ticket: &mut Ticket, audits: &[Audit], moment: DateTime<Utc>) {
    let mut later: Vec<&Audit> = audits.iter().filter(|audit| audit.created_at > moment).collect();
    later.sort_by_key(|audit| std::cmp::Reverse(audit.created_at));
    for event in later.iter().flat_map(|audit| audit.events.iter().rev()) {
        let before = &event.previous_value;
        let text = || before.as_str().unwrap_or_default().to_owned();
        match event.field_name.as_deref() {
            Some("tags") => ticket.tags = words(before),
            Some("status") => ticket.status = text(),
            Some("subject") => ticket.subject = text(),
            Some("ticket_form_id") => ticket.ticket_form_id = number(before),
            Some("assignee_id") => ticket.assignee_id = number(before),
            Some("organization_id") => ticket.organization_id = number(before),
            Some(name) => {
                if let Ok(id) = name.parse() {
                    ticket.custom_fields.retain(|field| field.id != id);
                    ticket.custom_fields.push(CustomField { id, value: before.clone() });
                }
            }
            None => {}
        }
    }
}

/// Tags come as a list, or as words in one text.
fn words(value: &Json) -> Vec<String> {
    match value {
        Json::Array(tags) => tags.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
        Json::String(tags) => tags.split_whitespace().map(str::to_owned).collect(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Object(_) => Vec::new(),
    }
}

/// Ids come as numbers or as text.
fn number(value: &Json) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}
