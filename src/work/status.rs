//! How the policies stand: what is in force, what is offered, what the candidate makes of decisions, and the history.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;

use super::rule::{Rules, Source, first_line};
use crate::learn::backtest::comparison::{Difference, Matrix};
use crate::learn::report::text::many;
use crate::store::comparisons::Pair;
use crate::store::promotions::{Promotion, Step};
use crate::store::{Store, StoreError};

/// How the policies stand.
#[derive(Debug, Serialize)]
pub struct Status {
    /// The hash of the policy in force.
    pub in_force: String,
    /// What this process decides by until it has taken that one, which is a matter of seconds; none once it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until_taken: Option<String>,
    /// How many open tickets it has not decided yet: until then what was decided before stands on them.
    pub to_decide_anew: u64,
    /// Who put it in force and when; none where the file decides, for nothing was ever promoted.
    pub by: Option<Stepped>,
    /// The configuration's file.
    pub file: Stands,
    /// The configuration's candidate.
    pub candidate: Option<Stands>,
    /// What an operator should know, a sentence each.
    pub warnings: Vec<String>,
    /// What the candidate makes of decisions; none where nothing is tried.
    pub compared: Option<Compared>,
    /// Every promotion and step back, newest first.
    pub history: Vec<Stepped>,
}

/// How a policy's file stands.
#[derive(Debug, Serialize)]
pub struct Stands {
    /// The file.
    pub file: String,
    /// Its hash, where it is sound.
    pub policy: Option<String>,
    /// Its first fault, where it is not.
    pub fault: Option<String>,
}

impl Stands {
    /// That in words, where the policy in force has this hash.
    pub fn words(&self, in_force: &str) -> String {
        match (&self.policy, &self.fault) {
            (Some(policy), _) if policy == in_force => format!("{}: in force", self.file),
            (Some(policy), _) => format!("{}: {policy}, not in force", self.file),
            (None, fault) => format!("{}: faulty: {}", self.file, fault.as_deref().unwrap_or_default()),
        }
    }
}

/// What a candidate makes of decisions.
#[derive(Debug, Serialize)]
pub struct Compared {
    /// Its hash.
    pub candidate: String,
    /// Decisions of the policy in force that it was asked about, and tickets it decides of which the policy in force does
    /// not speak.
    pub decisions: u64,
    /// How many it would have made otherwise.
    pub differing: u64,
    /// Decisions it was not asked about, for what it needed to know was not to be had in time; counted nowhere else.
    pub not_comparable: u64,
    /// Of the verdict in force, the candidate's.
    pub verdicts: Matrix,
    /// The newest of those that differ.
    pub newest: Vec<Differs>,
    /// Where the next of them begin; none where these are all.
    pub next: Option<i64>,
}

/// Why some decisions are not compared, for people.
pub const NOT_COMPARABLE: &str = "a system of record the candidate asks did not answer within a second";

/// A decision the candidate would have made otherwise.
#[derive(Debug, Serialize)]
pub struct Differs {
    /// When it was made.
    pub decided_at: DateTime<Utc>,
    /// Its account.
    pub account: String,
    /// Its ticket's number.
    pub number: u64,
    /// Its short id; empty where the policy in force does not speak of the ticket.
    pub reference: String,
    /// Both verdicts with their reasons, and where the ways part.
    #[serde(flatten)]
    pub difference: Difference,
}

/// A promotion or a step back.
#[derive(Debug, Clone, Serialize)]
pub struct Stepped {
    /// Its number.
    pub number: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub who: String,
    /// The hash of the policy in force from then on.
    pub policy: String,
    /// The hash of the policy in force until then.
    pub former: String,
    /// With a step back: the promotion it took back.
    pub undoes: Option<i64>,
    /// The summary of the backtest it was promoted on.
    pub backtest: Option<Box<RawValue>>,
    /// Why, in their words.
    pub why: Option<String>,
    /// Who asked for it, where it took a second person to put it in force.
    pub asked_by: Option<String>,
}

impl Status {
    /// What is still to be decided by the policy in force, in a sentence; none where nothing is.
    pub fn still_to_decide(&self) -> Option<String> {
        let (are, stands) = if self.to_decide_anew == 1 { ("is", "it") } else { ("are", "them") };
        let tickets = (self.to_decide_anew > 0).then(|| many(self.to_decide_anew, "open ticket"))?;
        Some(format!(
            "{tickets} {are} still to be decided by this policy, the most urgent first; until then what the former one decided stands on {stands}"
        ))
    }

    /// Reads it; of the differences, up to `limit` before the number `before`.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn of(store: &Store, rules: &Rules, before: Option<i64>, limit: usize) -> Result<Status, StoreError> {
        let history: Vec<Stepped> = store.promotions().await?.into_iter().map(stepped).collect();
        let compared = match rules.candidate() {
            Some(candidate) => {
                let pair = Pair { policy: rules.policy.hash.clone(), candidate: candidate.hash.clone() };
                Some(compared(store, &pair, before, limit).await?)
            }
            None => None,
        };
        let by = history.first().cloned();
        // What was promoted since these rules were read is in force already.
        let in_force = match &by {
            Some(newest) if Some(newest.number) != rules.promotion => newest.policy.clone(),
            Some(_) | None => rules.policy.hash.clone(),
        };
        Ok(Status {
            until_taken: (in_force != rules.policy.hash).then(|| rules.policy.hash.clone()),
            to_decide_anew: store.to_decide_anew(&in_force).await?.values().sum(),
            in_force,
            by,
            file: stands(&rules.file),
            candidate: rules.candidate.as_ref().map(stands),
            warnings: rules.warnings(),
            compared,
            history,
        })
    }
}

async fn compared(store: &Store, pair: &Pair, before: Option<i64>, limit: usize) -> Result<Compared, StoreError> {
    let mut verdicts = Matrix::default();
    let mut not_comparable = 0;
    for moved in store.moved_verdicts(pair).await? {
        match &moved.becomes {
            Some(becomes) => verdicts.add_many(&moved.verdict, becomes, moved.decisions),
            None => not_comparable += moved.decisions,
        }
    }
    let mut found = store.differing(pair, before, limit.saturating_add(1)).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|(number, _)| *number);
    let mut newest = Vec::new();
    for (_, row) in found {
        let difference = serde_json::from_str(row.difference.as_deref().unwrap_or_default())
            .map_err(|_| StoreError::Corrupt(format!("the comparison of decision {} cannot be read", row.reference)))?;
        newest.push(Differs {
            decided_at: row.decided_at,
            account: row.ticket.account,
            number: row.ticket.id,
            reference: row.reference,
            difference,
        });
    }
    Ok(Compared {
        candidate: pair.candidate.clone(),
        decisions: verdicts.total(),
        differing: verdicts.off_diagonal(),
        not_comparable,
        verdicts,
        newest,
        next,
    })
}

fn stands(source: &Source) -> Stands {
    let fault = source.read.as_ref().err().map(|fault| first_line(fault).to_owned());
    Stands { file: source.name.clone(), policy: source.read.as_ref().ok().map(|policy| policy.hash.clone()), fault }
}

fn stepped(promotion: Promotion) -> Stepped {
    let Promotion { number, at, who, policy, former, step } = promotion;
    let (undoes, backtest, why, asked_by) = match step {
        Step::Forward { backtest, why, asked_by } => {
            (None, backtest.and_then(|json| RawValue::from_string(json).ok()), why, asked_by)
        }
        Step::Back { undoes } => (Some(undoes), None, None, None),
    };
    Stepped { number, at, who, policy, former, undoes, backtest, why, asked_by }
}
