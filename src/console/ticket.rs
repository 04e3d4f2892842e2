//! One ticket: its decision, the way through the chart, its facts, its time line, and what can be done.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::answers::{self, Question};
use super::chart::{Chart, Mark, Marks, Shown};
use super::derived::{self, Follows};
use super::links::{link, ticket_key};
use super::page::{Filled, Frame, Problem, html};
use super::rows::{self, Left, Says};
use super::session::{Role, Session};
use super::time_line::{self, Happened, Kept};
use super::words::{self, When};
use super::{Room, Shared};
use crate::decide::basis::Basis;
use crate::decide::facts::fact::{Fact, Facts, Finding, Trust};
use crate::decide::facts::gather::{self, Stated};
use crate::decide::facts::source::{Given, Source};
use crate::decide::policy::Policy;
use crate::decide::policy::binding::Meaning;
use crate::decide::policy::decision::{Answered, Decision as Decided};
use crate::decide::ticket::TicketKey;
use crate::store::decisions::DecisionRow;
use crate::store::follow_ups::{FollowUp, Stage};
use crate::store::overview::{Listed, ListedTicket};
use crate::store::watches::Watch;

/// A decision as pages show it.
pub(super) struct Decision {
    pub verdict: String,
    pub tone: &'static str,
    pub reference: String,
    pub carried: &'static str,
    /// As HTML.
    pub note: String,
    /// What taking the proposal says; none where nothing is proposed.
    pub proposal: Option<String>,
    pub questions: Vec<Question>,
    pub way: Vec<WayStep>,
    pub chart: String,
    /// Whether ends that are still possible are marked in the chart.
    pub open: bool,
    /// Which vectors the words were read by; none where there were none.
    pub reader: Option<String>,
    /// Whether a chart wider than its window is to be seen from its right end, where the way ends.
    pub from_right: bool,
}

pub(super) struct WayStep {
    pub text: String,
    pub answer: String,
    pub trust: &'static str,
    pub source: String,
    pub quote: Option<String>,
}

/// What is known of one thing, in words.
pub(super) struct FactRow {
    pub name: String,
    pub label: String,
    pub value: String,
    pub source: String,
    pub quote: Option<String>,
}

/// A fact that can be stated, what holds now, and the answers there are; none where it is typed.
struct Offer {
    fact: String,
    label: String,
    now: String,
    answers: Vec<(String, String)>,
}

/// An answer that a link from the note brought, to be confirmed.
struct Tapped {
    /// What is said by confirming.
    words: String,
    /// The button's path behind the ticket's.
    act: &'static str,
    answer: String,
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
    at: When,
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
    /// Organisation, who has it, where it stands.
    lead: Vec<String>,
    locked_out: bool,
    left: Option<Left>,
    says: Says,
    done: String,
    /// What is wrong with what was sent, and of which fact it was.
    wrong: Option<Wrong>,
    tapped: Option<Tapped>,
    /// Why the answer that a link brought cannot be taken.
    untapped: Option<String>,
    last_error: Option<String>,
    shown: Option<Decision>,
    known: Vec<FactRow>,
    unknown: Vec<FactRow>,
    chosen: Vec<Offer>,
    dated: Vec<Offer>,
    typed: Vec<Offer>,
    elsewhere: Vec<Elsewhere>,
    line: Vec<Moment>,
}

/// What is wrong with a form that was sent, with what was typed in it.
pub(super) struct Wrong {
    pub what: String,
    pub fact: String,
    pub value: String,
    pub time: String,
}

impl Page {
    /// Whether something that follows needs somebody.
    fn stuck(&self) -> bool {
        self.elsewhere.iter().any(|one| one.stuck)
    }

    /// Whether a question asks for a fact.
    fn asked(&self, fact: &str) -> bool {
        self.shown.as_ref().is_some_and(|shown| shown.questions.iter().any(|question| question.fact == fact))
    }

    /// Whether what was sent was chosen from the list of facts with fixed answers.
    fn is_wrong_choice(&self) -> bool {
        let chosen = |fact: &str| self.chosen.iter().any(|offer| offer.fact == fact);
        self.wrong.as_ref().is_some_and(|wrong| wrong.fact == "answer" || chosen(&wrong.fact))
    }

    /// What was typed for a fact that could not be taken.
    fn typed(&self, fact: &str) -> &str {
        self.wrong.as_ref().filter(|wrong| wrong.fact == fact).map_or("", |wrong| &wrong.value)
    }

