//! The policy: its chart with how often each part was passed.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use chrono::{TimeDelta, Utc};
use serde::Deserialize;
use similar::{ChangeTag, TextDiff};

use super::Shared;
use super::chart::{Counts, Shown, query};
use super::page::{Frame, Problem, html};
use super::session::Session;
use crate::decide::facts::expiry;
use crate::learn::report::text::grouped;
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
    hash: String,
    since: String,
    /// What is different from the one before: each line with the class that colours it.
    changes: Vec<(&'static str, String)>,
}

#[derive(Template)]
#[template(path = "rule.html", config = "src/console/askama.toml")]
struct Page {
    frame: Frame,
    hash: String,
    periods: [(u16, &'static str); 4],
    chosen: u16,
    decisions: String,
    others: Vec<String>,
    chart: String,
    nodes: Vec<NodeRow>,
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
    let link = format!("/decisions?since={from}&node=");
    let nodes = policy.diagram.nodes.iter().map(|node| NodeRow {
        id: node.id.clone(),
        text: node.text.clone(),
        link: format!("{link}{}", query(&node.id)),
        decisions: grouped(counts.nodes.get(&node.id).copied().unwrap_or_default()),
    });
    html(&Page {
        frame: Frame::new(&session, "The policy", "/policy"),
        hash: policy.hash.clone(),
        periods: [(1, "Today"), (7, "7 days"), (30, "30 days"), (365, "A year")],
        chosen,
        decisions: grouped(decisions),
        others: others
            .into_iter()
            .map(|(hash, count)| format!("{} more by another policy, {hash}.", grouped(count)))
            .collect(),
        chart: chart.svg(&Shown { walked: &[], counts: Some(&counts), link: &link, ..Shown::default() }),
        nodes: nodes.collect(),
        versions: versions(&room.console.store.policies(VERSIONS).await?),
    })
}

/// Policies that were in force, newest first, each with what it changed.
fn versions(kept: &[PolicyVersion]) -> Vec<Version> {
    let version = |(place, version): (usize, &PolicyVersion)| Version {
        hash: version.hash.clone(),
        since: expiry::exact(version.since),
        changes: kept.get(place + 1).map(|before| changes(before, version)).unwrap_or_default(),
    };
    kept.iter().enumerate().map(version).collect()
}

fn changes(before: &PolicyVersion, after: &PolicyVersion) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    for (old, new) in [(&before.diagram, &after.diagram), (&before.binding, &after.binding)] {
        let diff = TextDiff::from_lines(old.as_str(), new.as_str());
        for change in diff.iter_all_changes() {
            let text = change.value().trim_end();
            match change.tag() {
                ChangeTag::Insert => lines.push(("added", format!("+ {text}"))),
                ChangeTag::Delete => lines.push(("removed", format!("- {text}"))),
                ChangeTag::Equal => {}
            }
        }
    }
    lines
}
