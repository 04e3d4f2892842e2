//! Facts from what is recorded on a ticket: fields, forms, tags, organisation, systems of record.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value as Json;

use super::dated::{self, Counting, Dated, Ending};
use super::dates::Reader;
use super::fact::{Confidence, Fact, Trust, Value};
use super::hours::{Schedule, Standing};
use super::screenshot;
use super::source::{self, By, Cited, Source};
use super::words::Words;
use crate::decide::facts::expiry::Day;
use crate::decide::policy::binding::{Binding, FactBinding, Kind};
use crate::decide::policy::source::{Pattern, Place, Says};
use crate::decide::ticket::{Reading, Record, Ticket};

/// What the names a policy uses mean to one helpdesk: ids of forms and fields, and its teams' hours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ids {
    /// Ids of ticket forms.
    pub forms: BTreeMap<String, Vec<u64>>,
    /// Ids of ticket fields.
    pub fields: BTreeMap<String, Vec<u64>>,
    /// Teams' schedules.
    pub hours: BTreeMap<String, Schedule>,
}

impl Ids {
    /// A policy's own ids, with those an account gives in their stead.
    pub fn new(binding: &Binding, account: &Ids) -> Ids {
        let over = |policy: &BTreeMap<String, Vec<u64>>, account: &BTreeMap<String, Vec<u64>>| {
            policy.clone().into_iter().chain(account.clone()).collect()
        };
        Ids {
            forms: over(&binding.forms, &account.forms),
            fields: over(&binding.fields, &account.fields),
            hours: account.hours.clone(),
        }
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

/// What the sources of a fact are asked of.
pub(super) struct Asked<'a> {
    pub ids: &'a Ids,
    pub reading: &'a Reading,
    pub words: Option<&'a Words<'a>>,
    pub now: DateTime<Utc>,
    /// Which end of a day a date without a time means.
    pub day: Day,
    /// How dates are read.
    pub reader: &'a Reader,
}

impl Asked<'_> {
    /// A value of the fact's kind, as a policy writes it.
    fn parse(&self, fact: &FactBinding, text: &str) -> Option<Value> {
        match fact.kind {
            Kind::Word => word(fact, text),
            Kind::Instant => match dated::record(text, self.reader, &self.counting()) {
                Dated::Value(value, _) => Some(value),
                Dated::Unclear(..) | Dated::Not(_) | Dated::Empty => None,
            },
        }
    }

    fn counting(&self) -> Counting {
        Counting { day: self.day, now: self.now, written: self.now }
    }
}

/// What one source says.
pub(super) enum Said {
    Answer(Fact),
    Nothing,
    /// It was to answer and could not, in words.
    Unreadable(String),
    /// Words that can mean each of these, so that none is taken, and why.
    Either(String, Vec<Fact>),
    /// It can mean several moments, in words and as such.
    Unclear(String, Vec<DateTime<Utc>>),
}

