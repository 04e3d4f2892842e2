//! A ticket as the Zendesk API gives it, cut to what the bot reads.
//!
//! Follows <https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/>. Everything but the
//! id may be missing or null; what the bot does not read is passed over.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value as Json;

use crate::decide::facts::said::Words;
use crate::decide::policy::decision::{Decision, NEEDS_FACTS};

/// A ticket of one helpdesk account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TicketKey {
    /// The account's name in `starwarden.toml`.
    pub account: String,
    /// The helpdesk's ticket number.
    pub id: u64,
}

impl std::fmt::Display for TicketKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.account, self.id)
    }
}

/// A ticket.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Ticket {
    /// The ticket number.
    pub id: u64,
    /// The subject line, a customer's words.
    #[serde(default, deserialize_with = "null_as_default")]
    pub subject: String,
    /// The first comment's text, a customer's words.
    #[serde(default, deserialize_with = "null_as_default")]
    pub description: String,
    /// `new`, `open`, `pending`, `hold`, `solved` or `closed`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub status: String,
    /// All tags.
    #[serde(default, deserialize_with = "null_as_default")]
    pub tags: Vec<String>,
    /// Which form the ticket was filed with.
    #[serde(default)]
    pub ticket_form_id: Option<u64>,
    /// The requester's organisation.
    #[serde(default)]
    pub organization_id: Option<u64>,
    /// The customer who asks.
    #[serde(default)]
    pub requester_id: Option<u64>,
    /// The engineer who has the ticket.
    #[serde(default)]
    pub assignee_id: Option<u64>,
    /// Values of custom fields by the field's id.
    #[serde(default, deserialize_with = "null_as_default")]
    pub custom_fields: Vec<CustomField>,
    /// How many comments it has, where that was asked for; the list of comments may lag behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment_count: Option<usize>,
    /// When the ticket was made.
    #[serde(default)]
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed; whole seconds, and the guard of a safe update.
    #[serde(default)]
    pub updated_at: Option<DateTime<Utc>>,
}

/// One custom field's value on a ticket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CustomField {
    /// The field's id in this helpdesk.
    pub id: u64,
    /// Its value: text, number, list, true/false or null.
    #[serde(default)]
    pub value: Json,
}

/// A comment, public or internal.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Comment {
    /// The comment's id.
    #[serde(default)]
    pub id: u64,
    /// Who wrote it.
    #[serde(default)]
    pub author_id: Option<u64>,
    /// Its text without markup, where the helpdesk gives one.
    #[serde(default)]
    pub plain_body: Option<String>,
    /// Its text.
    #[serde(default, deserialize_with = "null_as_default")]
    pub body: String,
    /// Whether the customer can read it.
    #[serde(default)]
    pub public: bool,
    /// When it was written.
    #[serde(default)]
    pub created_at: Option<DateTime<Utc>>,
    /// Files that came with it.
    #[serde(default, deserialize_with = "null_as_default")]
    pub attachments: Vec<Attachment>,
}

impl Comment {
    /// The comment's text, without markup where the helpdesk gives it so.
    pub fn text(&self) -> &str {
        self.plain_body.as_deref().unwrap_or(&self.body)
    }
}

/// A file that came with a comment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its name, a customer's words.
    #[serde(default, deserialize_with = "null_as_default")]
    pub file_name: String,
    /// Its media type, `image/png`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub content_type: String,
}

/// A person known to the helpdesk.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// The user's id.
    pub id: u64,
    /// Their name.
    #[serde(default, deserialize_with = "null_as_default")]
    pub name: String,
    /// What they may do in the helpdesk.
    #[serde(default, deserialize_with = "null_as_default")]
    pub role: Role,
}

/// What a user may do in the helpdesk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Staff.
    Agent,
    /// Staff who may configure the helpdesk.
    Admin,
    /// A customer, and anyone whose role is not known.
    #[default]
    #[serde(other)]
    EndUser,
}

