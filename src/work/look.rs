//! One look at one ticket: read, decide, and write where something changed.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use super::basis::Basis;
use super::feedback;
use super::judge::{self, Judged};
use super::operators;
use super::reference::{fingerprint, posted, reference};
use super::{Account, Shared};
use crate::config::Mode;
use crate::facts::replies;
use crate::facts::sources::{self, Ids};
use crate::helpdesk::client::{CallError, Update};
use crate::helpdesk::ticket::{Reading, TicketKey};
use crate::metrics;
use crate::note::{self, Subject};
use crate::policy::Policy;
use crate::policy::decision::{Decision, NOT_APPLICABLE};
use crate::store::StoreError;
use crate::store::decisions::{Carried, DecisionRow};
use crate::store::feedback::Feedback;
use crate::store::watches::{Claim, Next};

/// How often a ticket may fail in a row before it becomes a dead letter.
const MOST_FAILURES: u32 = 8;

/// What a look came to.
pub(super) struct Looked {
    pub next: Next,
    /// Whether the whole account is to wait.
    pub pause: Option<Pause>,
}

/// How long an account is to wait, and why.
pub(super) struct Pause {
    pub length: Duration,
    /// What the helpdesk refused, where it refused us.
    pub refused: Option<String>,
}

/// Looks at a ticket, and writes note and tags where something changed.
pub(super) async fn at(shared: &Shared, account: &Account, claim: &Claim) -> Result<Looked, StoreError> {
    let policy = shared.rule.now(); // One policy from the first question to the note.
    let id = claim.ticket.id;
    let looked = match account.helpdesk.ticket(id).await {
        Ok(looked) => looked,
        Err(error) => return Ok(after(&error, claim)),
    };
    let ids = Ids::new(&policy.binding, &account.ids);
    let last = shared.store.last_decision(&claim.ticket).await?;
    let not_ours = sources::not_ours(&policy.binding, &ids, &looked.ticket);
    if let (Some(why), None) = (&not_ours, &last) {
        return Ok(stopped(why.clone())); // Its comments are none of our business.
    }
    let (comments, people) = match account.helpdesk.comments(id).await {
        Ok(read) => read,
        Err(error) => return Ok(after(&error, claim)),
    };
    let mut users = looked.users;
    users.extend(people);
    let mut reading =
        Reading { ticket: looked.ticket, organization: looked.organization, comments, users, ..Reading::default() };
    let bot = account.bot.get().copied();
    reading.records = account.systems.records(&policy, &ids, &reading, bot, Utc::now()).await;
    let said = operators::replies(&shared.store.operators_on(&claim.ticket).await?);
    let now = Utc::now();
    let judged = judge::ticket(&policy, &ids, Some(&reading), &said, &[], bot, now);
    shared.store.record_feedback(&feedback::replied(&reading, bot, &claim.ticket, &judged.replies, now)).await?;
    if let (Some(why), Some(last)) = (not_ours, &last) {
        if posted(&reading, bot.unwrap_or_default()).last() == Some(&last.reference) {
            let tags = &reading.ticket.tags;
            let last_word = feedback::corrected(&policy, &claim.ticket, &last.reference, &last.verdict, tags, now);
            shared.store.record_feedback(last_word.as_slice()).await?;
        }
        return Ok(stopped(why));
    }
    if replies::stopped(&judged.replies) {
        return Ok(stopped("a manager said stop".into()));
    }
    if judged.decision.verdict == NOT_APPLICABLE {
        return Ok(stopped("the policy does not speak of it".into()));
    }
    let server_time = looked.server_time.unwrap_or(now);
    Decided { shared, policy: &policy, account, claim, reading: &reading, judged: &judged, last, now, server_time }
        .act()
        .await
}

/// A decision that is made, with all that is needed to act on it.
struct Decided<'a> {
    shared: &'a Shared,
    policy: &'a Policy,
    account: &'a Account,
    claim: &'a Claim,
    reading: &'a Reading,
    judged: &'a Judged,
    /// The newest decision that was carried out.
    last: Option<DecisionRow>,
    now: DateTime<Utc>,
    server_time: DateTime<Utc>,
}

