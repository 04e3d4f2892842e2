//! What a decision is.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::decide::facts::fact::{Quote, Trust};

/// The verdict of a ticket whose open questions still matter.
pub const NEEDS_FACTS: &str = "needs_facts";

/// The verdict of a ticket the policy does not speak of.
pub const NOT_APPLICABLE: &str = "not_applicable";

/// What was decided, and why; its JSON is part of the public surface.
///
/// `S` is how its words are held: owned by itself, or borrowed from the policy and the facts for as long as it takes to
/// write them down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Decision<S = String> {
    /// An outcome of the policy, [`NEEDS_FACTS`] or [`NOT_APPLICABLE`].
    pub verdict: S,
    /// The dismissing outcome that guesses alone would have led to.
    pub likely: Option<S>,
    /// Every outcome that some answer to the unknown questions could still reach.
    pub possible: Vec<S>,
    /// The node whose outcome the verdict is, where it is one node.
    pub outcome_node: Option<S>,
    /// The weakest trust along the path; none where nothing was answered.
    pub trust: Option<Trust>,
    /// The answered questions, in the order of the walk, up to the first open one.
    pub path: Vec<Answered<S>>,
    /// Answered questions met past an open one: every branch was followed.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub beyond: Vec<Answered<S>>,
    /// Every node on the way, for the picture.
    pub walked: Vec<S>,
    /// The open questions that still matter, the most useful first.
    pub missing: Vec<Missing>,
    /// What a person does after the outcome.
    pub tasks: Vec<S>,
    /// Which handbook case it is; for the note only.
    pub workflow: Option<S>,
    /// The first instant at which the passing of time alone could change the verdict.
    pub valid_until: Option<DateTime<Utc>>,
    /// How the ticket's tags should change.
    pub tags: TagChange,
    /// The policy's content hash: `sha256:` and 64 hex digits.
    pub policy: S,
}

/// One answered question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Answered<S = String> {
    /// The node that asks.
    pub node: S,
    /// Its text in the diagram.
    pub text: S,
    /// The fact it asks for.
    pub fact: S,
    /// The answer: `yes`, `no`, or one of a choice.
    pub answer: S,
    /// The fact's value: the answer itself, or an instant.
    pub value: S,
    /// How far it can be trusted.
    pub trust: Trust,
    /// Where it was read.
    pub source: S,
    /// For a guess: the words it was read out of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<Quote>,
}

/// One open question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Missing {
    /// The fact it asks for.
    pub fact: String,
    /// How a manager is asked for it.
    pub question: String,
    /// What was guessed, where a guess may not decide.
    pub suggested: Option<String>,
    /// What each answer could still lead to; for an instant `yes` and `no` answer the node's question.
    pub leads_to: BTreeMap<String, Vec<String>>,
    /// Whether knowing it would settle the verdict, whatever the answer.
    #[serde(skip)]
    pub settles: bool,
}

/// Tags to put on a ticket and to take away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TagChange {
    /// Not there yet.
    pub add: Vec<String>,
    /// Another verdict's.
    pub remove: Vec<String>,
}

impl<S> Decision<S> {
    /// The same decision, its words held another way.
    fn map<T>(self, to: impl Fn(S) -> T) -> Decision<T> {
        let all = |words: Vec<S>| words.into_iter().map(&to).collect();
        let each = |answered: Vec<Answered<S>>| answered.into_iter().map(|answered| answered.map(&to)).collect();
        Decision {
            verdict: to(self.verdict),
            likely: self.likely.map(&to),
            possible: all(self.possible),
            outcome_node: self.outcome_node.map(&to),
            trust: self.trust,
            path: each(self.path),
            beyond: each(self.beyond),
            walked: all(self.walked),
            missing: self.missing,
            tasks: all(self.tasks),
            workflow: self.workflow.map(&to),
            valid_until: self.valid_until,
            tags: self.tags,
            policy: to(self.policy),
        }
    }
}

impl<S> Answered<S> {
    fn map<T>(self, to: impl Fn(S) -> T) -> Answered<T> {
        Answered {
            node: to(self.node),
            text: to(self.text),
            fact: to(self.fact),
            answer: to(self.answer),
            value: to(self.value),
            trust: self.trust,
            source: to(self.source),
            quote: self.quote,
        }
    }
}

impl From<Decision<Cow<'_, str>>> for Decision {
    fn from(borrowed: Decision<Cow<'_, str>>) -> Decision {
        borrowed.map(Cow::into_owned)
    }
}

impl From<Decision> for Decision<Cow<'_, str>> {
    fn from(owned: Decision) -> Self {
        owned.map(Cow::Owned)
    }
}
