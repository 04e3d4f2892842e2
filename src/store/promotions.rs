//! Promotions: which policy people put in force, and when. Rows are only ever added; the newest says what is in force.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::StoreError;
use super::policies::PolicyVersion;

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

/// Whether a step was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It is in force from now on.
    InForce,
    /// Somebody else was first since it was decided on; nothing was recorded.
    Overtaken,
}

/// Keeps promotions.
#[async_trait]
pub trait Promotions: Send + Sync {
    /// Puts a policy in force, its text and the former's kept with it; durable when it returns.
    async fn promote(&self, new: &NewPromotion) -> Result<Put, StoreError>;

    /// Every promotion, newest first.
    async fn promotions(&self) -> Result<Vec<Promotion>, StoreError>;

    /// The number of the newest promotion; none where nothing was ever promoted.
    async fn newest_promotion(&self) -> Result<Option<i64>, StoreError>;

    /// The text of a policy that is or was in force.
    async fn policy(&self, hash: &str) -> Result<Option<PolicyVersion>, StoreError>;
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