/// What one source says, and the words it set aside.
pub(super) struct Asking {
    pub said: Said,
    /// What other people say there: not taken, and heard.
    pub also: Vec<Fact>,
    pub set_aside: Vec<(Cited, &'static str)>,
}

/// Asks one place.
pub(super) fn ask(place: &Place, fact: &FactBinding, asked: &Asked<'_>) -> Asking {
    match (place, asked.words) {
        (Place::Text { any, answer }, Some(words)) => {
            let found = words.find(any).and_then(|quote| Some((asked.parse(fact, answer)?, quote)));
            let said = found.map_or(Said::Nothing, |(value, quote)| guess(value, quote));
            Asking { said, also: Vec::new(), set_aside: Vec::new() }
        }
        (Place::Dates, Some(words)) => {
            // A colleague knows more than a customer.
            let (said, mut set_aside) = dated::ending(&mut words.colleagues_dates(), asked.day, asked.now);
            let (customer, others) = dated::ending(&mut words.dates(asked.now), asked.day, asked.now);
            set_aside.extend(others);
            let (said, other) = match (ends(said), ends(customer)) {
                (said @ Said::Answer(_), other) => (said, other),
                (Said::Nothing, said) => (said, Said::Nothing),
                (other, said @ Said::Answer(_)) | (said, other) => (said, other),
            };
            let also = match other {
                Said::Answer(fact) => vec![fact],
                Said::Either(_, facts) => facts,
                Said::Nothing | Said::Unreadable(_) | Said::Unclear(..) => Vec::new(),
            };
            Asking { said, also, set_aside }
        }
        _ => Asking { said: recorded(place, fact, asked), also: Vec::new(), set_aside: Vec::new() },
    }
}

/// What words say of an end, as a source says it.
fn ends(ending: Ending) -> Said {
    match ending {
        Ending::At(value, quote) => guess(value, quote),
        Ending::Unclear(why, words, values) => {
            Said::Either(why, values.into_iter().map(|value| guessed(value, words.clone())).collect())
        }
        Ending::Unreadable(why) => Said::Unreadable(why),
        Ending::Unsaid => Said::Nothing,
    }
}

/// How sure a pattern is that finds something.
const FOUND: f64 = 0.9;

fn guess(value: Value, words: Cited) -> Said {
    Said::Answer(guessed(value, words))
}

fn guessed(value: Value, Cited { quote, source }: Cited) -> Fact {
    let (at, quote, confidence) = (source.at(), Some(quote), Some(Confidence::of(FOUND)));
    Fact { value, trust: Trust::Inferred, source: *source, quote, confidence, at }
}

fn recorded(place: &Place, fact: &FactBinding, asked: &Asked<'_>) -> Said {
    let Asked { ids, reading, .. } = *asked;
    let ticket = &reading.ticket;
    let said = |answer: &str, source: Source| said(fact, answer, source, asked);
    match place {
        Place::Tag { any, answer } => match any.iter().find(|tag| ticket.tags.contains(tag)) {
            Some(tag) => said(answer, Source::Tag(tag.clone())),
            None => Said::Nothing,
        },
        Place::Form { any, answer } => {
            match any.iter().find(|name| ids.is_form(ticket.ticket_form_id, std::slice::from_ref(name))) {
                Some(form) => said(answer, Source::Form(form.clone())),
                None => Said::Nothing,
            }
        }
        Place::Field { name, says } => {
            let known = ids.fields.get(name).map(Vec::as_slice).unwrap_or_default();
            let values = ticket
                .custom_fields
                .iter()
                .filter(|field| known.contains(&field.id))
                .flat_map(|field| texts(&field.value));
            value(fact, says, values.collect(), asked, |by| Source::Field(named(name, by)))
        }
        Place::Organization { key, says } => {
            let place = |by| Source::Organization(named(key, by));
            match &reading.organization {
                Some(organization) => {
                    let values = organization.organization_fields.get(key).map(texts).unwrap_or_default();
                    value(fact, says, values, asked, place)
                }
                None if fact.kind == Kind::Instant => {
                    Said::Unreadable(format!("{}: the ticket has no organisation", place(By::Value)))
                }
                None => Said::Nothing,
            }
        }
        Place::OrganizationTag { any, answer } => {
            let tags =
                reading.organization.as_ref().map(|organization| organization.tags.as_slice()).unwrap_or_default();
            match any.iter().find(|tag| tags.contains(tag)) {
                Some(tag) => said(answer, Source::OrganizationTag(tag.clone())),
                None => Said::Nothing,
            }
        }
        Place::Lookup { name, pointer, says } => match reading.records.get(name) {
            None => Said::Nothing, // Switched off, or without the facts it needs.
            Some(Record::Failed(why) | Record::Silent(why)) => {
                Said::Unreadable(format!("{}: {why}", name.replace('_', " ")))
            }
            Some(Record::Found(answer)) => {
                let value_of = format!("{name} {}", pointer.trim_start_matches('/').replace('/', "."));
                let place = |by| Source::Lookup(named(&value_of, by));
                value(fact, says, answer.pointer(pointer).map(told).unwrap_or_default(), asked, place)
            }
        },
        Place::Image { asked, answer } => match screenshot::newest(reading, asked) {
            Some(found) => said(answer, Source::Picture(screenshot::cited(found))),
            None => Said::Nothing,
        },
        Place::Hours(team) => {
            let schedule = ids.hours.get(team);
            match schedule.and_then(|schedule| Some((schedule, schedule.standing(asked.now)?))) {
                Some((schedule, standing)) => {
                    let answer = match standing {
                        Standing::Open(_) => "yes",
                        Standing::Closed(_) => "no",
                    };
                    said(answer, Source::Hours(schedule.said(standing)))
                }
                None => Said::Nothing,
            }
        }
        Place::Otherwise(answer) => said(answer, Source::Otherwise),
        Place::Text { .. } | Place::Dates | Place::Reader => Said::Nothing,
    }
}

/// A named value, its name as people write it.
fn named(name: &str, by: By) -> source::Place {
    source::Place { name: name.replace('_', " "), by }
}

/// A recorded answer in the policy's own words.
fn said(fact: &FactBinding, answer: &str, source: Source, asked: &Asked<'_>) -> Said {
    match asked.parse(fact, answer) {
        Some(value) => Said::Answer(Fact::new(value, Trust::Recorded, source)),
        None => Said::Unreadable(format!("{source} says “{answer}”")),
    }
}

/// What the values of a field say.
fn value(
    fact: &FactBinding,
    says: &Says,
    values: Vec<Cow<'_, str>>,
    asked: &Asked<'_>,
    place: impl Fn(By) -> Source,
) -> Said {
    let filled = values.iter().find(|value| !value.trim().is_empty());
    match (says, filled) {
        (Says::Itself, Some(text)) => itself(fact, text, asked, place),
        (Says::Itself, None) if fact.kind == Kind::Instant => {
            Said::Unreadable(format!("{} is empty", place(By::Value)))
        }
        (Says::Filled(answer), Some(_)) => said(fact, answer, place(By::BeingFilled), asked),
        (Says::Above { limit, answer }, Some(number)) => {
            #[expect(clippy::cast_precision_loss, reason = "a limit is a small number")]
            let above = number.trim().parse::<f64>().is_ok_and(|number| number > *limit as f64);
            let shown = || place(By::Being(number.trim().to_owned()));
            if above { said(fact, answer, shown(), asked) } else { Said::Nothing }
        }
        (Says::OneOf { values: wanted, answer }, _) => {
            match values.iter().find(|value| wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(value.trim()))) {
                Some(found) => said(fact, answer, place(By::Being(found.trim().to_owned())), asked),
                None => Said::Nothing,
            }
        }
        (Says::Itself | Says::Filled(_) | Says::Above { .. }, None) => Said::Nothing,
    }
}

