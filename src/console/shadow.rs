//! What the candidate makes of decisions, and putting it in force.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::Utc;
use serde::Deserialize;

use super::Shared;
use super::page::{Filled, Frame, MayAct, Problem, html};
use super::session::{Role, Session};
use super::tickets::{ROWS, link};
use super::words;
use crate::decide::facts::expiry;
use crate::decide::policy::Policy;
use crate::decide::ticket::TicketKey;
use crate::learn::backtest::attached::Attached;
use crate::learn::backtest::comparison::{Matrix, Parting, Side};
use crate::learn::report::text::{grouped, many};
use crate::work::promotion::{self, By, Refused};
use crate::work::status::{Compared, Differs, NOT_COMPARABLE, Status, Stepped};

/// Counts by two names, as a table shows them.
pub(super) struct Table {
    pub columns: Vec<String>,
    pub rows: Vec<(String, Vec<Cell>)>,
}

pub(super) struct Cell {
    pub count: String,
    pub class: &'static str,
}

/// A ticket on which two policies differ.
pub(super) struct Differing {
    pub key: String,
    /// Where its page is, where the bot knows it.
    pub link: Option<String>,
    pub at: String,
    pub parts_at: String,
    pub sides: [(String, &'static str, String); 2],
}

struct Shadow {
    candidate: String,
    decisions: String,
    differing: String,
    /// How many could not be compared, and why; none where all could.
    not_comparable: Option<String>,
    /// None where nothing was compared yet.
    table: Option<Table>,
    rows: Vec<Differing>,
    next: Option<i64>,
}

#[derive(Template)]
#[template(path = "shadow.html", config = "src/console/askama.toml")]
struct Page {
    frame: Frame,
    warnings: Vec<String>,
    shown: Option<Shadow>,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    before: Option<i64>,
}

pub(super) async fn page(
    State(room): State<Shared>,
    session: Session,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let rules = room.console.rule.rules();
    let status = Status::of(&room.console.store, &rules, asked.before, ROWS).await?;
    let shown = status.compared.map(|compared| shadow(compared, &rules.policy));
    html(&Page { frame: Frame::new(&session, "Shadow", "/policy"), warnings: status.warnings, shown })
}

fn shadow(compared: Compared, policy: &Policy) -> Shadow {
    let Compared { candidate, decisions, differing, not_comparable, verdicts, newest, next } = compared;
    let row = |Differs { decided_at, account, number, difference, .. }: Differs| {
        let ticket = TicketKey { account, id: number };
        let (key, link) = (ticket.to_string(), Some(link(&ticket)));
        let at = expiry::exact(decided_at);
        differs(policy, key, link, at, difference.parts_at.as_ref(), [&difference.was, &difference.becomes])
    };
    Shadow {
        candidate,
        decisions: grouped(decisions),
        differing: grouped(differing),
        not_comparable: (not_comparable > 0)
            .then(|| format!("{} more cannot be compared: {NOT_COMPARABLE}.", grouped(not_comparable))),
        table: (decisions > 0).then(|| table(policy, &verdicts)),
        rows: newest.into_iter().map(row).collect(),
        next,
    }
}

pub(super) fn differs(
    policy: &Policy,
    key: String,
    link: Option<String>,
    at: String,
    parts_at: Option<&Parting>,
    sides: [&Side; 2],
) -> Differing {
    let side =
        |side: &Side| (words::verdict(policy, &side.verdict), words::tone(policy, &side.verdict), side.reason.clone());
    let parts_at = parts_at.map_or_else(|| "the start".to_owned(), |at| format!("{} ({})", at.text, at.node));
    Differing { key, link, at, parts_at, sides: sides.map(side) }
}

pub(super) fn table(policy: &Policy, matrix: &Matrix) -> Table {
    let columns = matrix.columns();
    let cell = |row: &str, column: &str| {
        let count = matrix.at(row, column);
        let class = match count {
            0 => "figure calm",
            _ if row == column => "figure",
            _ => "figure moved",
        };
        Cell { count: grouped(count), class }
    };
    let row = |row: &String| (words::verdict(policy, row), columns.iter().map(|column| cell(row, column)).collect());
    Table {
        rows: matrix.0.keys().map(row).collect(),
        columns: columns.iter().map(|column| words::verdict(policy, column)).collect(),
    }
}

struct Step {
    at: String,
    who: String,
    did: String,
    policy: String,
    on: String,
    /// The backtest it stands on.
    table: Option<Table>,
}

struct Offered {
    file: String,
    hash: String,
}

#[derive(Template)]
#[template(path = "promotion.html", config = "src/console/askama.toml")]
struct PromotionPage {
    frame: Frame,
    done: &'static str,
    in_force: String,
    by: String,
    /// What it has not decided yet, in a sentence; none where there is nothing.
    still_to_decide: Option<String>,
    file: String,
    candidate: Option<String>,
    warnings: Vec<String>,
    offered: Vec<Offered>,
    steps: Vec<Step>,
    may_go_back: MayAct,
}

#[derive(Deserialize)]
pub(super) struct Done {
    #[serde(default)]
    done: String,
}

pub(super) async fn promotions(
    State(room): State<Shared>,
    session: Session,
    Query(asked): Query<Done>,
) -> Result<Response, Problem> {
    let rules = room.console.rule.rules();
    let store = &room.console.store;
    let status = Status::of(store, &rules, None, 0).await?;
    let by = match (&status.by, &status.until_taken) {
        (Some(step), taken) => {
            let soon = if taken.is_some() { " It decides here within seconds." } else { "" };
            format!("Since {}, {} by {}.{soon}", expiry::exact(step.at), verb(step), step.who)
        }
        (None, _) => "As the file says; nothing was ever promoted.".into(),
    };
    let may_go_back = if crate::store::promotions::last_standing(&store.promotions().await?).is_some() {
        MayAct::Yes
    } else {
        MayAct::No
    };
    let offered = rules.offered().filter(|(_, policy)| policy.hash != status.in_force);
    let offered = offered.map(|(file, policy)| Offered { file: file.to_owned(), hash: policy.hash.clone() }).collect();
    html(&PromotionPage {
        frame: Frame::new(&session, "Promotion", "/policy"),
        done: match asked.done.as_str() {
            "promote" => "It is in force; every replica decides by it within seconds.",
            "back" => "The former policy is in force again; every replica decides by it within seconds.",
            _ => "",
        },
        by,
        file: status.file.words(&status.in_force),
        candidate: status.candidate.as_ref().map(|candidate| candidate.words(&status.in_force)),
        still_to_decide: status.still_to_decide(),
        in_force: status.in_force,
        warnings: status.warnings,
        offered,
        steps: status.history.iter().map(|step| shown(step, &rules.policy)).collect(),
        may_go_back,
    })
}

fn verb(step: &Stepped) -> &'static str {
    if step.undoes.is_some() { "restored" } else { "promoted" }
}

fn shown(step: &Stepped, policy: &Policy) -> Step {
    let tried = step.backtest.as_ref().and_then(|json| Attached::read(json.get()).ok());
    let on = match (step.undoes, &tried) {
        (Some(undoes), _) => format!("took promotion {undoes} back"),
        (None, Some(tried)) => format!(
            "promotion {}, on a backtest of {}: {} differ{}",
            step.number,
            many(tried.tickets, "ticket"),
            many(tried.differing, "verdict"),
            if tried.differing == 1 { "s" } else { "" }
        ),
        (None, None) => format!("promotion {}, without a backtest", step.number),
    };
    Step {
        at: expiry::exact(step.at),
        who: step.who.clone(),
        did: verb(step).to_owned(),
        policy: step.policy.clone(),
        on,
        table: tried.map(|tried| table(policy, &tried.matrix)),
    }
}

pub(super) async fn promote(State(room): State<Shared>, filled: Filled) -> Result<Response, Problem> {
    let by = act(&filled)?;
    let rules = room.console.rule.rules();
    let backtest = Some(filled.field("backtest")).filter(|text| !text.is_empty());
    let hash = filled.field("hash");
    promotion::promote(&room.console.store, &rules, hash, backtest, by).await.map_err(problem)?;
    tracing::info!(who = by.who, policy = hash, "an operator promoted a policy");
    Ok(Redirect::to("/promotion?done=promote").into_response())
}

pub(super) async fn back(State(room): State<Shared>, filled: Filled) -> Result<Response, Problem> {
    let by = act(&filled)?;
    let policy = promotion::back(&room.console.store, by).await.map_err(problem)?;
    tracing::info!(who = by.who, policy, "an operator took a promotion back");
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
