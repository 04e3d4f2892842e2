//! The arithmetic: what decisions said by how many said so.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::gist::{Gist, Gives};
use super::waits::Waits;
use super::{Disagreement, Noted, Report, Row, Saved, Settled};
use crate::decide::policy::Policy;

/// What a ticket is about where nothing says.
const UNKNOWN: &str = "unknown";

/// Counts by name.
type Counts = BTreeMap<String, Row>;

/// Decisions that share a gist, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many there are.
    pub decisions: u64,
    /// How many of them were their ticket's first.
    pub tickets: u64,
    /// How many of them were their ticket's first verdict.
    pub settled: u64,
    /// How many of them were both: decided without a person.
    pub unaided: u64,
    /// How many of them were their ticket's first verdict, and nobody disagreed.
    pub saved: u64,
    /// How many somebody agreed with; of several opinions on one decision the newest counts.
    pub agreed: u64,
    /// How many somebody disagreed with.
    pub disagreed: u64,
}

/// What has been counted so far.
#[derive(Debug, Default)]
pub struct Tally {
    all: Sum,
    given: Sum,
    verdicts: Counts,
    nodes: Counts,
    sources: Counts,
    requests: Counts,
    workflows: Counts,
    asked: Counts,
    waits: Waits,
    /// Tickets by tenths of a second.
    notes: BTreeMap<u64, u64>,
    answered_once: u64,
    /// Tickets by their first verdict.
    settled: BTreeMap<String, u64>,
    disagreements: Vec<Disagreement>,
}

impl Tally {
    /// Counts decisions with one gist; of several words for one name those that come first stand.
    pub fn add(&mut self, gist: &Gist, sum: Sum) {
        self.all.add(sum);
        count(&mut self.verdicts, &gist.verdict, "", sum);
        let unjudged = |count| Sum { decisions: count, ..Sum::default() };
        for (fact, question) in &gist.asked {
            count(&mut self.asked, fact, question, unjudged(sum.decisions));
        }
        count(&mut self.requests, gist.request.as_deref().unwrap_or(UNKNOWN), "", unjudged(sum.tickets));
        count(&mut self.workflows, gist.workflow.as_deref().unwrap_or(UNKNOWN), "", unjudged(sum.tickets));
        if gist.gives() == Gives::None {
            return;
        }
        self.given.add(sum);
        *self.settled.entry(gist.verdict.clone()).or_default() += sum.settled;
        for (node, text) in &gist.nodes {
            count(&mut self.nodes, node, text, sum);
        }
        for source in &gist.sources {
            count(&mut self.sources, source, source, sum);
        }
    }

    /// Counts tickets that waited so many seconds from the star to their first verdict.
    pub fn waited(&mut self, seconds: u64, tickets: u64) {
        self.waits.add(seconds, tickets);
    }

    /// Counts tickets whose first note took so many tenths of a second from the star.
    pub fn noted(&mut self, tenths: u64, tickets: u64) {
        *self.notes.entry(tenths).or_default() += tickets;
    }

    /// Counts tickets that one note that asks settled.
    pub fn answered_once(&mut self, tickets: u64) {
        self.answered_once += tickets;
    }

    /// Lists a verdict that somebody disagreed with; the newest comes first.
    pub fn disagreed(&mut self, disagreement: Disagreement) {
        self.disagreements.push(disagreement);
    }

    /// The report on all that was counted, with the policy's words for verdicts.
    pub fn report(
        self,
        policy: &Policy,
        since: Option<DateTime<Utc>>,
        made_at: DateTime<Utc>,
        minutes_by_hand: u64,
    ) -> Report {
        let (all, given) = (self.all, self.given);
        let valid =
            self.settled.iter().filter(|(verdict, _)| policy.outcome(verdict).is_some_and(|it| !it.dismisses()));
        let settled = Settled {
            tickets: given.settled,
            unaided: given.unaided,
            answered_once: self.answered_once,
            valid: valid.map(|(_, tickets)| tickets).sum(),
        };
        let listed = u64::try_from(self.disagreements.len()).unwrap_or(u64::MAX);
        Report {
            since,
            made_at,
            decisions: all.decisions,
            tickets: all.tickets,
            given: given.decisions,
            agreed: given.agreed,
            disagreed: given.disagreed,
            verdicts: rows(self.verdicts, |name| policy.title(name).to_owned()),
            nodes: rows(self.nodes, plain),
            sources: rows(self.sources, plain),
            requests: rows(self.requests, plain),
            workflows: rows(self.workflows, plain),
            asked: rows(self.asked, plain),
            waited: self.waits.median(),
            noted: Noted::of(&self.notes),
            settled,
            saved: Saved {
                tickets: given.saved,
                minutes_by_hand,
                minutes: given.saved.saturating_mul(minutes_by_hand),
            },
            disagreements: self.disagreements,
            disagreements_left_out: given.disagreed.saturating_sub(listed),
        }
    }
}

impl Sum {
    fn add(&mut self, more: Sum) {
        self.decisions += more.decisions;
        self.tickets += more.tickets;
        self.settled += more.settled;
        self.unaided += more.unaided;
        self.saved += more.saved;
        self.agreed += more.agreed;
        self.disagreed += more.disagreed;
    }
}

fn count(counts: &mut Counts, name: &str, label: &str, sum: Sum) {
    if sum.decisions == 0 {
        return;
    }
    if !counts.contains_key(name) {
        let new = Row { name: name.to_owned(), label: label.to_owned(), ..Row::default() };
        counts.insert(name.to_owned(), new);
    }
    let Some(row) = counts.get_mut(name) else { return };
    row.count += sum.decisions;
    row.agreed += sum.agreed;
    row.disagreed += sum.disagreed;
}

/// The most first; those without a label get `label`'s.
fn rows(counts: Counts, label: impl Fn(&str) -> String) -> Vec<Row> {
    let mut rows: Vec<Row> = counts.into_values().collect();
    for row in rows.iter_mut().filter(|row| row.label.is_empty()) {
        row.label = label(&row.name);
    }
    rows.sort_by(|one, other| other.count.cmp(&one.count).then_with(|| one.name.cmp(&other.name)));
    rows
}

fn plain(name: &str) -> String {
    if name == UNKNOWN { "not known".into() } else { name.replace('_', " ") }
}