impl Role {
    /// Whether this is staff.
    pub fn is_staff(self) -> bool {
        match self {
            Role::Agent | Role::Admin => true,
            Role::EndUser => false,
        }
    }
}

/// The requester's organisation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Organization {
    /// The organisation's id.
    #[serde(default)]
    pub id: u64,
    /// Its name, a customer's words.
    #[serde(default, deserialize_with = "null_as_default")]
    pub name: String,
    /// Its tags.
    #[serde(default, deserialize_with = "null_as_default")]
    pub tags: Vec<String>,
    /// Its own fields by key.
    #[serde(default, deserialize_with = "null_as_default")]
    pub organization_fields: serde_json::Map<String, Json>,
}

/// Everything one look at a ticket read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The ticket itself.
    pub ticket: Ticket,
    /// The requester's organisation, where there is one.
    #[serde(default)]
    pub organization: Option<Organization>,
    /// Its comments, oldest first.
    #[serde(default, deserialize_with = "null_as_default")]
    pub comments: Vec<Comment>,
    /// People named in the above.
    #[serde(default, deserialize_with = "null_as_default")]
    pub users: Vec<User>,
    /// What systems of record answered, by the policy's names for the lookups.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub records: BTreeMap<String, Record>,
    /// What a reader made of the words; none where no reader read them.
    #[serde(skip)]
    pub words: Option<Words>,
    /// What our own notes on it said, by their references, as far as that is kept.
    #[serde(skip)]
    pub notes: BTreeMap<String, Noted>,
}

/// What one of our own notes said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Noted {
    /// It gave a verdict.
    Decided,
    /// It proposed one, which follows from these answers.
    Proposed(BTreeMap<String, String>),
    /// It asked, and proposed nothing; the first fact it asked for.
    Asked(Option<String>),
}

impl Noted {
    /// What the note of a decision said.
    pub fn of(decision: &Decision) -> Noted {
        match (decision.verdict == NEEDS_FACTS, decision.proposal.is_empty()) {
            (false, _) => Noted::Decided,
            (true, false) => Noted::Proposed(decision.proposal.clone()),
            (true, true) => Noted::Asked(decision.missing.first().map(|missing| missing.fact.clone())),
        }
    }
}

/// What a system of record answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// Its answer.
    Found(Json),
    /// It gave none, and why, in words that fit behind a colon.
    Failed(String),
    /// It gave none this time, and why; asked again it may.
    Silent(String),
}

impl Reading {
    /// What `own` wrote, oldest first.
    pub fn own_comments<'a>(&'a self, own: &'a OwnUsers) -> impl DoubleEndedIterator<Item = &'a Comment> {
        self.comments.iter().filter(|comment| own.has(comment.author_id))
    }

    /// The person with this id, where the helpdesk gave them along.
    pub fn user(&self, id: u64) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    /// Whether this person is staff; somebody unknown is not.
    pub fn is_staff(&self, id: Option<u64>) -> bool {
        id.and_then(|id| self.user(id)).is_some_and(|user| user.role.is_staff())
    }
}

/// The helpdesk's users the bot is or was: what any of them wrote is its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnUsers(BTreeSet<u64>);

impl OwnUsers {
    /// Nobody.
    pub const fn none() -> OwnUsers {
        OwnUsers(BTreeSet::new())
    }

    /// Adds a user's id.
    pub fn add(&mut self, user: u64) {
        self.0.insert(user);
    }

    /// Whether this is one of them; somebody unknown is not.
    pub fn has(&self, user: Option<u64>) -> bool {
        user.is_some_and(|user| self.0.contains(&user))
    }
}

impl FromIterator<u64> for OwnUsers {
    fn from_iter<I: IntoIterator<Item = u64>>(users: I) -> OwnUsers {
        OwnUsers(users.into_iter().collect())
    }
}

/// Reads null as the type's empty value: the helpdesk gives null where nothing was filled in.
fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
