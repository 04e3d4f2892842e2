//! A ticket as the Zendesk API gives it, cut to what the bot reads.
//!
//! Follows <https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/>. Everything but the
//! id may be missing or null; what the bot does not read is passed over.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value as Json;

use super::loose;
use super::signature::{self, Signature};
use super::text;
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
    #[serde(deserialize_with = "loose::some_id")]
    pub id: u64,
    /// The subject line, a customer's words.
    #[serde(default, deserialize_with = "words", serialize_with = "encoded")]
    pub subject: String,
    /// The first comment's text, a customer's words.
    #[serde(default, deserialize_with = "words", serialize_with = "encoded")]
    pub description: String,
    /// `new`, `open`, `pending`, `hold`, `solved` or `closed`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub status: String,
    /// All tags.
    #[serde(default, deserialize_with = "null_as_default")]
    pub tags: Vec<String>,
    /// Which form the ticket was filed with.
    #[serde(default, deserialize_with = "loose::id")]
    pub ticket_form_id: Option<u64>,
    /// The requester's organisation.
    #[serde(default, deserialize_with = "loose::id")]
    pub organization_id: Option<u64>,
    /// The customer who asks.
    #[serde(default, deserialize_with = "loose::id")]
    pub requester_id: Option<u64>,
    /// The engineer who has the ticket.
    #[serde(default, deserialize_with = "loose::id")]
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
    #[serde(deserialize_with = "loose::some_id")]
    pub id: u64,
    /// Its value: text, number, list, true/false or null.
    #[serde(default)]
    pub value: Json,
}

/// A comment, public or internal: what its author wrote on this ticket.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "WrittenComment", into = "WrittenComment")]
pub struct Comment {
    /// The comment's id.
    pub id: u64,
    /// Who wrote it; none where that is nobody we can know, such as the helpdesk itself.
    pub author_id: Option<u64>,
    /// Its own text, decoded, without what was copied from another ticket.
    text: String,
    /// Its text with markup, where the helpdesk gives one.
    pub html_body: Option<String>,
    /// Whether it bears a decision's id.
    signature: Signature,
    /// Whether the customer can read it.
    pub public: bool,
    /// When it was written.
    pub created_at: Option<DateTime<Utc>>,
    /// Files that came with it.
    pub attachments: Vec<Attachment>,
}

impl Comment {
    /// A comment with this text; all else is still to be said.
    pub fn of(text: impl Into<String>) -> Comment {
        Comment::from(WrittenComment { plain_body: Some(text.into()), ..WrittenComment::default() })
    }

    /// One with this text in HTML.
    pub fn of_html(html: impl Into<String>) -> Comment {
        Comment::from(WrittenComment { html_body: Some(html.into()), ..WrittenComment::default() })
    }

    /// What its author wrote, without markup and entities; nothing of what the helpdesk copied from another ticket.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it bears a decision's id; who wrote it is another question.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }
}

/// A comment as the helpdesk's API has it, cut to what is read.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct WrittenComment {
    #[serde(default, deserialize_with = "loose::id_or_zero")]
    id: u64,
    #[serde(default, deserialize_with = "loose::id")]
    author_id: Option<u64>,
    #[serde(default, deserialize_with = "null_as_default")]
    body: String,
    #[serde(default)]
    plain_body: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    html_body: Option<String>,
    #[serde(default)]
    public: bool,
    #[serde(default)]
    created_at: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "null_as_default")]
    attachments: Vec<Attachment>,
    #[serde(default, skip_serializing)]
    via: Json,
}

impl WrittenComment {
    /// Whether the helpdesk says that it copied the text from elsewhere: a merge, a problem's answer on its incidents, a
    /// side conversation.
    fn is_copied(&self) -> bool {
        let said = |pointer: &str| self.via.pointer(pointer).and_then(Json::as_str).unwrap_or_default();
        ["merge", "problem"].contains(&said("/source/rel")) || said("/channel").starts_with("side_conversation")
    }
}

impl From<WrittenComment> for Comment {
    fn from(written: WrittenComment) -> Comment {
        let copied = written.is_copied();
        let WrittenComment { id, author_id, body, plain_body, html_body, public, created_at, attachments, via: _ } =
            written;
        let plain = plain_body.unwrap_or(body);
        let plain = match (&html_body, plain.is_empty()) {
            (Some(html), true) => text::without_markup(html),
            (_, _) => plain,
        };
        let whole = text::decoded(plain);
        let (text, signature) = match copied {
            true => (String::new(), Signature::None),
            false => {
                let text = text::own(whole);
                // Where the text was cut, its markup shows what was cut as well.
                let marked = html_body.as_deref().filter(|html| html.contains(signature::NAME));
                let marked = marked.map(|html| text::own(text::decoded(text::without_markup(html))));
                let signature =
                    Signature::of(&text).or_else(|| marked.map_or(Signature::None, |text| Signature::of(&text)));
                (text, signature)
            }
        };
        Comment { id, author_id, text, html_body, signature, public, created_at, attachments }
    }
}

impl From<Comment> for WrittenComment {
    fn from(comment: Comment) -> WrittenComment {
        let Comment { id, author_id, text, html_body, signature: _, public, created_at, attachments } = comment;
        let text = text::encoded(&text);
        let (body, plain_body) = (text.clone(), Some(text));
        WrittenComment { id, author_id, body, plain_body, html_body, public, created_at, attachments, via: Json::Null }
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
    #[serde(deserialize_with = "loose::some_id")]
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
    #[serde(default, deserialize_with = "loose::id_or_zero")]
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
    /// Notes of the bot, which writes as `own`, oldest first.
    pub fn own_comments<'a>(&'a self, own: &'a OwnUsers) -> impl DoubleEndedIterator<Item = &'a Comment> {
        self.comments.iter().filter(|comment| own.wrote(comment))
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

/// The helpdesk's users the bot is or was.
///
/// A token may belong to a person who works tickets too, so what one of them wrote is the bot's own only where it is signed.
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

    /// Whether this is a note of the bot: by one of them, and signed.
    pub fn wrote(&self, comment: &Comment) -> bool {
        self.has(comment.author_id) && *comment.signature() != Signature::None
    }
}

impl FromIterator<u64> for OwnUsers {
    fn from_iter<I: IntoIterator<Item = u64>>(users: I) -> OwnUsers {
        OwnUsers(users.into_iter().collect())
    }
}

/// Reads a customer's words as they wrote them; null is none.
fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(text::own(text::decoded(null_as_default(deserializer)?)))
}

fn encoded<S: serde::Serializer>(words: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&text::encoded(words))
}

/// Reads null as the type's empty value: the helpdesk gives null where nothing was filled in.
fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
