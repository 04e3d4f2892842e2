//! One past ticket, brought back to the time at which it is decided.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value as Json;

use super::rewind::{self, Audit};
use crate::decide::facts::gather::Stated;
use crate::decide::facts::replies::{self, Says};
use crate::decide::facts::source::{Given, Source};
use crate::decide::note;
use crate::decide::policy::Policy;
use crate::decide::policy::decision::NEEDS_FACTS;
use crate::decide::policy::language::Language;
use crate::decide::ticket::{Comment, CustomField, Organization, OwnUsers, Reading, Record, Ticket, User};

/// One line of a file of past tickets: a ticket by itself, a ticket with what is known besides, or a page of an
/// incremental export; all in one shape, so that a line is read once.
#[derive(Debug, Default, Deserialize)]
struct Written {
    /// The line's own id, or by itself the ticket's number.
    #[serde(default)]
    id: Json,
    /// When it is decided. Absent: at its STAR moment, else when it last changed.
    #[serde(default)]
    now: Option<DateTime<Utc>>,
    #[serde(default)]
    ticket: Option<Ticket>,
    #[serde(default)]
    comments: Option<Vec<Comment>>,
    #[serde(default)]
    organization: Option<Organization>,
    #[serde(default)]
    users: Option<Vec<User>>,
    #[serde(default)]
    records: Option<BTreeMap<String, Record>>,
    #[serde(default)]
    audits: Option<Vec<Audit>>,
    #[serde(default)]
    facts: Option<BTreeMap<String, Json>>,
    /// What managers decided, where the file says so in words of its own.
    #[serde(default, alias = "expect")]
    decided: Option<String>,
    /// A page's tickets.
    #[serde(default)]
    tickets: Option<Vec<Ticket>>,
    /// A page's organisations.
    #[serde(default)]
    organizations: Option<Vec<Organization>>,
    // A ticket by itself: the keys of [`Ticket`].
    #[serde(default)]
    subject: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    tags: Option<Vec<String>>,
    #[serde(default)]
    ticket_form_id: Option<u64>,
    #[serde(default)]
    organization_id: Option<u64>,
    #[serde(default)]
    requester_id: Option<u64>,
    #[serde(default)]
    assignee_id: Option<u64>,
    #[serde(default)]
    custom_fields: Option<Vec<CustomField>>,
    #[serde(default)]
    comment_count: Option<usize>,
    #[serde(default)]
    created_at: Option<DateTime<Utc>>,
    #[serde(default)]
    updated_at: Option<DateTime<Utc>>,
}

