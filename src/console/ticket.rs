//! One ticket: its decision, the way through the chart, its facts, its time line, and what can be done.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::Shared;
use super::answers;
use super::chart::{Chart, Shown};
use super::derived::{self, Follows};
use super::page::{Filled, Frame, Problem, html};
use super::session::{Role, Session};
use super::tickets::{link, ticket_key};
use super::time_line::{self, Happened, Kept};
use super::words;
use crate::decide::basis::Basis;
use crate::decide::facts::fact::{Fact, Finding, Trust};
use crate::decide::facts::gather::{self, Stated};
use crate::decide::facts::source::{Given, Source};
use crate::decide::policy::Policy;
use crate::decide::policy::decision::{Answered, Decision as Decided};
use crate::store::decisions::DecisionRow;
use crate::store::feedback::{Feedback, Opinion, Way};
use crate::store::follow_ups::{FollowUp, Stage};
use crate::store::operators::{Did, OperatorEvent};
use crate::store::watches::Watch;

/// A decision as pages show it.
pub(super) struct Decision {
    pub verdict: String,
    pub tone: &'static str,
    pub reference: String,
    pub carried: &'static str,
    /// As HTML.
    pub note: String,
    pub questions: Vec<Question>,
    pub way: Vec<WayStep>,
    pub chart: String,
    /// Which vectors the words were read by; none where there were none.
    pub reader: Option<String>,
    /// Whether a chart wider than its window is to be seen from its right end, where the way ends.
    pub from_right: bool,
}

pub(super) struct Question {
    pub fact: String,
    pub words: String,
    pub answers: Vec<String>,
}

pub(super) struct WayStep {
    pub text: String,
    pub answer: String,
    pub trust: &'static str,
    pub source: String,
    pub quote: Option<String>,
}

struct FactRow {
    name: String,
    value: String,
    source: String,
    quote: Option<String>,
}

/// A fact that can be stated, what holds now, and the answers there are; none where it is typed.
struct Offer {
    fact: String,
    now: String,
    answers: Vec<String>,
}

/// What follows the decision elsewhere.
struct Elsewhere {
    what: &'static str,
    stands: String,
    /// Where it can be seen.
    place: Option<String>,
    stuck: bool,
}

struct Moment {
    at: String,
    kind: &'static str,
    words: String,
    /// As HTML.
    more: String,
}

#[derive(Template)]
#[template(path = "ticket.html", config = "src/console/askama.toml")]
struct Page {
    frame: Frame,
    key: String,
    link: String,
    /// Where the ticket is at the helpdesk.
    helpdesk: Option<String>,
    subject: String,
    organization: Option<String>,
    stands: String,
    done: &'static str,
    last_error: Option<String>,
    shown: Option<Decision>,
    facts: Vec<FactRow>,
    chosen: Vec<Offer>,
    typed: Vec<Offer>,
    elsewhere: Vec<Elsewhere>,
    line: Vec<Moment>,
}

impl Page {
    /// Whether something that follows needs somebody.
    fn stuck(&self) -> bool {
        self.elsewhere.iter().any(|one| one.stuck)
    }
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    done: String,
}

impl Decision {
    pub(super) fn of(decision: &Decided, note: String, policy: &Policy, chart: &Chart) -> Decision {
        let steps = decision.path.iter().chain(&decision.beyond);
        let end = decision.outcome_node.as_ref().or(decision.walked.last());
        let questions = decision.missing.iter().map(|missing| Question {
            fact: missing.fact.clone(),
            words: missing.question.clone(),
            answers: policy.answers(&missing.fact).to_vec(),
        });
        Decision {
            verdict: words::verdict(policy, &decision.verdict),
            tone: words::tone(policy, &decision.verdict),
            reference: String::new(),
            carried: "",
            note: words::note(&note),
            questions: questions.collect(),
            way: steps.map(step).collect(),
            chart: chart.svg(&Shown { walked: &decision.walked, counts: None, link: "/decisions?node=" }),
            reader: decision.reader.clone(),
            from_right: end.is_some_and(|node| chart.is_right_of_the_middle(node)),
        }
    }
}

