//! Table tests beside a policy: facts in, verdict out.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value as Json;
use toml::Spanned;

use crate::decide::facts::fact::{Trust, cited};
use crate::decide::facts::gather::Stated;
use crate::decide::facts::source::{self, Source};
use crate::decide::facts::sources::Ids;
use crate::decide::facts::texts;
use crate::decide::judge::{self, Judged};
use crate::decide::near::nearest;
use crate::decide::policy::Policy;
use crate::decide::policy::decision::{Decision, NEEDS_FACTS, NOT_APPLICABLE};
use crate::decide::policy::fault::{Document, Fault};
use crate::decide::policy::misread;
use crate::decide::reader::Reader;
use crate::decide::ticket::{Comment, CustomField, Organization, OwnUsers, Reading, Record, Ticket, User};

/// A file of cases, `star.cases.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cases {
    /// When the cases are decided that give no time of their own.
    #[serde(deserialize_with = "instant")]
    pub now: DateTime<Utc>,
    /// The cases, in the order of the file.
    #[serde(rename = "case")]
    pub cases: Vec<Case>,
}

/// One row of the table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The rule it proves, in words.
    pub name: Spanned<String>,
    /// What must be decided.
    pub verdict: Spanned<String>,
    /// The facts that must be asked for, in this order. Absent: any.
    pub asks: Option<Vec<String>>,
    /// The tags that must be put on the ticket, in this order. Absent: any.
    pub tags: Option<Vec<String>>,
    /// When it is decided. Absent: the file's `now`.
    #[serde(default, deserialize_with = "some_instant")]
    pub now: Option<DateTime<Utc>>,
    /// Facts that stand above every other source: text, a TOML date, true or false.
    #[serde(default)]
    pub facts: BTreeMap<String, Given>,
    /// The ticket as the helpdesk's API gives it. Absent: the facts alone decide.
    pub ticket: Option<Ticket>,
    /// Its comments, oldest first.
    #[serde(default)]
    pub comments: Vec<Comment>,
    /// The requester's organisation.
    pub organization: Option<Organization>,
    /// People named in the above.
    #[serde(default)]
    pub users: Vec<User>,
    /// Values of the ticket's fields, by the policy's names for them, so that no id is needed.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// What systems of record answered, by the policy's names for the lookups.
    #[serde(default)]
    pub records: BTreeMap<String, Json>,
}

/// A case with all that is gathered for it but the policy's own part, to be decided by changed policies too.
#[derive(Debug)]
pub struct Prepared<'a> {
    /// The case.
    pub case: &'a Case,
    /// When it is decided.
    pub now: DateTime<Utc>,
    stated: Vec<Stated>,
    reading: Option<Reading>,
    ids: Ids,
}

/// A fact's value as a case gives it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Given {
    /// A word or an instant.
    Text(String),
    /// Yes or no.
    Flag(bool),
    /// An instant or a day, without quotes.
    Date(toml::value::Datetime),
}

impl std::fmt::Display for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Given::Text(text) => f.write_str(text),
            Given::Flag(true) => f.write_str("yes"),
            Given::Flag(false) => f.write_str("no"),
            Given::Date(date) => date.fmt(f),
        }
    }
}

fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    let written = Given::deserialize(deserializer)?.to_string();
    let day = |text: &str| Some(NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_time(NaiveTime::MIN).and_utc());
    let at = DateTime::parse_from_rfc3339(&written).map(|at| at.to_utc()).ok().or_else(|| day(&written));
    at.ok_or_else(|| D::Error::custom(format!("`{written}` is no instant; write it like 2026-11-24T12:00:00Z")))
}

fn some_instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    instant(deserializer).map(Some)
}

/// A case that did not end as it says.
#[derive(Debug)]
pub struct Failed<'a> {
    /// The case.
    pub case: &'a Case,
    /// What was decided instead, with its path.
    pub decision: Decision,
    /// Facts of the case that could not be used, a sentence each.
    pub problems: Vec<String>,
}

impl Cases {
    /// Reads a file of cases for a policy.
    ///
    /// # Errors
    /// Text that is not TOML, an unknown key, a verdict the policy does not have, each with its place.
    pub fn parse(text: &str, policy: &Policy) -> Result<Cases, Vec<Fault>> {
        let fault =
            |span: Range<usize>, message: String, help| Fault { document: Document::Binding, span, message, help };
        let cases: Cases = toml::from_str(text).map_err(|error| vec![misread::fault(text, &error)])?;
        let mut verdicts: Vec<&str> = policy.binding.outcomes.keys().map(|name| name.get_ref().as_str()).collect();
        verdicts.extend([NEEDS_FACTS, NOT_APPLICABLE]);
        let unknown =
            cases.cases.iter().map(|case| &case.verdict).filter(|it| !verdicts.contains(&it.get_ref().as_str()));
        let faults: Vec<Fault> = unknown
            .map(|verdict| {
                let help = nearest(verdict.get_ref(), &verdicts).map(|near| format!("did you mean `{near}`?"));
                fault(verdict.span(), format!("the policy has no verdict `{}`", verdict.get_ref()), help)
            })
            .collect();
        if faults.is_empty() { Ok(cases) } else { Err(faults) }
    }

