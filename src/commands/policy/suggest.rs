//! `policy suggest`: examples for the reader, out of what managers put right.

use std::path::Path;

use anyhow::Context;

use crate::decide::basis::Basis;
use crate::learn::suggest::{self, Suggested};
use crate::store::Store;
use crate::store::overview::Listed;

/// How many tickets are read at once.
const PAGE: usize = 200;

/// Writes the proposed examples to a file; in a sentence what it wrote.
pub(super) async fn write(store: &Store, to: &Path) -> anyhow::Result<String> {
    let mut proposed: Vec<(String, Suggested)> = Vec::new();
    let (mut read, mut verdicts) = (0_usize, 0_usize);
    loop {
        let page = store.tickets(&Listed::All, read, PAGE).await?;
        for listed in &page {
            let Some(history) = store.history(&listed.ticket).await? else { continue };
            let bases = history.decisions.iter().filter_map(|row| serde_json::from_str::<Basis>(&row.basis).ok());
            let bases: Vec<Basis> = bases.collect();
            let ticket = listed.ticket.to_string();
            proposed.extend(suggest::from_decisions(&bases).into_iter().map(|one| (ticket.clone(), one)));
            let by_hand = store.feedback_of(&listed.ticket).await?.into_iter().map(|row| row.feedback.opinion);
            verdicts +=
                by_hand.filter(|opinion| matches!(opinion, crate::store::feedback::Opinion::Corrected { .. })).count();
        }
        read += page.len();
        if page.len() < PAGE {
            break;
        }
    }
    std::fs::write(to, suggest::file(&proposed)).with_context(|| format!("{} cannot be written", to.display()))?;
    let by_hand = match verdicts {
        0 => String::new(),
        verdicts => format!("; {verdicts} verdicts were changed by hand, which name no fact: see `report`"),
    };
    Ok(format!("{} examples proposed in {}, from {read} tickets{by_hand}\n", proposed.len(), to.display()))
}
