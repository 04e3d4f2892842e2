//! What a manager does next, as the policy has it: the steps of a case, of an outcome, of a task, and of every note.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error};
use toml::Spanned;

/// What notes say besides the verdict and its reasons.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Notes {
    /// The fact that says which case of the handbook it is. Absent: no note tells a case.
    #[schemars(with = "Option<String>")]
    pub case: Option<Spanned<String>>,
    /// The case whose steps a note has where that fact is not known. Absent: none.
    #[schemars(with = "Option<String>")]
    pub case_unknown: Option<Spanned<String>>,
    /// Steps of every note, after all others.
    #[serde(default)]
    pub steps: Vec<Step>,
}

/// A case of the handbook.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What a manager does, and knows of it.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// Whether it asks for more time, which may be for convenience where nothing ends soon.
    #[serde(default)]
    pub asks_for_time: bool,
}

/// Something a person does, named by a node of the chart.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// How it is done.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// Whether the bot does its part of it on the STAR issue, where that is switched on.
    #[serde(default)]
    pub star_issue: bool,
}

/// One step of a checklist.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What it says; `[words](name)` is a link of `[links]`, what stands between backticks is to be typed as it is, and `{}` is
    /// what the step `tells`.
    #[schemars(with = "String")]
    pub say: Spanned<Words>,
    /// Answers that facts must have for the step to be told. Absent: none.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub when: Answers,
    /// Answers of facts, any of which hides the step. Absent: none.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub unless: Answers,
    /// Facts told with it where they are known, or [`ASSIGNEE`]; in brackets behind it where it has no `{}`.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub tells: Vec<Spanned<String>>,
    /// The steps under it.
    #[serde(default)]
    pub steps: Vec<Step>,
}

/// What `tells` calls the person who has the ticket.
pub const ASSIGNEE: &str = "assignee";

/// Answers by fact.
pub type Answers = BTreeMap<Spanned<String>, Spanned<String>>;

/// What a step says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words(pub Vec<Part>);

/// A part of what a step says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Plain words.
    Words(String),
    /// Something to be typed as it is.
    Code(String),
    /// A link.
    Link {
        /// What is read.
        words: String,
        /// Its name in `[links]`.
        to: String,
    },
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parse(&String::deserialize(deserializer)?).map(Words).map_err(D::Error::custom)
    }
}

/// Reads words with links and things to be typed.
fn parse(text: &str) -> Result<Vec<Part>, &'static str> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some(at) = rest.find(['`', '[']) {
        let (before, marked) = rest.split_at(at);
        if !before.is_empty() {
            parts.push(Part::Words(before.to_owned()));
        }
        let (part, after) = match marked.strip_prefix('`') {
            Some(code) => {
                let (code, after) = code.split_once('`').ok_or("a backtick is not closed: write `star: trial=no`")?;
                (Part::Code(code.to_owned()), after)
            }
            None => link(marked).ok_or("a bracket opens no link: write [words](name of a link)")?,
        };
        parts.push(part);
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Words(rest.to_owned()));
    }
    if parts.is_empty() { Err("a step says something") } else { Ok(parts) }
}

/// The link a text begins with, and what comes after it.
fn link(text: &str) -> Option<(Part, &str)> {
    let (words, rest) = text.strip_prefix('[')?.split_once("](")?;
    let (to, after) = rest.split_once(')')?;
    let whole = !words.is_empty() && !words.contains(['[', ']']) && !to.contains(['[', '(', ' ']);
    whole.then(|| (Part::Link { words: words.to_owned(), to: to.to_owned() }, after))
}
