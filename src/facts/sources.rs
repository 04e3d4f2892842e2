//! Facts from what is recorded on a ticket: fields, forms, tags, organisation.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::expiry;
use super::fact::{Fact, Finding, Trust, Value};
use super::words;
use crate::helpdesk::ticket::{Reading, Ticket};
use crate::policy::binding::{Binding, FactBinding, Kind, Says, Source};

/// Ids of forms and fields in one helpdesk, by the names a policy uses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ids {
    /// Ids of ticket forms.
    pub forms: BTreeMap<String, Vec<u64>>,
    /// Ids of ticket fields.
    pub fields: BTreeMap<String, Vec<u64>>,
}

impl Ids {
    /// A policy's own ids, with those an account gives in their stead.
    pub fn new(binding: &Binding, account: &Ids) -> Ids {
        let over = |policy: &BTreeMap<String, Vec<u64>>, account: &BTreeMap<String, Vec<u64>>| {
            policy.clone().into_iter().chain(account.clone()).collect()
        };
        Ids { forms: over(&binding.forms, &account.forms), fields: over(&binding.fields, &account.fields) }
    }

    fn is_form(&self, form: Option<u64>, names: &[String]) -> bool {
        form.is_some_and(|form| names.iter().filter_map(|name| self.forms.get(name)).flatten().any(|id| *id == form))
    }
}

/// Why a policy does not speak of a ticket; none where it does.
pub fn not_ours(binding: &Binding, ids: &Ids, ticket: &Ticket) -> Option<String> {
    let applies = &binding.applies_to;
    if applies.status_none.contains(&ticket.status.to_lowercase()) {
        return Some(format!("its status is {}", ticket.status.to_lowercase()));
    }
    let failed = applies.conditions.iter().find(|(_, condition)| {
        let tagged = condition.tag_any.iter().any(|tag| ticket.tags.contains(tag));
        !tagged && !ids.is_form(ticket.ticket_form_id, &condition.form_any)
    });
    failed.map(|(name, _)| format!("it is not {name}"))
}

/// Reads one fact from a ticket: its sources in order, the first that answers wins.
pub fn read(fact: &FactBinding, ids: &Ids, reading: &Reading) -> Finding {
    let mut looked = Vec::new();
    for source in &fact.sources {
        match ask(source, fact, ids, reading) {
            Said::Answer(found) => return Finding::Known(found),
            Said::Nothing => {}
            Said::Unreadable(why) => looked.push(why),
        }
    }
    Finding::Unknown { looked }
}

/// What one source says.
enum Said {
    Answer(Fact),
    Nothing,
    /// It was to answer and could not, in words.
    Unreadable(String),
}

fn ask(source: &Source, fact: &FactBinding, ids: &Ids, reading: &Reading) -> Said {
    let ticket = &reading.ticket;
    match source {
        Source::Tag { any, answer } => match any.iter().find(|tag| ticket.tags.contains(tag)) {
            Some(tag) => said(fact, answer, format!("tag {tag}")),
            None => Said::Nothing,
        },
        Source::Form { any, answer } => {
            match any.iter().find(|name| ids.is_form(ticket.ticket_form_id, std::slice::from_ref(name))) {
                Some(form) => said(fact, answer, format!("form {form}")),
                None => Said::Nothing,
            }
        }
        Source::Field { name, says } => {
            let known = ids.fields.get(name).map(Vec::as_slice).unwrap_or_default();
            let values = ticket
                .custom_fields
                .iter()
                .filter(|field| known.contains(&field.id))
                .flat_map(|field| texts(&field.value));
            value(fact, says, values.collect(), &format!("field {}", name.replace('_', " ")))
        }
        Source::Organization { key, says } => {
            let place = format!("organisation's {}", key.replace('_', " "));
            match &reading.organization {
                Some(organization) => {
                    value(fact, says, organization.organization_fields.get(key).map(texts).unwrap_or_default(), &place)
                }
                None if fact.kind == Kind::Instant => {
                    Said::Unreadable(format!("{place}: the ticket has no organisation"))
                }
                None => Said::Nothing,
            }
        }
        Source::OrganizationTag { any, answer } => {
            let tags =
                reading.organization.as_ref().map(|organization| organization.tags.as_slice()).unwrap_or_default();
            match any.iter().find(|tag| tags.contains(tag)) {
                Some(tag) => said(fact, answer, format!("organisation's tag {tag}")),
                None => Said::Nothing,
            }
        }
        Source::Text { any, answer } => match (words::find(any, reading), parse(fact, answer)) {
            (Some(quote), Some(value)) => Said::Answer(Fact {
                value,
                trust: Trust::Inferred,
                source: "the customer's words".into(),
                quote: Some(quote),
            }),
            _ => Said::Nothing,
        },
        Source::Otherwise(answer) => said(fact, answer, "nothing on the ticket says otherwise".into()),
    }
}

/// A recorded answer in the policy's own words.
fn said(fact: &FactBinding, answer: &str, source: String) -> Said {
    match parse(fact, answer) {
        Some(value) => Said::Answer(Fact { value, trust: Trust::Recorded, source, quote: None }),
        None => Said::Unreadable(format!("{source} says “{answer}”")),
    }
}

/// What the values of a field say.
fn value(fact: &FactBinding, says: &Says, values: Vec<String>, place: &str) -> Said {
    let filled = values.iter().find(|value| !value.trim().is_empty());
    match (says, filled) {
        (Says::Itself, Some(text)) => match parse(fact, text) {
            Some(value) => Said::Answer(Fact { value, trust: Trust::Recorded, source: place.to_owned(), quote: None }),
            None => Said::Unreadable(format!(
                "{place} says “{}”, which is no date",
                text.chars().take(40).collect::<String>()
            )),
        },
        (Says::Itself, None) if fact.kind == Kind::Instant => Said::Unreadable(format!("{place} is empty")),
        (Says::Filled(answer), Some(_)) => said(fact, answer, format!("{place} is filled")),
        (Says::OneOf { values: wanted, answer }, _) => {
            match values.iter().find(|value| wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(value.trim()))) {
                Some(found) => said(fact, answer, format!("{place}: {}", found.trim())),
                None => Said::Nothing,
            }
        }
        (Says::Itself | Says::Filled(_), None) => Said::Nothing,
    }
}

/// A value of the fact's kind; none where the text is not one.
pub fn parse(fact: &FactBinding, text: &str) -> Option<Value> {
    match fact.kind {
        Kind::Word => Some(Value::Word(text.trim().to_lowercase())),
        Kind::Instant => expiry::instant(text, fact.day).map(Value::Instant),
    }
}

/// A field's value as texts: the helpdesk gives text, number, list, true/false or null.
fn texts(value: &Json) -> Vec<String> {
    match value {
        Json::Null | Json::Object(_) | Json::Bool(false) => Vec::new(),
        Json::Bool(true) => vec!["yes".into()],
        Json::Number(number) => vec![number.to_string()],
        Json::String(text) => vec![text.clone()],
        Json::Array(values) => values.iter().flat_map(texts).collect(),
    }
}