impl Written {
    /// The ticket that the line is by itself.
    fn bare(&mut self) -> Result<Ticket, String> {
        Ok(Ticket {
            id: self.id.as_u64().ok_or("this line is not a ticket: it has no id and no ticket")?,
            subject: self.subject.take().unwrap_or_default(),
            description: self.description.take().unwrap_or_default(),
            status: self.status.take().unwrap_or_default(),
            tags: self.tags.take().unwrap_or_default(),
            ticket_form_id: self.ticket_form_id,
            organization_id: self.organization_id,
            requester_id: self.requester_id,
            assignee_id: self.assignee_id,
            custom_fields: self.custom_fields.take().unwrap_or_default(),
            comment_count: self.comment_count,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

/// A past ticket as it was at its own time.
#[derive(Debug)]
pub struct Past {
    /// Its number, or the line's own id.
    pub id: String,
    /// When it is decided.
    pub now: DateTime<Utc>,
    /// What could be read of it then, without the verdict it bears now.
    pub reading: Reading,
    /// Facts given with it.
    pub stated: Vec<Stated>,
    /// What managers did, where that is known.
    pub call: Option<Call>,
}

/// What managers did about a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// They gave this verdict, or left the one that stood.
    Was(String),
    /// They refused this verdict, and which they gave instead is not known.
    WasNot(String),
}

/// What of the policies bears on how a past ticket is read.
#[derive(Debug)]
pub struct Marks {
    /// Tags that star a ticket.
    pub star: Vec<String>,
    /// The verdict each verdict tag stands for.
    verdicts: BTreeMap<String, String>,
    /// How quotes look.
    languages: Vec<Language>,
}

impl Marks {
    /// The marks of one policy or of two; where both use a tag, it stands for the first one's verdict, and quotes look as
    /// the first one says.
    pub fn of(star: Vec<String>, policies: &[&Policy]) -> Marks {
        let mut verdicts = BTreeMap::new();
        for (name, outcome) in policies.iter().flat_map(|policy| &policy.binding.outcomes) {
            for tag in &outcome.add_tags {
                verdicts.entry(tag.clone()).or_insert_with(|| name.get_ref().clone());
            }
        }
        let languages = policies.first().map(|policy| policy.lexicon.languages.clone()).unwrap_or_default();
        Marks { star, verdicts, languages }
    }
}

/// Reads one line: a ticket by itself, a ticket with what is known besides, or a page of many.
///
/// # Errors
/// In one sentence: text that is none of these, or a ticket without any time.
pub fn read(line: &[u8], marks: &Marks) -> Result<Vec<Past>, String> {
    let mut written: Written =
        serde_json::from_slice(line).map_err(|error| format!("this line is not a ticket: {error}"))?;
    if let Some(tickets) = written.tickets.take() {
        return page(tickets, &written, marks);
    }
    let ticket = match written.ticket.take() {
        Some(ticket) => ticket,
        None => written.bare()?,
    };
    Ok(vec![past(written, ticket, marks)?])
}

fn page(tickets: Vec<Ticket>, page: &Written, marks: &Marks) -> Result<Vec<Past>, String> {
    let organizations = page.organizations.as_deref().unwrap_or_default();
    let one = |ticket: Ticket| {
        let organization = organizations.iter().find(|known| Some(known.id) == ticket.organization_id).cloned();
        past(Written { organization, ..Written::default() }, ticket, marks)
    };
    tickets.into_iter().map(one).collect()
}

fn past(written: Written, mut ticket: Ticket, marks: &Marks) -> Result<Past, String> {
    let id = written.id.as_str().map_or_else(|| ticket.id.to_string(), str::to_owned);
    let audits = written.audits.unwrap_or_default();
    let starred = rewind::tagged_at(&audits, &marks.star);
    let Some(now) = written.now.or(starred).or(ticket.updated_at).or(ticket.created_at) else {
        return Err(format!("ticket {id} has no time at which it could be decided: give it updated_at or now"));
    };
    let mut comments = written.comments.unwrap_or_default();
    comments.sort_by_key(|comment| comment.created_at); // Stable: without dates the order given stays.
    let records = written.records.unwrap_or_default();
    let mut reading = Reading {
        ticket: Ticket::default(),
        organization: written.organization,
        comments,
        users: written.users.unwrap_or_default(),
        records,
        ..Reading::default()
    };
    leave_out_our_notes(&mut reading);
    let call = written.decided.map(Call::Was).or_else(|| called(&ticket, &reading, marks));
    if audits.is_empty() {
        // Nothing tells when it was closed, and a ticket that is starred is open.
        if matches!(ticket.status.to_lowercase().as_str(), "solved" | "closed") {
            ticket.status = "open".into();
        }
    } else {
        rewind::undo(&mut ticket, &audits, now);
        reading.comments.retain(|comment| comment.created_at.is_none_or(|at| at <= now));
    }
    ticket.tags.retain(|tag| !marks.verdicts.contains_key(tag));
    reading.ticket = ticket;
    Ok(Past { id, now, reading, stated: stated(written.facts.unwrap_or_default()), call })
}

/// Our own notes show how to reply, and are no replies.
fn leave_out_our_notes(reading: &mut Reading) {
    if reading.comments.iter().all(|comment| comment.public) {
        return;
    }
    let ours = |comment: &&Comment| !comment.public && note::reference(comment.text()).is_some();
    let bots: BTreeSet<Option<u64>> = reading.comments.iter().filter(ours).map(|comment| comment.author_id).collect();
    reading.comments.retain(|comment| comment.public || !bots.contains(&comment.author_id));
}

/// The verdict whose tag a ticket bears in the end, unless the managers' last word was against it.
fn called(ticket: &Ticket, reading: &Reading, marks: &Marks) -> Option<Call> {
    let mut borne = ticket.tags.iter().filter_map(|tag| marks.verdicts.get(tag));
    let verdict = borne.rfind(|verdict| *verdict != NEEDS_FACTS)?.clone();
    let internal = reading.comments.iter().any(|comment| !comment.public);
    let replies = if internal { replies::read(reading, &OwnUsers::none(), &marks.languages) } else { Vec::new() };
    let last = replies.iter().rev().find(|reply| matches!(reply.says, Says::Agree | Says::Disagree(_)));
    Some(match last.map(|reply| &reply.says) {
        Some(Says::Disagree(_)) => Call::WasNot(verdict),
        _ => Call::Was(verdict),
    })
}

fn stated(facts: BTreeMap<String, Json>) -> Vec<Stated> {
    let one = |(fact, value)| {
        let value = match value {
            Json::Null => return None,
            Json::String(text) => text,
            Json::Bool(true) => "yes".into(),
            Json::Bool(false) => "no".into(),
            Json::Number(_) | Json::Array(_) | Json::Object(_) => value.to_string(),
        };
        Some(Stated { fact, value, source: Source::Given(Given::Line) })
    };
    facts.into_iter().filter_map(one).collect()
}
