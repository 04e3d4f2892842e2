//! How the policies stand, for a terminal.

use std::fmt::Write as _;

use crate::commands::backtest::matrix;
use crate::decide::facts::expiry;
use crate::learn::backtest::attached::Attached;
use crate::learn::report::text::many;
use crate::work::status::{Compared, Differs, NOT_COMPARABLE, Status, Stepped};

/// The whole status in words; what differs, the newest of it.
pub(super) fn status(status: &Status) -> String {
    let by = match &status.by {
        Some(step) => format!("since {}, {} by {}", expiry::exact(step.at), verb(step), step.who),
        None => "as the file says: nothing was ever promoted".into(),
    };
    let mut text = format!("in force   {}\n           {by}\n", status.in_force);
    let _infallible = writeln!(text, "file       {}", status.file.words(&status.in_force));
    match &status.candidate {
        Some(candidate) => {
            let _infallible = writeln!(text, "candidate  {}", candidate.words(&status.in_force));
        }
        None => text.push_str("candidate  none is configured\n"),
    }
    if let Some(still) = status.still_to_decide() {
        let _infallible = writeln!(text, "\n{still}");
    }
    for warning in &status.warnings {
        let _infallible = writeln!(text, "\n! {warning}");
    }
    if let Some(compared) = &status.compared {
        tell(&mut text, compared);
    }
    if !status.history.is_empty() {
        text.push_str("\nHistory, newest first\n");
    }
    for step in &status.history {
        let (at, who) = (expiry::exact(step.at), &step.who);
        let _infallible = writeln!(text, "  {at}  {who} {} {}\n    {}", verb(step), step.policy, on(step));
        if let Some(asked_by) = &step.asked_by {
            let _infallible = writeln!(text, "    asked for by {asked_by}");
        }
        if let Some(why) = &step.why {
            let _infallible = writeln!(text, "    {why}");
        }
    }
    text
}

fn tell(text: &mut String, compared: &Compared) {
    let Compared { candidate, decisions, differing, not_comparable, verdicts, newest, .. } = compared;
    let (were, differ) =
        (if *decisions == 1 { "was" } else { "were" }, if *differing == 1 { "differs" } else { "differ" });
    let decisions_made = many(*decisions, "decision");
    let _infallible = writeln!(text, "\n{decisions_made} {were} also made by {candidate}; {differing} {differ}");
    if *not_comparable > 0 {
        let _infallible = writeln!(text, "{not_comparable} more cannot be compared: {}", NOT_COMPARABLE);
    }
    if *decisions > 0 {
        let _infallible = writeln!(text, "(rows: in force, columns: the candidate)\n{}", matrix(verdicts));
    }
    for Differs { decided_at, difference, .. } in newest {
        let parts = difference.parts_at.as_ref();
        let at = parts.map_or_else(|| "the start".to_owned(), |at| format!("{} {}", at.node, at.text));
        let (was, becomes) = (&difference.was, &difference.becomes);
        let _infallible = write!(
            text,
            "\n{}, {}: {} → {}, parting at {at}\n  {}\n  {}\n",
            difference.id,
            expiry::exact(*decided_at),
            was.verdict,
            becomes.verdict,
            was.reason,
            becomes.reason
        );
    }
    let shown = u64::try_from(newest.len()).unwrap_or(u64::MAX);
    if *differing > shown {
        let _infallible = writeln!(text, "\n… and {} more", differing - shown);
    }
}

fn verb(step: &Stepped) -> &'static str {
    if step.undoes.is_some() { "restored" } else { "promoted" }
}

/// What a step stands on.
fn on(step: &Stepped) -> String {
    let tried = step.backtest.as_ref().and_then(|json| Attached::read(json.get()).ok());
    match (step.undoes, tried) {
        (Some(undoes), _) => format!("takes back promotion {undoes}; until then {}", step.former),
        (None, Some(tried)) => format!(
            "promotion {}, on a backtest of {}: {} would differ; until then {}",
            step.number,
            many(tried.tickets, "ticket"),
            many(tried.differing, "verdict"),
            step.former
        ),
        (None, None) => format!("promotion {}, without a backtest; until then {}", step.number, step.former),
    }
}
