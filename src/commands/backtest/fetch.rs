//! `backtest --fetch`: past tickets taken from the helpdesk into a file, within the account's budget; to be gone on with
//! where it was interrupted.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::value::RawValue;

use super::kept::{Kept, Progress};
use crate::commands::terminal::tell;
use crate::commands::{loaded, store};
use crate::config;
use crate::decide::facts::sources::{self, Ids};
use crate::decide::loose;
use crate::decide::policy::Policy;
use crate::decide::ticket::{Comment, Organization, Ticket, User};
use crate::helpdesk::client::Helpdesk;
use crate::helpdesk::error::{CallError, Forbidden};
use crate::helpdesk::export::Begin;
use crate::helpdesk::pace::Pace;
use crate::work::pace::Share;

/// How many pages of the export the helpdesk gives a minute.
const EXPORTS_PER_MINUTE: u32 = 10;

/// How many pages of one ticket's audits are read at most, a hundred a page.
const MOST_PAGES: usize = 100;

/// How often in a row a call may fail before the rest is left to another run.
const TRIES: u32 = 6;

/// What is fetched, and where to.
pub(super) struct Fetch<'a> {
    /// The configuration.
    pub config: &'a Path,
    /// The account's name.
    pub account: &'a str,
    /// Tickets that changed then or later.
    pub since: DateTime<Utc>,
    /// The file. None: standard output, which cannot be gone on with.
    pub output: Option<&'a Path>,
}

/// A ticket of ours with what is known besides, as `backtest` reads it.
#[derive(Serialize)]
struct Line<'a> {
    ticket: &'a RawValue,
    comments: Vec<Comment>,
    users: Vec<User>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<Organization>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    audits: Vec<Box<RawValue>>,
}

impl Fetch<'_> {
    /// Fetches all of it, or goes on with it.
    ///
    /// # Errors
    /// An account that is not there, a file of another fetch, a helpdesk that refuses or fails for long; what is in the
    /// file by then is kept.
    pub(super) async fn run(&self) -> anyhow::Result<()> {
        let settings = config::read(self.config, std::env::vars())?;
        let home = self.config.parent().unwrap_or(Path::new("."));
        let account = settings.accounts.get(self.account).with_context(|| {
            let there: Vec<&str> = settings.accounts.keys().map(String::as_str).collect();
            format!("there is no account {}; the configuration has {}", self.account, there.join(", "))
        })?;
        let store = store::open(&settings.store).await?;
        let policy = loaded::rules(&settings, &store).await?.policy;
        let mut taking = Taking {
            helpdesk: Helpdesk::paced(
                &account.base_url,
                loaded::credentials(&account.auth, home)?,
                settings.work.answer_within,
                Arc::new(Share::new(store.clone(), self.account, account.requests_per_minute)),
            )?,
            calls: Calls {
                export: Share::new(store.clone(), &format!("{}, export", self.account), EXPORTS_PER_MINUTE),
            },
            ids: Ids::new(&policy.binding, &account.ids()),
            policy: &policy,
            organizations: BTreeMap::new(),
            audits: Audits::Given,
            bar: bar(),
        };
        let kept = match self.output {
            Some(file) => Kept::open(file, self.account, self.since)?,
            None => Kept::none(),
        };
        let taken = taking.all(self.since, kept).await;
        taking.bar.finish_and_clear();
        if taking.audits == Audits::Refused {
            tell("the helpdesk lets us read no audits: tickets are decided as of their last change");
        }
        match (taken, self.output) {
            (Ok(tickets), _) => {
                tell(&format!("{tickets} tickets"));
                Ok(())
            }
            (Err(error), _) if is_for_good(&error) => Err(error),
            (Err(error), Some(file)) => {
                Err(error.context(format!("{} is not whole: run the same command again to go on", file.display())))
            }
            (Err(error), None) => Err(error),
        }
    }
}

/// Whether audits are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Audits {
    Given,
    Refused,
}

struct Taking<'a> {
    helpdesk: Helpdesk,
    calls: Calls,
    ids: Ids,
    policy: &'a Policy,
    organizations: BTreeMap<u64, Option<Organization>>,
    audits: Audits,
    bar: ProgressBar,
}

