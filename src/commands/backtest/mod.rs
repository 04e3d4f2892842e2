//! `backtest`: a file of past tickets decided again, by one policy or by two; and such a file taken from the helpdesk.

mod fetch;
mod input;
mod kept;
mod run;
mod text;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use chrono::{NaiveDate, NaiveTime};
use indicatif::ProgressBar;
use tokio::runtime::Runtime;

use super::lines::ENOUGH;
use super::reader::{Offline, ReaderChoice, cached, runtime};
use super::terminal::{Visible, tell};
use super::{Done, ExitAs, moments, print, store};
use crate::config::{self, Settings};
use crate::console::chart::{Chart, Counts, Shown};
use crate::decide::facts::sources::Ids;
use crate::decide::policy::Policy;
use crate::learn::backtest::page;
use crate::learn::backtest::past::{Marks, Past};
use crate::learn::backtest::summary::{Read, Rule};
use crate::learn::backtest::tally::Tally;
use crate::work::embedder::Embedder;
use crate::work::star_tags;
use fetch::Fetch;
use input::Input;
use run::Outcome;
pub(super) use text::matrix;

/// How many tickets of a list the page shows.
const FIRST: usize = 1000;

/// Decide past tickets again, and show what a policy, or a change of it, would do
///
/// Each ticket is decided as of its own time, without what came after. With --against, every ticket that a second policy
/// decides otherwise is listed, and by which rule. Nothing is written anywhere.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("from").args(["file", "fetch"]).required(true)))]
pub(super) struct Backtest {
    /// Past tickets, one a line or as the helpdesk exports them; plain, gzip or zstd; - for standard input
    file: Option<PathBuf>,
    /// The policy's binding, star.toml. Absent: the configuration's
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// A second policy, to see what it would change
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// The configuration, starwarden.toml: for its policy, and its account's ids of forms and fields
    #[arg(long, env = "STARWARDEN_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The account whose ids of forms and fields are used. Absent: the only one, else the policy's own ids
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Take past tickets of this account from the helpdesk instead, into a file that backtest reads; needs an admin's credentials
    #[arg(long, value_name = "ACCOUNT", requires_all = ["since", "config"], conflicts_with_all = ["file", "policy", "against", "account", "format"])]
    fetch: Option<String>,
    /// With --fetch: tickets that changed on that day (UTC) or later, such as 2026-08-01
    #[arg(long, value_name = "DATE", value_parser = moments::day, requires = "fetch")]
    since: Option<NaiveDate>,
    /// With --fetch: the file; where it was interrupted the same command goes on. Absent: standard output
    #[arg(long, short, value_name = "FILE", requires = "fetch")]
    output: Option<PathBuf>,
    #[command(flatten)]
    reader: ReaderChoice,
    /// How it is shown
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    /// Words and tables
    Text,
    /// Every count, every differing ticket, every disagreement
    Json,
    /// One page that stands by itself
    Html,
}

impl Backtest {
    pub(super) fn run(self) -> Done {
        match (&self.fetch, &self.file) {
            (Some(account), _) => self.fetch(account).exit_as(1)?,
            (None, Some(file)) => self.decide(file).exit_as(2)?,
            (None, None) => return Err(anyhow::anyhow!("give a file of past tickets")).exit_as(2),
        }
        Ok(ExitCode::SUCCESS)
    }

    fn fetch(&self, account: &str) -> anyhow::Result<()> {
        let (Some(config), Some(since)) = (&self.config, self.since) else {
            bail!("--fetch needs --config and --since")
        };
        let since = since.and_time(NaiveTime::MIN).and_utc();
        let fetch = Fetch { config, account, since, output: self.output.as_deref() };
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().context("the runtime cannot start")?;
        runtime.block_on(fetch.run())
    }

