//! What a STAR on a ticket would get, before it is filed: the ticket is read, decided and forgotten again.
//!
//! Nothing is written or watched, and nothing is kept but a count. It costs two calls, out of the account's own budget, and
//! leaves the half of it that may be spent at once to tickets that are starred.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use chrono::{DateTime, Utc};
use tokio::sync::Semaphore;

use super::clock::HelpdeskTime;
use super::embedder::Keeps;
use super::look::noted;
use super::{Account, operators, star_tags};
use crate::decide::facts::replies::Reply;
use crate::decide::facts::sources::{self, Ids};
use crate::decide::judge::{self, Judged};
use crate::decide::note;
use crate::decide::policy::Policy;
use crate::decide::reference::posted;
use crate::decide::ticket::{Comment, OwnUsers, Reading, Role, TicketKey, User};
use crate::elsewhere::lookups::Rank;
use crate::helpdesk::client::{Looked, Reach, Thread};
use crate::helpdesk::error::CallError;
use crate::metrics;
use crate::store::{Store, StoreError};

/// How long a preview may take.
const PATIENCE: Duration = Duration::from_secs(8);

/// How often is asked whether the account has calls to spare.
const ASKED_AGAIN: Duration = Duration::from_millis(100);

/// How many previews are made at once.
const AT_ONCE: usize = 4;

/// How long a reason may be, characters.
pub const LONGEST_REASON: usize = 20_000;

/// The filer, who is nobody the helpdesk knows: no user has this number.
const FILER: u64 = 0;

/// Previews on the accounts as they are configured; clones share them.
#[derive(Clone)]
pub struct Previews(Arc<Inner>);

struct Inner {
    accounts: ArcSwap<BTreeMap<String, Arc<Account>>>,
    hands: Semaphore,
}

/// What a STAR would get.
#[derive(Debug)]
pub struct Preview {
    /// The decision, and what it was made from.
    pub judged: Judged,
    /// The note.
    pub note: String,
    /// What a STAR would lack, a sentence each.
    pub missing_for_star: Vec<String>,
    /// Which comments were read.
    pub comments: Comments,
}

/// Which comments a preview is made by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comments {
    /// All of them.
    All,
    /// The newest hundred.
    Newest,
}

/// Why there is no preview, in one sentence.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The account is not configured.
    #[error("there is no account {0}")]
    NoAccount(String),
    /// The ticket was deleted, or never there.
    #[error("ticket {0} is not there, or not for us to see")]
    NoTicket(TicketKey),
    /// All calls are needed, or the helpdesk wants none.
    #[error("{why}; try again in {} s", retry_after.as_secs().max(1))]
    Busy {
        /// Why.
        why: String,
        /// When to try again.
        retry_after: Duration,
    },
    /// It took too long.
    #[error("the helpdesk did not answer within {} s; try again in a moment", PATIENCE.as_secs())]
    TooSlow,
    /// The helpdesk refused, or failed.
    #[error("{0}")]
    Helpdesk(CallError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Default for Previews {
    fn default() -> Previews {
        Previews(Arc::new(Inner { accounts: ArcSwap::default(), hands: Semaphore::new(AT_ONCE) }))
    }
}

impl Previews {
    /// These are the accounts from here on.
    pub(crate) fn replace(&self, accounts: &[Arc<Account>]) {
        let named = accounts.iter().map(|account| (account.name.clone(), account.clone()));
        self.0.accounts.store(Arc::new(named.collect()));
    }

    /// What a STAR with this reason would get on a ticket now.
    ///
    /// # Errors
    /// See [`Refused`].
    pub async fn of(
        &self,
        store: &Store,
        policy: &Policy,
        ticket: &TicketKey,
        reason: &str,
    ) -> Result<Preview, Refused> {
        let account = self.0.accounts.load().get(&ticket.account).cloned();
        let account = account.ok_or_else(|| Refused::NoAccount(ticket.account.clone()))?;
        let made = async {
            let _hand = self.0.hands.acquire().await;
            spared(&account).await?;
            Asked { store, account: &account, policy, ticket, reason }.preview().await
        };
        let preview = tokio::time::timeout(PATIENCE, made).await.unwrap_or(Err(Refused::TooSlow))?;
        metrics::preview(&account.name, &preview.judged.decision.verdict);
        Ok(preview)
    }
}

/// Waits until the account has calls to spare.
async fn spared(account: &Account) -> Result<(), Refused> {
    let begun = tokio::time::Instant::now();
    while !account.share.is_ample().await? {
        if let Some(until) = account.share.held_until().await? {
            let retry_after = (until - Utc::now()).to_std().unwrap_or_default();
            return Err(Refused::Busy { why: "the helpdesk wants no calls now".into(), retry_after });
        }
        if begun.elapsed() > PATIENCE / 2 {
            let why = "the account's calls are needed for tickets that are starred".into();
            return Err(Refused::Busy { why, retry_after: Duration::from_secs(60) });
        }
        tokio::time::sleep(ASKED_AGAIN).await;
    }
    Ok(())
}

/// What was asked.
struct Asked<'a> {
    store: &'a Store,
    account: &'a Account,
    policy: &'a Policy,
    ticket: &'a TicketKey,
    reason: &'a str,
}

