//! `tickets list`.

use std::collections::BTreeSet;

use anyhow::ensure;
use chrono::Utc;
use clap::ValueEnum;
use comfy_table::{Table, presets};
use serde_json::json;

use super::{known, line, with_store};
use crate::commands::{ConfigFile, loaded, print};
use crate::config::Settings;
use crate::console::words;
use crate::decide::near::instead;
use crate::decide::policy::Policy;
use crate::decide::policy::decision::NEEDS_FACTS;
use crate::store::Store;
use crate::store::budget::Taken;
use crate::store::history::{WatchFilter, WatchRow, WatchState};
use crate::store::watches::Watch;
use crate::work::conditions;

/// How many tickets are in memory at once.
const PAGE: u32 = 500;

/// Which tickets, and how.
#[derive(Debug, clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    config: ConfigFile,
    /// Only those of one account
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// Only those in one state
    #[arg(long, value_enum)]
    state: Option<State>,
    /// Only those whose newest decision has this verdict, such as `needs_facts`
    #[arg(long, value_name = "VERDICT")]
    verdict: Option<String>,
    /// How many at most
    #[arg(long, value_name = "COUNT", default_value_t = 1000)]
    limit: u32,
    /// How to show them; json is an object a line
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum State {
    /// To be looked at, now or later
    Due,
    /// Waiting for news
    Idle,
    /// Dead letters
    Dead,
    /// Left alone
    Stopped,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}

impl From<State> for WatchState {
    fn from(state: State) -> WatchState {
        match state {
            State::Due => WatchState::Due,
            State::Idle => WatchState::Idle,
            State::Dead => WatchState::Dead,
            State::Stopped => WatchState::Stopped,
        }
    }
}

impl List {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        with_store(&self.config, async |settings, store| {
            let account = self.account.as_deref().map(|account| known(settings, account)).transpose()?;
            let filter = WatchFilter {
                account: account.map(str::to_owned),
                state: self.state.map(WatchState::from),
                verdict: self.verdict.clone(),
                query: None,
            };
            let found = self.found(store, &filter).await?;
            if let (true, Some(verdict)) = (found.is_empty(), &self.verdict) {
                known_verdict(&loaded::rules(settings, store).await?.policy, verdict)?;
            }
            match self.format {
                Format::Text => {
                    print(&table(&found, self.limit));
                    print(&held(settings, store).await?);
                }
                Format::Json => found.iter().for_each(|row| print(&format!("{}\n", json(row)))),
            }
            Ok(())
        })
    }

    async fn found(&self, store: &Store, filter: &WatchFilter) -> anyhow::Result<Vec<WatchRow>> {
        let mut found: Vec<WatchRow> = Vec::new();
        loop {
            let left = self.limit.saturating_sub(u32::try_from(found.len())?).min(PAGE);
            if left == 0 {
                return Ok(found);
            }
            let after = found.last().map(|row| row.ticket.clone());
            let page = store.watched(filter, after.as_ref(), left).await?;
            if page.is_empty() {
                return Ok(found);
            }
            found.extend(page);
        }
    }
}

/// The accounts of which the helpdesk wants no calls, a line each.
async fn held(settings: &Settings, store: &Store) -> anyhow::Result<String> {
    let mut lines = String::new();
    for (name, account) in &settings.accounts {
        if let Taken::Held(until) = store.take(name, 0, account.requests_per_minute, Utc::now()).await? {
            lines.push_str(&format!("{name}: {}\n", conditions::no_calls_until(until)));
        }
    }
    Ok(lines)
}

/// Refuses a verdict that the policy does not give.
fn known_verdict(policy: &Policy, verdict: &str) -> anyhow::Result<()> {
    let outcomes = policy.binding.outcomes.keys().map(|name| name.get_ref().as_str());
    let there: BTreeSet<&str> = outcomes.chain([NEEDS_FACTS]).collect();
    let there: Vec<&str> = there.into_iter().collect();
    ensure!(
        there.contains(&verdict),
        "no ticket has the verdict {verdict}, which the policy in force does not give: {}",
        instead(verdict, &there)
    );
    Ok(())
}

fn table(found: &[WatchRow], limit: u32) -> String {
    if found.is_empty() {
        return "no ticket is among them\n".to_owned();
    }
    let now = Utc::now();
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["ticket", "stands", "verdict", "failed", "last error"]);
    for row in found {
        let failed = if row.failures == 0 { String::new() } else { format!("{} in a row", row.failures) };
        let stands = match &row.watch {
            Watch::Dead { .. } => "dead letter".to_owned(), // Why is its last error.
            Watch::Due { .. } | Watch::Idle | Watch::Stopped { .. } => words::watch(&row.watch, now),
        };
        let verdict = row.verdict.clone().unwrap_or_default();
        let error = row.last_error.as_deref().map(line).unwrap_or_default();
        table.add_row([row.ticket.to_string(), line(&stands), verdict, failed, error]);
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    let mut text = lines.join("\n") + "\n";
    if u32::try_from(found.len()).is_ok_and(|count| count == limit) {
        text.push_str(&format!("the first {limit}; --limit shows more\n"));
    }
    text
}

fn json(row: &WatchRow) -> serde_json::Value {
    let WatchRow { ticket, watch, failures, last_error, verdict, .. } = row;
    json!({ "account": ticket.account, "id": ticket.id, "watch": watch, "verdict": verdict, "failures": failures, "last_error": last_error })
}
