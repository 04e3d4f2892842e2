//! `tickets show`.

use anyhow::Context;
use chrono::{DateTime, Utc};

use super::list::Format;
use super::{line, named, with_store};
use crate::commands::{ConfigFile, print};
use crate::console::api::shapes::ApiTicket;
use crate::console::time_line::{self, Kept};
use crate::console::words;
use crate::decide::basis::Basis;
use crate::decide::facts::expiry;

/// Which ticket, and how.
#[derive(Debug, clap::Args)]
pub(super) struct Show {
    #[command(flatten)]
    config: ConfigFile,
    /// The ticket, such as global/104; its number alone where there is one account
    ticket: String,
    /// How to show it; json is what GET /api/v1/tickets/{account}/{id} answers
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl Show {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        with_store(&self.config, async |settings, store| {
            let ticket = named(settings, &self.ticket)?;
            let history = store.history(&ticket).await?;
            let history = history.with_context(|| format!("the bot never heard of ticket {ticket}"))?;
            let events = store.operators_on(&ticket).await?;
            let follow_ups = store.follow_ups_of(&ticket).await?;
            let feedback = store.feedback_of(&ticket).await?;
            print(&match self.format {
                Format::Text => {
                    let newest = history.decisions.last();
                    let basis: Basis = newest.and_then(|row| serde_json::from_str(&row.basis).ok()).unwrap_or_default();
                    let (history, events, follow_ups, feedback) = (&history, &events, &follow_ups, &feedback);
                    text(
                        &ticket.to_string(),
                        &Kept { history, events, follow_ups, feedback, basis: &basis },
                        Utc::now(),
                    )
                }
                Format::Json => {
                    let told = ApiTicket::of(ticket, history, &events, feedback, follow_ups)?;
                    format!("{}\n", serde_json::to_string(&told)?)
                }
            });
            Ok(())
        })
    }
}

fn text(ticket: &str, kept: &Kept<'_>, now: DateTime<Utc>) -> String {
    let Kept { history, basis, .. } = kept;
    let newest = history.decisions.last();
    let organization = basis.organization.as_ref().map(|name| format!(" ({})", line(name))).unwrap_or_default();
    let mut text =
        format!("{ticket}  {}{organization}\n{}\n", line(&basis.subject), line(&words::watch(&history.watch, now)));
    if let Some(error) = &history.last_error {
        text.push_str(&format!("last error: {}\n", line(error)));
    }
    text.push('\n');
    for happened in time_line::of(kept, |verdict| verdict.replace('_', " ")) {
        text.push_str(&format!("{}  {}\n", expiry::exact(happened.at), line(&happened.words)));
    }
    if let Some(row) = newest {
        text.push_str(&format!("\nthe note of {}:\n\n", row.reference));
        row.note
            .replace("**", "")
            .lines()
            .for_each(|words| text.push_str(&format!("{}\n", format!("  {}", line(words)).trim_end())));
    }
    text
}