impl Asked<'_> {
    async fn preview(&self) -> Result<Preview, Refused> {
        let Asked { store, account, policy, ticket, .. } = self;
        let Some(own) = account.own.get() else {
            let why = "the helpdesk has not said yet which of its users the bot is".into();
            return Err(Refused::Busy { why, retry_after: Duration::from_secs(5) });
        };
        let ids = Ids::new(&policy.binding, &account.ids);
        let helpdesk = &account.helpdesk;
        let Looked { ticket: read, organization, users, server_time } =
            helpdesk.ticket(ticket.id).await.map_err(|error| self.refused(error))?;
        let now = HelpdeskTime::of(server_time, helpdesk.ahead().now()).now();
        let mut reading = Reading { ticket: read, organization, users, ..Reading::default() };
        self.starred(&mut reading);
        if sources::not_ours(&policy.binding, &ids, &reading.ticket).is_some() {
            return Ok(self.judge(&ids, &reading, &[], own, Comments::All, now)); // Its comments are none of our business.
        }
        let Thread { comments, users, reach, .. } =
            helpdesk.newest_comments(ticket.id).await.map_err(|error| self.refused(error))?;
        reading.comments = comments;
        reading.users.extend(users);
        self.with_reason(&mut reading, now);
        let read = if reach == Reach::Whole { Comments::All } else { Comments::Newest };
        reading.records = account.systems.records(Rank::InForce, policy, &ids, &reading, own, now).await;
        if !posted(&reading, own).is_empty() {
            reading.notes = noted(store, ticket).await?;
        }
        let embedder = account.embedder.clone().that(Keeps::Nothing);
        reading.words = embedder.words(policy, &ids, &reading, own, ticket, now).await?.words;
        let said = operators::replies(&store.operators_on(ticket).await?);
        Ok(self.judge(&ids, &reading, &said, own, read, now))
    }

    /// The ticket bears the tag of the STAR that is not filed yet.
    fn starred(&self, reading: &mut Reading) {
        let tags = star_tags(self.policy);
        if !tags.iter().any(|tag| reading.ticket.tags.contains(tag)) {
            reading.ticket.tags.extend(tags.into_iter().next());
        }
    }

    /// The STAR's reason stands on the ticket as a colleague's note.
    fn with_reason(&self, reading: &mut Reading, now: DateTime<Utc>) {
        if !self.reason.trim().is_empty() {
            let mut note = Comment::of(self.reason);
            (note.author_id, note.created_at) = (Some(FILER), Some(now));
            reading.comments.push(note);
            reading.users.push(User { id: FILER, name: "the filer".into(), role: Role::Agent });
        }
    }

    fn judge(
        &self,
        ids: &Ids,
        reading: &Reading,
        said: &[Reply],
        own: &OwnUsers,
        comments: Comments,
        now: DateTime<Utc>,
    ) -> Preview {
        let judged = judge::ticket(self.policy, ids, Some(reading), said, &[], own, now);
        let subject = judged.subject(self.policy, ids, Some(reading), now);
        let (note, missing_for_star) = (note::write(&subject).text(), note::missing_for_star(&subject));
        Preview { note, missing_for_star, judged, comments }
    }

    fn refused(&self, error: CallError) -> Refused {
        match error {
            CallError::Gone => Refused::NoTicket(self.ticket.clone()),
            CallError::Limited { retry_after, .. } => {
                Refused::Busy { why: "the helpdesk wants no calls now".into(), retry_after }
            }
            CallError::NoTurn(why) => Refused::Busy { why, retry_after: Duration::from_secs(5) },
            CallError::Unreachable(_)
            | CallError::Conflict
            | CallError::Closed
            | CallError::NoHelpdesk
            | CallError::Moved { .. }
            | CallError::Unauthorized(_)
            | CallError::Forbidden(_)
            | CallError::Failed { .. }
            | CallError::Rejected { .. }
            | CallError::TooLarge { .. }
            | CallError::Unreadable(_) => Refused::Helpdesk(error),
        }
    }
}