    /// The time that was picked with it.
    fn picked(&self, fact: &str) -> &str {
        self.wrong.as_ref().filter(|wrong| wrong.fact == fact).map_or("", |wrong| &wrong.time)
    }

    /// Whether what was sent for a fact could not be taken.
    fn is_wrong(&self, fact: &str) -> bool {
        self.wrong.as_ref().is_some_and(|wrong| wrong.fact == fact)
    }
}

#[derive(Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    done: String,
    /// The decision there was when a button was pressed.
    #[serde(default)]
    was: String,
    /// The answer that a link of the note brings.
    #[serde(default)]
    answer: String,
}

impl Decision {
    pub(super) fn of(decision: &Decided, note: String, policy: &Policy, chart: &Chart) -> Decision {
        let steps = decision.path.iter().chain(&decision.beyond);
        let end = decision.outcome_node.as_ref().or(decision.walked.last());
        let marks = possible(decision, policy);
        let shown =
            Shown { walked: &decision.walked, link: "/decisions?node=", marks: Some(&marks), ..Shown::default() };
        Decision {
            verdict: words::verdict(policy, &decision.verdict),
            tone: words::tone(policy, &decision.verdict),
            reference: String::new(),
            carried: "",
            note: words::note(&note),
            proposal: answers::proposal(policy, decision),
            questions: answers::questions(policy, decision),
            way: steps.map(|answered| step(answered, policy)).collect(),
            chart: chart.svg(&shown),
            open: !marks.nodes.is_empty(),
            reader: decision.reader.clone(),
            from_right: end.is_some_and(|node| chart.is_right_of_the_middle(node)),
        }
    }
}

/// The ends that some answer to an open question could still lead to.
fn possible(decision: &Decided, policy: &Policy) -> Marks {
    let mut marks = Marks::default();
    if decision.missing.is_empty() {
        return marks;
    }
    for (node, meaning) in &policy.binding.nodes {
        let ends = match meaning {
            Meaning::Outcome(outcome) | Meaning::OnlyIf { otherwise: outcome, .. } => {
                decision.possible.contains(outcome.get_ref())
            }
            Meaning::Choose { .. } | Meaning::YesNo { .. } | Meaning::MoreThan { .. } | Meaning::Task(_) => false,
        };
        if ends {
            marks.nodes.insert(node.get_ref().clone(), Mark::Possible);
        }
    }
    marks
}

fn step(answered: &Answered, policy: &Policy) -> WayStep {
    WayStep {
        text: answered.text.clone(),
        answer: answers::called(policy, &answered.fact, &answered.answer),
        trust: trust(answered.trust, &answered.source),
        source: answered.source.to_string(),
        quote: answered.quote.as_deref().map(quoted),
    }
}

/// Words in quotation marks.
fn quoted(words: &str) -> String {
    format!("“{words}”")
}

fn trust(trust: Trust, source: &Source) -> &'static str {
    match trust {
        _ if *source == Source::Otherwise => "assumed",
        Trust::Inferred => "a guess",
        Trust::Recorded => "on record",
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
    html(&shown(&room, &session, &ticket, &asked, None).await?)
}

/// The page once more, with what is wrong with the form that was sent and what was typed in it.
pub(super) async fn again(room: &Room, filled: &Filled, ticket: &TicketKey, what: String) -> Result<Response, Problem> {
    let (fact, value) = match filled.field("answer") {
        "" => (filled.field("fact"), filled.field("value")),
        both => both.split_once('=').unwrap_or((both, "")),
    };
    // Without a fact it is the form in which both are chosen, unless it is the one that asks why.
    let fact = if fact.is_empty() && filled.field("answer").is_empty() && !filled.has("why") { "answer" } else { fact };
    let wrong = Wrong { what, fact: fact.into(), value: value.into(), time: filled.field("time").to_owned() };
    let page = shown(room, &filled.session, ticket, &Asked::default(), Some(wrong)).await?;
    Ok((StatusCode::BAD_REQUEST, html(&page)?).into_response())
}