fn step(answered: &Answered) -> WayStep {
    WayStep {
        text: answered.text.clone(),
        answer: answered.answer.replace('_', " "),
        trust: trust(answered.trust),
        source: answered.source.to_string(),
        quote: answered.quote.as_deref().map(quoted),
    }
}

/// Words in quotation marks.
fn quoted(words: &str) -> String {
    format!("“{words}”")
}

fn trust(trust: Trust) -> &'static str {
    match trust {
        Trust::Inferred => "a guess",
        Trust::Recorded => "recorded",
        Trust::Stated => "stated",
    }
}

pub(super) async fn page(
    State(room): State<Shared>,
    session: Session,
    Path((account, id)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let ticket = ticket_key(account, &id).ok_or_else(|| Problem::Missing("This is no ticket number.".into()))?;
    let store = &room.console.store;
    let never = || Problem::Missing(format!("The bot never heard of ticket {ticket}."));
    let history = store.history(&ticket).await?.ok_or_else(never)?;
    let events = store.operators_on(&ticket).await?;
    let (follow_ups, feedback) = (store.follow_ups_of(&ticket).await?, store.feedback_of(&ticket).await?);
    let (policy, chart) = room.chart()?;
    let now = Utc::now();
    let newest = history.decisions.last();
    let basis: Basis = newest.and_then(|row| serde_json::from_str(&row.basis).ok()).unwrap_or_default();
    let decision = newest.map(decided).transpose()?;
    let shown = newest.zip(decision.as_ref()).map(|(row, decision)| stored(row, decision, &policy, &chart));
    let facts: Vec<FactRow> = basis.facts.iter().map(|known| fact(known, &policy, decision.as_ref())).collect();
    let (typed, chosen) = offers(&facts, decision.as_ref(), &policy).into_iter().partition(|it| it.answers.is_empty());
    html(&Page {
        frame: Frame::new(&session, format!("Ticket {ticket}"), "/tickets"),
        key: ticket.to_string(),
        link: link(&ticket),
        helpdesk: room.console.addresses.ticket(&ticket),
        subject: basis.subject.clone(),
        organization: basis.organization.clone(),
        stands: words::watch(&history.watch, now),
        done: told(&asked.done),
        last_error: history.last_error.clone(),
        facts,
        chosen,
        typed,
        elsewhere: follow_ups.iter().filter_map(|one| elsewhere(one, newest?, now)).collect(),
        shown,
        line: line(
            &Kept { history: &history, events: &events, follow_ups: &follow_ups, feedback: &feedback, basis: &basis },
            &policy,
            now,
        ),
    })
}

fn decided(row: &DecisionRow) -> Result<Decided, Problem> {
    serde_json::from_str(&row.decision)
        .map_err(|error| Problem::Fault(format!("the decision {} cannot be read: {error}", row.reference)))
}

/// A decision as it was stored, its note as it was posted.
fn stored(row: &DecisionRow, decision: &Decided, policy: &Policy, chart: &Chart) -> Decision {
    Decision {
        reference: row.reference.clone(),
        carried: words::carried(row.carried),
        ..Decision::of(decision, row.note.clone(), policy, chart)
    }
}

fn fact((name, finding): (&String, &Finding), policy: &Policy, decision: Option<&Decided>) -> FactRow {
    let follows = || decision.and_then(|decision| derived::follows(name, policy, decision));
    let (value, source, quote) = match finding {
        Finding::Known(Fact { value, trust: sure, source, quote, .. }) => {
            (value.to_string(), format!("{}: {source}", trust(*sure)), quote.as_deref().map(quoted))
        }
        Finding::Conflict(both) => {
            let (one, other) = both.as_ref();
            let told = |fact: &Fact| format!("{} ({}: {})", fact.value, trust(fact.trust), fact.source);
            ("sources contradict".into(), format!("{}; {}", told(one), told(other)), None)
        }
        Finding::Unknown { looked, .. } => match follows() {
            Some(Follows::Answer(answered)) => {
                let Answered { value, trust: sure, source, quote, .. } = answered;
                (value.clone(), format!("{}: {source}", trust(*sure)), quote.as_deref().map(quoted))
            }
            Some(Follows::NotAsked(why)) => ("not asked".into(), why.into(), None),
            None => ("not known".into(), looked.join("; "), None),
        },
    };
    FactRow { name: name.clone(), value, source, quote }
}

/// What can be stated: first what the verdict rests on or asks for, then what else the chart asks for, then the rest.
fn offers(facts: &[FactRow], decision: Option<&Decided>, policy: &Policy) -> Vec<Offer> {
    let met: Vec<&str> = decision.map_or_else(Vec::new, |decision| {
        let answered = decision.path.iter().chain(&decision.beyond).map(|answered| answered.fact.as_str());
        answered.chain(decision.missing.iter().map(|missing| missing.fact.as_str())).collect()
    });
    let place = |name: &str| met.iter().copied().chain(policy.asked()).position(|known| known == name);
    let mut known: Vec<&FactRow> = facts.iter().filter(|fact| policy.binding.fact(&fact.name).is_some()).collect();
    known.sort_by_key(|fact| place(&fact.name).unwrap_or(usize::MAX));
    let offer = |fact: &FactRow| Offer {
        fact: fact.name.clone(),
        now: fact.value.clone(),
        answers: answers::fixed(policy, &fact.name),
    };
    known.into_iter().map(offer).collect()
}

/// What follows the newest decision elsewhere.
fn elsewhere(follow_up: &FollowUp, newest: &DecisionRow, now: DateTime<Utc>) -> Option<Elsewhere> {
    let (place, stands) = match &follow_up.stage {
        Stage::Done { at, what } if what.starts_with("http") => (Some(what.clone()), words::distance(*at, now)),
        Stage::Planned
        | Stage::Due { .. }
        | Stage::Done { .. }
        | Stage::Moot { .. }
        | Stage::Unclear { .. }
        | Stage::Dead { .. } => (None, words::stage(&follow_up.stage, now)),
    };
    let stuck = follow_up.stage.is_stuck();
    (follow_up.reference == newest.reference).then(|| Elsewhere {
        what: words::follow_up(follow_up.kind),
        stands,
        place,
        stuck,
    })
}

/// Everything that happened, newest first.
fn line(kept: &Kept<'_>, policy: &Policy, now: DateTime<Utc>) -> Vec<Moment> {
    let verdict = |verdict: &str| words::verdict(policy, verdict);
    // That a manager said stop is kept as where the ticket stands, and not when.
    let stands = Some(&kept.history.watch).filter(|watch| matches!(watch, Watch::Stopped { .. }));
    let stands = stands.map(|watch| Moment {
        at: "now".into(),
        kind: "operator",
        words: words::watch(watch, now),
        more: String::new(),
    });
    let happened = time_line::of(kept, verdict).into_iter().rev();
    let moment = |it: Happened<'_>| Moment {
        at: words::moment(it.at, now),
        kind: it.kind,
        words: it.words,
        more: it.note.map(words::note).unwrap_or_default(),
    };
    stands.into_iter().chain(happened.map(moment)).collect()
}

