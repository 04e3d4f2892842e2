//! `tickets`: what the bot watches, a ticket's whole history, and what an operator can do about it.

mod list;
mod show;

use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use chrono::Utc;
use clap::{ArgGroup, Subcommand};

use super::{ConfigFile, Done, ExitAs, Who, print, store};
use crate::config::{self, Settings};
use crate::console::words;
use crate::decide::ticket::TicketKey;
use crate::learn::report::text::many;
use crate::store::Store;
use crate::store::operators::{Did, OperatorEvent};
use crate::store::watches::DeadLetters;

/// List and show watched tickets, look again, send dead letters back, pause and resume an account, forget a ticket
///
/// It reads and writes the store, and never the helpdesk: what is to be done the bot does, which need not run right now.
#[derive(Debug, clap::Args)]
pub(super) struct Tickets {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List watched tickets, by account and number
    List(list::List),
    /// Show all that is kept of a ticket: where it stands, its time line, the newest note
    Show(show::Show),
    /// Look at a ticket again now; with --all at every open one, the most urgent first, within the API budget
    Recheck(Recheck),
    /// Send dead letters back: one ticket, or all that share something
    Retry(Retry),
    /// Leave an account's tickets alone: deliveries are taken and kept, nothing is written
    Pause(Account),
    /// End an account's pause
    Resume(Account),
    /// Forget what people wrote on a ticket: words, names and notes go from the store and its log, counts stay
    ///
    /// Delete or redact it at the helpdesk first: what is there at the next look is read again.
    Forget(One),
}

/// One ticket, or all.
#[derive(Debug, clap::Args)]
#[command(group(ArgGroup::new("looked_at").args(["ticket", "all"]).required(true)))]
struct Recheck {
    #[command(flatten)]
    config: ConfigFile,
    #[command(flatten)]
    by: Who,
    /// The ticket, such as global/104; its number alone where there is one account
    ticket: Option<String>,
    /// Every open ticket that was decided
    #[arg(long)]
    all: bool,
}

/// One ticket.
#[derive(Debug, clap::Args)]
struct One {
    #[command(flatten)]
    config: ConfigFile,
    #[command(flatten)]
    by: Who,
    /// The ticket, such as global/104; its number alone where there is one account
    ticket: String,
}

/// Which dead letters.
#[derive(Debug, clap::Args)]
#[command(group(ArgGroup::new("which").args(["ticket", "account", "error", "all"]).required(true).multiple(true)))]
struct Retry {
    #[command(flatten)]
    config: ConfigFile,
    #[command(flatten)]
    by: Who,
    /// The ticket, such as global/104; absent: those the options name
    #[arg(conflicts_with_all = ["account", "error", "all"])]
    ticket: Option<String>,
    /// Those of one account
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// Those whose last error holds this text
    #[arg(long, value_name = "TEXT")]
    error: Option<String>,
    /// Every one
    #[arg(long)]
    all: bool,
}

/// One account.
#[derive(Debug, clap::Args)]
struct Account {
    #[command(flatten)]
    config: ConfigFile,
    #[command(flatten)]
    by: Who,
    /// The account's name in the configuration
    account: String,
}

