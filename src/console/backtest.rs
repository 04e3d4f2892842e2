//! A small backtest in the browser: past tickets that are pasted, decided by the policy in force and by the candidate.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::Shared;
use super::account_ids::Chosen;
use super::page::{Filled, Frame, Problem, html};
use super::session::Session;
use super::shadow::{Differing, Table, differs, table};
use super::words::{self, PolicyName};
use crate::decide::facts::sources::Ids;
use crate::decide::policy::Policy;
use crate::learn::backtest::past::{self, Marks};
use crate::learn::backtest::summary::{Rule, Summary, percent};
use crate::learn::charts::{self, Part};
use crate::learn::report::text::{grouped, many};
use crate::work::rule::Rules;
use crate::work::star_tags;

/// How many tickets of a list are shown.
const FIRST: usize = 100;

struct Bar {
    title: String,
    tone: &'static str,
    /// As SVG.
    drawn: String,
    shown: String,
}

struct Shown {
    tickets: String,
    bad: Vec<String>,
    bars: Vec<Bar>,
    settled_by: Vec<String>,
    agreement: Option<String>,
    /// With a candidate.
    tried: Option<Tried>,
}

struct Tried {
    name: PolicyName,
    differing: String,
    table: Table,
    rows: Vec<Differing>,
    /// The summary, for a promotion.
    json: String,
}

#[derive(Template)]
#[template(path = "backtest.html", config = "src/console/askama.toml")]
struct Page {
    frame: Frame,
    candidate: Option<String>,
    shown: Option<Shown>,
    whose: Chosen,
    tickets: String,
}

pub(super) async fn blank(State(room): State<Shared>, session: Session) -> Result<Response, Problem> {
    let rules = room.console.rule.rules();
    page(&session, &rules, None, room.console.ids.unasked(), String::new())
}

pub(super) async fn decide(State(room): State<Shared>, filled: Filled) -> Result<Response, Problem> {
    let rules = room.console.rule.rules();
    let tickets = filled.field("tickets").to_owned();
    let whose = room.console.ids.chosen(filled.field("account"))?;
    let shown = decided(&rules, &whose.ids(), &tickets)?;
    page(&filled.session, &rules, Some(shown), whose, tickets)
}

fn page(
    session: &Session,
    rules: &Rules,
    shown: Option<Shown>,
    whose: Chosen,
    tickets: String,
) -> Result<Response, Problem> {
    let candidate = rules.candidate().map(|candidate| candidate.hash.clone());
    html(&Page { frame: Frame::new(session, "Backtest", "/policy"), candidate, shown, whose, tickets })
}

fn decided(rules: &Rules, account: &Ids, tickets: &str) -> Result<Shown, Problem> {
    let (policy, second): (&Policy, Option<&Policy>) = (&rules.policy, rules.candidate().map(|policy| &**policy));
    let ids = Ids::new(&policy.binding, account);
    let second_ids = second.map(|second| Ids::new(&second.binding, account));
    let policies: Vec<&Policy> = std::iter::once(policy).chain(second).collect();
    let marks = Marks::of(star_tags(policy), &policies);
    let against = second.zip(second_ids.as_ref()).map(|(policy, ids)| Rule { policy, ids, read: None });
    let rule = Rule { policy, ids: &ids, read: None }; // A page is to answer at once: words are read here.
    let mut summary = Summary::new(policy, second);
    let (mut bad, mut rows) = (Vec::new(), Vec::new());
    for (number, line) in (1_u64..).zip(tickets.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        match past::read(line.as_bytes(), &marks) {
            Ok(tickets) => {
                let found = tickets.iter().map(|past| summary.add(past, rule, against));
                rows.extend(found.filter_map(|found| found.difference));
            }
            Err(why) => {
                summary.bad_lines += 1;
                bad.push(format!("line {number}: {why}"));
            }
        }
    }
    bad.truncate(FIRST);
    rows.truncate(FIRST);
    let tally = &summary.tally;
    let bar = |(verdict, tickets): (&String, &u64)| Bar {
        title: words::verdict(policy, verdict),
        tone: words::tone(policy, verdict),
        drawn: charts::bar(&[(Part::Count, *tickets)], tally.tickets, ""),
        shown: grouped(*tickets),
    };
    let undecided = tally.undecided();
    let settles = |(fact, open): (&str, crate::learn::backtest::tally::Open)| {
        format!("knowing {fact} would settle {} %", percent(open.settles, undecided))
    };
    let total = summary.agreement.total();
    let agreement = (total.agreed + total.differed > 0).then(|| {
        let both = total.agreed + total.differed;
        format!(
            "{} % agreement with the managers over {} decided by both",
            percent(total.agreed, both),
            many(both, "ticket")
        )
    });
    let json = serde_json::to_string(&summary).map_err(|error| Problem::Fault(error.to_string()))?;
    Ok(Shown {
        tickets: many(tally.tickets, "ticket"),
        bad,
        bars: tally.verdicts.iter().map(bar).collect(),
        settled_by: tally.questions().into_iter().map(settles).collect(),
        agreement,
        tried: summary.against.as_ref().map(|against| Tried {
            name: PolicyName::of(&against.policy),
            differing: many(against.differing, "verdict"),
            table: table(policy, &against.matrix, "Verdicts in the backtest, in force by the candidate's"),
            rows: rows
                .iter()
                .map(|it| {
                    let sides = [&it.was, &it.becomes];
                    differs(policy, it.id.clone(), None, String::new(), it.parts_at.as_ref(), sides)
                })
                .collect(),
            json,
        }),
    })
}
