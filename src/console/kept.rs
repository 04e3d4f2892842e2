//! The candidate on decisions that are kept, at once: both policies walk over the facts as they were read then.

use std::collections::BTreeSet;

use super::links::link;
use super::page::Problem;
use super::shadow::{Differing, Table, differs, sentence, table};
use crate::decide::basis::Basis;
use crate::decide::facts::expiry;
use crate::decide::facts::fact::Spoken;
use crate::decide::policy::Policy;
use crate::learn::backtest::comparison::{self, Matrix};
use crate::store::Store;
use crate::store::overview::DecisionFilter;

/// How many decisions are looked through, the newest first.
const NEWEST: usize = 400;

/// How many that differ are shown.
const FIRST: usize = 10;

/// What the candidate makes of them.
pub(super) struct Compared {
    /// How many, and on how many verdicts differ, in a sentence.
    pub sentence: String,
    /// None where nothing is kept.
    pub table: Option<Table>,
    /// The newest of those that differ.
    pub rows: Vec<Differing>,
}

/// Of the newest decisions that are kept, one a ticket, what each policy makes of its facts at its time.
///
/// # Errors
/// A store that cannot be used.
pub(super) async fn compared(store: &Store, policy: &Policy, candidate: &Policy) -> Result<Compared, Problem> {
    let (mut seen, mut matrix, mut rows) = (BTreeSet::new(), Matrix::default(), Vec::new());
    for (_, row) in store.decisions(&DecisionFilter::default(), NEWEST).await? {
        let basis: Basis = serde_json::from_str(&row.basis).unwrap_or_default();
        if basis.facts.is_empty() || !seen.insert(row.ticket.clone()) {
            continue;
        }
        let decide = |policy: &Policy| policy.decide(&basis.facts, &Spoken::default(), row.decided_at);
        let (was, becomes) = (decide(policy), decide(candidate));
        matrix.add(&was.verdict, &becomes.verdict);
        let key = row.ticket.to_string();
        let difference = comparison::difference(&key, policy, &was, &becomes).filter(|_| rows.len() < FIRST);
        rows.extend(difference.map(|it| {
            let at = expiry::exact(row.decided_at);
            differs(policy, key, Some(link(&row.ticket)), at, it.parts_at.as_ref(), [&it.was, &it.becomes])
        }));
    }
    Ok(Compared {
        sentence: sentence(matrix.total(), matrix.off_diagonal()),
        table: (matrix.total() > 0)
            .then(|| table(policy, &matrix, "Verdicts on decisions that are kept, in force by the candidate's")),
        rows,
    })
}
