//! The first page: what is to be done now, by deadline, and what cannot go on by itself.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};

use super::page::{Frame, Problem, html};
use super::rows::{self, Row, Told};
use super::session::Session;
use super::tickets::SOON;
use super::words::{self, When};
use super::{Room, Shared};
use crate::decide::policy::Policy;
use crate::decide::policy::decision::NEEDS_FACTS;
use crate::learn::report::text::grouped;
use crate::store::follow_ups::Destination;
use crate::store::overview::{Listed, ListedTicket};

/// How many tickets of a kind are shown.
const FIRST: usize = 15;

/// How many of what only changes by itself or cannot go on are shown.
const FEW: usize = 5;

/// For how long a ticket may be due before it is said.
const LATE: TimeDelta = TimeDelta::minutes(5);

/// How often a verdict was given today.
struct Count {
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
    as_of: When,
    told: Option<String>,
    back: &'static str,
    find: &'static str,
    paused: Vec<String>,
    late: Option<String>,
    now: Vec<Row>,
    more_now: bool,
    questions: Vec<Row>,
    more_questions: bool,
    changing: Vec<Row>,
    failed: Vec<Row>,
    stuck: u64,
    stopped_short: Vec<Row>,
    counts: Vec<Count>,
}

pub(super) async fn page(
    State(room): State<Shared>,
    session: Session,
    Query(asked): Query<Told>,
) -> Result<Response, Problem> {
    let (now, store) = (Utc::now(), &room.console.store);
    let policy = room.console.rule.now();
    let standing = store.standing(now, now + SOON).await?;
    let shown = async |listed: Vec<ListedTicket>| rows::of(&room, &session, listed, now).await;
    let (first, more_now) = cut(pressing(&room, &policy).await?, FIRST);
    let asking = store.tickets(&Listed::With(NEEDS_FACTS.into()), 0, 2 * FIRST + 1).await?;
    let asking = asking.into_iter().filter(|listed| !listed.locked_out).collect();
    let (questions, more_questions) = cut(asking, FIRST);
    let calm =
        |listed: &ListedTicket| listed.verdict.as_ref().is_some_and(|it| words::tone(&policy, it) == "dismisses");
    let changing = store.tickets(&Listed::Flipping(now + SOON), 0, 4 * FEW).await?;
    let changing = changing.into_iter().filter(calm).take(FEW).collect();
    let late = standing.oldest_due.filter(|due| now - *due > LATE);
    let stuck = async |destination| store.follow_ups_waiting(destination, now).await.map(|waiting| waiting.stuck);
    let stopped_short = store.stuck_follow_ups(FEW).await?;
    html(&Page {
        frame: Frame::new(&session, "Today", "/").refreshed(),
        as_of: When::of(now),
        told: asked.sentence(store).await?,
        back: "/",
        find: "",
        paused: store.paused().await?.iter().map(|(account, pause)| words::paused(account, pause)).collect(),
        late: late.map(|due| {
            format!(
                "The bot is behind: a ticket has been waiting for it for {}.",
                crate::decide::facts::expiry::length((now - due).num_milliseconds())
            )
        }),
        now: shown(first).await?,
        more_now,
        questions: shown(questions).await?,
        more_questions,
        changing: shown(changing).await?,
        failed: shown(store.tickets(&Listed::Dead, 0, FEW).await?).await?,
        stuck: stuck(Destination::StarIssue).await? + stuck(Destination::Chat).await?,
        stopped_short: stopped_short.iter().map(|follow_up| Row::of_follow_up(follow_up, now)).collect(),
        counts: counts(&room, &policy, now).await?,
    })
}

/// Tickets of who is locked out, and with verdicts that neither ask nor dismiss, the first deadline first.
async fn pressing(room: &Room, policy: &Policy) -> Result<Vec<ListedTicket>, Problem> {
    let store = &room.console.store;
    let mut all = store.tickets(&Listed::LockedOut, 0, FIRST + 1).await?;
    for (name, outcome) in &policy.binding.outcomes {
        if !outcome.dismisses() && name.get_ref() != NEEDS_FACTS {
            let found = store.tickets(&Listed::With(name.get_ref().clone()), 0, FIRST + 1).await?;
            all.extend(found.into_iter().filter(|listed| !listed.locked_out));
        }
    }
    all.sort_by_key(|listed| (listed.deadline.is_none(), listed.deadline, listed.decided_at));
    Ok(all)
}

/// The first of a list, and whether there are more.
fn cut(mut listed: Vec<ListedTicket>, first: usize) -> (Vec<ListedTicket>, bool) {
    let more = listed.len() > first;
    listed.truncate(first);
    (listed, more)
}

/// How often each verdict was given today, UTC.
async fn counts(room: &Room, policy: &Policy, now: DateTime<Utc>) -> Result<Vec<Count>, Problem> {
    let mut counts: Vec<Count> = Vec::new();
    for tally in room.console.store.tallies(now.date_naive(), now.date_naive()).await? {
        match counts.iter_mut().find(|count| count.verdict == tally.verdict) {
            Some(count) => count.decisions += tally.decisions,
            None => counts.push(Count {
                title: words::verdict(policy, &tally.verdict),
                tone: words::tone(policy, &tally.verdict),
                verdict: tally.verdict,
                decisions: tally.decisions,
                shown: String::new(),
            }),
        }
    }
    for count in &mut counts {
        count.shown = grouped(count.decisions);
    }
    counts.sort_by_key(|count| std::cmp::Reverse(count.decisions));
    Ok(counts)
}
