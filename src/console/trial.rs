//! "Try it": a verdict on what is given, at once; the one place where the console decides, and nothing is written.
//!
//! What is given is a customer's words, a ticket as JSON, or the number of a ticket that is known, of which the facts are
//! taken that its newest decision was made on.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};

use super::Shared;
use super::account_ids::Chosen;
use super::answers;
use super::page::{Filled, Frame, Problem, html};
use super::session::Session;
use super::ticket::{self, Decision, FactRow};
use crate::decide::basis::Basis;
use crate::decide::facts::fact::{Fact, Facts, Finding, Spoken, Trust};
use crate::decide::facts::gather::{self, Stated};
use crate::decide::facts::source::{self, Source};
use crate::decide::facts::sources::Ids;
use crate::decide::judge;
use crate::decide::line::Line;
use crate::decide::note::{self, Subject};
use crate::decide::policy::Policy;
use crate::decide::policy::binding::Kind;
use crate::decide::policy::decision::Decision as Decided;
use crate::decide::ticket::{OwnUsers, Ticket};
use crate::store::overview::Listed;

struct Field {
    name: String,
    question: String,
    /// Each answer as it is given and as it is called.
    answers: Vec<(String, String)>,
    instant: bool,
    given: String,
}

/// What it came to.
struct Tried {
    /// What was taken for what was given.
    taken: String,
    decision: Decision,
    /// What was read, each with the words it was read in.
    read: Vec<FactRow>,
}

/// What is given.
enum Given {
    Nothing,
    /// A ticket as JSON.
    Ticket(Box<Line>),
    /// A customer's words.
    Words(String),
    /// The number of a ticket, in any account or in one.
    Number(Option<String>, u64),
}

#[derive(Template)]
#[template(path = "trial.html", config = "src/console/askama.toml")]
struct Page {
    frame: Frame,
    problem: Option<String>,
    shown: Option<Tried>,
    facts: Vec<Field>,
    whose: Chosen,
    ticket: String,
}

impl Page {
    /// Whether a single fact is said.
    fn some_given(&self) -> bool {
        self.facts.iter().any(|fact| !fact.given.is_empty())
    }
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
async fn tried(room: &Shared, whose: &Chosen, filled: &Filled) -> Result<Result<Tried, String>, Problem> {
    let (policy, chart) = room.chart()?;
    let ids = Ids::new(&policy.binding, &whose.ids());
    let (mut line, taken) = match given(filled.field("ticket")) {
        Ok(Given::Nothing) => (Line::default(), "The facts below alone."),
        Ok(Given::Ticket(line)) => (*line, "The ticket as JSON."),
        Ok(Given::Words(words)) => {
            (starred(&policy, words), "A customer's words, on a ticket that is starred and of ours.")
        }
        Ok(Given::Number(account, number)) => return known(room, account, number, filled).await,
        Err(problem) => return Ok(Err(problem)),
    };
    let now = line.now.unwrap_or_else(Utc::now);
    let mut stated = match line.stated(&policy) {
        Ok(stated) => stated,
        Err(problem) => return Ok(Err(problem)),
    };
    match filled_in(&policy, filled, now) {
        Ok(more) => stated.extend(more),
        Err(problem) => return Ok(Err(problem)),
    }
    let mut reading = line.reading();
    room.read(&policy, &ids, &whose.account, &mut reading, now).await?;
    let judged = judge::ticket(&policy, &ids, reading.as_ref(), &[], &stated, &OwnUsers::none(), now);
    let note = note::write(&judged.subject(&policy, &ids, reading.as_ref(), now));
    Ok(Ok(Tried {
        taken: taken.to_owned(),
        read: read(&policy, &judged.facts, &judged.spoken, &judged.decision),
        decision: Decision::of(&judged.decision, note.text(), &policy, &chart),
    }))
}

/// What a text is.
fn given(text: &str) -> Result<Given, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Given::Nothing);
    }
    if text.starts_with(['{', '[']) {
        let line = Line::read(text).map_err(|error| format!("This is not a ticket: {error}."))?;
        return Ok(Given::Ticket(Box::new(line)));
    }
    let number = |text: &str| text.trim_start_matches('#').parse().ok().filter(|id| i64::try_from(*id).is_ok());
    if let Some(number) = number(text) {
        return Ok(Given::Number(None, number));
    }
    // `demo/112`, or an address that ends with the number.
    if let Some((before, id)) =
        text.trim_end_matches('/').rsplit_once('/').filter(|_| !text.contains(char::is_whitespace))
        && let Some(id) = number(id)
    {
        let account = Some(before).filter(|before| !before.contains(['/', ':']));
        return Ok(Given::Number(account.map(str::to_owned), id));
    }
    Ok(Given::Words(text.to_owned()))
}