    /// The cases that do not end as they say.
    pub fn failing<'a>(&'a self, policy: &Policy) -> Vec<Failed<'a>> {
        self.prepared(policy).iter().filter_map(|case| case.failed(policy)).collect()
    }

    /// The cases with their words read once.
    pub fn prepared<'a>(&'a self, policy: &Policy) -> Vec<Prepared<'a>> {
        self.cases.iter().map(|case| case.prepared(policy, self.now)).collect()
    }
}

impl Case {
    fn prepared(&self, policy: &Policy, now: DateTime<Utc>) -> Prepared<'_> {
        let stated = self.facts.iter().map(|(fact, value)| Stated {
            fact: fact.clone(),
            value: value.to_string(),
            source: Source::Given(source::Given::Case),
        });
        let ids = ids(policy);
        let reading = self.ticket.clone().map(|mut ticket| {
            for (name, value) in &self.fields {
                let id = ids.fields.get(name).and_then(|ids| ids.first()).copied();
                let value = Json::String(value.clone());
                ticket.custom_fields.extend(id.map(|id| CustomField { id, value }));
            }
            let records = self.records.iter().map(|(name, answer)| (name.clone(), Record::Found(answer.clone())));
            let reading = Reading {
                ticket,
                organization: self.organization.clone(),
                comments: self.comments.clone(),
                users: self.users.clone(),
                records: records.collect(),
                ..Reading::default()
            };
            let read = |reader: &Arc<Reader>| {
                reader.read(&texts::of(&reading, &OwnUsers::none(), &policy.lexicon.languages), None)
            };
            Reading { words: policy.reader().map(read), ..reading }
        });
        Prepared { case: self, now: self.now.unwrap_or(now), stated: stated.collect(), reading, ids }
    }
}

/// The policy's ids, with one made up for each field that has none.
pub(super) fn ids(policy: &Policy) -> Ids {
    let mut ids = Ids::new(&policy.binding, &Ids::default());
    let bare = ids.fields.values_mut().filter(|ids| ids.is_empty());
    bare.zip(1_u64..).for_each(|(ids, place)| ids.push(u64::MAX - place));
    ids
}

impl<'a> Prepared<'a> {
    /// The case as the bot would decide it.
    pub fn judged(&self, policy: &Policy) -> Judged {
        judge::ticket(policy, &self.ids, self.reading.as_ref(), &[], &self.stated, &OwnUsers::none(), self.now)
    }

    /// How it ends otherwise than it says; none where it ends so.
    pub fn failed(&self, policy: &Policy) -> Option<Failed<'a>> {
        let Judged { decision, problems, .. } = self.judged(policy);
        let case = self.case;
        let asked = || decision.missing.iter().map(|missing| missing.fact.as_str());
        let holds = decision.verdict == *case.verdict.get_ref()
            && case.asks.as_ref().is_none_or(|asks| asked().eq(asks.iter().map(String::as_str)))
            && case.tags.as_ref().is_none_or(|tags| decision.tags.add == *tags)
            && problems.is_empty();
        (!holds).then_some(Failed { case, decision, problems })
    }
}

impl Failed<'_> {
    /// The case's name, what was expected, what came, and the path it took, a line each.
    pub fn explained(&self) -> String {
        let Failed { case, decision, problems } = self;
        let mut lines = vec![
            case.name.get_ref().clone(),
            format!("  expected {}{}", case.verdict.get_ref(), case.asks.as_deref().map(asking).unwrap_or_default()),
        ];
        let asked: Vec<String> = decision.missing.iter().map(|missing| missing.fact.clone()).collect();
        let came = if asked.is_empty() { String::new() } else { asking(&asked) };
        lines.push(format!("  decided  {}{came}", decision.verdict));
        for answered in decision.path.iter().chain(&decision.beyond) {
            let cited = cited(answered.quote.as_deref(), &answered.source);
            let source = if answered.trust == Trust::Inferred { format!("a guess from {cited}") } else { cited };
            let value =
                if answered.value == answered.answer { String::new() } else { format!(" ({})", answered.value) };
            lines.push(format!("    {:<5} {} → {}{value}: {source}", answered.node, answered.text, answered.answer));
        }
        if let Some(node) = &decision.outcome_node {
            lines.push(format!("    {node:<5} → {}", decision.verdict));
        }
        lines.extend(decision.missing.iter().map(|missing| format!("    open  {}", missing.question)));
        lines.extend(problems.iter().map(|problem| format!("    {problem}")));
        lines.join("\n")
    }
}

fn asking(facts: &[String]) -> String {
    if facts.is_empty() { ", asking nothing".into() } else { format!(", asking {}", facts.join(", ")) }
}
