//! The text of a policy's binding, `star.toml`: what the diagram's nodes, outcomes and facts mean.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::advice::Advice;
use super::checklist::{Case, Notes, Step, Task};
use super::fault::Fault;
use super::language::Language;
pub use super::length::Span;
use super::lookup::Lookup;
use super::misread;
use super::source::{Pattern, Place, SourceBinding, SourceText};
use super::spots::Spots;
use crate::decide::facts::expiry::Day;
use crate::decide::facts::fact::{Fact, Trust};
use crate::decide::near::nearest;

/// A binding as written. [`crate::decide::policy::Policy`] is what it comes to with its diagram.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    /// The Mermaid file, relative to the binding.
    #[schemars(with = "String")]
    pub diagram: Spanned<String>,
    /// Which tickets the policy speaks of. Absent: every ticket.
    #[serde(default)]
    pub applies_to: AppliesTo,
    /// Spans of time the facts need.
    #[serde(default)]
    pub times: Times,
    /// When a ticket may be dismissed. Absent: where no answer on the way is a guess, or contradicted by words.
    pub dismissal: Option<Dismissal>,
    /// How words are read.
    #[serde(default)]
    pub reader: Reader,
    /// Ids of ticket forms by name, used where an account gives none.
    #[serde(default)]
    pub forms: BTreeMap<String, Vec<u64>>,
    /// Ids of ticket fields by name, used where an account gives none.
    #[serde(default)]
    pub fields: BTreeMap<String, Vec<u64>>,
    /// What nodes mean, by their ids in the diagram.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, NodeText>")]
    pub nodes: BTreeMap<Spanned<String>, Meaning>,
    /// The verdicts there are.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, OutcomeBinding>")]
    pub outcomes: BTreeMap<Spanned<String>, OutcomeBinding>,
    /// The facts there are and where they are read.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, FactBinding>")]
    pub facts: BTreeMap<Spanned<String>, FactBinding>,
    /// Systems of record that can be asked, by name.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Lookup>")]
    pub lookups: BTreeMap<Spanned<String>, Lookup>,
    /// How customers' words are read, by language. Absent: as the shipped policy reads them.
    #[serde(default)]
    pub languages: BTreeMap<String, Language>,
    /// Words on exits that mean yes and no, beside Yes and No. Absent: those alone.
    #[serde(default)]
    pub labels: Labels,
    /// Lines worth telling a manager that are not on the chart. Absent: none.
    #[serde(default)]
    pub advice: Advice,
    /// What notes say besides the verdict and its reasons. Absent: nothing.
    #[serde(default)]
    pub notes: Notes,
    /// The cases of the handbook, by the answers of the fact that says which it is.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Case>")]
    pub cases: BTreeMap<Spanned<String>, Case>,
    /// What people do after an outcome, by the names nodes give it.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Task>")]
    pub tasks: BTreeMap<Spanned<String>, Task>,
    /// Pages that steps link to, by name.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub links: BTreeMap<Spanned<String>, String>,
}

/// Words on exits that mean yes and no, in another language: `yes = ["Ja"]`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Labels {
    /// Words for yes.
    #[serde(default)]
    pub yes: Vec<String>,
    /// Words for no.
    #[serde(default)]
    pub no: Vec<String>,
}

impl Labels {
    /// The words for an answer, `yes` or `no`.
    pub(super) fn words(&self, answer: &str) -> &[String] {
        match answer {
            "yes" => &self.yes,
            "no" => &self.no,
            _ => &[],
        }
    }
}

/// Which tickets a policy speaks of: every named condition must hold.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct AppliesTo {
    /// Statuses it does not speak of.
    #[serde(default)]
    pub status_none: Vec<String>,
    /// Conditions by name; within one, any match is enough.
    #[serde(flatten)]
    pub conditions: BTreeMap<String, Condition>,
}

/// One condition of [`AppliesTo`].
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Tags, any of which is enough.
    #[serde(default)]
    pub tag_any: Vec<String>,
    /// Names of forms, any of which is enough.
    #[serde(default)]
    pub form_any: Vec<String>,
    /// Whether this is the star itself. Absent on all: the first that asks for tags alone is.
    #[serde(default)]
    pub star: bool,
}

/// When a ticket may be dismissed, besides that no answer on the way is a guess.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dismissal {
    /// The fact that says what the ticket is about.
    #[schemars(with = "String")]
    pub understood_by: Spanned<String>,
    /// Facts that speak against any dismissal, with the answer that does, though no node asks for them.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub against: BTreeMap<Spanned<String>, String>,
    /// How a manager is asked for an instant while one of them stands. Absent: by the fact's own question.
    pub question: Option<String>,
}

