//! The candidate: each decision is also made by it, on the same reading at the same time, and never acted on.
//!
//! Systems of record that it asks and the policy in force does not are asked for it, for so long as a short patience
//! allows; and a ticket the policy in force does not speak of is read whole where the candidate does. What it makes of a
//! decision without all it needs is not told.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::operators;
use super::{Account, Shared};
use crate::decide::facts::replies::{self, Reply};
use crate::decide::facts::sources::{self, Ids};
use crate::decide::judge;
use crate::decide::policy::Policy;
use crate::decide::policy::decision::{Decision, NOT_APPLICABLE};
use crate::decide::ticket::{Reading, TicketKey};
use crate::elsewhere::lookups::Rank;
use crate::helpdesk::client::Looked;
use crate::learn::backtest::comparison;
use crate::store::StoreError;
use crate::store::comparisons::{Comparison, Pair};
use crate::store::decisions::DecisionRow;

/// How long the policy in force waits for what the candidate asks of systems of record; for its own it has waited before.
const PATIENCE: Duration = Duration::from_secs(1);

/// One decision of the policy in force.
struct Made<'a> {
    policy: &'a Policy,
    ticket: &'a TicketKey,
    /// Empty where it does not speak of the ticket.
    reference: &'a str,
    at: DateTime<Utc>,
    decision: &'a Decision,
}

/// Keeps what the candidate makes of a decision that is about to be recorded as `row`.
///
/// Told and let be where it cannot be kept: the policy in force is never held up for long by what is only tried.
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
    let made = Made { policy, ticket: &row.ticket, reference: &row.reference, at: row.decided_at, decision };
    kept(&row.ticket, made.compare(shared, account, candidate, reading, said).await);
}

/// Keeps what the candidate makes of a ticket that the policy in force does not speak of, and of which it never decided.
pub(super) async fn beyond(shared: &Shared, account: &Account, policy: &Policy, ticket: &TicketKey, looked: Looked) {
    let rules = shared.rule.rules();
    let Some(candidate) = rules.candidate().filter(|_| rules.policy.hash == policy.hash) else { return };
    let ids = Ids::new(&candidate.binding, &account.ids);
    if sources::not_ours(&candidate.binding, &ids, &looked.ticket).is_some() {
        return; // Its comments are none of our business.
    }
    let thread = match account.helpdesk.comments(ticket.id).await {
        Ok(read) => read,
        Err(error) => {
            tracing::warn!(%ticket, %error, "what the candidate makes of a ticket cannot be told");
            return;
        }
    };
    let Looked { ticket: read, organization, mut users, .. } = looked;
    users.extend(thread.users);
    let reading = Reading { ticket: read, organization, comments: thread.comments, users, ..Reading::default() };
    let decision = policy.not_applicable();
    let made = Made { policy, ticket, reference: "", at: Utc::now(), decision: &decision };
    let compared = async {
        let said = operators::replies(&shared.store.operators_on(ticket).await?);
        made.compare(shared, account, candidate, &reading, &said).await
    };
    kept(ticket, compared.await);
}

fn kept(ticket: &TicketKey, kept: Result<(), StoreError>) {
    if let Err(error) = kept {
        tracing::warn!(%ticket, %error, "what the candidate makes of a decision is not on record");
    }
}

impl Made<'_> {
    async fn compare(
        &self,
        shared: &Shared,
        account: &Account,
        candidate: &Policy,
        reading: &Reading,
        said: &[Reply],
    ) -> Result<(), StoreError> {
        let (ids, own) = (Ids::new(&candidate.binding, &account.ids), account.own_users());
        let asked = async {
            let records = account.systems.records(Rank::Candidate, candidate, &ids, reading, own, self.at).await;
            let reading = Reading { records, words: None, ..reading.clone() };
            let heard = account.embedder.words(candidate, &ids, &reading, own, self.ticket, self.at).await?;
            Ok::<Reading, StoreError>(Reading { words: heard.words, ..reading })
        };
        let other = match tokio::time::timeout(PATIENCE, asked).await {
            Ok(reading) => {
                let reading = reading?;
                let judged = judge::ticket(candidate, &ids, Some(&reading), said, &[], own, self.at);
                let silent = self.decision.verdict == NOT_APPLICABLE;
                if silent && (replies::stop(&judged.replies).is_some() || judged.decision.verdict == NOT_APPLICABLE) {
                    return Ok(()); // Neither would say anything.
                }
                Some(judged.decision)
            }
            Err(_) => None,
        };
        let difference = other
            .as_ref()
            .and_then(|other| comparison::difference(&self.ticket.to_string(), self.policy, self.decision, other));
        let comparison = Comparison {
            ticket: self.ticket.clone(),
            reference: self.reference.to_owned(),
            decided_at: self.at,
            pair: Pair { policy: self.policy.hash.clone(), candidate: candidate.hash.clone() },
            verdict: self.decision.verdict.clone(),
            becomes: other.map(|other| other.verdict),
            difference: difference.and_then(|difference| serde_json::to_string(&difference).ok()),
        };
        shared.store.record_comparison(&comparison).await
    }
}
