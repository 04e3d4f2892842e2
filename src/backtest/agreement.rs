//! What a policy decides against what managers did.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::comparison::Matrix;
use super::past::Call;
use super::reason;
use crate::policy::decision::{Decision, NEEDS_FACTS, NOT_APPLICABLE};

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

impl Agreement {
    /// Counts a ticket, and tells of it where managers saw it otherwise.
    pub fn add(&mut self, id: &str, call: &Call, decision: &Decision) -> Option<Disagreement> {
        let verdict = decision.verdict.as_str();
        let (managers, same) = match call {
            Call::Was(was) => (was.clone(), was == verdict),
            Call::WasNot(refused) => (format!("not {refused}"), false),
        };
        let differs = match call {
            _ if [NEEDS_FACTS, NOT_APPLICABLE].contains(&verdict) => false,
            Call::Was(_) => !same,
            Call::WasNot(refused) => refused == verdict,
        };
        self.matrix.add(&managers, verdict);
        let row = self.outcomes.entry(managers.clone()).or_default();
        match (same, differs) {
            (true, _) => row.agreed += 1,
            (false, true) => row.differed += 1,
            (false, false) => row.open += 1,
        }
        differs.then(|| Disagreement {
            id: id.to_owned(),
            managers,
            verdict: verdict.to_owned(),
            node: decision.outcome_node.clone(),
            reason: reason::of(decision),
        })
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