async fn shown(
    room: &Room,
    session: &Session,
    ticket: &TicketKey,
    asked: &Asked,
    wrong: Option<Wrong>,
) -> Result<Page, Problem> {
    let store = &room.console.store;
    let never = || Problem::Missing(format!("The bot never heard of ticket {ticket}."));
    let history = store.history(ticket).await?.ok_or_else(never)?;
    let events = store.operators_on(ticket).await?;
    let (follow_ups, feedback) = (store.follow_ups_of(ticket).await?, store.feedback_of(ticket).await?);
    let listed = store.tickets(&Listed::Number(ticket.id), 0, 100).await?;
    let listed: Vec<ListedTicket> = listed.into_iter().filter(|listed| listed.ticket == *ticket).collect();
    let row = rows::of(room, session, listed, Utc::now()).await?.pop().unwrap_or_default();
    let (policy, chart) = room.chart()?;
    let now = Utc::now();
    let newest = history.decisions.last();
    let basis: Basis = newest.and_then(|row| serde_json::from_str(&row.basis).ok()).unwrap_or_default();
    let decision = newest.map(decided).transpose()?;
    let shown = newest.zip(decision.as_ref()).map(|(row, decision)| stored(row, decision, &policy, &chart));
    let facts = facts(&basis.facts, &policy, decision.as_ref());
    let (typed, chosen): (Vec<Offer>, Vec<Offer>) =
        offers(&facts, decision.as_ref(), &policy).into_iter().partition(|it| it.answers.is_empty());
    let (dated, typed) = typed.into_iter().partition(|it| answers::is_instant(&policy, &it.fact));
    let (known, unknown) = facts.into_iter().partition(|fact| !fact.value.is_empty());
    let (tapped, untapped) = match tapped(&asked.answer, &policy, decision.as_ref(), now) {
        None => (None, None),
        Some(Ok(tapped)) => (Some(tapped), None),
        Some(Err(why)) => (None, Some(why)),
    };
    let frame = Frame::new(session, format!("Ticket {ticket}"), "/tickets");
    Ok(Page {
        frame: if is_looked_at(&history.watch, now) { frame.soon() } else { frame.refreshed() },
        key: ticket.to_string(),
        link: link(ticket),
        helpdesk: row.helpdesk,
        subject: basis.subject.clone(),
        lead: row.organization.into_iter().chain(row.told).collect(),
        locked_out: row.locked_out,
        left: row.left,
        says: row.says,
        done: told(asked, newest, &history.watch, now),
        wrong,
        tapped: tapped.filter(|_| session.role >= Role::Act),
        untapped,
        last_error: history.last_error.clone(),
        known,
        unknown,
        chosen,
        dated,
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

/// Whether the bot is looking at it, or is about to.
fn is_looked_at(watch: &Watch, now: DateTime<Utc>) -> bool {
    matches!(watch, Watch::Due { at } if *at <= now)
}

/// The answer that a link of the note brings, as it is to be confirmed, or why it cannot be taken; none without one.
fn tapped(
    answer: &str,
    policy: &Policy,
    decision: Option<&Decided>,
    now: DateTime<Utc>,
) -> Option<Result<Tapped, String>> {
    if answer.is_empty() {
        return None;
    }
    let proposal = decision.and_then(|decision| answers::proposal(policy, decision));
    let taken = |words: String, act| Tapped { words, act, answer: answer.to_owned() };
    Some(match (answer, proposal) {
        ("yes", Some(proposal)) => Ok(taken(format!("Yes: {proposal}"), "yes")),
        ("no", Some(proposal)) => Ok(taken(format!("No, this is not so: {proposal}"), "no")),
        ("yes" | "no", None) => Err("Nothing is proposed any more: it was decided anew since the note.".into()),
        (both, _) => {
            let (fact, value) = both.split_once('=').unwrap_or((both, ""));
            let stated = Stated { fact: fact.into(), value: value.into(), source: Source::Given(Given::Form) };
            gather::usable(policy, &stated, now)
                .map(|_| {
                    let (label, value) = (answers::label(policy, fact), answers::shown(policy, fact, value));
                    taken(format!("{label} {value}"), "answer")
                })
                .map_err(|why| format!("The link's answer cannot be taken: {why}"))
        }
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

/// What is known, in words: first what the verdict rests on, then what else the chart asks for, then the rest.
pub(super) fn facts(facts: &Facts, policy: &Policy, decision: Option<&Decided>) -> Vec<FactRow> {
    let met: Vec<&str> = decision.map_or_else(Vec::new, |decision| {
        let answered = decision.path.iter().chain(&decision.beyond).map(|answered| answered.fact.as_str());
        answered.chain(decision.missing.iter().map(|missing| missing.fact.as_str())).collect()
    });
    let place = |name: &str| met.iter().copied().chain(policy.asked()).position(|known| known == name);
    let mut rows: Vec<FactRow> = facts.iter().map(|known| fact(known, policy, decision)).collect();
    rows.sort_by_key(|row| place(&row.name).unwrap_or(usize::MAX));
    rows
}

/// One fact in words; without a value where it is not known.
pub(super) fn fact((name, finding): (&String, &Finding), policy: &Policy, decision: Option<&Decided>) -> FactRow {
    let value_of = |value: &str| answers::shown(policy, name, value);
    let follows = || decision.and_then(|decision| derived::follows(name, policy, decision));
    let (value, source, quote) = match finding {
        Finding::Known(Fact { value, trust: sure, source, quote, confidence, .. }) => {
            let sure = match confidence {
                Some(confidence) => format!("{}, {:.0} % sure", trust(*sure, source), 100.0 * confidence.share()),
                None => trust(*sure, source).to_owned(),
            };
            (value_of(&value.to_string()), format!("{sure}: {source}"), quote.as_deref().map(quoted))
        }
        Finding::Conflict(both) => {
            let (one, other) = both.as_ref();
            let told = |fact: &Fact| {
                format!("{} ({}: {})", value_of(&fact.value.to_string()), trust(fact.trust, &fact.source), fact.source)
            };
            ("Records contradict each other".into(), format!("{}; {}", told(one), told(other)), None)
        }
        Finding::Unknown { looked, .. } => match follows() {
            Some(Follows::Answer(answered)) => {
                let Answered { value, trust: sure, source, quote, .. } = answered;
                (value_of(value), format!("{}: {source}", trust(*sure, source)), quote.as_deref().map(quoted))
            }
            Some(Follows::NotAsked(why)) => (String::new(), why.into(), None),
            None => (String::new(), looked.join("; "), None),
        },
    };
    FactRow { name: name.clone(), label: answers::label(policy, name), value, source, quote }
}

/// What can be stated, in the order of the facts.
fn offers(facts: &[FactRow], decision: Option<&Decided>, policy: &Policy) -> Vec<Offer> {
    let asked = |name: &str| decision.is_some_and(|it| it.missing.iter().any(|missing| missing.fact == name));
    let known = facts.iter().filter(|fact| policy.binding.fact(&fact.name).is_some() && !asked(&fact.name));
    let offer = |fact: &FactRow| Offer {
        fact: fact.name.clone(),
        label: fact.label.clone(),
        now: if fact.value.is_empty() { "not known".into() } else { fact.value.clone() },
        answers: answers::fixed(policy, &fact.name)
            .into_iter()
            .map(|answer| (answer.clone(), answers::called(policy, &fact.name, &answer)))
            .collect(),
    };
    known.map(offer).collect()
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
        at: When::of(now),
        kind: "operator",
        words: words::watch(watch, now),
        more: String::new(),
    });
    let happened = time_line::of(kept, verdict).into_iter().rev();
    let moment = |it: Happened<'_>| Moment {
        at: When::of(it.at),
        kind: it.kind,
        words: it.words,
        more: it.note.map(words::note).unwrap_or_default(),
    };
    stands.into_iter().chain(happened.map(moment)).collect()
}

/// What a button came to, in a sentence: whether the bot has looked since.
fn told(asked: &Asked, newest: Option<&DecisionRow>, watch: &Watch, now: DateTime<Utc>) -> String {
    let kept = match asked.done.as_str() {
        "take" => return "It is yours. Others see it.".into(),
        "held" => return "Somebody else has it: see above.".into(),
        "done" => return "It is done. A new verdict brings it back.".into(),
        "give-back" => return "It is open to everybody again.".into(),
        "agree" => return "Thank you: kept that you agree.".into(),
        "disagree" => return "Thank you: kept that you disagree, and why.".into(),
        "try-again" => return "What follows elsewhere is tried again within seconds.".into(),
        "stop" => return "The bot follows this ticket no more, until somebody asks it to look again.".into(),
        "stale" => return "It was decided anew meanwhile: read it again before you answer.".into(),
        "look-again" => "",
        "answer" | "yes" | "no" => "Your answer is kept. ",
        _ => return String::new(),
    };
    match newest {
        _ if is_looked_at(watch, now) => format!("{kept}The bot is looking at the ticket now."),
        Some(row) if row.reference != asked.was => format!("{kept}It was decided anew with it: ref {}.", row.reference),
        Some(_) | None => format!("{kept}The bot has looked: the decision is the same."),
    }
}
