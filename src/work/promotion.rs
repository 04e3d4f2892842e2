//! Putting a policy in force, and taking that back. Whoever runs the bot takes it within seconds, in every replica.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::rule::{Approval, Rules};
use crate::decide::policy::Policy;
use crate::learn::backtest::attached::Attached;
use crate::store::operators::{Did, OperatorEvent};
use crate::store::policies::PolicyVersion;
use crate::store::promotions::{NewPromotion, Proposal, Put, Step, last_standing};
use crate::store::{Store, StoreError};

/// How many digits of a hash name a policy at least.
const SHORTEST: usize = 8;

/// Why nothing was promoted, in one sentence.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// No policy is offered.
    #[error("there is nothing to promote: no candidate and no changed file that is sound and not in force already")]
    NothingOffered,
    /// The hash is none of an offered policy's.
    #[error("no policy offered has a hash that begins with {wanted}; offered are: {offered}")]
    NotOffered {
        /// The hash given.
        wanted: String,
        /// Each file with its hash.
        offered: String,
    },
    /// The backtest tried something else.
    #[error(
        "the backtest tried {tried} against {was}, and this promotion puts {wanted} in the place of {in_force}: run it again"
    )]
    OtherBacktest {
        /// The second policy of the backtest.
        tried: String,
        /// The first.
        was: String,
        /// What is to be promoted.
        wanted: String,
        /// What is in force.
        in_force: String,
    },
    /// The backtest cannot be read.
    #[error("{0}")]
    NoBacktest(String),
    /// Nothing is left to take back.
    #[error("there is no promotion to take back")]
    NothingToTakeBack,
    /// The former policy's text is gone.
    #[error("the text of the former policy {0} is not kept")]
    Lost(String),
    /// Somebody else promoted meanwhile.
    #[error("somebody else promoted a policy at the same time: see `policy status`, and decide again")]
    Overtaken,
    /// The store could not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who promotes, and when.
#[derive(Debug, Clone, Copy)]
pub struct By<'a> {
    /// Their name.
    pub who: &'a str,
    /// When.
    pub now: DateTime<Utc>,
}

/// What a promotion stands on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Grounds<'a> {
    /// The backtest it stands on, as JSON. None: none was run.
    pub backtest: Option<&'a str>,
    /// Why, in the words of who promotes.
    pub why: Option<&'a str>,
}

/// What a promotion came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Promoted {
    /// The policy of this hash is in force.
    InForce(String),
    /// The policy of this hash waits for a second person.
    Waits(String),
}

/// Puts in force the offered policy whose hash begins with `hash`. Where that takes two, the first who does so asks for
/// it, and the second puts it in force, on the first's grounds.
///
/// # Errors
/// See [`Refused`]; then nothing has changed.
pub async fn promote(
    store: &Store,
    rules: &Rules,
    hash: &str,
    grounds: Grounds<'_>,
    by: By<'_>,
) -> Result<Promoted, Refused> {
    let chosen = offered(rules, hash)?;
    let backtest = grounds.backtest.map(|text| attached(text, rules, chosen)).transpose()?;
    let (mut backtest, mut why, mut asked_by) = (backtest, grounds.why.map(str::to_owned), None);
    if rules.approval == Approval::TwoPeople {
        match asked_for(store, rules, chosen).await?.filter(|asked| asked.who != by.who) {
            Some(asked) => {
                (backtest, why, asked_by) = (asked.backtest.or(backtest), asked.why.or(why), Some(asked.who))
            }
            None => {
                let (policy, former) = (chosen.hash.clone(), rules.policy.hash.clone());
                let proposal = Proposal { policy, former, at: by.now, who: by.who.to_owned(), why, backtest };
                store.propose(&proposal).await?;
                note(store, Did::Proposed { policy: chosen.hash.clone() }, by).await;
                return Ok(Promoted::Waits(chosen.hash.clone()));
            }
        }
    }
    let new = NewPromotion {
        who: by.who.to_owned(),
        policy: version(chosen, by.now),
        former: version(&rules.policy, by.now),
        step: Step::Forward { backtest, why, asked_by },
        seen: rules.promotion,
    };
    let did = Did::Promoted { policy: chosen.hash.clone() };
    put(store, &new, did, by).await.map(Promoted::InForce)
}

