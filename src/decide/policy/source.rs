//! Where a fact is read: the sources of a binding, as written and as meant.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error};

use super::expression::{Expression, phrase};

/// One source of a fact.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "SourceText")]
pub struct SourceBinding {
    /// What is looked at, and what it says.
    pub place: Place,
    /// How it stands beside other sources.
    pub standing: Standing,
    /// What a reader must know of it, such as that a date is the organisation's and not the licence's. Absent: nothing.
    pub caveat: Option<String>,
    /// Answers that other facts must have for this source to speak. Empty: it always does.
    pub when: BTreeMap<String, String>,
    /// Answers with which it does not speak, where all of them are known. Empty: it always does.
    pub unless: BTreeMap<String, String>,
}

/// How a source stands beside other recorded ones.
///
/// Two recorded sources with different answers contradict each other, and the fact is unknown. Words of customers
/// and `otherwise` never contradict a record; nor do two instants on the same UTC day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It contradicts any other answer.
    #[default]
    Firm,
    /// It contradicts nothing: where another record differs, the first of the two in order stands.
    Yields,
    /// An instant that is the latest of several: it contradicts only a later one.
    Latest,
}

/// What a source looks at.
#[derive(Debug, Clone)]
pub enum Place {
    /// Ticket tags, any of which answers.
    Tag {
        /// The tags.
        any: Vec<String>,
        /// What they say.
        answer: String,
    },
    /// Ticket forms by name, any of which answers.
    Form {
        /// The forms.
        any: Vec<String>,
        /// What they say.
        answer: String,
    },
    /// A ticket field by name.
    Field {
        /// The field.
        name: String,
        /// What its value says.
        says: Says,
    },
    /// An organisation field by key.
    Organization {
        /// The key.
        key: String,
        /// What its value says.
        says: Says,
    },
    /// Organisation tags, any of which answers.
    OrganizationTag {
        /// The tags.
        any: Vec<String>,
        /// What they say.
        answer: String,
    },
    /// A value in the answer of a system of record.
    Lookup {
        /// The lookup, by its name in `[lookups]`.
        name: String,
        /// Where the value stands: a JSON pointer.
        pointer: String,
        /// What it says.
        says: Says,
    },
    /// A picture the customer sent since they were last asked for one.
    Image {
        /// How staff ask for it.
        asked: Vec<Pattern>,
        /// What it says.
        answer: String,
    },
    /// Whether a team is at work now, by the schedule of this name.
    Hours(String),
    /// Patterns in the customer's words; what they find is a guess.
    Text {
        /// The patterns.
        any: Vec<Pattern>,
        /// What a match says.
        answer: String,
    },
    /// What the customer's words say of when something ends; a guess.
    Dates,
    /// What the reader made of the words on the ticket; a guess.
    Reader,
    /// The policy's own word where nothing before it answered.
    Otherwise(String),
}

/// What the value of a field says about a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Says {
    /// The value is the answer.
    Itself,
    /// Any value at all gives this answer.
    Filled(String),
    /// A number above this one gives this answer.
    Above {
        /// The number that is not enough.
        limit: i64,
        /// The answer.
        answer: String,
    },
    /// One of these values gives this answer.
    OneOf {
        /// The values.
        values: Vec<String>,
        /// The answer.
        answer: String,
    },
}

impl Says {
    fn answer(&self) -> Option<&str> {
        match self {
            Says::Itself => None,
            Says::Filled(answer) | Says::Above { answer, .. } | Says::OneOf { answer, .. } => Some(answer),
        }
    }
}

/// A pattern looked for in text, without regard to capitals.
///
/// A space in it stands for any white space, for mails break their lines anywhere; ` … ` for anything within the
/// sentence.
#[derive(Debug, Clone)]
pub struct Pattern(pub Expression);

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = |error: String| D::Error::custom(format!("the pattern `{text}` cannot be used: {error}"));
        Expression::new(phrase(&text)).map(Pattern).map_err(wrong)
    }
}

/// `dates = true`
struct Dates;

impl<'de> Deserialize<'de> for Dates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match bool::deserialize(deserializer)? {
            true => Ok(Dates),
            false => Err(D::Error::custom("leave the source out instead of `dates = false`")),
        }
    }
}

/// A source as written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceText {
    tag_any: Option<Vec<String>>,
    form_any: Option<Vec<String>>,
    field: Option<String>,
    organization: Option<String>,
    organization_tag_any: Option<Vec<String>>,
    lookup: Option<String>,
    pointer: Option<String>,
    #[schemars(with = "Option<Vec<String>>")]
    image_asked_any: Option<Vec<Pattern>>,
    hours: Option<String>,
    #[schemars(with = "Option<Vec<String>>")]
    text_any: Option<Vec<Pattern>>,
    #[schemars(with = "Option<bool>")]
    dates: Option<Dates>,
    reader: Option<bool>,
    otherwise: Option<String>,
    #[serde(default, deserialize_with = "one_or_many")]
    #[schemars(with = "OneOrMany")]
    is: Vec<String>,
    above: Option<i64>,
    answer: Option<String>,
    #[serde(default)]
    standing: Standing,
    caveat: Option<String>,
    #[serde(default)]
    when: BTreeMap<String, String>,
    #[serde(default)]
    unless: BTreeMap<String, String>,
}

