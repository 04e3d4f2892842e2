//! Every decision that is kept, counted for a report page by page.

use anyhow::Context;
use chrono::{DateTime, Utc};

use crate::policy::decision::Decision;
use crate::report::{Case, Opinion, Tally};
use crate::store::Store;
use crate::store::feedback;
use crate::store::records::{Place, Record};

/// How many decisions are in memory at once.
const PAGE: usize = 500;

/// Counts every decision since then, page by page; all that are kept where there is no such moment.
///
/// # Errors
/// A store that cannot be used, a decision this version cannot read.
pub async fn tally(store: &dyn Store, since: Option<DateTime<Utc>>) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    // Everything is later than the first moment there is.
    let mut place = Place { decided_at: since.unwrap_or(DateTime::UNIX_EPOCH), id: 0 };
    loop {
        let page = store.records(place, PAGE).await?;
        let Some(last) = page.last() else { return Ok(tally) };
        place = last.place;
        for record in page {
            let told = format!("the decision {} on ticket {}", record.reference, record.ticket);
            tally.add(&case(record).context(told)?);
        }
    }
}

fn case(record: Record) -> anyhow::Result<Case> {
    let decision: Decision = serde_json::from_str(&record.decision).context("is not one this version can read")?;
    Ok(Case {
        ticket: record.ticket,
        reference: record.reference,
        decided_at: record.place.decided_at,
        decision,
        earlier: record.earlier,
        earlier_verdicts: record.earlier_verdicts,
        starred_at: record.starred_at,
        posted_at: record.posted_at,
        opinion: record.feedback.map(opinion),
    })
}

fn opinion(feedback: feedback::Feedback) -> Opinion {
    let why = match feedback.opinion {
        feedback::Opinion::Agree => return Opinion::Agreed,
        feedback::Opinion::Disagree { why } => why,
        feedback::Opinion::Corrected { to } => format!("corrected to {}", to.replace('_', " ")),
    };
    Opinion::Disagreed { why, who: feedback.who, at: feedback.said_at, way: feedback.way.word() }
}
