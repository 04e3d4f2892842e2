//! The candidate: each decision is also made by it, on the same reading at the same time, and never acted on.

use super::judge;
use super::{Account, Shared};
use crate::backtest::comparison;
use crate::facts::replies::Reply;
use crate::facts::sources::Ids;
use crate::helpdesk::ticket::Reading;
use crate::policy::Policy;
use crate::policy::decision::Decision;
use crate::store::comparisons::{Comparison, Pair};
use crate::store::decisions::DecisionRow;

/// Keeps what the candidate makes of a decision that is about to be recorded as `row`.
///
/// Told and let be where it cannot be kept: the policy in force is never held up by what is only tried.
pub(super) async fn compare(
    shared: &Shared,
    account: &Account,
    policy: &Policy,
    reading: &Reading,
    said: &[Reply],
    decision: &Decision,
    row: &DecisionRow,
) {
    let rules = shared.rule.rules();
    let Some(candidate) = rules.candidate().filter(|_| rules.policy.hash == policy.hash) else { return };
    let (ids, bot) = (Ids::new(&candidate.binding, &account.ids), account.bot.get().copied());
    let other = judge::ticket(candidate, &ids, Some(reading), said, &[], bot, row.decided_at).decision;
    let difference = comparison::difference(&row.ticket.to_string(), policy, decision, &other);
    let comparison = Comparison {
        ticket: row.ticket.clone(),
        reference: row.reference.clone(),
        decided_at: row.decided_at,
        pair: Pair { policy: policy.hash.clone(), candidate: candidate.hash.clone() },
        verdict: row.verdict.clone(),
        becomes: other.verdict,
        difference: difference.and_then(|difference| serde_json::to_string(&difference).ok()),
    };
    if let Err(error) = shared.store.record_comparison(&comparison).await {
        tracing::warn!(ticket = %row.ticket, %error, "what the candidate makes of a decision is not on record");
    }
}