/// How words are read.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reader {
    /// Files of labelled examples, relative to the binding: `examples/*.toml`. A file's name is its language.
    #[schemars(with = "Vec<String>")]
    pub examples: Vec<Spanned<String>>,
    /// How sure a reading must be to understand a ticket, from 0 to 1.
    pub sure: f64,
    /// How sure it must be to suggest an answer.
    pub suggests: f64,
    /// How sure it must be to speak against a dismissal.
    pub against: f64,
}

impl Default for Reader {
    fn default() -> Reader {
        Reader { examples: Vec::new(), sure: 0.85, suggests: 0.5, against: 0.2 }
    }
}

impl Reader {
    /// Whether a fact is known or read surely enough to understand a ticket by it.
    pub fn understands(&self, fact: &Fact) -> bool {
        let sure = || fact.confidence.is_some_and(|confidence| confidence.share() >= self.sure);
        fact.trust > Trust::Inferred || sure()
    }
}

/// Spans of time the facts need.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Times {
    /// How long a subscription runs on after its expiry: `14d`. Absent: nothing is derived from expiry.
    #[schemars(with = "Option<String>")]
    pub grace_period: Option<Span>,
    /// The instant that the two below follow from. Absent: `expires_at`.
    pub expires: Option<String>,
    /// Whether it is past and the grace period is not. Absent: `in_grace`.
    pub in_grace: Option<String>,
    /// When the grace period ends. Absent: `grace_ends_at`.
    pub grace_ends: Option<String>,
}

impl Times {
    /// The fact that says when what was bought ends.
    pub fn expires(&self) -> &str {
        self.expires.as_deref().unwrap_or("expires_at")
    }

    /// The fact that says whether the grace period runs.
    pub fn in_grace(&self) -> &str {
        self.in_grace.as_deref().unwrap_or("in_grace")
    }

    /// The fact that says when the grace period ends.
    pub fn grace_ends(&self) -> &str {
        self.grace_ends.as_deref().unwrap_or("grace_ends_at")
    }
}

/// What one node means.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "NodeText")]
pub enum Meaning {
    /// A fact with several answers, each with its own exit.
    Choose {
        /// The fact.
        fact: Spanned<String>,
        /// The node each answer leads to.
        exits: BTreeMap<Spanned<String>, Spanned<String>>,
    },
    /// A yes-or-no fact; the exits are labelled Yes and No.
    YesNo {
        /// The fact.
        fact: Spanned<String>,
    },
    /// Whether an instant is more than a span from now; the exits are labelled Yes and No.
    MoreThan {
        /// The span.
        span: Span,
        /// The instant.
        until: Spanned<String>,
    },
    /// A yes-or-no fact that must be yes for the labelled exit to be taken.
    OnlyIf {
        /// The fact.
        fact: Spanned<String>,
        /// The outcome where it is no.
        otherwise: Spanned<String>,
    },
    /// The outcome that is reached here.
    Outcome(Spanned<String>),
    /// Something a person does, by its name.
    Task(String),
}

/// A node's entry as written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NodeText {
    #[schemars(with = "Option<String>")]
    choose: Option<Spanned<String>>,
    #[schemars(with = "Option<BTreeMap<String, String>>")]
    exits: Option<BTreeMap<Spanned<String>, Spanned<String>>>,
    #[schemars(with = "Option<String>")]
    yes_no: Option<Spanned<String>>,
    #[schemars(with = "Option<String>")]
    more_than: Option<Span>,
    #[schemars(with = "Option<String>")]
    until: Option<Spanned<String>>,
    #[schemars(with = "Option<String>")]
    only_if: Option<Spanned<String>>,
    #[schemars(with = "Option<String>")]
    otherwise: Option<Spanned<String>>,
    #[schemars(with = "Option<String>")]
    outcome: Option<Spanned<String>>,
    task: Option<String>,
}

impl TryFrom<NodeText> for Meaning {
    type Error = &'static str;