/// Who asked for a policy to be put in force in the place of what is; none where nobody did, or it was of another.
///
/// # Errors
/// A store that cannot be used.
pub async fn asked_for(store: &Store, rules: &Rules, chosen: &Policy) -> Result<Option<Proposal>, StoreError> {
    let fits = |asked: &Proposal| asked.policy == chosen.hash && asked.former == rules.policy.hash;
    Ok(store.proposals().await?.into_iter().find(fits))
}

/// Takes the newest promotion back that still stands; the hash of the policy in force again.
///
/// # Errors
/// See [`Refused`]; then nothing has changed.
pub async fn back(store: &Store, by: By<'_>) -> Result<String, Refused> {
    let promotions = store.promotions().await?;
    let last = last_standing(&promotions).ok_or(Refused::NothingToTakeBack)?;
    let text = async |hash: &str| -> Result<PolicyVersion, Refused> {
        let kept = store.policy(hash).await?.ok_or_else(|| Refused::Lost(hash.to_owned()))?;
        Ok(PolicyVersion { since: by.now, ..kept })
    };
    let new = NewPromotion {
        who: by.who.to_owned(),
        policy: text(&last.former).await?,
        former: text(&last.policy).await?,
        step: Step::Back { undoes: last.number },
        seen: promotions.first().map(|newest| newest.number),
    };
    let did = Did::SteppedBack { policy: last.former.clone() };
    put(store, &new, did, by).await
}

async fn put(store: &Store, new: &NewPromotion, did: Did, by: By<'_>) -> Result<String, Refused> {
    match store.promote(new).await? {
        Put::Overtaken => return Err(Refused::Overtaken),
        Put::InForce => {}
    }
    note(store, did, by).await;
    Ok(new.policy.hash.clone())
}

/// Tells of it in the log of what people did.
async fn note(store: &Store, did: Did, by: By<'_>) {
    let event = OperatorEvent { at: by.now, who: by.who.to_owned(), ticket: None, did };
    if let Err(error) = store.record_operator(&event).await {
        tracing::warn!(%error, "a promotion is not in the record of operators"); // The history of promotions has it.
    }
}

/// The one offered policy that a hash, or its beginning, names.
///
/// # Errors
/// [`Refused::NotOffered`], [`Refused::NothingOffered`].
pub fn offered<'a>(rules: &'a Rules, hash: &str) -> Result<&'a Arc<Policy>, Refused> {
    let digits = |hash: &str| hash.trim_start_matches("sha256:").to_lowercase();
    let wanted = digits(hash);
    let mut fitting = rules.offered().filter(|(_, policy)| digits(&policy.hash).starts_with(&wanted));
    if let Some((_, policy)) = fitting.next().filter(|_| wanted.len() >= SHORTEST) {
        return Ok(policy);
    }
    let all: Vec<String> = rules.offered().map(|(name, policy)| format!("{name} {}", policy.hash)).collect();
    if all.is_empty() {
        return Err(Refused::NothingOffered);
    }
    Err(Refused::NotOffered { wanted: hash.to_owned(), offered: all.join(", ") })
}

/// The summary of a backtest, where it tried this very change.
fn attached(text: &str, rules: &Rules, chosen: &Policy) -> Result<String, Refused> {
    let tried = Attached::read(text).map_err(Refused::NoBacktest)?;
    if tried.against != chosen.hash || tried.policy != rules.policy.hash {
        return Err(Refused::OtherBacktest {
            tried: tried.against,
            was: tried.policy,
            wanted: chosen.hash.clone(),
            in_force: rules.policy.hash.clone(),
        });
    }
    Ok(tried.json)
}

fn version(policy: &Policy, since: DateTime<Utc>) -> PolicyVersion {
    PolicyVersion { hash: policy.hash.clone(), since, binding: policy.text.clone(), diagram: policy.mermaid.clone() }
}