/// What a value says that is the answer itself.
fn itself(fact: &FactBinding, text: &str, asked: &Asked<'_>, place: impl Fn(By) -> Source) -> Said {
    let answer = |value: Value, by: By| Said::Answer(Fact::new(value, Trust::Recorded, place(by)));
    let shown: String = text.trim().chars().take(LONGEST_SHOWN).collect();
    let says = |what: &str| format!("{} says “{shown}”, {what}", place(By::Value));
    match fact.kind {
        Kind::Word => match word(fact, text) {
            Some(value) => answer(value, By::Value),
            None => Said::Unreadable(says("which is not what it must look like")),
        },
        Kind::Instant => match dated::record(text, asked.reader, &asked.counting()) {
            Dated::Value(value, None) => answer(value, By::Value),
            Dated::Value(value, Some(_)) => answer(value, By::Being(shown)),
            Dated::Unclear(why, moments) => Said::Unclear(says(&why), moments),
            Dated::Not(why) => Said::Unreadable(says(&why)),
            Dated::Empty => Said::Unreadable(format!("{} is empty", place(By::Value))),
        },
    }
}

/// How much of a value is shown, characters.
const LONGEST_SHOWN: usize = 40;

/// The word that a text is; none where it does not look like one of the fact's.
pub(super) fn word(fact: &FactBinding, text: &str) -> Option<Value> {
    let word = text.trim().to_lowercase();
    let whole = |found: regex::Match<'_>| found.start() == 0 && found.end() == word.len();
    let fits = |pattern: &Pattern| pattern.0.regex().and_then(|regex| regex.find(&word)).is_some_and(whole);
    fact.pattern.as_ref().is_none_or(fits).then_some(Value::Word(word))
}

/// A field's value as texts: the helpdesk gives text, number, list, true/false or null.
fn texts(value: &Json) -> Vec<Cow<'_, str>> {
    match value {
        Json::Null | Json::Object(_) | Json::Bool(false) => Vec::new(),
        Json::Bool(true) => vec!["yes".into()],
        Json::Number(number) => vec![number.to_string().into()],
        Json::String(text) => vec![text.into()],
        Json::Array(values) => values.iter().flat_map(texts).collect(),
    }
}

/// A system of record's value as texts: there, false is an answer.
fn told(value: &Json) -> Vec<Cow<'_, str>> {
    value.as_bool().map_or_else(|| texts(value), |told| vec![told.to_string().into()])
}
