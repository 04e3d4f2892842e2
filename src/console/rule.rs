//! The policy: its chart with how often each part was passed.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use chrono::{TimeDelta, Utc};
use serde::Deserialize;

use super::Shared;
use super::chart::{Counts, Shown, grouped, query};
use super::page::{Frame, Problem, html};
use super::session::Session;

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
        chart: chart.svg(&Shown { walked: &[], counts: Some(&counts), link: &link }),
        nodes: nodes.collect(),
    })
}
