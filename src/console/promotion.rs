//! Putting a policy in force with open eyes: what is different, what it was tried on, why, and by whom.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::Utc;
use serde::Deserialize;

use super::chart::{Chart, Shown};
use super::diff;
use super::page::{Filled, Frame, MayAct, Problem, html};
use super::session::{Role, Session};
use super::shadow::{Table, sentence, table};
use super::words::{PolicyName, When};
use super::{Room, Shared};
use crate::decide::policy::Policy;
use crate::learn::backtest::attached::Attached;
use crate::learn::report::text::many;
use crate::store::promotions::{Proposal, last_standing};
use crate::work::promotion::{self, By, Grounds, Promoted, Refused};
use crate::work::rule::{Approval, Rules};
use crate::work::status::{Status, Stepped};

struct Step {
    at: When,
    who: String,
    did: &'static str,
    policy: PolicyName,
    on: String,
    why: Option<String>,
    /// The backtest it stands on.
    table: Option<Table>,
}

/// A policy that can be put in force, with what is different.
struct Offered {
    file: String,
    name: PolicyName,
    /// What is different of the chart, a sentence each.
    told: Vec<String>,
    /// The chart of now with what goes; none where nothing does.
    before: Option<String>,
    /// The chart of then with what is new or changed; none where nothing is.
    after: Option<String>,
    lines: diff::Lines,
    /// What it makes of decisions beside the one in force; none where it is not compared.
    compared: Option<String>,
    /// Who asked for it, where it takes a second person.
    asked: Option<Asked>,
}

struct Asked {
    who: String,
    at: When,
    why: String,
    /// Whether whoever looks at it asked.
    mine: bool,
}

#[derive(Template)]
#[template(path = "promotion.html", config = "src/console/askama.toml")]
struct Page {
    frame: Frame,
    done: &'static str,
    in_force: PolicyName,
    by: String,
    /// What it has not decided yet, in a sentence; none where there is nothing.
    still_to_decide: Option<String>,
    warnings: Vec<String>,
    offered: Vec<Offered>,
    two_people: bool,
    steps: Vec<Step>,
    may_go_back: MayAct,
}

/// The page that asks once more.
#[derive(Template)]
#[template(path = "confirm.html", config = "src/console/askama.toml")]
struct Confirm {
    frame: Frame,
    in_force: PolicyName,
    it: Offered,
    why: String,
    backtest: String,
    /// What the backtest came to, in a sentence; none where none was run.
    tried: Option<String>,
    table: Option<Table>,
    two_people: bool,
}

#[derive(Deserialize)]
pub(super) struct Done {
    #[serde(default)]
    done: String,
}

pub(super) async fn page(
    State(room): State<Shared>,
    session: Session,
    Query(asked): Query<Done>,
) -> Result<Response, Problem> {
    let rules = room.console.rule.rules();
    let store = &room.console.store;
    let status = Status::of(store, &rules, None, 0).await?;
    let newest = status.history.first().map(|step| step.number);
    let by = match &status.by {
        Some(step) => format!("{} by {}", verb(step), step.who),
        None if newest.is_some() => "another was just put in force, which decides here within seconds".into(),
        None => "as the file says: nothing was ever promoted".into(),
    };
    let may_go_back = if last_standing(&store.promotions().await?).is_some() { MayAct::Yes } else { MayAct::No };
    let mut offered = Vec::new();
    for (file, policy) in rules.offered().filter(|(_, policy)| policy.hash != status.in_force) {
        offered.push(offer(&room, &session, &rules, file, policy, &status).await?);
    }
    let names = names(&room).await?;
    let named = |hash: &str| names.get(hash).cloned().unwrap_or_else(|| PolicyName::of(hash));
    html(&Page {
        frame: Frame::new(&session, "Promotion", "/policy"),
        done: match asked.done.as_str() {
            "promote" => "Put in force: every replica decides by it within seconds.",
            "wait" => "Asked for: another person puts it in force on this page.",
            "back" => "The former policy is in force again: every replica decides by it within seconds.",
            _ => "",
        },
        by,
        in_force: named(&status.in_force),
        still_to_decide: status.still_to_decide(),
        warnings: status.warnings,
        offered,
        two_people: rules.approval == Approval::TwoPeople,
        steps: status.history.iter().map(|step| shown(step, named(&step.policy), &rules.policy)).collect(),
        may_go_back,
    })
}

/// The policies that were ever in force, by hash.
pub(super) async fn names(room: &Room) -> Result<BTreeMap<String, PolicyName>, Problem> {
    let versions = room.console.store.policies(200).await?.into_iter();
    Ok(versions.map(|version| (version.hash.clone(), PolicyName::since(&version.hash, version.since))).collect())
}

async fn offer(
    room: &Room,
    session: &Session,
    rules: &Rules,
    file: &str,
    policy: &Arc<Policy>,
    status: &Status,
) -> Result<Offered, Problem> {
    let (now, chart) = room.chart()?;
    let next = Chart::of(policy).map_err(Problem::Fault)?;
    let diff = diff::chart(&now, policy);
    let draw = |chart: &Chart, marks, prefix| {
        chart.svg(&Shown { link: "/decisions?node=", marks: Some(marks), prefix, ..Shown::default() })
    };
    let is_marked = |marks: &super::chart::Marks| !marks.nodes.is_empty() || !marks.links.is_empty();
    let lines = diff::lines([&now.mermaid, &now.text], [&policy.mermaid, &policy.text]);
    let compared = status.compared.as_ref().filter(|compared| compared.candidate == policy.hash);
    let asked = promotion::asked_for(&room.console.store, rules, policy).await?;
    let asked = asked.map(|Proposal { who, at, why, .. }| Asked {
        mine: who == session.name,
        who,
        at: When::of(at),
        why: why.unwrap_or_default(),
    });
    Ok(Offered {
        file: file.to_owned(),
        name: PolicyName::of(&policy.hash),
        before: is_marked(&diff.before).then(|| draw(&chart, &diff.before, "was-")),
        after: is_marked(&diff.after).then(|| draw(&next, &diff.after, "next-")),
        told: diff.told,
        lines,
        compared: compared.map(|it| sentence(it.decisions, it.differing)),
        asked,
    })
}

