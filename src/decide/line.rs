//! One line of `decide --each`, and what is decided on it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::decide::facts::gather::Stated;
use crate::decide::facts::sources::Ids;
use crate::decide::judge::{self, Judged};
use crate::decide::policy::Policy;
use crate::decide::policy::decision::Decision;
use crate::decide::policy::stated::Unstated;
use crate::decide::ticket::{Comment, Organization, OwnUsers, Reading, Record, Ticket, User};

/// A ticket with what is known besides, as `--each` and `POST /api/v1/decide` take it.
#[derive(Debug, Default, Deserialize)]
pub struct Line {
    /// Comes back with the decision. Absent: the ticket's number.
    #[serde(default)]
    pub id: Json,
    /// When it is decided. Absent: as the command says.
    #[serde(default)]
    pub now: Option<DateTime<Utc>>,
    /// The ticket as the helpdesk's API gives it. Absent: only the facts are asked.
    #[serde(default)]
    pub ticket: Option<Ticket>,
    /// Its comments, in any order.
    #[serde(default)]
    pub comments: Option<Vec<Comment>>,
    /// The requester's organisation.
    #[serde(default)]
    pub organization: Option<Organization>,
    /// People named in the above.
    #[serde(default)]
    pub users: Option<Vec<User>>,
    /// What systems of record answered, by the policy's names for the lookups.
    #[serde(default)]
    pub records: Option<BTreeMap<String, Record>>,
    /// Facts that stand above every other source.
    #[serde(default)]
    pub facts: Option<serde_json::Map<String, Json>>,
}

/// Where the facts of a line come from.
const GIVEN: &str = "given with the ticket";

/// A rule, with what of it is the same for every line.
#[derive(Debug)]
pub struct Rule<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// Its ids of forms and fields.
    pub ids: Ids,
    /// What stands where a line has no ticket and states nothing.
    pub unstated: Unstated<'a>,
}

fn judged<'a>(id: Json, judged: Judged) -> Decided<'a> {
    Decided { id, decision: judged.decision.into(), problems: judged.problems }
}

/// A decision with the line's id.
#[derive(Debug, Serialize)]
pub struct Decided<'a> {
    /// The line's id.
    pub id: Json,
    /// The decision.
    #[serde(flatten)]
    pub decision: Decision<Cow<'a, str>>,
    /// Answers that could not be used, a sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

impl Decided<'_> {
    /// Writes the JSON of this, byte for byte as serde does, and faster.
    ///
    /// # Errors
    /// None in practice: all of it can be written to memory.
    pub fn write(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        out.extend_from_slice(b"{\"id\":");
        serde_json::to_writer(&mut *out, &self.id)?;
        out.push(b',');
        self.decision.write_members(out)?;
        if !self.problems.is_empty() {
            out.extend_from_slice(b",\"problems\":");
            serde_json::to_writer(&mut *out, &self.problems)?;
        }
        out.push(b'}');
        Ok(())
    }
}

impl Line {
    /// Reads a line, or a ticket by itself; nothing where there is nothing to read.
    ///
    /// # Errors
    /// Text that is neither.
    pub fn read(text: &str) -> serde_json::Result<Line> {
        if text.trim().is_empty() {
            return Ok(Line::default());
        }
        let mut json: Json = serde_json::from_str(text)?;
        if json.get("ticket").is_none() && json.get("tags").is_some() {
            json = serde_json::json!({ "ticket": json });
        }
        serde_json::from_value(json)
    }

    /// The id that comes back with the decision.
    pub fn own_id(&self) -> Json {
        match (&self.id, &self.ticket) {
            (Json::Null, Some(ticket)) => Json::String(ticket.id.to_string()),
            (id, _) => id.clone(),
        }
    }

    /// Everything read of the ticket, comments oldest first; none without a ticket.
    pub fn reading(&mut self) -> Option<Reading> {
        let mut comments = self.comments.take().unwrap_or_default();
        comments.sort_by_key(|comment| comment.created_at); // Stable: without dates the order given stays.
        let users = self.users.take().unwrap_or_default();
        Some(Reading {
            ticket: self.ticket.take()?,
            organization: self.organization.take(),
            comments,
            users,
            records: self.records.take().unwrap_or_default(),
        })
    }

    /// Decides, at its own time or at `now`.
    ///
    /// # Errors
    /// In one sentence: a fact the policy does not have, or one that is not given as text.
    pub fn decide<'a>(&'a mut self, rule: &Rule<'a>, now: DateTime<Utc>) -> Result<Decided<'a>, String> {
        let id = self.own_id();
        let now = self.now.unwrap_or(now);
        if self.ticket.is_some() {
            let stated = self.stated(rule.policy)?;
            let reading = self.reading();
            return Ok(judged(
                id,
                judge::ticket(rule.policy, &rule.ids, reading.as_ref(), &[], &stated, &OwnUsers::none(), now),
            ));
        }
        let facts = self.facts.iter().flatten().filter(|(_, value)| !value.is_null());
        let words = facts.map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()));
        if let Some(decision) = rule.unstated.decide(words, GIVEN, now) {
            return Ok(Decided { id, decision, problems: Vec::new() });
        }
        let stated = self.stated(rule.policy)?;
        Ok(judged(id, judge::ticket(rule.policy, &rule.ids, None, &[], &stated, &OwnUsers::none(), now)))
    }

    /// The facts given with the line.
    ///
    /// # Errors
    /// See [`Line::decide`].
    pub fn stated(&self, policy: &Policy) -> Result<Vec<Stated>, String> {
        let facts = self.facts.iter().flatten();
        let one = |(name, value): (&String, &Json)| {
            if policy.binding.fact(name).is_none() {
                return Err(format!("the policy has no fact `{name}`"));
            }
            let value = match value {
                Json::String(text) => text.clone(),
                Json::Bool(true) => "yes".into(),
                Json::Bool(false) => "no".into(),
                Json::Null | Json::Number(_) | Json::Array(_) | Json::Object(_) => {
                    return Err(format!("the fact `{name}` must be given as text, such as \"yes\" or \"2026-11-30\""));
                }
            };
            Ok(Stated { fact: name.clone(), value, source: GIVEN.into() })
        };
        facts.filter(|(_, value)| !value.is_null()).map(one).collect()
    }
}