    fn try_from(text: NodeText) -> Result<Self, Self::Error> {
        match text {
            NodeText {
                choose: Some(fact),
                exits: Some(exits),
                yes_no: None,
                more_than: None,
                until: None,
                only_if: None,
                otherwise: None,
                outcome: None,
                task: None,
            } => Ok(Meaning::Choose { fact, exits }),
            NodeText {
                choose: None,
                exits: None,
                yes_no: Some(fact),
                more_than: None,
                until: None,
                only_if: None,
                otherwise: None,
                outcome: None,
                task: None,
            } => Ok(Meaning::YesNo { fact }),
            NodeText {
                choose: None,
                exits: None,
                yes_no: None,
                more_than: Some(span),
                until: Some(until),
                only_if: None,
                otherwise: None,
                outcome: None,
                task: None,
            } => Ok(Meaning::MoreThan { span, until }),
            NodeText {
                choose: None,
                exits: None,
                yes_no: None,
                more_than: None,
                until: None,
                only_if: Some(fact),
                otherwise: Some(otherwise),
                outcome: None,
                task: None,
            } => Ok(Meaning::OnlyIf { fact, otherwise }),
            NodeText {
                choose: None,
                exits: None,
                yes_no: None,
                more_than: None,
                until: None,
                only_if: None,
                otherwise: None,
                outcome: Some(outcome),
                task: None,
            } => Ok(Meaning::Outcome(outcome)),
            NodeText {
                choose: None,
                exits: None,
                yes_no: None,
                more_than: None,
                until: None,
                only_if: None,
                otherwise: None,
                outcome: None,
                task: Some(task),
            } => Ok(Meaning::Task(task)),
            _ => Err("a node has exactly one meaning: `choose` with `exits`, `yes_no`, `more_than` with `until`, \
                      `only_if` with `otherwise`, `outcome`, or `task`"),
        }
    }
}

/// One verdict.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutcomeBinding {
    /// What a manager calls it.
    pub title: String,
    /// Tags a ticket with this verdict bears, and no other.
    #[serde(default)]
    pub add_tags: Vec<String>,
    /// Whether it turns a request away; every outcome says so, or `check` refuses it.
    pub(super) dismisses: Option<bool>,
    /// What a manager does with it.
    #[serde(default)]
    pub steps: Vec<Step>,
}

impl OutcomeBinding {
    /// Whether it turns a request away: then no guess may lead to it.
    pub fn dismisses(&self) -> bool {
        self.dismisses == Some(true)
    }
}

/// One fact.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FactBinding {
    /// What sort of value it has.
    #[serde(default)]
    pub kind: Kind,
    /// For instants: which end of a day a date without a time means.
    #[serde(default)]
    pub day: Day,
    /// Known facts with which such a date means the end of its day all the same; a guess never moves a date later.
    #[serde(default)]
    pub day_ends_when: BTreeMap<String, String>,
    /// For words: what the whole value must look like. Absent: anything.
    #[schemars(with = "Option<String>")]
    pub pattern: Option<Pattern>,
    /// How a manager is asked for it.
    pub question: Option<String>,
    /// The chart's question as a note's reasons ask it, in few words; `{span}` is how far off an instant is compared with.
    /// Absent: in the chart's words.
    pub asked: Option<String>,
    /// What an answer is called, where its name does not say it well. Absent: its name.
    #[serde(default)]
    pub titles: BTreeMap<String, String>,
    /// How it reads where it is open and no answer to it would change the verdict: `trial or not`. Absent: the question.
    pub either_way: Option<String>,
    /// How an answer reads as a sentence where it settles a verdict; `otherwise` is for the policy's own word. Of an instant
    /// `ahead` and `past`, with `{away}` and `{at}` for how far off and when it is. Absent: the question and the answer.
    #[serde(default)]
    pub sentences: BTreeMap<String, String>,
    /// Words it can be besides those the diagram asks for and its other sources give: what examples may be labelled with.
    #[serde(default)]
    pub answers: Vec<String>,
    /// Where it is read, in order; the first that answers wins, unless another record contradicts it.
    #[serde(default)]
    #[schemars(with = "Vec<SourceText>")]
    pub sources: Vec<SourceBinding>,
}

/// What sort of value a fact has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `yes`, `no`, or one of a choice.
    #[default]
    Word,
    /// A moment in time.
    Instant,
}

/// A misspelt key of `[applies_to]`, which would be read as a condition and told at the table.
fn no_condition(text: &str) -> Option<Fault> {
    let keys = Spots::new(text).plain_keys("applies_to");
    let (key, span) = keys.into_iter().find(|(key, _)| key != "status_none")?;
    let help = match nearest(&key, &["status_none"]) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("write it like {key} = {{ tag_any = [\"…\"] }}"),
    };
    Some(Fault::binding(span, format!("`{key}` is no condition of which tickets the policy speaks"), help))
}

impl Binding {
    /// Reads a binding.
    ///
    /// # Errors
    /// Text that is not TOML, an unknown key, or a value of the wrong shape, with its place.
    pub fn parse(text: &str) -> Result<Binding, Fault> {
        toml::from_str(text).map_err(|error| no_condition(text).unwrap_or_else(|| misread::fault(text, &error)))
    }

    /// What a fact is where nothing answers.
    pub fn otherwise(&self, fact: &str) -> Option<&str> {
        self.fact(fact)?.sources.iter().find_map(|source| {
            let Place::Otherwise(word) = &source.place else { return None };
            Some(word.as_str())
        })
    }

    /// A fact's entry.
    pub fn fact(&self, name: &str) -> Option<&FactBinding> {
        self.facts.get(name)
    }
}
