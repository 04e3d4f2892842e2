//! The report: what was decided, whether people agreed, what STARs were about, and what it saved.
//!
//! What decisions say is kept counted by day, so that a report reads few rows however many decisions there are.

pub mod csv;
pub mod gist;
pub mod html;
mod tally;
pub mod text;
mod waits;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

pub use tally::{Sum, Tally};

/// How many decisions share something, and how many of those somebody judged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Row {
    /// What they share, by its name in policy or decision.
    pub name: String,
    /// The same for people.
    pub label: String,
    /// How many there are.
    pub count: u64,
    /// How many somebody agreed with.
    pub agreed: u64,
    /// How many somebody disagreed with.
    pub disagreed: u64,
}

/// A decision that somebody disagreed with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Disagreement {
    /// The helpdesk account.
    pub account: String,
    /// The ticket number.
    pub ticket: u64,
    /// The decision's short id.
    pub reference: String,
    /// Its verdict.
    pub verdict: String,
    /// Why they disagreed, in their words or ours; may be empty.
    pub why: String,
    /// Who.
    pub who: String,
    /// When.
    pub at: DateTime<Utc>,
    /// `reply`, `console` or `tag`.
    pub way: String,
}

/// How long it took from a ticket's star to its first verdict.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Waited {
    /// Tickets of which it is known.
    pub tickets: u64,
    /// The median in minutes: as exact as a second below an hour, a minute below a week, an hour above.
    pub median_minutes: f64,
}

/// How tickets came to their first verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Settled {
    /// Tickets with a verdict.
    pub tickets: u64,
    /// Those that had it at once, without a person.
    pub unaided: u64,
    /// Those that had it after one note that asks.
    pub answered_once: u64,
    /// Those whose STAR was valid: the verdict does not dismiss it.
    pub valid: u64,
}

/// How long a ticket's first note took from its star, to a tenth of a second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Noted {
    /// Tickets of which it is known.
    pub tickets: u64,
    /// What half of them did not exceed.
    pub p50_seconds: f64,
    /// What ninety-nine of a hundred did not exceed.
    pub p99_seconds: f64,
    /// The slowest.
    pub slowest_seconds: f64,
}

impl Noted {
    /// Of tickets counted by tenths of a second; none of no ticket.
    fn of(tickets_by_tenths: &BTreeMap<u64, u64>) -> Option<Noted> {
        let all: u64 = tickets_by_tenths.values().sum();
        let (slowest, _) = tickets_by_tenths.last_key_value()?;
        let within = |percent: u64| {
            let wanted = all.saturating_mul(percent).div_ceil(100);
            let mut seen = 0;
            let reached = tickets_by_tenths.iter().find(|(_, tickets)| {
                seen += **tickets;
                seen >= wanted
            });
            seconds(*reached.map_or(slowest, |(tenths, _)| tenths))
        };
        let (p50_seconds, p99_seconds) = (within(50), within(99));
        Some(Noted { tickets: all, p50_seconds, p99_seconds, slowest_seconds: seconds(*slowest) })
    }
}

/// Tenths of a second in seconds; beyond a century it is a wrong clock.
fn seconds(tenths: u64) -> f64 {
    f64::from(u32::try_from(tenths).unwrap_or(u32::MAX)) / 10.0
}

/// What the bot saved, by an assumption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Saved {
    /// Tickets whose first verdict nobody disagreed with.
    pub tickets: u64,
    /// The assumption: minutes a manager would have taken for one.
    pub minutes_by_hand: u64,
    /// The one times the other.
    pub minutes: u64,
}

/// The report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// From when on decisions are counted; none for all that are kept.
    pub since: Option<DateTime<Utc>>,
    /// When the report was made.
    pub made_at: DateTime<Utc>,
    /// Decisions that were carried out, or recorded in shadow mode.
    pub decisions: u64,
    /// Tickets whose first decision is among them.
    pub tickets: u64,
    /// Decisions that gave a verdict, and not questions.
    pub given: u64,
    /// Verdicts somebody agreed with. Open questions are no verdict: they are left out.
    pub agreed: u64,
    /// Verdicts somebody disagreed with, or corrected by a tag.
    pub disagreed: u64,
    /// Decisions by verdict.
    pub verdicts: Vec<Row>,
    /// Verdicts by the questions they answered on the way.
    pub nodes: Vec<Row>,
    /// Verdicts by where their facts were read.
    pub sources: Vec<Row>,
    /// Tickets by kind of request.
    pub requests: Vec<Row>,
    /// Tickets by handbook case.
    pub workflows: Vec<Row>,
    /// Facts asked for, by how many decisions asked.
    pub asked: Vec<Row>,
    /// From star to first verdict; none where no ticket tells.
    pub waited: Option<Waited>,
    /// From star to first note; none where no ticket tells.
    pub noted: Option<Noted>,
    /// How tickets came to their first verdict.
    pub settled: Settled,
    /// What was saved.
    pub saved: Saved,
    /// Decisions somebody disagreed with, newest first.
    pub disagreements: Vec<Disagreement>,
    /// How many more there are.
    pub disagreements_left_out: u64,
}

impl Report {
    /// The share of judged verdicts that was agreed with, in whole percent; none where nobody judged.
    pub fn agreement(&self) -> Option<u64> {
        percent(self.agreed, self.agreed.saturating_add(self.disagreed))
    }
}

/// A part of a whole in whole percent; none of nothing.
pub(crate) fn percent(part: u64, whole: u64) -> Option<u64> {
    part.saturating_mul(100).saturating_add(whole / 2).checked_div(whole)
}