    fn decide(&self, file: &Path) -> anyhow::Result<()> {
        let Configured { policy, ids: account, served } = self.configured()?;
        let second = self.against.as_deref().map(config::policy::read).transpose()?;
        let policies: Vec<&Policy> = std::iter::once(&policy).chain(&second).collect();
        let marks = Marks::of(star_tags(&policy), &policies);
        let ids = Ids::new(&policy.binding, &account);
        let second_ids = second.as_ref().map(|second| Ids::new(&second.binding, &account));
        let reader = match served {
            Some((runtime, embedder)) => Offline::on(runtime, embedder, &policies)?,
            None => self.reader.open(&policies)?,
        };
        let reads = |policy: &Policy, ids: &Ids, past: &Past| reader.words(policy, ids, &past.reading, past.now);
        let read: Option<&Read<'_>> = reader.is_served().then_some(&reads);
        let rule = Rule { policy: &policy, ids: &ids, read };
        let against = second.as_ref().zip(second_ids.as_ref()).map(|(policy, ids)| Rule { policy, ids, read });
        let begun = Instant::now();
        let bar = ProgressBar::no_length(); // Drawn on standard error, and only where that is a terminal.
        // A server is slow: the bar is to move all the same.
        let enough = if reader.is_served() { ENOUGH_SERVED } else { ENOUGH };
        let mut outcome = run::all(Input::open(file, enough, &bar)?, &marks, rule, against)?;
        bar.finish_and_clear();
        told(&outcome, begun);
        ensure!(
            outcome.summary.tally.tickets > 0,
            "there is no ticket in {}: a line is to be a ticket as the helpdesk exports it, or a JSON object with one",
            file.display()
        );
        reader.tell();
        match self.format {
            Format::Text => print(&text::text(&mut outcome, &policy, second.as_ref())?),
            Format::Json => {
                let mut output = Visible::new(std::io::BufWriter::new(std::io::stdout().lock()));
                let written = text::json(&mut outcome, &mut output);
                written
                    .and_then(|()| Ok(std::io::Write::flush(&mut output)?))
                    .context("the results cannot be written")?;
            }
            Format::Html => print(&html(file, &mut outcome, &policy, second.as_ref())?),
        }
        Ok(())
    }

    /// The policy, the account's ids, and the configured server where no other reader is chosen.
    fn configured(&self) -> anyhow::Result<Configured> {
        let settings = self.config.as_deref().map(|file| config::read(file, std::env::vars())).transpose()?;
        let file = self.policy.as_ref().or(settings.as_ref().map(|settings| &settings.policy.file));
        let Some(file) = file else { bail!("give --policy or --config") };
        let accounts = settings.as_ref().map(|settings| &settings.accounts);
        let account = match (accounts, &self.account) {
            (Some(accounts), Some(name)) => {
                Some(accounts.get(name).with_context(|| format!("there is no account {name} in the configuration"))?)
            }
            (None, Some(_)) => bail!("--account needs --config"),
            (Some(accounts), None) if accounts.len() == 1 => accounts.values().next(),
            (_, None) => None,
        };
        let policy = config::policy::read(file)?;
        let at_home = account.is_some_and(|account| account.reader.is_some());
        let served = match (&self.config, &settings) {
            (Some(file), Some(settings)) if !self.reader.is_made() && !at_home => served(file, settings)?,
            _ => None,
        };
        Ok(Configured { policy, ids: account.map(config::Account::ids).unwrap_or_default(), served })
    }
}

/// What a backtest is made with.
struct Configured {
    policy: Policy,
    ids: Ids,
    /// What reads the words, with what its store is opened on; none where no server is configured, or another reader is
    /// chosen.
    served: Option<(Runtime, Embedder)>,
}

/// The configured server of embeddings, where there is one, with the vectors that the store keeps.
fn served(file: &Path, settings: &Settings) -> anyhow::Result<Option<(Runtime, Embedder)>> {
    let home = file.parent().unwrap_or(Path::new("."));
    let Some(server) = settings.reader.open(home)? else { return Ok(None) };
    let runtime = runtime()?;
    let store = match store::must_be_there(&settings.store) {
        Ok(()) => runtime.block_on(store::open(&settings.store))?,
        Err(_) => cached()?, // There is no bot here, and none is begun.
    };
    Ok(Some((runtime, Embedder::new(server, store))))
}

