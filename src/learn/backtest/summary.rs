//! Everything counted in a backtest, and its words for a terminal.

use serde::Serialize;

use super::agreement::{Agreement, Disagreement, Match};
use super::comparison::{self, Difference, Matrix};
use super::past::Past;
use super::tally::Tally;
use crate::decide::facts::said::Words;
use crate::decide::facts::sources::Ids;
use crate::decide::judge;
use crate::decide::policy::Policy;
use crate::decide::policy::decision::Decision;
use crate::decide::ticket::{OwnUsers, Reading};

/// The counts of a backtest; its JSON is what a promotion takes along.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The policy's content hash.
    pub policy: String,
    /// What it decided.
    pub tally: Tally,
    /// What a second policy made of the same tickets.
    pub against: Option<Against>,
    /// How far the policy (where there are two: the second) and the managers agree.
    pub agreement: Agreement,
    /// Lines that were no tickets.
    pub bad_lines: u64,
}

/// What a second policy made of the same tickets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Against {
    /// Its content hash.
    pub policy: String,
    /// What it decided.
    pub tally: Tally,
    /// Of the first policy's verdict, the second's.
    pub matrix: Matrix,
    /// Tickets whose verdict differs.
    pub differing: u64,
}

/// A policy with the ids of forms and fields it reads by.
#[derive(Clone, Copy)]
pub struct Rule<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// The ids.
    pub ids: &'a Ids,
    /// What reads the words; none where the built-in vectors do, or where it does not.
    pub read: Option<&'a Read<'a>>,
}

/// Reads the words of a past ticket by a policy and its ids.
pub type Read<'a> = dyn Fn(&Policy, &Ids, &Past) -> Option<Words> + Sync + 'a;

impl Rule<'_> {
    /// Decides a past ticket at its own time.
    fn decide(&self, past: &Past) -> Decision {
        let nobody = OwnUsers::none(); // Our own notes are left out of it already.
        let words = self.read.and_then(|read| read(self.policy, self.ids, past));
        let read = words.map(|words| Reading { words: Some(words), ..past.reading.clone() });
        let reading = read.as_ref().unwrap_or(&past.reading);
        judge::ticket(self.policy, self.ids, Some(reading), &[], &past.stated, &nobody, past.now).decision
    }
}

/// What is worth listing of one ticket.
#[derive(Debug, Default)]
pub struct Found {
    /// Where the two policies differ.
    pub difference: Option<Difference>,
    /// Where managers saw it otherwise.
    pub disagreement: Option<Disagreement>,
}

impl Summary {
    /// Nothing counted yet.
    pub fn new(policy: &Policy, against: Option<&Policy>) -> Summary {
        let against = against.map(|policy| Against { policy: policy.hash.clone(), ..Against::default() });
        Summary { policy: policy.hash.clone(), against, ..Summary::default() }
    }

    /// Decides a past ticket by one policy or by two, and counts it.
    pub fn add(&mut self, past: &Past, rule: Rule<'_>, against: Option<Rule<'_>>) -> Found {
        let mut found = Found::default();
        let mut decision = rule.decide(past);
        self.tally.add(&decision);
        if let (Some(second), Some(counts)) = (against, &mut self.against) {
            let other = second.decide(past);
            counts.tally.add(&other);
            counts.matrix.add(&decision.verdict, &other.verdict);
            found.difference = comparison::difference(&past.id, rule.policy, &decision, &other);
            counts.differing += u64::from(found.difference.is_some());
            decision = other;
        }
        if let Some(call) = &past.call
            && self.agreement.add(call, &decision.verdict) == Match::Differs
        {
            found.disagreement = Some(Disagreement::new(&past.id, call, &decision));
        }
        found
    }

    /// How many lines were no tickets, in words; none where all were.
    pub fn left_out(&self) -> Option<String> {
        match self.bad_lines {
            0 => None,
            1 => Some("1 line was no ticket and was left out".into()),
            many => Some(format!("{many} lines were no tickets and were left out")),
        }
    }

    /// Adds what was counted elsewhere.
    pub fn join(&mut self, other: &Summary) {
        self.tally.join(&other.tally);
        self.agreement.join(&other.agreement);
        self.bad_lines += other.bad_lines;
        if let (Some(mine), Some(more)) = (&mut self.against, &other.against) {
            mine.tally.join(&more.tally);
            mine.matrix.join(&more.matrix);
            mine.differing += more.differing;
        }
    }
}

/// A part of a whole in percent, rounded.
pub fn percent(part: u64, whole: u64) -> u64 {
    if whole == 0 { 0 } else { (part * 200 + whole) / (2 * whole) }
}
