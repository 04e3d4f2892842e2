//! Where each fact is read, and the examples that words are read by, for people.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::Shared;
use super::answers;
use super::chart::query;
use super::page::{Frame, Problem, html};
use super::session::Session;
use crate::decide::policy::Policy;
use crate::decide::policy::source::{Pattern, Place, Says, SourceBinding, Standing};
use crate::decide::reader::example::By;

/// How many examples are shown at a time.
const EXAMPLES: usize = 50;

/// A fact with where it is read.
pub(super) struct FactShown {
    pub name: String,
    pub label: String,
    /// What is looked at, and what it says, in the order in which it counts.
    pub sources: Vec<(String, String)>,
    /// How many examples answer it.
    pub examples: usize,
    /// Where they are shown.
    pub link: String,
}

/// Every fact with where it is read, those that the chart asks for first.
pub(super) fn facts(policy: &Policy) -> Vec<FactShown> {
    let place = |name: &str| policy.asked().position(|asked| asked == name).unwrap_or(usize::MAX);
    let mut names: Vec<&str> = policy.binding.facts.keys().map(|name| name.get_ref().as_str()).collect();
    names.sort_by_key(|name| place(name));
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for fact in policy.examples.iter().flat_map(|example| example.answers.keys()) {
        *counts.entry(fact.as_str()).or_default() += 1;
    }
    let shown = |name: &str| FactShown {
        name: name.to_owned(),
        label: answers::label(policy, name),
        sources: policy.binding.fact(name).map_or_else(Vec::new, |fact| {
            fact.sources.iter().map(|source| (looked_at(source), says(policy, name, source))).collect()
        }),
        examples: counts.get(name).copied().unwrap_or_default(),
        link: format!("/policy/words?fact={}", query(name)),
    };
    names.into_iter().map(shown).collect()
}

/// What a source looks at, and when.
fn looked_at(source: &SourceBinding) -> String {
    let patterns = |any: &[Pattern]| any.iter().map(|it| it.0.text()).collect::<Vec<_>>().join(" · ");
    let mut words = match &source.place {
        Place::Tag { any, .. } => format!("Tag {}", any.join(", ")),
        Place::Form { any, .. } => format!("Form {}", any.join(", ")),
        Place::Field { name, says } => format!("Field {name}{}", is(says)),
        Place::Organization { key, says } => format!("Organisation's {}{}", key.replace('_', " "), is(says)),
        Place::OrganizationTag { any, .. } => format!("Organisation's tag {}", any.join(", ")),
        Place::Lookup { name, pointer, says } => format!("System of record {name}, {pointer}{}", is(says)),
        Place::Image { asked, .. } => format!("A picture, after staff wrote {}", patterns(asked)),
        Place::Hours(name) => format!("The schedule {name}"),
        Place::Text { any, .. } => format!("The customer's words {}", patterns(any)),
        Place::Dates => "Dates in the customer's words (a guess)".into(),
        Place::Reader => "Words, read by the examples (a guess)".into(),
        Place::Otherwise(_) => "Where nothing else says".into(),
    };
    let listed = |answers: &BTreeMap<String, String>| {
        answers.iter().map(|(fact, answer)| format!("{fact} is {answer}")).collect::<Vec<_>>().join(" and ")
    };
    if !source.when.is_empty() {
        words.push_str(&format!("; only where {}", listed(&source.when)));
    }
    if !source.unless.is_empty() {
        words.push_str(&format!("; not where {}", listed(&source.unless)));
    }
    match source.standing {
        Standing::Firm => {}
        Standing::Yields => words.push_str("; gives way to another record"),
        Standing::Latest => words.push_str("; the latest of several"),
    }
    if let Some(caveat) = &source.caveat {
        words.push_str(&format!("; {caveat}"));
    }
    words
}

/// Which values of a field count.
fn is(says: &Says) -> String {
    match says {
        Says::Itself => String::new(),
        Says::Filled(_) => ", where it is filled".into(),
        Says::Above { limit, .. } => format!(" above {limit}"),
        Says::OneOf { values, .. } => format!(" is {}", values.join(", ")),
    }
}

/// What a source says.
fn says(policy: &Policy, fact: &str, source: &SourceBinding) -> String {
    match (source.answer(), &source.place) {
        (Some(answer), _) => answers::called(policy, fact, answer),
        (None, Place::Hours(_)) => "at work or away".into(),
        (None, Place::Dates) => "the date".into(),
        (None, Place::Reader) => "what they come closest to".into(),
        (None, _) => "its value".into(),
    }
}

struct Row {
    says: String,
    by: &'static str,
    answer: String,
    language: String,
}

#[derive(Template)]
#[template(path = "words.html", config = "src/console/askama.toml")]
struct Page {
    frame: Frame,
    label: String,
    fact: String,
    languages: Vec<String>,
    language: String,
    rows: Vec<Row>,
    count: usize,
    next: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    fact: String,
    #[serde(default)]
    language: String,
    #[serde(default)]
    skip: usize,
}

/// The examples that answer a fact.
pub(super) async fn words(
    State(room): State<Shared>,
    session: Session,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let policy = room.console.rule.now();
    if policy.binding.fact(&asked.fact).is_none() {
        return Err(Problem::Missing("The policy has no such fact.".into()));
    }
    let answering = || policy.examples.iter().filter(|example| example.answers.contains_key(&asked.fact));
    let mut languages: Vec<String> = answering().map(|example| example.language.clone()).collect();
    languages.sort_unstable();
    languages.dedup();
    let chosen: Vec<_> =
        answering().filter(|example| asked.language.is_empty() || example.language == asked.language).collect();
    let row = |example: &&crate::decide::reader::example::Example| Row {
        says: example.says.clone(),
        by: match example.by {
            By::Customer => "customer",
            By::Colleague => "staff",
        },
        answer: example
            .answers
            .get(&asked.fact)
            .map(|it| answers::called(&policy, &asked.fact, it))
            .unwrap_or_default(),
        language: example.language.clone(),
    };
    let more = chosen.len() > asked.skip.saturating_add(EXAMPLES);
    let here = |skip: usize| {
        format!("/policy/words?fact={}&language={}&skip={skip}", query(&asked.fact), query(&asked.language))
    };
    html(&Page {
        frame: Frame::new(&session, "Examples", "/policy"),
        label: answers::label(&policy, &asked.fact),
        rows: chosen.iter().skip(asked.skip).take(EXAMPLES).map(row).collect(),
        count: chosen.len(),
        next: more.then(|| here(asked.skip + EXAMPLES)),
        fact: asked.fact,
        language: asked.language,
        languages,
    })
}
