//! A backtest for a terminal, and as JSON.

use std::fmt::Write as _;
use std::io::{self, Write};

use comfy_table::{CellAlignment, Table, presets};

use super::run::Outcome;
use crate::decide::policy::Policy;
use crate::learn::backtest::agreement::Disagreement;
use crate::learn::backtest::comparison::{Difference, Matrix};
use crate::learn::backtest::summary::percent;
use crate::learn::backtest::tally::Tally;
use crate::learn::report::text::many;

/// How many tickets of a list are shown on a terminal.
const FIRST: usize = 20;

/// The whole backtest in words; of long lists the beginning.
///
/// # Errors
/// A temporary file that cannot be read.
pub(super) fn text(outcome: &mut Outcome, policy: &Policy, against: Option<&Policy>) -> anyhow::Result<String> {
    let differences: Vec<Difference> = outcome.differences.first(FIRST)?;
    let disagreements: Vec<Disagreement> = outcome.disagreements.first(FIRST)?;
    let summary = &outcome.summary;
    let tickets = many(summary.tally.tickets, "ticket");
    let mut text = String::new();
    if let Some(counts) = &summary.against {
        let _infallible = writeln!(text, "{} of {} verdicts would differ", counts.differing, summary.tally.tickets);
    }
    let _infallible = writeln!(text, "{tickets} by policy {}", summary.policy);
    tally(&mut text, policy, &summary.tally);
    if let (Some(second), Some(counts)) = (against, &summary.against) {
        let _infallible = write!(text, "\nAgainst policy {}\n", counts.policy);
        tally(&mut text, second, &counts.tally);
        let _infallible =
            write!(text, "\nHow verdicts move (rows: the policy, columns: against it)\n{}\n", matrix(&counts.matrix));
        for Difference { id, was, becomes, parts_at } in &differences {
            let at = parts_at.as_ref().map_or_else(|| "the start".to_owned(), |at| format!("{} {}", at.node, at.text));
            let _infallible = write!(
                text,
                "\n{id}: {} → {}, parting at {at}\n  {}\n  {}\n",
                was.verdict, becomes.verdict, was.reason, becomes.reason
            );
        }
        more(&mut text, differences.len(), counts.differing);
    }
    let total = summary.agreement.total();
    if total.tickets() > 0 {
        let _infallible = write!(
            text,
            "\n{} % agreement with the managers over {} decided by both; {} left open\n",
            percent(total.agreed, total.agreed + total.differed),
            many(total.agreed + total.differed, "ticket"),
            total.open
        );
        let mut table =
            table(["managers", "tickets", "agreed", "differed", "left open", "agreement"].map(str::to_owned));
        for (outcome, row) in &summary.agreement.outcomes {
            let share = format!("{} %", percent(row.agreed, row.agreed + row.differed));
            let counts = [row.tickets(), row.agreed, row.differed, row.open].map(|count| count.to_string());
            table.add_row(std::iter::once(outcome.clone()).chain(counts).chain([share]));
        }
        let _infallible = write!(
            text,
            "{table}\n\nWhat managers did (rows), what would be decided (columns)\n{}\n",
            matrix(&summary.agreement.matrix)
        );
        for Disagreement { id, managers, verdict, node, reason } in &disagreements {
            let at = node.as_ref().map(|node| format!(" at {node}")).unwrap_or_default();
            let _infallible = write!(text, "\n{id}: managers {managers}, decided {verdict}{at}\n  {reason}\n");
        }
        more(&mut text, disagreements.len(), total.differed);
    }
    if let Some(told) = summary.left_out() {
        let _infallible = writeln!(text, "\n{told}");
    }
    Ok(text)
}

fn tally(text: &mut String, policy: &Policy, tally: &Tally) {
    let mut verdicts = table(["verdict", "tickets", ""].map(str::to_owned));
    for (verdict, count) in &tally.verdicts {
        verdicts.add_row([verdict.clone(), count.to_string(), format!("{} %", percent(*count, tally.tickets))]);
    }
    let mut nodes = table(["node", "passed", "decided there", ""].map(str::to_owned));
    let passed = tally.nodes();
    for node in &policy.diagram.nodes {
        let Some(count) = passed.get(node.id.as_str()) else { continue };
        let ends = tally.ends.get(&node.id).map(u64::to_string).unwrap_or_default();
        nodes.add_row([node.id.clone(), count.to_string(), ends, node.text.clone()]);
    }
    let _infallible = write!(text, "{verdicts}\n\n{nodes}\n");
    for (reader, count) in &tally.readers {
        let _infallible = writeln!(text, "\nwords of {} read by {reader} vectors", many(*count, "ticket"));
    }
    let undecided = tally.undecided();
    if undecided > 0 {
        let _infallible = writeln!(text, "\nOf the {undecided} left open");
    }
    for (fact, open) in tally.questions() {
        let (settles, asked) = (percent(open.settles, undecided), percent(open.asked, undecided));
        let _infallible = writeln!(text, "  knowing {fact} would settle {settles} % (asked in {asked} %)");
    }
    if tally.held_back > 0 {
        let _infallible = writeln!(text, "  {} open only because a guess may not dismiss", tally.held_back);
    }
}

/// Counts by two names, as a table.
pub(in crate::commands) fn matrix(matrix: &Matrix) -> Table {
    let columns = matrix.columns();
    let mut table = table(std::iter::once("").chain(columns.iter().copied()).map(str::to_owned));
    for row in matrix.0.keys() {
        let counts = columns.iter().map(|column| matrix.at(row, column).to_string());
        table.add_row(std::iter::once(row.clone()).chain(counts));
    }
    table
}

fn table(header: impl IntoIterator<Item = String>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}

fn more(text: &mut String, shown: usize, all: u64) {
    let left = all.saturating_sub(u64::try_from(shown).unwrap_or(u64::MAX));
    if left > 0 {
        let _infallible = writeln!(text, "\n… and {left} more: --format json lists every one");
    }
}

/// The counts with every difference and every disagreement, as one JSON object.
///
/// # Errors
/// A temporary file that cannot be read, or output that cannot be written.
pub(super) fn json(outcome: &mut Outcome, output: &mut dyn Write) -> anyhow::Result<()> {
    write!(output, "{{\"summary\":{}", serde_json::to_string(&outcome.summary)?)?;
    for (name, spool) in [("differences", &mut outcome.differences), ("disagreements", &mut outcome.disagreements)] {
        write!(output, ",\n\"{name}\":[")?;
        let listed = spool.lines()?.enumerate().try_for_each(|(place, line)| -> io::Result<()> {
            write!(output, "{}{}", if place == 0 { "\n" } else { ",\n" }, line?)
        });
        listed?;
        write!(output, "]")?;
    }
    writeln!(output, "}}")?;
    Ok(())
}
