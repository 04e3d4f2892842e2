//! The text of a policy's binding, `star.toml`: what the diagram's nodes, outcomes and facts mean.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::fault::{Document, Fault};

/// A binding as written. [`crate::policy::Policy`] is what it comes to with its diagram.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    /// The Mermaid file, relative to the binding.
    pub diagram: Spanned<String>,
    /// Which tickets the policy speaks of. Absent: every ticket.
    #[serde(default)]
    pub applies_to: AppliesTo,
    /// Spans of time the facts need.
    #[serde(default)]
    pub times: Times,
    /// Ids of ticket forms by name, used where an account gives none.
    #[serde(default)]
    pub forms: BTreeMap<String, Vec<u64>>,
    /// Ids of ticket fields by name, used where an account gives none.
    #[serde(default)]
    pub fields: BTreeMap<String, Vec<u64>>,
    /// What nodes mean, by their ids in the diagram.
    #[serde(default)]
    pub nodes: BTreeMap<Spanned<String>, NodeBinding>,
    /// The verdicts there are.
    #[serde(default)]
    pub outcomes: BTreeMap<Spanned<String>, OutcomeBinding>,
    /// The facts there are and where they are read.
    #[serde(default)]
    pub facts: BTreeMap<Spanned<String>, FactBinding>,
}

/// Which tickets a policy speaks of: every named condition must hold.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct AppliesTo {
    /// Statuses it does not speak of.
    #[serde(default)]
    pub status_none: Vec<String>,
    /// Conditions by name; within one, any match is enough.
    #[serde(flatten)]
    pub conditions: BTreeMap<String, Condition>,
}

/// One condition of [`AppliesTo`].
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Tags, any of which is enough.
    #[serde(default)]
    pub tag_any: Vec<String>,
    /// Names of forms, any of which is enough.
    #[serde(default)]
    pub form_any: Vec<String>,
}

/// Spans of time the facts need.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Times {
    /// How long a subscription runs on after its expiry: `14d`.
    pub grace_period: Option<Spanned<String>>,
}

/// What one node means; exactly one of its forms is given.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeBinding {
    /// A fact with several answers, each with its own exit.
    pub choose: Option<Spanned<String>>,
    /// For `choose`: the node each answer leads to.
    #[serde(default)]
    pub exits: BTreeMap<Spanned<String>, Spanned<String>>,
    /// A yes-or-no fact; the exits are labelled Yes and No.
    pub yes_no: Option<Spanned<String>>,
    /// Whether the instant `until` is more than this from now; the exits are labelled Yes and No.
    pub more_than: Option<Spanned<String>>,
    /// For `more_than`: the instant.
    pub until: Option<Spanned<String>>,
    /// A yes-or-no fact that must be yes for the labelled exit to be taken.
    pub only_if: Option<Spanned<String>>,
    /// For `only_if`: the outcome where it is no.
    pub otherwise: Option<Spanned<String>>,
    /// The outcome that is reached here.
    pub outcome: Option<Spanned<String>>,
    /// Something a person does after the outcome.
    pub task: Option<String>,
}

/// One verdict.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeBinding {
    /// What a manager calls it.
    pub title: String,
    /// Tags a ticket with this verdict bears, and no other.
    #[serde(default)]
    pub add_tags: Vec<String>,
    /// Whether it turns a request away: then no guess may lead to it.
    #[serde(default)]
    pub dismisses: bool,
}

/// One fact.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactBinding {
    /// What sort of value it has.
    #[serde(default)]
    pub kind: Kind,
    /// For instants: which end of a day a date without a time means.
    #[serde(default)]
    pub day: Day,
    /// How a manager is asked for it.
    pub question: Option<String>,
    /// Where it is read, in order; the first that answers wins.
    #[serde(default)]
    pub sources: Vec<Source>,
}

/// What sort of value a fact has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `yes`, `no`, or one of a choice.
    #[default]
    Word,
    /// A moment in time.
    Instant,
}

/// Which end of a day a date without a time means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Day {
    /// 00:00:00 UTC.
    #[default]
    Start,
    /// 23:59:59 UTC.
    End,
}

/// One place a fact can be read from. One of the first seven is given.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Ticket tags, any of which answers.
    #[serde(default)]
    pub tag_any: Vec<String>,
    /// Names of ticket forms, any of which answers.
    #[serde(default)]
    pub form_any: Vec<String>,
    /// A ticket field by name.
    pub field: Option<String>,
    /// An organisation field by key.
    pub organization: Option<String>,
    /// Organisation tags, any of which answers.
    #[serde(default)]
    pub organization_tag_any: Vec<String>,
    /// Patterns in the customer's words; what they find is a guess.
    #[serde(default)]
    pub text_any: Vec<String>,
    /// The policy's own word where nothing before it answered.
    pub otherwise: Option<String>,
    /// For fields: values that answer. Absent: with `answer` any value does, without it the value is the answer.
    #[serde(default, deserialize_with = "one_or_many")]
    pub is: Vec<String>,
    /// What a match says.
    pub answer: Option<String>,
}

fn one_or_many<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(value) => vec![value],
        OneOrMany::Many(values) => values,
    })
}

impl Binding {
    /// Reads a binding.
    ///
    /// # Errors
    /// Where the text is not TOML or has a key that is not known.
    pub fn parse(text: &str) -> Result<Binding, Fault> {
        toml::from_str(text).map_err(|error| Fault {
            document: Document::Binding,
            span: error.span().unwrap_or(0..0),
            message: error.message().to_owned(),
            help: None,
        })
    }
}
