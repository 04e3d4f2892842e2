//! What a decision is.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::decide::facts::fact::{Confidence, Trust};
use crate::decide::facts::source::{CitedDocument, Source, cited};

/// The verdict of a ticket whose open questions still matter.
pub const NEEDS_FACTS: &str = "needs_facts";

/// The verdict of a ticket the policy does not speak of.
pub const NOT_APPLICABLE: &str = "not_applicable";

/// What was decided, and why; its JSON is part of the public surface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Decision {
    /// An outcome of the policy, [`NEEDS_FACTS`] or [`NOT_APPLICABLE`].
    pub verdict: String,
    /// What the suggested answers lead to; a dismissal only where nothing speaks against one.
    pub likely: Option<String>,
    /// Every outcome that some answer to the unknown questions could still reach.
    pub possible: Vec<String>,
    /// The node whose outcome the verdict is, where it is one node.
    pub outcome_node: Option<String>,
    /// The weakest trust along the path; none where nothing was answered.
    pub trust: Option<Trust>,
    /// The answered questions, in the order of the walk, up to the first open one.
    pub path: Vec<Answered>,
    /// Answered questions met past an open one: every branch was followed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beyond: Vec<Answered>,
    /// Every node on the way, for the picture.
    pub walked: Vec<String>,
    /// What a manager is asked, in this order: at most two questions.
    pub missing: Vec<Missing>,
    /// What speaks against a dismissal.
    #[serde(default)]
    pub against: Vec<Against>,
    /// The answers that `star: yes` takes, by fact; empty where nothing is proposed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub proposal: BTreeMap<String, String>,
    /// Why the ticket is not understood: `written in Korean, which I cannot read`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub illegible: Option<String>,
    /// What a person does after the outcome.
    pub tasks: Vec<String>,
    /// Which handbook case it is; for the note only.
    pub workflow: Option<String>,
    /// The first instant at which the passing of time alone could change the verdict.
    pub valid_until: Option<DateTime<Utc>>,
    /// Which vectors the words were read by: `built-in`, or a server's model. Absent: there were none to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reader: Option<String>,
    /// How the ticket's tags should change.
    pub tags: TagChange,
    /// The policy's content hash: `sha256:` and 64 hex digits.
    pub policy: String,
}

/// One answered question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Answered {
    /// The node that asks.
    pub node: String,
    /// Its text in the diagram.
    pub text: String,
    /// The fact it asks for.
    pub fact: String,
    /// The answer: `yes`, `no`, or one of a choice.
    pub answer: String,
    /// The fact's value: the answer itself, or an instant.
    pub value: String,
    /// How far it can be trusted.
    pub trust: Trust,
    /// Where it was read; in JSON its words.
    #[serde(flatten, with = "cited")]
    #[schema(value_type = CitedDocument)]
    pub source: Source,
    /// For words: what was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
}

/// Something that speaks against a dismissal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Against {
    /// The fact.
    pub fact: String,
    /// Its value: an answer, an instant, or a span of time.
    pub value: String,
    /// How far it can be trusted.
    pub trust: Trust,
    /// Where it was read; in JSON its words.
    #[serde(flatten, with = "cited")]
    #[schema(value_type = CitedDocument)]
    pub source: Source,
    /// For words: what was said.
    pub quote: Option<String>,
    /// For words: how sure it is that they say so, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    pub confidence: Option<Confidence>,
}

/// One open question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Missing {
    /// The fact it asks for.
    pub fact: String,
    /// How a manager is asked for it.
    pub question: String,
    /// What the ticket says, where that may not decide by itself.
    pub suggested: Option<String>,
    /// What each answer could still lead to.
    pub leads_to: LeadsTo,
    /// Whether knowing it would settle the verdict, whatever the answer.
    #[serde(skip)]
    pub settles: bool,
}

/// What the answers to a question could still lead to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum LeadsTo {
    /// By the word that answers.
    Words(BTreeMap<String, Vec<String>>),
    /// By stretches of time that follow each other and leave none out.
    Stretches(Vec<Stretch>),
}

/// A stretch of time within which every answer leads to the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Stretch {
    /// Its first moment; none where it has no beginning.
    pub from: Option<DateTime<Utc>>,
    /// The first moment after it; none where it has no end.
    pub until: Option<DateTime<Utc>>,
    /// What an answer within it could still lead to.
    pub outcomes: Vec<String>,
}

impl LeadsTo {
    /// The outcomes of each answer or stretch.
    pub fn outcomes(&self) -> impl Iterator<Item = &Vec<String>> {
        let (words, stretches) = match self {
            LeadsTo::Words(words) => (Some(words.values()), None),
            LeadsTo::Stretches(stretches) => (None, Some(stretches.iter().map(|stretch| &stretch.outcomes))),
        };
        words.into_iter().flatten().chain(stretches.into_iter().flatten())
    }
}

/// Tags to put on a ticket and to take away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TagChange {
    /// Not there yet.
    pub add: Vec<String>,
    /// Another verdict's.
    pub remove: Vec<String>,
}