impl Taking<'_> {
    /// Every page there is; how many tickets are in the file then.
    async fn all(&mut self, since: DateTime<Utc>, mut kept: Kept) -> anyhow::Result<usize> {
        let mut seen: HashSet<u64> = kept.tickets()?;
        while let Progress { cursor, whole: false } = kept.progress().clone() {
            let begin = cursor.as_deref().map_or(Begin::Since(since), Begin::Cursor);
            let page = self.calls.export(async || self.helpdesk.exported(begin).await).await?;
            for raw in &page.tickets {
                let Some(ticket) = readable(raw) else { continue };
                if !seen.insert(ticket.id) {
                    continue; // It changed again while it was exported, or was written before an interruption.
                }
                kept.write(&self.line(raw, &ticket).await?)?;
                self.bar.set_position(seen.len().try_into().unwrap_or(u64::MAX));
                if let Some(at) = ticket.updated_at {
                    self.bar.set_message(at.format("%-d %b %Y").to_string());
                }
            }
            if page.after_cursor.is_none() && !page.end_of_stream {
                bail!("the helpdesk's export has neither an end nor a next page");
            }
            kept.reached(Progress { cursor: page.after_cursor.or(cursor), whole: page.end_of_stream })?;
        }
        Ok(seen.len())
    }

    /// A ticket's line: with comments, organisation and audits where the policy speaks of it.
    async fn line(&mut self, raw: &RawValue, ticket: &Ticket) -> anyhow::Result<Vec<u8>> {
        // By now it may be closed; what matters is what it was when it was starred.
        let open = Ticket { status: "open".into(), tags: ticket.tags.clone(), ..Ticket::default() };
        let open = Ticket { ticket_form_id: ticket.ticket_form_id, ..open };
        if sources::not_ours(&self.policy.binding, &self.ids, &open).is_some() {
            return Ok(serde_json::to_vec(raw)?);
        }
        let read = self.calls.work(async || self.helpdesk.comments(ticket.id).await).await;
        let Some(thread) = gone(read)? else { return Ok(serde_json::to_vec(raw)?) };
        let organization = match ticket.organization_id {
            Some(id) => self.organization(id).await?,
            None => None,
        };
        let audits = self.audits(ticket.id).await?;
        Ok(serde_json::to_vec(&Line {
            ticket: raw,
            comments: thread.comments,
            users: thread.users,
            organization,
            audits,
        })?)
    }

    async fn organization(&mut self, id: u64) -> Result<Option<Organization>, CallError> {
        if let Some(known) = self.organizations.get(&id) {
            return Ok(known.clone());
        }
        let found = gone(self.calls.work(async || self.helpdesk.organization(id).await).await)?;
        self.organizations.insert(id, found.clone());
        Ok(found)
    }

    async fn audits(&mut self, id: u64) -> Result<Vec<Box<RawValue>>, CallError> {
        if self.audits == Audits::Refused {
            return Ok(Vec::new());
        }
        let (mut audits, mut next) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let page = match self.calls.work(async || self.helpdesk.audits(id, next.clone()).await).await {
                Err(CallError::Unauthorized(_) | CallError::Forbidden(_)) => {
                    self.audits = Audits::Refused;
                    return Ok(Vec::new());
                }
                read => gone(read)?,
            };
            let Some((found, further)) = page else { break };
            audits.extend(found);
            next = further;
            if next.is_none() {
                break;
            }
        }
        Ok(audits)
    }
}

/// A ticket of the export; one that cannot be read is named and left out, so that it does not hide those behind it.
fn readable(raw: &RawValue) -> Option<Ticket> {
    if let Ok(ticket) = serde_json::from_str(raw.get()) {
        return Some(ticket);
    }
    let json: serde_json::Value = serde_json::from_str(raw.get()).unwrap_or_default();
    let id = json.get("id").map(ToString::to_string).unwrap_or_default();
    match loose::from_json(json) {
        Ok(loose::Read { read, left_out }) => {
            eprintln!("ticket {id}: left out, for it cannot be read: {}", left_out.join(", "));
            Some(read)
        }
        Err(place) => {
            eprintln!("a ticket of the export is left out, for its {place} cannot be read: {id}");
            None
        }
    }
}

/// What was deleted meanwhile is left out.
fn gone<T>(read: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(CallError::Gone) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether running the same command again would come to the same.
fn is_for_good(error: &anyhow::Error) -> bool {
    match error.downcast_ref::<CallError>() {
        Some(CallError::Forbidden(why)) => !matches!(why, Forbidden::Unsaid(_)),
        Some(CallError::Rejected { .. } | CallError::NoHelpdesk | CallError::Moved { .. }) => true,
        Some(_) | None => false,
    }
}

/// The export has a limit of its own, besides the account's budget that every call is taken from.
struct Calls {
    export: Share,
}

impl Calls {
    async fn export<T>(&self, call: impl AsyncFn() -> Result<T, CallError>) -> anyhow::Result<T> {
        let paced = async || {
            self.export.turn().await?;
            call().await
        };
        self.work(paced).await.map_err(|error| {
            let too_recent = |why: &str| why.contains("StartTimeTooRecent");
            let says = if matches!(&error, CallError::Forbidden(Forbidden::Role)) {
                "only an admin may export tickets: use the token of an admin for this, and another for the bot"
            } else if matches!(&error, CallError::Rejected { why, .. } if too_recent(why)) {
                "the export leaves out the latest minute: give --since a time that is a minute ago at the latest"
            } else {
                "the tickets cannot be exported"
            };
            anyhow::Error::from(error).context(says)
        })
    }

    /// Makes a call, and again where the helpdesk is busy or out of reach.
    async fn work<T>(&self, call: impl AsyncFn() -> Result<T, CallError>) -> Result<T, CallError> {
        let mut failed = 0;
        loop {
            let wait = match call().await {
                Err(CallError::Limited { retry_after, .. }) => retry_after,
                Err(CallError::Failed { retry_after, .. }) if failed < TRIES => retry_after.unwrap_or(rest(failed)),
                Err(CallError::Unreachable(_) | CallError::NoTurn(_)) if failed < TRIES => rest(failed),
                done => return done,
            };
            failed += 1;
            tokio::time::sleep(wait).await;
        }
    }
}

/// 2 s doubled each time.
fn rest(failed: u32) -> Duration {
    Duration::from_secs(2 << failed.min(6))
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::no_length(); // Drawn on standard error, and only where that is a terminal.
    if let Ok(style) = ProgressStyle::with_template("{spinner} {pos} tickets, up to {msg}  {elapsed}") {
        bar.set_style(style);
    }
    bar
}