impl Decided<'_> {
    async fn act(&self) -> Result<Looked, StoreError> {
        let ticket = &self.claim.ticket;
        let store = &self.shared.store;
        let fingerprint = fingerprint(&self.judged.decision, &self.judged.problems);
        let settled = Looked { next: Next::Settled { look_at: self.judged.decision.valid_until }, pause: None };
        let last = self.last.as_ref();
        let was = last.map(|row| row.verdict.clone());
        match self.account.mode {
            Mode::Shadow => {
                if last.is_none_or(|row| row.fingerprint != fingerprint) {
                    let reference = reference(ticket, &fingerprint, last.map(|row| row.reference.as_str()));
                    let row = self.row(reference, fingerprint, Carried::Shadow, was.as_deref())?.0;
                    store.record_decision(self.claim, &row).await?;
                    metrics::decision(&self.account.name, &row.verdict);
                }
                Ok(settled)
            }
            Mode::Live => {
                let posted = posted(self.reading, self.account.bot.get().copied().unwrap_or_default());
                let (newest, before) = (posted.last(), posted.iter().rev().nth(1));
                if let Some(newest) =
                    newest.filter(|newest| **newest == reference(ticket, &fingerprint, before.map(String::as_str)))
                {
                    store.posted(self.claim, newest, self.now).await?; // Where its answer was lost, this is the answer.
                    let verdict = &self.judged.decision.verdict;
                    store.record_feedback(self.corrected(newest, verdict).as_slice()).await?;
                    return Ok(settled);
                }
                let said = last.filter(|last| Some(&last.reference) == newest);
                let said = said.and_then(|last| Some((self.corrected(&last.reference, &last.verdict)?, &last.verdict)));
                if let Some((correction, verdict)) = said {
                    store.record_feedback(&[correction]).await?;
                    if *verdict == self.judged.decision.verdict {
                        return Ok(settled); // What somebody has put right is not said again; only another verdict speaks.
                    }
                }
                if let Some(wait) = self.young() {
                    return Ok(Looked { next: Next::Again { at: self.now + wait }, pause: None });
                }
                let (row, html) = self.row(
                    reference(ticket, &fingerprint, newest.map(String::as_str)),
                    fingerprint,
                    Carried::Open,
                    was.as_deref(),
                )?;
                store.record_decision(self.claim, &row).await?; // Before any action, so that each action has its reason.
                metrics::decision(&self.account.name, &row.verdict);
                self.write(&row, html, settled).await
            }
        }
    }

    /// A correction by tag of the newest note.
    fn corrected(&self, newest: &str, verdict: &str) -> Option<Feedback> {
        let tags = &self.reading.ticket.tags;
        feedback::corrected(self.policy, &self.claim.ticket, newest, verdict, tags, self.now)
    }

    /// How long until the ticket's stamp is old enough to guard a write: it has whole seconds, and a colleague's
    /// change within the same second would slip by.
    fn young(&self) -> Option<TimeDelta> {
        let age = self.server_time - self.reading.ticket.updated_at?;
        let (guard, skew) = (TimeDelta::seconds(2), TimeDelta::seconds(-2));
        (skew <= age && age < guard).then(|| guard - age + TimeDelta::milliseconds(200))
    }

    fn row(
        &self,
        reference: String,
        fingerprint: String,
        carried: Carried,
        was: Option<&str>,
    ) -> Result<(DecisionRow, String), StoreError> {
        let Judged { decision, facts, problems, .. } = self.judged;
        let link = self.shared.public_url.as_ref().map(|url| {
            let TicketKey { account, id } = &self.claim.ticket;
            format!("{}/tickets/{account}/{id}", url.trim_end_matches('/'))
        });
        let note = note::write(&Subject {
            policy: self.policy,
            decision,
            facts,
            reading: Some(self.reading),
            problems,
            was,
            reference: Some(&reference),
            link: link.as_deref(),
            now: self.now,
        });
        let odd = |error: serde_json::Error| StoreError::Corrupt(error.to_string());
        let row = DecisionRow {
            reference,
            ticket: self.claim.ticket.clone(),
            decided_at: self.now,
            verdict: decision.verdict.clone(),
            fingerprint,
            decision: serde_json::to_string(decision).map_err(odd)?,
            note: note.text(),
            basis: serde_json::to_string(&Basis::of(self.judged, self.reading)).map_err(odd)?,
            carried,
        };
        Ok((row, note.html()))
    }

    /// The one guarded write.
    async fn write(&self, row: &DecisionRow, html_body: String, settled: Looked) -> Result<Looked, StoreError> {
        let ticket: &TicketKey = &self.claim.ticket;
        let Some(updated_stamp) = self.reading.ticket.updated_at else {
            return Ok(after(&CallError::Unreadable("the ticket has no updated_at".into()), self.claim));
        };
        let update = Update { html_body, tags: tags(self.reading, &self.judged.decision), updated_stamp };
        let begun = Instant::now();
        let written = self.account.helpdesk.update(ticket.id, &update).await;
        metrics::write(&self.account.name, begun.elapsed());
        match written {
            Ok(audit) => {
                tracing::info!(%ticket, verdict = row.verdict, reference = row.reference, audit, "note and tags are written");
                self.shared.store.posted(self.claim, &row.reference, Utc::now()).await?;
                Ok(settled)
            }
            Err(error) => Ok(after(&error, self.claim)),
        }
    }
}

