//! Decisions, newest first, by verdict, node and time.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use chrono::{NaiveDate, NaiveTime};
use serde::Deserialize;

use super::Shared;
use super::chart::query;
use super::page::{Frame, Problem, html};
use super::rows::Row;
use super::session::Session;
use super::tickets::ROWS;
use super::words;
use crate::decide::policy::decision::NEEDS_FACTS;
use crate::store::overview::DecisionFilter;

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    verdict: String,
    #[serde(default)]
    node: String,
    #[serde(default)]
    since: String,
    #[serde(default)]
    cursor: String,
}

#[derive(Template)]
#[template(path = "decisions.html", config = "src/console/askama.toml")]
struct Page {
    frame: Frame,
    verdicts: Vec<(String, String)>,
    nodes: Vec<(String, String)>,
    verdict: String,
    node: String,
    since: String,
    rows: Vec<Row>,
    back: &'static str,
    next: Option<String>,
}

pub(super) async fn page(
    State(room): State<Shared>,
    session: Session,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let policy = room.console.rule.now();
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let date = match asked.since.as_str() {
        "" => None,
        text => Some(
            NaiveDate::parse_from_str(text, "%Y-%m-%d")
                .map_err(|_| Problem::Bad("A day is written like 2026-11-30.".into()))?,
        ),
    };
    let before = match asked.cursor.as_str() {
        "" => None,
        text => Some(text.parse().map_err(|error: &str| Problem::Bad(error.into()))?),
    };
    let filter = DecisionFilter {
        since: date.map(|date| date.and_time(NaiveTime::MIN).and_utc()),
        verdict: given(&asked.verdict),
        node: given(&asked.node),
        before,
    };
    let mut found = room.console.store.decisions(&filter, ROWS + 1).await?;
    let more = found.len() > ROWS;
    found.truncate(ROWS);
    let last = found.last().filter(|_| more).map(|(place, _)| *place);
    let next = last.map(|place| {
        let (verdict, node, since) = (query(&asked.verdict), query(&asked.node), query(&asked.since));
        format!("/decisions?verdict={verdict}&node={node}&since={since}&cursor={place}")
    });
    let mut verdicts: Vec<(String, String)> =
        policy.binding.outcomes.iter().map(|(name, outcome)| (name.get_ref().clone(), outcome.title.clone())).collect();
    if policy.outcome(NEEDS_FACTS).is_none() {
        verdicts.push((NEEDS_FACTS.into(), words::verdict(&policy, NEEDS_FACTS)));
    }
    let page = Page {
        frame: Frame::new(&session, "Decisions", "/decisions"),
        verdicts,
        nodes: policy.diagram.nodes.iter().map(|node| (node.id.clone(), node.text.clone())).collect(),
        verdict: asked.verdict,
        node: asked.node,
        since: asked.since,
        rows: found.iter().map(|(_, row)| Row::of_decision(row, &policy)).collect(),
        back: "/decisions",
        next,
    };
    html(&page)
}
