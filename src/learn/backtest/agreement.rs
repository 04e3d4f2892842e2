//! What a policy decides against what managers did.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::comparison::Matrix;
use super::past::Call;
use super::reason;
use crate::decide::policy::decision::{Decision, NEEDS_FACTS, NOT_APPLICABLE};

/// Agreement over all tickets of which it is known what managers did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Agreement {
    /// By the managers' verdict.
    pub outcomes: BTreeMap<String, Row>,
    /// Of what managers did, what was decided.
    pub matrix: Matrix,
}

/// Agreement on the tickets to which managers gave one verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Decided alike.
    pub agreed: u64,
    /// Decided otherwise.
    pub differed: u64,
    /// Left open: facts are missing, the policy does not speak of it, or all that is known is what it was not.
    pub open: u64,
}

impl Row {
    /// Tickets in all.
    pub fn tickets(&self) -> u64 {
        self.agreed + self.differed + self.open
    }
}

/// A ticket that was decided otherwise than by managers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disagreement {
    /// The ticket.
    pub id: String,
    /// What managers did: a verdict, or `not` with one they refused.
    pub managers: String,
    /// What was decided.
    pub verdict: String,
    /// Where.
    pub node: Option<String>,
    /// Why, in one line.
    pub reason: String,
}

/// Whether managers and policy saw a ticket alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// They did.
    Agrees,
    /// They did not.
    Differs,
    /// That is left open; see [`Row::open`].
    Open,
}

impl Match {
    fn of(call: &Call, verdict: &str) -> Match {
        match call {
            Call::Was(was) if was == verdict => Match::Agrees,
            _ if [NEEDS_FACTS, NOT_APPLICABLE].contains(&verdict) => Match::Open,
            Call::Was(_) => Match::Differs,
            Call::WasNot(refused) if refused == verdict => Match::Differs,
            Call::WasNot(_) => Match::Open,
        }
    }
}

/// A managers' call by its name.
fn named(call: &Call) -> Cow<'_, str> {
    match call {
        Call::Was(was) => Cow::Borrowed(was),
        Call::WasNot(refused) => Cow::Owned(format!("not {refused}")),
    }
}

impl Disagreement {
    /// Tells of a ticket that was decided otherwise than by managers.
    pub fn new(id: &str, call: &Call, decision: &Decision) -> Disagreement {
        Disagreement {
            id: id.to_owned(),
            managers: named(call).into_owned(),
            verdict: decision.verdict.clone(),
            node: decision.outcome_node.clone(),
            reason: reason::of(decision),
        }
    }
}

impl Agreement {
    /// Counts a ticket by what managers did and by what is decided.
    pub fn add(&mut self, call: &Call, verdict: &str) -> Match {
        let (managers, found) = (named(call), Match::of(call, verdict));
        self.matrix.add(&managers, verdict);
        if !self.outcomes.contains_key(&*managers) {
            self.outcomes.insert(managers.clone().into_owned(), Row::default());
        }
        if let Some(row) = self.outcomes.get_mut(&*managers) {
            match found {
                Match::Agrees => row.agreed += 1,
                Match::Differs => row.differed += 1,
                Match::Open => row.open += 1,
            }
        }
        found
    }

    /// Adds what was counted elsewhere.
    pub fn join(&mut self, other: &Agreement) {
        self.matrix.join(&other.matrix);
        for (outcome, more) in &other.outcomes {
            let row = self.outcomes.entry(outcome.clone()).or_default();
            row.agreed += more.agreed;
            row.differed += more.differed;
            row.open += more.open;
        }
    }

    /// All outcomes together.
    pub fn total(&self) -> Row {
        self.outcomes.values().fold(Row::default(), |sum, row| Row {
            agreed: sum.agreed + row.agreed,
            differed: sum.differed + row.differed,
            open: sum.open + row.open,
        })
    }
}