fn verb(step: &Stepped) -> &'static str {
    if step.undoes.is_some() { "restored" } else { "promoted" }
}

fn shown(step: &Stepped, name: PolicyName, policy: &Policy) -> Step {
    let tried = step.backtest.as_ref().and_then(|json| Attached::read(json.get()).ok());
    let mut on = match (step.undoes, &tried) {
        (Some(undoes), _) => format!("took promotion {undoes} back"),
        (None, Some(tried)) => format!("promotion {}, {}", step.number, on_backtest(tried)),
        (None, None) => format!("promotion {}, without a backtest", step.number),
    };
    if let Some(asked_by) = &step.asked_by {
        on.push_str(&format!(", asked for by {asked_by}"));
    }
    Step {
        at: When::of(step.at),
        who: step.who.clone(),
        did: verb(step),
        policy: name,
        on,
        why: step.why.clone(),
        table: tried.map(|tried| {
            table(policy, &tried.matrix, format!("Verdicts in the backtest of promotion {}", step.number))
        }),
    }
}

/// What a backtest came to.
fn on_backtest(tried: &Attached) -> String {
    let verb = if tried.differing == 1 { "differs" } else { "differ" };
    format!("on a backtest of {}: {} {verb}", many(tried.tickets, "ticket"), many(tried.differing, "verdict"))
}

/// Asks once more, with what is different and what it stands on.
pub(super) async fn confirm(State(room): State<Shared>, filled: Filled) -> Result<Response, Problem> {
    let _may = act(&filled)?;
    let rules = room.console.rule.rules();
    let policy = promotion::offered(&rules, filled.field("hash")).map_err(problem)?;
    let status = Status::of(&room.console.store, &rules, None, 0).await?;
    let file = rules.offered().find(|(_, other)| other.hash == policy.hash).map_or("", |(file, _)| file);
    let it = offer(&room, &filled.session, &rules, file, policy, &status).await?;
    let asked = promotion::asked_for(&room.console.store, &rules, policy).await?;
    let backtest = match filled.field("backtest") {
        "" => asked.and_then(|asked| asked.backtest).unwrap_or_default(),
        given => given.to_owned(),
    };
    let tried = match backtest.as_str() {
        "" => None,
        text => Some(Attached::read(text).map_err(Problem::Bad)?),
    };
    html(&Confirm {
        frame: Frame::new(&filled.session, "Put in force?", "/policy"),
        in_force: PolicyName::of(&rules.policy.hash),
        it,
        why: filled.field("why").to_owned(),
        tried: tried.as_ref().map(on_backtest),
        table: tried
            .map(|tried| table(&rules.policy, &tried.matrix, "Verdicts in the backtest, in force by the candidate's")),
        backtest,
        two_people: rules.approval == Approval::TwoPeople,
    })
}

pub(super) async fn promote(State(room): State<Shared>, filled: Filled) -> Result<Response, Problem> {
    let by = act(&filled)?;
    let rules = room.console.rule.rules();
    let given = |name| Some(filled.field(name)).filter(|text| !text.is_empty());
    let grounds = Grounds { backtest: given("backtest"), why: given("why") };
    if grounds.why.is_none() {
        return Err(Problem::Bad("Say why it comes into force: who comes after will ask.".into()));
    }
    let hash = filled.field("hash");
    let done = match promotion::promote(&room.console.store, &rules, hash, grounds, by).await.map_err(problem)? {
        Promoted::InForce(_) => "promote",
        Promoted::Waits(_) => "wait",
    };
    tracing::info!(who = by.who, policy = hash, done, "somebody promoted a policy");
    Ok(Redirect::to(&format!("/promotion?done={done}")).into_response())
}

pub(super) async fn back(State(room): State<Shared>, filled: Filled) -> Result<Response, Problem> {
    let by = act(&filled)?;
    let policy = promotion::back(&room.console.store, by).await.map_err(problem)?;
    tracing::info!(who = by.who, policy, "somebody took a promotion back");
    Ok(Redirect::to("/promotion?done=back").into_response())
}

/// Who acts, where they may.
fn act(filled: &Filled) -> Result<By<'_>, Problem> {
    if filled.session.role < Role::Act {
        return Err(Problem::ReadOnly);
    }
    Ok(By { who: &filled.session.name, now: Utc::now() })
}

fn problem(refused: Refused) -> Problem {
    match refused {
        Refused::Store(error) => Problem::Store(error),
        Refused::NothingOffered
        | Refused::NotOffered { .. }
        | Refused::OtherBacktest { .. }
        | Refused::NoBacktest(_)
        | Refused::NothingToTakeBack
        | Refused::Lost(_)
        | Refused::Overtaken => Problem::Bad(refused.to_string()),
    }
}