impl Tickets {
    pub(super) fn run(&self) -> Done {
        let done = match &self.verb {
            Verb::List(list) => list.run(),
            Verb::Show(show) => show.run(),
            Verb::Recheck(recheck) => recheck.run(),
            Verb::Retry(retry) => retry.run(),
            Verb::Pause(account) => account.pause(),
            Verb::Resume(account) => account.resume(),
            Verb::Forget(one) => one.forget(),
        };
        done.exit_as(1)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Recheck {
    fn run(&self) -> anyhow::Result<()> {
        with_store(&self.config, async |settings, store| {
            let Some(ticket) = &self.ticket else {
                let tickets = store.decide_all_anew().await?;
                store.record_operator(&event(&self.by, None, Did::LookAgainAtAll { tickets })).await?;
                let (they, are) = (many(tickets, "open ticket"), if tickets == 1 { "is" } else { "are" });
                print(&format!("{they} {are} looked at again, the most urgent first, within the API budget\n"));
                return Ok(());
            };
            let ticket = named(settings, ticket)?;
            store.record_operator(&event(&self.by, Some(ticket.clone()), Did::LookAgain)).await?;
            print(&format!("{ticket} is due now\n"));
            Ok(())
        })
    }
}

impl One {
    fn forget(&self) -> anyhow::Result<()> {
        with_store(&self.config, async |settings, store| {
            let ticket = named(settings, &self.ticket)?;
            ensure!(store.history(&ticket).await?.is_some(), "nothing is kept of {ticket}");
            store.forget(&ticket).await?;
            store.erase_traces().await?;
            store.record_operator(&event(&self.by, Some(ticket.clone()), Did::Forgot)).await?;
            print(&format!("what people wrote on {ticket} is forgotten; what was counted stays\n"));
            Ok(())
        })
    }
}

impl Retry {
    fn run(&self) -> anyhow::Result<()> {
        with_store(&self.config, async |settings, store| {
            let mut which = DeadLetters { error_has: self.error.clone(), ..DeadLetters::default() };
            if let Some(ticket) = &self.ticket {
                let TicketKey { account, id } = named(settings, ticket)?;
                which = DeadLetters { account: Some(account), ticket: Some(id), error_has: None };
            } else if let Some(account) = &self.account {
                which.account = Some(known(settings, account)?.to_owned());
            }
            let tickets = store.send_back(&which, Utc::now()).await?;
            ensure!(
                tickets > 0,
                "no dead letter is among them: `starwarden tickets list --state dead` shows those there are"
            );
            store.record_operator(&event(&self.by, None, Did::SentBack { tickets })).await?;
            print(&match tickets {
                1 => "1 dead letter is due again\n".to_owned(),
                many => format!("{many} dead letters are due again\n"),
            });
            Ok(())
        })
    }
}

impl Account {
    fn pause(&self) -> anyhow::Result<()> {
        with_store(&self.config, async |settings, store| {
            let account = known(settings, &self.account)?;
            if let Some(paused) = store.paused().await?.get(account) {
                bail!("{}", words::paused(account, paused));
            }
            store.pause(account, &self.by.by, Utc::now()).await?;
            store.record_operator(&event(&self.by, None, Did::Paused { account: account.to_owned() })).await?;
            print(&format!("{account} is paused: deliveries are taken and kept, nothing is written\n"));
            Ok(())
        })
    }

    fn resume(&self) -> anyhow::Result<()> {
        with_store(&self.config, async |settings, store| {
            let account = known(settings, &self.account)?;
            ensure!(store.resume(account).await?, "{account} is not paused");
            store.record_operator(&event(&self.by, None, Did::Resumed { account: account.to_owned() })).await?;
            print(&format!("{account} is at work again\n"));
            Ok(())
        })
    }
}

/// Opens the store of a bot and does something with it; a store that is not there is not made.
fn with_store(
    config: &ConfigFile,
    what: impl AsyncFnOnce(&Settings, &Store) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let settings = config::read(&config.file()?, std::env::vars())?;
    store::must_be_there(&settings.store)?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("the runtime cannot start")?;
    runtime.block_on(async { what(&settings, &store::open(&settings.store).await?).await })
}

/// The ticket of that name: `account/number`, or a number where there is one account.
fn named(settings: &Settings, name: &str) -> anyhow::Result<TicketKey> {
    let (account, number) = match name.rsplit_once('/') {
        Some((account, number)) => (known(settings, account)?, number),
        None => match settings.accounts.keys().collect::<Vec<_>>().as_slice() {
            [only] => (only.as_str(), name),
            _ => bail!("{name}: there are several accounts, so say which: ACCOUNT/{name}"),
        },
    };
    let id = number.trim_start_matches('#').parse().ok().filter(|id| i64::try_from(*id).is_ok());
    let id = id.with_context(|| format!("{number} is no ticket number: give digits alone, or ACCOUNT/NUMBER"))?;
    Ok(TicketKey { account: account.to_owned(), id })
}

fn known<'a>(settings: &'a Settings, account: &str) -> anyhow::Result<&'a str> {
    let found = settings.accounts.keys().find(|name| *name == account);
    Ok(found.with_context(|| {
        let names: Vec<_> = settings.accounts.keys().map(String::as_str).collect();
        format!("there is no account {account}: the configuration has {}", names.join(", "))
    })?)
}

fn event(by: &Who, ticket: Option<TicketKey>, did: Did) -> OperatorEvent {
    OperatorEvent { at: Utc::now(), who: by.by.clone(), ticket, did }
}

/// Text of others on one line of a terminal, which obeys none of it.
fn line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
