//! Where something was read. Its words are made from this, and never read back.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::expiry;

/// Where an answer was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A `star:` line in an internal note.
    Note {
        /// Who wrote it.
        who: String,
        /// When, where the helpdesk says so.
        at: Option<DateTime<Utc>>,
    },
    /// An answer given at the console.
    Console {
        /// Who gave it.
        who: String,
        /// When.
        at: DateTime<Utc>,
    },
    /// A fact stated beside the ticket.
    Given(Given),
    /// A tag of the ticket.
    Tag(String),
    /// The form it was filed with.
    Form(String),
    /// A field of the ticket.
    Field(Place),
    /// A field of the requester's organisation.
    Organization(Place),
    /// A tag of the requester's organisation.
    OrganizationTag(String),
    /// A value in the answer of a system of record.
    Lookup(Place),
    /// A picture the customer sent: `dashboard.png (customer, 23 Nov)`.
    Picture(String),
    /// A team's schedule: `at work until Fri 17:00 PT`.
    Hours(String),
    /// Words on the ticket.
    Words {
        /// Whose, and where.
        by: Author,
        /// When they were written, where the helpdesk says so.
        at: Option<DateTime<Utc>>,
    },
    /// The policy's own word, where nothing on the ticket says otherwise.
    Otherwise,
    /// It follows from the expiry.
    Grace(Box<Grace>),
    /// A source with a doubt that a reader must know of.
    Doubted {
        /// Where it was read.
        source: Box<Source>,
        /// The doubt: `perhaps not this licence's own`.
        caveat: String,
    },
    /// Words alone, of a decision that was kept without what they are made of.
    Told(String),
}

/// Whose words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// The customer's, in a comment.
    Customer,
    /// The ticket's description.
    Description,
    /// The ticket's subject.
    Subject,
    /// A colleague's, in an internal note.
    Colleague(String),
}

/// Words with where they stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cited {
    /// The words.
    pub quote: String,
    /// Whose, and where.
    pub source: Box<Source>,
}

/// How a fact was stated beside the ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Given {
    /// In the line of a file or a request.
    Line,
    /// With `--fact`.
    Option,
    /// By a case.
    Case,
    /// In a form of the console, which is only tried.
    Form,
}

/// A named value and what of it answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its name, for people.
    pub name: String,
    /// What of it answered.
    pub by: By,
}

/// What of a value answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The value itself.
    Value,
    /// That there is one.
    BeingFilled,
    /// That it is this one.
    Being(String),
}

/// What the end of a grace period was reckoned from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grace {
    /// The expiry.
    pub expiry: Option<Dated>,
    /// The end of the grace, where that is known by itself.
    pub end: Option<Dated>,
    /// How long grace lasts, milliseconds.
    pub period: i64,
    /// When it was reckoned.
    pub now: DateTime<Utc>,
}

/// An instant with where it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dated {
    /// The instant.
    pub at: DateTime<Utc>,
    /// Where it was read.
    pub source: Source,
    /// For a guess: the words it was read out of.
    pub quote: Option<String>,
}

impl Source {
    /// When it was said, as far as that is known; what is given beside a ticket has no time.
    pub fn at(&self) -> Option<DateTime<Utc>> {
        match self {
            Source::Note { at, .. } | Source::Words { at, .. } => *at,
            Source::Console { at, .. } => Some(*at),
            Source::Given(_)
            | Source::Tag(_)
            | Source::Form(_)
            | Source::Field(_)
            | Source::Organization(_)
            | Source::OrganizationTag(_)
            | Source::Lookup(_)
            | Source::Picture(_)
            | Source::Hours(_)
            | Source::Otherwise
            | Source::Grace(_)
            | Source::Doubted { .. }
            | Source::Told(_) => None,
        }
    }

    /// Whether these are a colleague's words.
    pub fn is_colleague(&self) -> bool {
        matches!(self, Source::Words { by: Author::Colleague(_), .. })
    }

    /// The doubt a reader must know of.
    pub fn caveat(&self) -> Option<&str> {
        match self {
            Source::Doubted { caveat, .. } => Some(caveat),
            Source::Note { .. }
            | Source::Console { .. }
            | Source::Given(_)
            | Source::Tag(_)
            | Source::Form(_)
            | Source::Field(_)
            | Source::Organization(_)
            | Source::OrganizationTag(_)
            | Source::Lookup(_)
            | Source::Picture(_)
            | Source::Hours(_)
            | Source::Words { .. }
            | Source::Otherwise
            | Source::Grace(_)
            | Source::Told(_) => None,
        }
    }

