//! The first page: what needs somebody, and what was decided today.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use chrono::{TimeDelta, Utc};

use super::Shared;
use super::page::{Frame, Problem, html};
use super::session::Session;
use super::tickets::{Row, SOON};
use super::words;
use crate::report::text::grouped;
use crate::store::follow_ups::Destination;
use crate::store::overview::Listed;

/// How many tickets of a kind are shown.
const FIRST: usize = 8;

struct Bar {
    verdict: String,
    title: String,
    tone: &'static str,
    decisions: u64,
    shown: String,
}

#[derive(Template)]
#[template(path = "today.html", config = "src/console/askama.toml")]
struct Page {
    frame: Frame,
    paused: Vec<String>,
    open_questions: u64,
    flipping: u64,
    dead: u64,
    oldest_due: String,
    agreement: String,
    verdicts: Vec<Bar>,
    most: u64,
    questions: Vec<Row>,
    turning: Vec<Row>,
    letters: Vec<Row>,
    stuck: u64,
    stopped_short: Vec<Row>,
}

pub(super) async fn page(State(room): State<Shared>, session: Session) -> Result<Response, Problem> {
    let (now, store) = (Utc::now(), &room.console.store);
    let policy = room.console.rule.now();
    let standing = store.standing(now, now + SOON).await?;
    let mut verdicts: Vec<Bar> = Vec::new();
    for tally in store.tallies(now.date_naive(), now.date_naive()).await? {
        match verdicts.iter_mut().find(|bar| bar.verdict == tally.verdict) {
            Some(bar) => bar.decisions += tally.decisions,
            None => verdicts.push(Bar {
                title: words::verdict(&policy, &tally.verdict),
                tone: words::tone(&policy, &tally.verdict),
                verdict: tally.verdict,
                decisions: tally.decisions,
                shown: String::new(),
            }),
        }
    }
    for bar in &mut verdicts {
        bar.shown = grouped(bar.decisions);
    }
    verdicts.sort_by_key(|bar| std::cmp::Reverse(bar.decisions));
    let agreement = store.agreement(now.date_naive() - TimeDelta::days(29)).await?;
    let rows = async |listed: Listed| -> Result<Vec<Row>, Problem> {
        let tickets = store.tickets(&listed, 0, FIRST).await?;
        Ok(tickets.into_iter().map(|ticket| Row::of(ticket, &policy, now)).collect())
    };
    let stuck = async |destination| store.follow_ups_waiting(destination, now).await.map(|waiting| waiting.stuck);
    let stopped_short = store.stuck_follow_ups(FIRST).await?;
    html(&Page {
        frame: Frame::new(&session, "Today", "/"),
        paused: store.paused().await?.iter().map(|(account, pause)| words::paused(account, pause)).collect(),
        open_questions: standing.open_questions,
        flipping: standing.flipping,
        dead: standing.dead,
        oldest_due: standing.oldest_due.map_or_else(|| "none".into(), |at| words::distance(at, now)),
        agreement: agreement.rate().map_or_else(|| "none yet".into(), |rate| format!("{:.0} %", 100.0 * rate)),
        most: verdicts.iter().map(|bar| bar.decisions).max().unwrap_or(1),
        verdicts,
        questions: rows(Listed::OpenQuestions).await?,
        turning: rows(Listed::Flipping(now + SOON)).await?,
        letters: rows(Listed::Dead).await?,
        stuck: stuck(Destination::StarIssue).await? + stuck(Destination::Chat).await?,
        stopped_short: stopped_short.iter().map(|follow_up| Row::of_follow_up(follow_up, now)).collect(),
    })
}
