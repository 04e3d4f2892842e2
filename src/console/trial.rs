//! "Try it": a verdict on what is given, at once; the one place where the console decides, and nothing is written.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use chrono::Utc;

use super::Shared;
use super::account_ids::Chosen;
use super::answers;
use super::page::{Filled, Frame, Problem, html};
use super::session::Session;
use super::ticket::Decision;
use crate::decide::facts::gather::{self, Stated};
use crate::decide::facts::source::{Given, Source};
use crate::decide::facts::sources::Ids;
use crate::decide::judge;
use crate::decide::line::Line;
use crate::decide::note;
use crate::decide::policy::Policy;
use crate::decide::policy::binding::Kind;
use crate::decide::ticket::OwnUsers;

struct Field {
    name: String,
    question: String,
    answers: Vec<String>,
    instant: bool,
    given: String,
}

#[derive(Template)]
#[template(path = "trial.html", config = "src/console/askama.toml")]
struct Page {
    frame: Frame,
    problem: Option<String>,
    shown: Option<Decision>,
    facts: Vec<Field>,
    whose: Chosen,
    ticket: String,
}

pub(super) async fn blank(State(room): State<Shared>, session: Session) -> Result<Response, Problem> {
    let facts = fields(&room.console.rule.now(), |_| String::new());
    let frame = Frame::new(&session, "Try it", "/try");
    let whose = room.console.ids.unasked();
    html(&Page { frame, problem: None, shown: None, facts, whose, ticket: String::new() })
}

pub(super) async fn decide(State(room): State<Shared>, filled: Filled) -> Result<Response, Problem> {
    let policy = room.console.rule.now();
    let facts = fields(&policy, |fact| filled.field(&format!("fact.{fact}")).to_owned());
    let whose = room.console.ids.chosen(filled.field("account"))?;
    let (shown, problem) = match tried(&room, &whose, &filled).await? {
        Ok(shown) => (Some(shown), None),
        Err(problem) => (None, Some(problem)),
    };
    let frame = Frame::new(&filled.session, "Try it", "/try");
    html(&Page { frame, problem, shown, facts, whose, ticket: filled.field("ticket").to_owned() })
}

/// The verdict on what was filled in, or in one sentence what is wrong with it.
async fn tried(room: &Shared, whose: &Chosen, filled: &Filled) -> Result<Result<Decision, String>, Problem> {
    let (policy, chart) = room.chart()?;
    let mut line = match Line::read(filled.field("ticket")) {
        Ok(line) => line,
        Err(error) => return Ok(Err(format!("This is not a ticket: {error}."))),
    };
    let now = line.now.unwrap_or_else(Utc::now);
    let mut stated = match line.stated(&policy) {
        Ok(stated) => stated,
        Err(problem) => return Ok(Err(problem)),
    };
    for (name, value) in filled.fields() {
        let Some(fact) = name.strip_prefix("fact.") else { continue };
        let one = Stated { fact: fact.into(), value: value.into(), source: Source::Given(Given::Form) };
        if let Err(problem) = gather::usable(&policy, &one, now) {
            return Ok(Err(problem));
        }
        stated.push(one);
    }
    let mut reading = line.reading();
    let ids = Ids::new(&policy.binding, &whose.ids());
    room.read(&policy, &ids, &whose.account, &mut reading, now).await?;
    let judged = judge::ticket(&policy, &ids, reading.as_ref(), &[], &stated, &OwnUsers::none(), now);
    let note = note::write(&judged.subject(&policy, &ids, reading.as_ref(), now));
    Ok(Ok(Decision::of(&judged.decision, note.text(), &policy, &chart)))
}

/// A field for each fact the policy has a question for, those the chart asks for first; the others are for the note, or
/// follow from these.
fn fields(policy: &Policy, given: impl Fn(&str) -> String) -> Vec<Field> {
    let mut facts: Vec<_> = policy.binding.facts.iter().filter(|(_, fact)| fact.question.is_some()).collect();
    let place = |name: &str| policy.asked().position(|asked| asked == name).unwrap_or(usize::MAX);
    facts.sort_by_key(|(name, _)| place(name.get_ref()));
    let field = |name: &str, fact: &crate::decide::policy::binding::FactBinding| Field {
        name: name.to_owned(),
        question: fact.question.clone().unwrap_or_else(|| name.replace('_', " ")),
        answers: answers::fixed(policy, name),
        instant: fact.kind == Kind::Instant,
        given: given(name),
    };
    facts.into_iter().map(|(name, fact)| field(name.get_ref(), fact)).collect()
}