    /// What sort of source it is, without what differs from ticket to ticket: no names of people, no values, no dates.
    pub fn sort(&self) -> String {
        match self {
            Source::Note { .. } | Source::Console { .. } | Source::Given(_) => "a manager's answer".into(),
            Source::Words { by: Author::Colleague(_), .. } => "a colleague's words".into(),
            Source::Words { .. } => "the customer's words".into(),
            Source::Grace(_) => "reckoned from the expiry".into(),
            Source::Field(Place { name, by: By::BeingFilled }) => format!("field {name} is filled"),
            Source::Field(place) => format!("field {}", place.name),
            Source::Organization(Place { name, by: By::BeingFilled }) => format!("organisation's {name} is filled"),
            Source::Organization(place) => format!("organisation's {}", place.name),
            Source::Lookup(place) => place.name.clone(),
            Source::Doubted { source, .. } => source.sort(),
            Source::Hours(_) => "the team's hours".into(),
            Source::Picture(_) => "the customer's pictures".into(),
            Source::Tag(_) | Source::Form(_) | Source::OrganizationTag(_) | Source::Otherwise | Source::Told(_) => {
                self.to_string()
            }
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::Note { who, at: Some(at) } => write!(f, "{who}, note of {}", expiry::exact(*at)),
            Source::Note { who, at: None } => write!(f, "{who}, note"),
            Source::Console { who, at } => write!(f, "{who}, console, {}", expiry::exact(*at)),
            Source::Given(Given::Line) => f.write_str("given with the ticket"),
            Source::Given(Given::Option) => f.write_str("given with --fact"),
            Source::Given(Given::Case) => f.write_str("given by the case"),
            Source::Given(Given::Form) => f.write_str("given here"),
            Source::Tag(tag) => write!(f, "tag {tag}"),
            Source::Form(form) => write!(f, "form {form}"),
            Source::Field(place) => write!(f, "field {place}"),
            Source::Organization(place) => write!(f, "organisation's {place}"),
            Source::OrganizationTag(tag) => write!(f, "organisation's tag {tag}"),
            Source::Lookup(place) => place.fmt(f),
            Source::Picture(said) | Source::Hours(said) | Source::Told(said) => f.write_str(said),
            Source::Words { by, at } => {
                match by {
                    Author::Customer => f.write_str("customer")?,
                    Author::Description => f.write_str("description")?,
                    Author::Subject => f.write_str("subject")?,
                    Author::Colleague(name) => write!(f, "{name}")?,
                }
                at.map_or(Ok(()), |at| write!(f, ", {}", at.format("%-d %b %Y")))
            }
            Source::Otherwise => f.write_str("nothing on the ticket says otherwise"),
            Source::Grace(grace) => grace.fmt(f),
            Source::Doubted { source, caveat } => write!(f, "{source}, {caveat}"),
        }
    }
}

impl std::fmt::Display for Cited {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "“{}” ({})", self.quote, self.source)
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.by {
            By::Value => f.write_str(&self.name),
            By::BeingFilled => write!(f, "{} is filled", self.name),
            By::Being(value) => write!(f, "{}: {value}", self.name),
        }
    }
}

impl std::fmt::Display for Grace {
    /// `expired 19 Nov 2026 (organisation's expiration date) + 14 days of grace`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let period = expiry::length(self.period);
        let over = |expiry: &Dated| expiry.at <= self.now;
        if let Some(expiry) = &self.expiry {
            let verb = if over(expiry) { "expired" } else { "expires" };
            write!(f, "{verb} {expiry}")?;
        }
        match (&self.expiry, &self.end) {
            (Some(_), Some(end)) => write!(f, ", grace until {end}"),
            (None, Some(end)) => write!(f, "grace until {end}"),
            (Some(expiry), None) if !over(expiry) => Ok(()), // Grace is not reckoned with before its time.
            (Some(expiry), None) => {
                write!(f, " + {period} of grace")?;
                let end = expiry.at.checked_add_signed(chrono::TimeDelta::milliseconds(self.period));
                match end.filter(|end| *end <= self.now) {
                    Some(end) => write!(f, ", which ended {}", expiry::moment(end)),
                    None => Ok(()),
                }
            }
            (None, None) => write!(f, "{period} of grace"),
        }
    }
}

impl std::fmt::Display for Dated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let day = expiry::moment(self.at);
        match &self.quote {
            Some(quote) => write!(f, "{day}, a guess from “{quote}” ({}),", self.source),
            None => write!(f, "{day} ({})", self.source),
        }
    }
}

/// A source in a decision's JSON: its words as `source`, and what they are made of as `origin`.
pub(crate) mod cited {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Source;

    #[derive(Serialize)]
    struct Written<'a> {
        source: String,
        origin: &'a Source,
    }

    #[derive(Deserialize)]
    struct Read {
        source: String,
        origin: Option<Source>,
    }

    pub(crate) fn serialize<S: Serializer>(source: &Source, serializer: S) -> Result<S::Ok, S::Error> {
        Written { source: source.to_string(), origin: source }.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Source, D::Error> {
        Read::deserialize(deserializer).map(|Read { source, origin }| origin.unwrap_or(Source::Told(source)))
    }
}

/// The same, as the API's document describes it.
#[derive(utoipa::ToSchema)]
pub struct CitedDocument {
    /// Where it was read, in words.
    #[expect(dead_code, reason = "only described")]
    source: String,
    /// What the words are made of: an object with one key, or `otherwise`.
    #[expect(dead_code, reason = "only described")]
    #[schema(value_type = Value)]
    origin: Source,
}