/// A starred ticket that the policy speaks of, on which the customer writes these words now.
fn starred(policy: &Policy, words: String) -> Line {
    let tags = policy.binding.applies_to.conditions.values().filter_map(|condition| condition.tag_any.first().cloned());
    let ticket = Ticket { description: words, tags: tags.collect(), created_at: Some(Utc::now()), ..Ticket::default() };
    Line { ticket: Some(ticket), ..Line::default() }
}

/// What is filled in for single facts.
fn filled_in(policy: &Policy, filled: &Filled, now: DateTime<Utc>) -> Result<Vec<Stated>, String> {
    let mut stated = Vec::new();
    for (name, value) in filled.fields() {
        let Some(fact) = name.strip_prefix("fact.") else { continue };
        let one = Stated { fact: fact.into(), value: value.into(), source: Source::Given(source::Given::Form) };
        gather::usable(policy, &one, now)?;
        stated.push(one);
    }
    Ok(stated)
}

/// The verdict on the facts that are kept of a ticket, and on what is filled in.
async fn known(
    room: &Shared,
    account: Option<String>,
    number: u64,
    filled: &Filled,
) -> Result<Result<Tried, String>, Problem> {
    let (policy, chart) = room.chart()?;
    let (store, now) = (&room.console.store, Utc::now());
    let found = store.tickets(&Listed::Number(number), 0, 100).await?.into_iter().map(|listed| listed.ticket);
    let tickets: Vec<_> =
        found.filter(|ticket| account.as_ref().is_none_or(|account| *account == ticket.account)).collect();
    let ticket = match tickets.as_slice() {
        [] => return Ok(Err(format!("No ticket {number} is known here: paste its words, or the ticket as JSON."))),
        [one] => one,
        [one, ..] => return Ok(Err(format!("Several accounts have a ticket {number}: name one, like {one}."))),
    };
    let Some(newest) = store.newest_decisions(std::slice::from_ref(ticket)).await?.pop() else {
        return Ok(Err(format!("Nothing was decided on {ticket} yet.")));
    };
    let basis: Basis = serde_json::from_str(&newest.basis).unwrap_or_default();
    let mut facts = basis.facts;
    let stated = match filled_in(&policy, filled, now) {
        Ok(stated) => stated,
        Err(problem) => return Ok(Err(problem)),
    };
    for one in stated {
        match gather::usable(&policy, &one, now) {
            Ok(value) => facts.insert(one.fact, Finding::Known(Fact::new(value, Trust::Stated, one.source))),
            Err(problem) => return Ok(Err(problem)),
        };
    }
    let spoken = Spoken::default();
    let decision = policy.decide(&facts, &spoken, now);
    let subject = Subject {
        policy: &policy,
        ids: &Ids::new(&policy.binding, &Ids::default()),
        decision: &decision,
        facts: &facts,
        spoken: &spoken,
        reading: None,
        problems: &[],
        was: None,
        reference: None,
        link: None,
        now,
    };
    Ok(Ok(Tried {
        taken: format!("The facts that are kept of {ticket}; what was said against a dismissal on it is not."),
        read: read(&policy, &facts, &spoken, &decision),
        decision: Decision::of(&decision, note::write(&subject).text(), &policy, &chart),
    }))
}

/// What was read, and in which words: what is known, and what else people said.
fn read(policy: &Policy, facts: &Facts, spoken: &Spoken, decision: &Decided) -> Vec<FactRow> {
    let mut rows = ticket::facts(facts, policy, Some(decision));
    rows.retain(|row| !row.value.is_empty());
    for (name, answers) in &spoken.answers {
        for fact in answers {
            let row = ticket::fact((name, &Finding::Known(fact.clone())), policy, None);
            if !rows.iter().any(|known| known.name == row.name && known.quote == row.quote) {
                rows.push(row);
            }
        }
    }
    rows
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
        answers: answers::fixed(policy, name)
            .into_iter()
            .map(|answer| (answer.clone(), answers::called(policy, name, &answer)))
            .collect(),
        instant: fact.kind == Kind::Instant,
        given: given(name),
    };
    facts.into_iter().map(|(name, fact)| field(name.get_ref(), fact)).collect()
}
