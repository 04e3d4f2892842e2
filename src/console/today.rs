//! The first page: what needs somebody, and what was decided today.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};

use super::Shared;
use super::page::{Frame, Problem, html};
use super::session::Session;
use super::tickets::{Row, SOON};
use super::words;
use crate::decide::policy::Policy;
use crate::decide::policy::decision::NEEDS_FACTS;
use crate::learn::report::text::grouped;
use crate::store::Store;
use crate::store::decisions::DecisionRow;
use crate::store::follow_ups::Destination;
use crate::store::overview::{DecisionFilter, Listed, ListedTicket};
use crate::store::watches::Watch;

/// How many tickets of a kind are shown.
const FIRST: usize = 8;

/// How many decisions with a verdict are looked through for tickets that have it now: one may have been decided otherwise
/// since, or be over.
const MOST_DECISIONS: usize = 16 * FIRST;

struct Bar {
    verdict: String,
    title: String,
    tone: &'static str,
    decisions: u64,
    shown: String,
}

/// Tickets that are a manager's now, by the verdict that says so.
struct Escalated {
    title: String,
    rows: Vec<Row>,
    /// What is said where there are none.
    none: String,
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
    escalated: Vec<Escalated>,
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
        escalated: escalated(store, &policy, now).await?,
        questions: rows(Listed::OpenQuestions).await?,
        turning: rows(Listed::Flipping(now + SOON)).await?,
        letters: rows(Listed::Dead).await?,
        stuck: stuck(Destination::StarIssue).await? + stuck(Destination::Chat).await?,
        stopped_short: stopped_short.iter().map(|follow_up| Row::of_follow_up(follow_up, now)).collect(),
    })
}

/// For each verdict that neither asks nor dismisses: the tickets that have it now and are not over, newest first.
async fn escalated(store: &Store, policy: &Policy, now: DateTime<Utc>) -> Result<Vec<Escalated>, Problem> {
    let outcomes = policy.binding.outcomes.iter();
    let escalating = outcomes.filter(|(name, outcome)| !outcome.dismisses() && name.get_ref() != NEEDS_FACTS);
    let mut all = Vec::new();
    for (name, outcome) in escalating {
        let (mut seen, mut rows, title) = (Vec::new(), Vec::new(), outcome.title.clone());
        let mut filter = DecisionFilter { verdict: Some(name.get_ref().clone()), ..DecisionFilter::default() };
        let mut more = MoreDecisions::Perhaps;
        while more == MoreDecisions::Perhaps && rows.len() < FIRST && seen.len() < MOST_DECISIONS {
            let page = store.decisions(&filter, FIRST).await?;
            filter.before = page.last().map(|(place, _)| *place);
            if page.len() < FIRST {
                more = MoreDecisions::No;
            }
            for (_, DecisionRow { ticket, .. }) in page {
                if rows.len() < FIRST && !seen.contains(&ticket) {
                    let found = store.tickets(&Listed::Number(ticket.id), 0, FIRST).await?;
                    let stands = |listed: &ListedTicket| {
                        let open = matches!(listed.watch, Watch::Due { .. } | Watch::Idle);
                        open && listed.ticket == ticket && listed.verdict.as_ref() == Some(name.get_ref())
                    };
                    rows.extend(found.into_iter().find(stands).map(|ticket| Row::of(ticket, policy, now)));
                }
                seen.push(ticket);
            }
        }
        let none = match more {
            MoreDecisions::No => format!("No ticket is {title}."),
            MoreDecisions::Perhaps => format!("None of the newest {MOST_DECISIONS} is still open and {title}."),
        };
        all.push(Escalated { title, rows, none });
    }
    Ok(all)
}

/// Whether there may be older decisions.
#[derive(PartialEq, Eq)]
enum MoreDecisions {
    Perhaps,
    No,
}