/// What a button came to, in a sentence.
fn told(done: &str) -> &'static str {
    match done {
        "look-again" => "The bot looks again within seconds. Load the page again to see what it found.",
        "answer" => "Your answer is recorded; the bot looks again with it within seconds.",
        "agree" => "Thank you: recorded that you agree.",
        "disagree" => "Thank you: recorded that you disagree, and why.",
        "try-again" => "The follow-ups are due again and are tried within seconds.",
        "stop" => "The bot leaves this ticket alone until somebody asks it to look again.",
        _ => "",
    }
}

/// A button on a ticket's page: recorded as an operator event, which the loop performs.
pub(super) async fn act(
    State(room): State<Shared>,
    Path((account, id, act)): Path<(String, String, String)>,
    filled: Filled,
) -> Result<Response, Problem> {
    if filled.session.role < Role::Act {
        return Err(Problem::ReadOnly);
    }
    let ticket = ticket_key(account, &id).ok_or_else(|| Problem::Missing("This is no ticket number.".into()))?;
    let never = || Problem::Missing(format!("The bot never heard of ticket {ticket}."));
    let history = room.console.store.history(&ticket).await?.ok_or_else(never)?;
    let unusable = |what: String| Problem::Unusable { what, ticket: link(&ticket) };
    let did = match act.as_str() {
        "look-again" => Did::LookAgain,
        "agree" => Did::Agreed,
        "disagree" if filled.field("why").is_empty() => return Err(unusable("Say why you disagree.".into())),
        "disagree" => Did::Disagreed { why: filled.field("why").to_owned() },
        "stop" => Did::Stopped,
        "try-again" => {
            room.console.store.send_follow_ups_back(&ticket, Utc::now()).await?;
            Did::TriedAgain
        }
        "answer" => {
            let (fact, value) = stated(&room.console.rule.now(), &filled).map_err(unusable)?;
            Did::Answered { fact, value }
        }
        other => return Err(Problem::Missing(format!("Nobody can {other} a ticket."))),
    };
    if let Some((opinion, row)) = opinion(&did).zip(history.decisions.last()) {
        let (reference, who) = (row.reference.clone(), filled.session.name.clone());
        let said = Feedback { ticket: ticket.clone(), reference, opinion, who, said_at: Utc::now(), way: Way::Console };
        room.console.store.record_feedback(&[said]).await?;
    }
    let (account, back) = (ticket.account.clone(), format!("{}?done={act}", link(&ticket)));
    let event = OperatorEvent { at: Utc::now(), who: filled.session.name.clone(), ticket: Some(ticket), did };
    room.console.store.record_operator(&event).await?;
    (room.console.wake)(&account);
    tracing::info!(who = event.who, did = ?event.did, "an operator acted");
    Ok(Redirect::to(&back).into_response())
}