/// All tags the ticket is to have: those it has, without other verdicts', with this one's.
fn tags(reading: &Reading, decision: &Decision) -> Vec<String> {
    let kept = reading.ticket.tags.iter().filter(|tag| !decision.tags.remove.contains(tag));
    kept.chain(&decision.tags.add).cloned().collect()
}

fn stopped(why: String) -> Looked {
    Looked { next: Next::Stopped { why }, pause: None }
}

/// What a failed call means for the ticket, and for the whole account.
fn after(error: &CallError, claim: &Claim) -> Looked {
    let now = Utc::now();
    let again = |wait: Duration| Next::Again { at: now + wait };
    match error {
        CallError::Conflict => Looked { next: again(Duration::from_secs(2)), pause: None },
        CallError::Closed | CallError::Gone => stopped(error.to_string()),
        CallError::Unauthorized(why) => {
            let pause = Pause { length: super::PATIENCE, refused: Some(why.clone()) };
            Looked { next: again(pause.length), pause: Some(pause) }
        }
        CallError::Limited { retry_after } => {
            Looked { next: again(*retry_after), pause: Some(Pause { length: *retry_after, refused: None }) }
        }
        CallError::Failed { retry_after, .. } => failed(error, claim, now, *retry_after),
        CallError::Unreachable(_) | CallError::Rejected { .. } | CallError::Unreadable(_) => {
            failed(error, claim, now, None)
        }
    }
}

fn failed(error: &CallError, claim: &Claim, now: DateTime<Utc>, asked: Option<Duration>) -> Looked {
    let error = error.to_string();
    tracing::warn!(ticket = %claim.ticket, error, failures = claim.failures + 1, "a look failed");
    let next = if claim.failures + 1 >= MOST_FAILURES {
        Next::Dead { error }
    } else {
        Next::Retry { at: now + backoff(claim).max(asked.unwrap_or_default()), error }
    };
    Looked { next, pause: None }
}

/// The wait before the next try: 2 s doubled each time, up to 5 minutes, and up to a quarter more so that tickets
/// that failed together do not come back together.
fn backoff(claim: &Claim) -> Duration {
    let doubled = 2_000_u64.saturating_mul(2_u64.saturating_pow(claim.failures)).min(300_000);
    let spread = claim.lease.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    Duration::from_millis(doubled + spread % (doubled / 4))
}
