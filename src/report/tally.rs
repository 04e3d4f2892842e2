//! The arithmetic: cases counted one at a time.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Utc};

use super::waits::Waits;
use super::{Case, Disagreement, Opinion, Report, Row, Saved};
use crate::facts::fact::Trust;
use crate::policy::Policy;
use crate::policy::decision::{Answered, NEEDS_FACTS, NOT_APPLICABLE};

/// How many disagreements are listed.
const MOST_LISTED: usize = 1_000;

/// What a ticket is about where nothing says.
const UNKNOWN: &str = "unknown";

/// Counts by name.
type Counts = BTreeMap<String, Row>;

/// What has been counted so far.
#[derive(Debug, Default)]
pub struct Tally {
    decisions: u64,
    tickets: u64,
    given: u64,
    agreed: u64,
    disagreed: u64,
    verdicts: Counts,
    nodes: Counts,
    sources: Counts,
    requests: Counts,
    workflows: Counts,
    asked: Counts,
    waits: Waits,
    saved: u64,
    disagreements: VecDeque<Disagreement>,
    left_out: u64,
}

impl Tally {
    /// Counts one case; cases come oldest first.
    pub fn add(&mut self, case: &Case) {
        let decision = &case.decision;
        let opinion = case.opinion.as_ref();
        self.decisions += 1;
        count(&mut self.verdicts, &decision.verdict, "", opinion);
        for missing in &decision.missing {
            count(&mut self.asked, &missing.fact, &missing.question, None);
        }
        if case.earlier == 0 {
            self.tickets += 1;
            let request = decision.path.iter().find(|answered| answered.fact == "request");
            count(&mut self.requests, request.map_or(UNKNOWN, |answered| &answered.answer), "", None);
            count(&mut self.workflows, decision.workflow.as_deref().unwrap_or(UNKNOWN), "", None);
        }
        if decision.verdict == NEEDS_FACTS || decision.verdict == NOT_APPLICABLE {
            return;
        }
        self.verdict(case);
    }

    /// Counts a case that gave a verdict.
    fn verdict(&mut self, case: &Case) {
        let (decision, opinion) = (&case.decision, case.opinion.as_ref());
        self.given += 1;
        let mut sources: Vec<&str> = Vec::new();
        for answered in decision.path.iter().chain(&decision.beyond) {
            count(&mut self.nodes, &answered.node, &answered.text, opinion);
            let source = source(answered);
            if !sources.contains(&source) {
                sources.push(source);
            }
        }
        for source in sources {
            count(&mut self.sources, source, source, opinion);
        }
        if case.earlier_verdicts == 0 {
            self.saved += u64::from(!matches!(opinion, Some(Opinion::Disagreed { .. })));
            if let (Some(starred), Some(posted)) = (case.starred_at, case.posted_at) {
                self.waits.add(posted - starred);
            }
        }
        match opinion {
            None => {}
            Some(Opinion::Agreed) => self.agreed += 1,
            Some(Opinion::Disagreed { why, who, at, way }) => {
                self.disagreed += 1;
                self.disagreements.push_front(Disagreement {
                    account: case.ticket.account.clone(),
                    ticket: case.ticket.id,
                    reference: case.reference.clone(),
                    verdict: decision.verdict.clone(),
                    why: why.clone(),
                    who: who.clone(),
                    at: *at,
                    way: (*way).to_owned(),
                });
                if self.disagreements.len() > MOST_LISTED {
                    self.disagreements.pop_back();
                    self.left_out += 1;
                }
            }
        }
    }

    /// The report on all that was counted, with the policy's words for verdicts.
    pub fn report(
        self,
        policy: &Policy,
        since: Option<DateTime<Utc>>,
        made_at: DateTime<Utc>,
        minutes_by_hand: u64,
    ) -> Report {
        let minutes = self.saved.saturating_mul(minutes_by_hand);
        Report {
            since,
            made_at,
            decisions: self.decisions,
            tickets: self.tickets,
            given: self.given,
            agreed: self.agreed,
            disagreed: self.disagreed,
            verdicts: rows(self.verdicts, |name| policy.title(name).to_owned()),
            nodes: rows(self.nodes, plain),
            sources: rows(self.sources, plain),
            requests: rows(self.requests, plain),
            workflows: rows(self.workflows, plain),
            asked: rows(self.asked, plain),
            waited: self.waits.median(),
            saved: Saved { tickets: self.saved, minutes_by_hand, minutes },
            disagreements: self.disagreements.into(),
            disagreements_left_out: self.left_out,
        }
    }
}

fn count(counts: &mut Counts, name: &str, label: &str, opinion: Option<&Opinion>) {
    if !counts.contains_key(name) {
        let new = Row { name: name.to_owned(), label: label.to_owned(), ..Row::default() };
        counts.insert(name.to_owned(), new);
    }
    let Some(row) = counts.get_mut(name) else { return };
    row.count += 1;
    match opinion {
        None => {}
        Some(Opinion::Agreed) => row.agreed += 1,
        Some(Opinion::Disagreed { .. }) => row.disagreed += 1,
    }
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

/// Where a fact was read, without what differs from ticket to ticket: no names, no values, no dates.
fn source(answered: &Answered) -> &str {
    match answered.trust {
        Trust::Stated => "a manager's answer",
        Trust::Inferred => "the customer's words",
        Trust::Recorded if answered.source.contains(" of grace") => "reckoned from the expiry",
        Trust::Recorded => answered.source.split([':', '(', ',']).next().unwrap_or_default().trim(),
    }
}
