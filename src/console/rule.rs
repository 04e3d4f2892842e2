//! The policy: its chart with how often each part was passed.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use chrono::{TimeDelta, Utc};
use serde::Deserialize;

use super::Shared;
use super::binding::{self, FactShown};
use super::chart::{Counts, Shown, query};
use super::page::{Frame, Problem, html};
use super::session::Session;
use super::words::{self, PolicyName};
use super::{diff, promotion};
use crate::learn::report::text::{grouped, many};
use crate::store::policies::PolicyVersion;

/// How many policies are shown.
const VERSIONS: usize = 20;

#[derive(Deserialize)]
pub(super) struct Asked {
    days: Option<u16>,
}

struct NodeRow {
    id: String,
    text: String,
    link: String,
    decisions: String,
}

struct Version {
    name: PolicyName,
    /// What is different from the one before.
    changes: diff::Lines,
}

#[derive(Template)]
#[template(path = "rule.html", config = "src/console/askama.toml")]
struct Page {
    frame: Frame,
    name: PolicyName,
    periods: [(u16, &'static str); 4],
    chosen: u16,
    decisions: String,
    others: Vec<String>,
    chart: String,
    nodes: Vec<NodeRow>,
    facts: Vec<FactShown>,
    versions: Vec<Version>,
}

pub(super) async fn page(
    State(room): State<Shared>,
    session: Session,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let chosen = asked.days.unwrap_or(30).clamp(1, 3660);
    let today = Utc::now().date_naive();
    let from = today - TimeDelta::days(i64::from(chosen) - 1);
    let (policy, chart) = room.chart()?;
    let mut counts = Counts::default();
    let (mut decisions, mut others) = (0, std::collections::BTreeMap::<String, u64>::new());
    for tally in room.console.store.tallies(from, today).await? {
        if tally.policy == policy.hash {
            counts.add(&tally.nodes, tally.decisions);
            decisions += tally.decisions;
        } else {
            *others.entry(tally.policy).or_default() += tally.decisions;
        }
    }
    let names = promotion::names(&room).await?;
    let link = format!("/decisions?since={from}&node=");
    let nodes = policy.diagram.nodes.iter().map(|node| NodeRow {
        id: node.id.clone(),
        text: node.text.clone(),
        link: format!("{link}{}", query(&node.id)),
        decisions: grouped(counts.nodes.get(&node.id).copied().unwrap_or_default()),
    });
    html(&Page {
        frame: Frame::new(&session, "The policy", "/policy"),
        name: names.get(&policy.hash).cloned().unwrap_or_else(|| PolicyName::of(&policy.hash)),
        periods: [(1, "Today"), (7, "7 days"), (30, "30 days"), (365, "A year")],
        chosen,
        decisions: many(decisions, "decision"),
        others: others
            .into_iter()
            .map(|(hash, count)| format!("{} more by another policy, {}.", grouped(count), words::short(&hash)))
            .collect(),
        chart: chart.svg(&Shown { walked: &[], counts: Some(&counts), link: &link, ..Shown::default() }),
        nodes: nodes.collect(),
        facts: binding::facts(&policy),
        versions: versions(&room.console.store.policies(VERSIONS).await?),
    })
}

/// Policies that were in force, newest first, each with what it changed.
fn versions(kept: &[PolicyVersion]) -> Vec<Version> {
    let version = |(place, version): (usize, &PolicyVersion)| Version {
        name: PolicyName::since(&version.hash, version.since),
        changes: kept
            .get(place + 1)
            .map(|before| diff::lines([&before.diagram, &before.binding], [&version.diagram, &version.binding]))
            .unwrap_or_default(),
    };
    kept.iter().enumerate().map(version).collect()
}
