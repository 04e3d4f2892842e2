//! One line of `decide --each`, and what is decided on it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use utoipa::ToSchema;

use crate::decide::facts::fact::{Confidence, Fact, Finding, Trust};
use crate::decide::facts::gather::Stated;
use crate::decide::facts::source::{Given, Source};
use crate::decide::facts::sources::Ids;
use crate::decide::judge::{self, Judged};
use crate::decide::policy::Policy;
use crate::decide::policy::decision::Decision;
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

/// A decision with the line's id.
#[derive(Debug, Serialize)]
pub struct Decided {
    /// The line's id.
    pub id: Json,
    /// The decision.
    #[serde(flatten)]
    pub decision: Decision,
    /// Answers that could not be used, a sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// Every fact of which something is known, on the way or not, where that is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facts: Option<BTreeMap<String, KnownFact>>,
}

/// Whether a decision is given with all facts known of its ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithFacts {
    /// It is.
    All,
    /// It is given alone.
    None,
}

/// One known fact, as a decision is given with it.
#[derive(Debug, Serialize, ToSchema)]
pub struct KnownFact {
    /// An answer, an instant, or a span of time.
    value: String,
    /// How far it can be trusted.
    trust: Trust,
    /// For words that a reader read: how sure it is, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>, minimum = 0, maximum = 1)]
    confidence: Option<Confidence>,
    /// Where it was read.
    source: String,
    /// For words: what was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    quote: Option<String>,
}

impl Decided {
    /// A judged line with its id.
    pub fn of(id: Json, judged: Judged, with: WithFacts) -> Decided {
        let known = |(name, finding): (&String, &Finding)| {
            let Fact { value, trust, confidence, source, quote, .. } = finding.known()?;
            let (value, source) = (value.to_string(), source.to_string());
            let known = KnownFact { value, trust: *trust, confidence: *confidence, source, quote: quote.clone() };
            Some((name.clone(), known))
        };
        let facts = (with == WithFacts::All).then(|| judged.facts.iter().filter_map(known).collect());
        Decided { id, decision: judged.decision, problems: judged.problems, facts }
    }
}

/// A line's ticket with what is stated, ready to be decided.
#[derive(Debug)]
pub struct Case {
    /// Comes back with the decision.
    pub id: Json,
    /// When it is decided.
    pub now: DateTime<Utc>,
    /// Facts that stand above every other source.
    pub stated: Vec<Stated>,
    /// The ticket; none where only the facts are asked.
    pub reading: Option<Reading>,
}

impl Case {
    /// Decides it.
    pub fn judge(&self, policy: &Policy, ids: &Ids) -> Judged {
        judge::ticket(policy, ids, self.reading.as_ref(), &[], &self.stated, &OwnUsers::none(), self.now)
    }

    /// The decision on it.
    pub fn decide(self, policy: &Policy, ids: &Ids, with: WithFacts) -> Decided {
        let judged = self.judge(policy, ids);
        Decided::of(self.id, judged, with)
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
            ..Reading::default()
        })
    }

    /// What there is to decide, at its own time or at `now`.
    ///
    /// # Errors
    /// In one sentence: a fact the policy does not have, or one that is not given as text.
    pub fn case(mut self, policy: &Policy, now: DateTime<Utc>) -> Result<Case, String> {
        let (id, now) = (self.own_id(), self.now.unwrap_or(now));
        let stated = self.stated(policy)?;
        Ok(Case { id, now, stated, reading: self.reading() })
    }

    /// Decides, at its own time or at `now`.
    ///
    /// # Errors
    /// See [`Line::case`].
    pub fn decide(self, policy: &Policy, ids: &Ids, now: DateTime<Utc>, with: WithFacts) -> Result<Decided, String> {
        Ok(self.case(policy, now)?.decide(policy, ids, with))
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
            Ok(Stated { fact: name.clone(), value, source: Source::Given(Given::Line) })
        };
        facts.filter(|(_, value)| !value.is_null()).map(one).collect()
    }
}
