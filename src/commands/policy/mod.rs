//! `policy`: which policy is in force, what the candidate makes of decisions; puts it in force, takes that back, and proposes
//! examples for the next.

mod suggest;
mod text;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use chrono::Utc;

use super::loaded;
use super::{ConfigFile, Done, ExitAs, Who, backtest, print, store};
use crate::config;
use crate::store::Store;
use crate::work::promotion::{self, By, Grounds, Promoted};
use crate::work::rule::Rules;
use crate::work::status::Status;

/// How many differing decisions are shown.
const NEWEST: usize = 20;

/// Say which policy is in force, put the candidate in force, take it back
///
/// A candidate, `[policy] candidate`, decides beside the policy in force and is never acted on; status says what it makes of
/// decisions. promote puts it in force in every replica that shares the store, and back takes that back.
#[derive(Debug, clap::Args)]
pub(super) struct Policy {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Say what is in force, whether file and candidate differ from it, and what the candidate makes of decisions
    Status {
        #[command(flatten)]
        config: ConfigFile,
        /// How it is shown
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Put the candidate in force, or the changed file, in every replica that shares the store; from the first promotion
    /// on a file comes into force only by being promoted
    Promote {
        #[command(flatten)]
        config: ConfigFile,
        /// The hash of what is promoted, as `policy status` shows it, or its first digits: so that nothing else is
        hash: String,
        /// The backtest it is promoted on: what `backtest --against … --format json` wrote, of this very change
        #[arg(long, value_name = "FILE", conflicts_with = "tickets")]
        backtest: Option<PathBuf>,
        /// Past tickets to run that backtest on first
        #[arg(long, value_name = "FILE")]
        tickets: Option<PathBuf>,
        /// Why, for who comes after
        #[arg(long)]
        why: Option<String>,
        #[command(flatten)]
        by: Who,
    },
    /// Propose examples for the reader from what managers put right, in a file for people to review
    ///
    /// Where a manager's answer differs from what a sentence was read as, the sentence and the answer are proposed, with who
    /// said so and when; addresses and numbers in it are masked. Nothing comes into force by it.
    Suggest {
        #[command(flatten)]
        config: ConfigFile,
        /// The file to write
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Take the newest promotion back: what was in force before it is in force again
    Back {
        #[command(flatten)]
        config: ConfigFile,
        #[command(flatten)]
        by: Who,
    },
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    /// Words and tables
    Text,
    /// All of it, for programs
    Json,
}

impl Policy {
    pub(super) fn run(self) -> Done {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().exit_as(1)?;
        runtime.block_on(self.verb.run()).exit_as(1)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Verb {
    async fn run(self) -> anyhow::Result<()> {
        match self {
            Verb::Status { config, format } => {
                let (store, rules) = opened(&config).await?;
                let status = Status::of(&store, &rules, None, NEWEST).await?;
                print(&match format {
                    Format::Text => text::status(&status),
                    Format::Json => format!("{}\n", serde_json::to_string_pretty(&status)?),
                });
            }
            Verb::Promote { config, hash, backtest, tickets, why, by } => {
                let (store, rules) = opened(&config).await?;
                let summary = match (backtest, tickets) {
                    (Some(file), _) => Some(
                        std::fs::read_to_string(&file)
                            .with_context(|| format!("the backtest {} cannot be read", file.display()))?,
                    ),
                    (None, Some(tickets)) => {
                        let next = promotion::offered(&rules, &hash)?;
                        Some(backtest::summary(&tickets, &config.file()?, &rules.policy, next)?)
                    }
                    (None, None) => None,
                };
                let by = By { who: &by.by, now: Utc::now() };
                let grounds = Grounds { backtest: summary.as_deref(), why: why.as_deref() };
                print(&match promotion::promote(&store, &rules, &hash, grounds, by).await? {
                    Promoted::InForce(policy) => {
                        format!("in force now: {policy}\na running bot takes it within seconds\n")
                    }
                    Promoted::Waits(policy) => {
                        format!("asked for: {policy}\nanother person puts it in force with the same command\n")
                    }
                });
            }
            Verb::Suggest { config, file } => {
                let store = opened(&config).await?.0;
                print(&suggest::write(&store, &file).await?);
            }
            Verb::Back { config, by } => {
                let store = opened(&config).await?.0;
                let policy = promotion::back(&store, By { who: &by.by, now: Utc::now() }).await?;
                print(&format!("in force again: {policy}\na running bot takes it within seconds\n"));
            }
        }
        Ok(())
    }
}

/// The store, which must be there, and the policies as they stand.
async fn opened(config: &ConfigFile) -> anyhow::Result<(Store, Rules)> {
    let settings = config::read(&config.file()?, std::env::vars())?;
    store::must_be_there(&settings.store)?;
    let store = store::open(&settings.store).await?;
    let rules = loaded::rules(&settings, &store).await?;
    Ok((store, rules))
}
