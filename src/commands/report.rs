//! `report`: what was decided, whether people agreed, and what it saved.

use std::process::ExitCode;

use anyhow::Context;
use chrono::{NaiveDate, NaiveTime, Utc};
use clap::ValueEnum;

use super::{ConfigFile, Done, ExitAs, loaded, moments, print, store};
use crate::config;
use crate::decide::policy::Policy;
use crate::learn::report::{Tally, csv, html, text};
use crate::work::reported;

/// How wide tables are where the terminal does not say.
const USUAL_WIDTH: u16 = 100;

/// How many disagreements are listed.
const MOST_LISTED: usize = 1_000;

/// Report on decisions: agreement, what STARs were about, what was saved
///
/// It reads what the store has counted by day; minutes saved are an estimate, from how long a ticket takes by hand.
#[derive(Debug, clap::Args)]
pub(super) struct Report {
    #[command(flatten)]
    config: ConfigFile,
    /// Count decisions from this day on (UTC), such as 2026-10-01; absent: all that are kept
    #[arg(long, value_name = "DATE", value_parser = moments::day)]
    since: Option<NaiveDate>,
    /// Assume that a manager takes this long for a ticket without the bot
    #[arg(long, value_name = "MINUTES", default_value_t = 12)]
    minutes_by_hand: u64,
    /// How to show it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// Words and tables
    Text,
    /// A decision a line, for spreadsheets
    Csv,
    /// Every count
    Json,
    /// One page that stands by itself
    Html,
}

impl Report {
    pub(super) fn run(&self) -> Done {
        let report = self.report().exit_as(1)?;
        print(&String::from_utf8_lossy(&report));
        Ok(ExitCode::SUCCESS)
    }

    fn report(&self) -> anyhow::Result<Vec<u8>> {
        let settings = config::read(&self.config.file()?, std::env::vars())?;
        store::must_be_there(&settings.store)?;
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().context("the runtime cannot start")?;
        let (tally, rules) = runtime.block_on(async {
            let store = store::open(&settings.store).await?;
            anyhow::Ok((
                reported::tally(&store, self.since, MOST_LISTED).await?,
                loaded::rules(&settings, &store).await?,
            ))
        })?;
        self.shown(tally, &rules.policy)
    }

    fn shown(&self, tally: Tally, policy: &Policy) -> anyhow::Result<Vec<u8>> {
        let since = self.since.map(|day| day.and_time(NaiveTime::MIN).and_utc());
        let report = tally.report(policy, since, Utc::now(), self.minutes_by_hand);
        Ok(match self.format {
            Format::Text => text::text(&report, USUAL_WIDTH).into_bytes(),
            Format::Csv => csv::csv(&report)?,
            Format::Json => {
                let mut json = serde_json::to_vec_pretty(&report)?;
                json.push(b'\n');
                json
            }
            Format::Html => html::html(&report).into_bytes(),
        })
    }
}