/// How many bytes of tickets are decided at once where a server reads their words.
const ENOUGH_SERVED: usize = 64 << 10;

/// The summary of a backtest of two policies on a file of past tickets, as JSON.
///
/// # Errors
/// A file that cannot be read.
pub(super) fn summary(file: &Path, config: &Path, policy: &Policy, next: &Policy) -> anyhow::Result<String> {
    let settings = config::read(config, std::env::vars())?;
    let only = settings.accounts.values().next().filter(|_| settings.accounts.len() == 1);
    let account = only.map(config::Account::ids).unwrap_or_default();
    let (ids, next_ids) = (Ids::new(&policy.binding, &account), Ids::new(&next.binding, &account));
    let marks = Marks::of(star_tags(policy), &[policy, next]);
    let at_home = only.is_some_and(|account| account.reader.is_some());
    let served = if at_home { None } else { served(config, &settings)? };
    let reader = match served {
        Some((runtime, embedder)) => Offline::on(runtime, embedder, &[policy, next])?,
        None => Offline::of(Embedder::default(), &[])?,
    };
    let reads = |policy: &Policy, ids: &Ids, past: &Past| reader.words(policy, ids, &past.reading, past.now);
    let read: Option<&Read<'_>> = reader.is_served().then_some(&reads);
    let against = Some(Rule { policy: next, ids: &next_ids, read });
    let bar = ProgressBar::no_length();
    let rule = Rule { policy, ids: &ids, read };
    let outcome = run::all(Input::open(file, ENOUGH, &bar)?, &marks, rule, against)?;
    bar.finish_and_clear();
    Ok(serde_json::to_string(&outcome.summary)?)
}

/// How fast it was and what was no ticket, on standard error: results are the same on every run.
#[expect(clippy::cast_precision_loss, reason = "no file has so many tickets")]
fn told(outcome: &Outcome, begun: Instant) {
    let (tickets, seconds) = (outcome.summary.tally.tickets, begun.elapsed().as_secs_f64());
    tell(&format!("{tickets} tickets in {seconds:.1} s, {:.0} a second", tickets as f64 / seconds.max(0.001)));
    outcome.bad.iter().for_each(|bad| tell(&bad.to_string()));
    let more = outcome.summary.bad_lines.saturating_sub(u64::try_from(outcome.bad.len()).unwrap_or_default());
    if more > 0 {
        tell(&format!("and {more} more lines that are no tickets"));
    }
}

fn html(file: &Path, outcome: &mut Outcome, policy: &Policy, against: Option<&Policy>) -> anyhow::Result<String> {
    let (differences, disagreements) = (outcome.differences.first(FIRST)?, outcome.disagreements.first(FIRST)?);
    let summary = &outcome.summary;
    let second = match (against, &summary.against) {
        (Some(policy), Some(counts)) => Some((policy, chart(policy, &counts.tally)?)),
        _ => None,
    };
    let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy();
    Ok(page::html(&page::Shown {
        file: &name,
        summary,
        policy,
        chart: chart(policy, &summary.tally)?,
        against: second,
        differences: &differences,
        disagreements: &disagreements,
    })?)
}

/// The flowchart with its counts, lit at each node the branch most tickets took.
fn chart(policy: &Policy, tally: &Tally) -> anyhow::Result<String> {
    let mut counts = Counts::default();
    tally.ways.iter().for_each(|(way, tickets)| counts.add(way, *tickets));
    let chart = Chart::of(policy).map_err(anyhow::Error::msg)?;
    Ok(chart.svg(&Shown {
        walked: &tally.main_way(&policy.diagram),
        counts: Some(&counts),
        link: "#",
        ..Shown::default()
    }))
}