impl TryFrom<SourceText> for SourceBinding {
    type Error = &'static str;

    fn try_from(text: SourceText) -> Result<Self, Self::Error> {
        const PLACES: &str = "a source names exactly one place: `tag_any`, `form_any`, `field`, `organization`, \
                              `organization_tag_any`, `lookup`, `image_asked_any`, `hours`, `text_any`, \
                              `dates`, `reader` or `otherwise`";
        const ANSWER: &str = "this source needs an `answer`: what a match says";
        let answer = || text.answer.clone().ok_or(ANSWER);
        let says = || says(&text.is, text.above, text.answer.as_ref());
        if !text.is.is_empty() && text.field.is_none() && text.organization.is_none() && text.lookup.is_none() {
            return Err("`is` goes with `field`, `organization` or `lookup`");
        }
        if text.pointer.is_some() != text.lookup.is_some() {
            return Err("`lookup` and `pointer` go together: { lookup = \"…\", pointer = \"/plan/code\" }");
        }
        if text.reader == Some(false) {
            return Err("write `reader = true`, or leave the source out");
        }
        let dated = text.hours.is_some() || text.dates.is_some() || text.reader.is_some();
        let unanswered = dated || text.otherwise.is_some();
        if unanswered && text.answer.is_some() {
            return Err("this source is the answer itself; leave `answer` out");
        }
        let mut places = Vec::new();
        if let Some(any) = text.tag_any {
            places.push(Place::Tag { any, answer: answer()? });
        }
        if let Some(any) = text.form_any {
            places.push(Place::Form { any, answer: answer()? });
        }
        if let Some(any) = text.organization_tag_any {
            places.push(Place::OrganizationTag { any, answer: answer()? });
        }
        if let Some(any) = text.text_any {
            places.push(Place::Text { any, answer: answer()? });
        }
        if let Some(asked) = text.image_asked_any {
            places.push(Place::Image { asked, answer: answer()? });
        }
        if let Some(name) = text.field {
            places.push(Place::Field { name, says: says()? });
        }
        if let Some(key) = text.organization {
            places.push(Place::Organization { key, says: says()? });
        }
        if let (Some(name), Some(pointer)) = (text.lookup, text.pointer) {
            if !pointer.starts_with('/') {
                return Err("`pointer` is a JSON pointer, such as \"/plan/code\"");
            }
            places.push(Place::Lookup { name, pointer, says: says()? });
        }
        places.extend(text.hours.map(Place::Hours));
        places.extend(text.dates.map(|Dates| Place::Dates));
        places.extend(text.reader.map(|_| Place::Reader));
        places.extend(text.otherwise.map(Place::Otherwise));
        match (places.pop(), places.is_empty()) {
            (Some(place), true) => Ok(SourceBinding {
                place,
                standing: text.standing,
                caveat: text.caveat,
                when: text.when,
                unless: text.unless,
            }),
            _ => Err(PLACES),
        }
    }
}

fn says(is: &[String], above: Option<i64>, answer: Option<&String>) -> Result<Says, &'static str> {
    if let Some(limit) = above {
        let answer = answer.cloned().ok_or("this source needs an `answer`: what a number above says")?;
        return Ok(Says::Above { limit, answer });
    }
    match (is.is_empty(), answer) {
        (true, None) => Ok(Says::Itself),
        (true, Some(answer)) => Ok(Says::Filled(answer.clone())),
        (false, Some(answer)) => Ok(Says::OneOf { values: is.to_vec(), answer: answer.clone() }),
        (false, None) => Err("this source needs an `answer`: what the values in `is` say"),
    }
}

/// One text or several.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(one) => vec![one],
        OneOrMany::Many(many) => many,
    })
}

impl SourceBinding {
    /// What a match says, where that is a fixed word.
    pub fn answer(&self) -> Option<&str> {
        match &self.place {
            Place::Tag { answer, .. }
            | Place::Form { answer, .. }
            | Place::OrganizationTag { answer, .. }
            | Place::Image { answer, .. }
            | Place::Text { answer, .. }
            | Place::Otherwise(answer) => Some(answer),
            Place::Field { says, .. } | Place::Organization { says, .. } | Place::Lookup { says, .. } => says.answer(),
            Place::Hours(_) | Place::Dates | Place::Reader => None,
        }
    }

    /// Whether it reads words, so that what it finds is a guess.
    pub fn guesses(&self) -> bool {
        matches!(self.place, Place::Reader | Place::Dates) || !self.patterns().is_empty()
    }

    /// The patterns it looks for in customers' words.
    pub fn patterns(&self) -> &[Pattern] {
        match &self.place {
            Place::Text { any: patterns, .. } => patterns,
            Place::Tag { .. }
            | Place::Form { .. }
            | Place::Field { .. }
            | Place::Organization { .. }
            | Place::OrganizationTag { .. }
            | Place::Lookup { .. }
            | Place::Image { .. }
            | Place::Hours(_)
            | Place::Reader
            | Place::Dates
            | Place::Otherwise(_) => &[],
        }
    }
}