/// The fact and the answer of a form, which gives them together or each by itself; or in a sentence what is wrong.
fn stated(policy: &Policy, filled: &Filled) -> Result<(String, String), String> {
    let (fact, value) = match filled.field("answer") {
        "" => (filled.field("fact"), filled.field("value")),
        both => both.split_once('=').unwrap_or((both, "")),
    };
    if fact.is_empty() {
        return Err("Choose an answer.".into());
    }
    let answer = Stated { fact: fact.into(), value: value.into(), source: Source::Given(Given::Form) };
    gather::usable(policy, &answer, Utc::now())?;
    let there = answers::fixed(policy, fact);
    if !there.is_empty() && !there.iter().any(|word| word == value) {
        return Err(format!("“{value}” is no answer for {fact} (this form): the answers are {}", there.join(", ")));
    }
    Ok((answer.fact, answer.value))
}

/// What an act says about the newest decision.
fn opinion(did: &Did) -> Option<Opinion> {
    match did {
        Did::Agreed => Some(Opinion::Agree),
        Did::Disagreed { why } => Some(Opinion::Disagree { why: why.clone() }),
        Did::SignedIn
        | Did::SignInRefused
        | Did::SignedOut { .. }
        | Did::LookAgain
        | Did::Answered { .. }
        | Did::Stopped
        | Did::Forgot
        | Did::Promoted { .. }
        | Did::SteppedBack { .. }
        | Did::LookAgainAtAll { .. }
        | Did::SentBack { .. }
        | Did::Paused { .. }
        | Did::Resumed { .. }
        | Did::TriedAgain => None,
    }
}
