//! Promotions: which policy people put in force, and when. Rows are only ever added; the newest says what is in force.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::database::values;
use super::policies::PolicyVersion;
use super::{Store, StoreError};

/// A policy put in force, or the one before it restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promotion {
    /// Its number; a later one has a higher.
    pub number: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub who: String,
    /// The hash of the policy in force from then on.
    pub policy: String,
    /// The hash of the policy in force until then.
    pub former: String,
    /// What sort of step it was.
    pub step: Step,
}

/// What sort of step a promotion is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A candidate came into force.
    Forward {
        /// The summary of the backtest it was promoted on, as JSON.
        backtest: Option<String>,
        /// Why, in their words.
        why: Option<String>,
        /// Who asked for it, where it took a second person to put it in force.
        asked_by: Option<String>,
    },
    /// The former policy was restored.
    Back {
        /// The number of the promotion that was taken back.
        undoes: i64,
    },
}

/// A step that is to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPromotion {
    /// Who.
    pub who: String,
    /// What comes into force; its `since` says when.
    pub policy: PolicyVersion,
    /// What was in force until then.
    pub former: PolicyVersion,
    /// What sort of step it is.
    pub step: Step,
    /// The newest promotion there was when this one was decided on; none where there was none.
    pub seen: Option<i64>,
}

/// A promotion that waits for a second person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The hash of what is to come into force.
    pub policy: String,
    /// The hash of what was in force when it was asked for.
    pub former: String,
    /// When it was asked for.
    pub at: DateTime<Utc>,
    /// By whom.
    pub who: String,
    /// Why, in their words.
    pub why: Option<String>,
    /// The summary of the backtest it stands on, as JSON.
    pub backtest: Option<String>,
}

/// Whether a step was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It is in force from now on.
    InForce,
    /// Somebody else was first since it was decided on; nothing was recorded.
    Overtaken,
}

const FORMER: &str =
    "INSERT INTO policies (hash, since, binding, diagram) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";

const POLICY: &str = "INSERT INTO policies (hash, since, binding, diagram) VALUES ($1, $2, $3, $4)
    ON CONFLICT (hash) DO UPDATE SET since = excluded.since, binding = excluded.binding, diagram = excluded.diagram";

const PROMOTE: &str = "INSERT INTO promotions (at, who, policy, former, undoes, backtest, why, asked_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

const NEWEST: &str = "SELECT max(id) FROM promotions";

const ALL: &str =
    "SELECT id, at, who, policy, former, undoes, backtest, why, asked_by FROM promotions ORDER BY id DESC";

const PROPOSE: &str = "INSERT INTO proposals (policy, former, at, who, why, backtest) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (policy) DO UPDATE SET former = excluded.former, at = excluded.at, who = excluded.who, why = excluded.why,
        backtest = excluded.backtest";

const PROPOSALS: &str = "SELECT policy, former, at, who, why, backtest FROM proposals ORDER BY at DESC";

impl Store {
    /// Puts a policy in force, its text and the former's kept with it; durable when it returns.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn promote(&self, new: &NewPromotion) -> Result<Put, StoreError> {
        let new = new.clone();
        self.transaction(move |t| async move {
            t.lock("promotions").await?; // Of two at once the second sees that it is.
            let (newest,): (Option<i64>,) = t.just(NEWEST, values![]).await?;
            if newest != new.seen {
                return Ok(Put::Overtaken);
            }
            t.run(FORMER, new.former.values()).await?;
            t.run(POLICY, new.policy.values()).await?;
            let NewPromotion { who, policy, former, .. } = &new;
            let step = match &new.step {
                Step::Forward { backtest, why, asked_by } => {
                    values![None::<i64>, backtest.as_deref(), why.as_deref(), asked_by.as_deref()]
                }
                Step::Back { undoes } => values![*undoes, None::<String>, None::<String>, None::<String>],
            };
            let begins = values![policy.since, who, &policy.hash, &former.hash];
            t.run(PROMOTE, [begins, step].concat()).await?;
            t.run("DELETE FROM proposals", values![]).await?; // Each was made beside what was in force until now.
            Ok(Put::InForce)
        })
        .await
    }

    /// Every promotion, newest first.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn promotions(&self) -> Result<Vec<Promotion>, StoreError> {
        let promotion = |(number, at, who, policy, former, undoes, backtest, why, asked_by)| {
            let step = match undoes {
                Some(undoes) => Step::Back { undoes },
                None => Step::Forward { backtest, why, asked_by },
            };
            Promotion { number, at, who, policy, former, step }
        };
        Ok(self.all(ALL, values![]).await?.into_iter().map(promotion).collect())
    }

    /// Keeps a promotion that waits for a second person; one of the same policy gives way to it. Durable when it returns.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn propose(&self, proposal: &Proposal) -> Result<(), StoreError> {
        let Proposal { policy, former, at, who, why, backtest } = proposal;
        self.run(PROPOSE, values![policy, former, *at, who, why.as_deref(), backtest.as_deref()]).await.map(drop)
    }

    /// The promotions that wait for a second person, newest first.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn proposals(&self) -> Result<Vec<Proposal>, StoreError> {
        let proposal = |(policy, former, at, who, why, backtest)| Proposal { policy, former, at, who, why, backtest };
        Ok(self.all(PROPOSALS, values![]).await?.into_iter().map(proposal).collect())
    }

    /// The number of the newest promotion; none where nothing was ever promoted.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn newest_promotion(&self) -> Result<Option<i64>, StoreError> {
        Ok(self.one(NEWEST, values![]).await?.and_then(|(newest,)| newest))
    }
}

/// The promotion that one step back takes back, of all of them newest first; none where none is left.
pub fn last_standing(promotions: &[Promotion]) -> Option<&Promotion> {
    let mut undone = BTreeSet::new();
    for promotion in promotions {
        match promotion.step {
            Step::Back { undoes } => {
                undone.insert(undoes);
            }
            Step::Forward { .. } if undone.contains(&promotion.number) => {}
            Step::Forward { .. } => return Some(promotion),
        }
    }
    None
}
