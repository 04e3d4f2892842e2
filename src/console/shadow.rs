//! What the candidate makes of decisions, as they are made and of those that are kept.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::links::link;
use super::page::{Frame, Problem, html};
use super::session::Session;
use super::tickets::ROWS;
use super::words::{self, PolicyName};
use super::{Shared, kept};
use crate::decide::facts::expiry;
use crate::decide::policy::Policy;
use crate::decide::ticket::TicketKey;
use crate::learn::backtest::comparison::{Matrix, Parting, Side};
use crate::learn::report::text::{grouped, many};
use crate::work::status::{Compared, Differs, NOT_COMPARABLE, Status};

/// Counts by two names, as a table shows them.
pub(super) struct Table {
    /// What it is called.
    pub label: String,
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
    candidate: PolicyName,
    /// How many decisions both made, and on how many they differ, in a sentence.
    compared: String,
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
    /// What the candidate makes of decisions that are kept.
    kept: Option<kept::Compared>,
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
    let kept = match rules.candidate().filter(|_| asked.before.is_none()) {
        Some(candidate) => Some(kept::compared(&room.console.store, &rules.policy, candidate).await?),
        None => None,
    };
    html(&Page { frame: Frame::new(&session, "Side by side", "/policy"), warnings: status.warnings, shown, kept })
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
        candidate: PolicyName::of(&candidate),
        compared: sentence(decisions, differing),
        not_comparable: (not_comparable > 0)
            .then(|| format!("{} more cannot be compared: {NOT_COMPARABLE}.", grouped(not_comparable))),
        table: (decisions > 0)
            .then(|| table(policy, &verdicts, "Verdicts as tickets are decided, in force by the candidate's")),
        rows: newest.into_iter().map(row).collect(),
        next,
    }
}

/// How many decisions were compared, and on how many verdicts differ.
pub(super) fn sentence(decisions: u64, differing: u64) -> String {
    let verb = if differing == 1 { "is" } else { "are" };
    format!("{} compared, {} {verb} another verdict.", many(decisions, "decision"), grouped(differing))
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

pub(super) fn table(policy: &Policy, matrix: &Matrix, label: impl Into<String>) -> Table {
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
        label: label.into(),
        rows: matrix.0.keys().map(row).collect(),
        columns: columns.iter().map(|column| words::verdict(policy, column)).collect(),
    }
}
