//! `starwarden check --examples`: how well words are read, by fact and language.

use std::collections::BTreeSet;
use std::fmt::Write;

use anyhow::Context;
use comfy_table::{CellAlignment, Table, presets};

use super::reader::ReaderChoice;
use crate::decide::policy::Policy;
use crate::decide::reader::measure::{self, Measured, Row, Spoken};

/// How many pairs of confused answers are shown.
const MOST_CONFUSED: usize = 12;

/// What the reader makes of the policy's examples, in words.
///
/// # Errors
/// A server of embeddings that cannot be used: other vectors' figures would be taken for its own.
pub(super) fn measured(policy: &Policy, reader: &ReaderChoice) -> anyhow::Result<String> {
    let binding = &policy.binding.reader;
    let thresholds = [binding.sure, binding.suggests, binding.against];
    let embeddings = reader.open(&[])?.of_examples(policy).context("the server of embeddings cannot be used")?;
    let measured = measure::examples(&policy.examples, embeddings.as_ref(), &thresholds);
    let mut text = format!(
        "\n{} examples, each read by a reader that never saw it, vectors: {}. An answer counts from {} on as sure, from {} on as a \
         suggestion,\nfrom {} on against a dismissal. “found” is the share of the texts with an answer in which it is \
         read.\n\n",
        policy.examples.len(),
        measured.read_by,
        binding.sure,
        binding.suggests,
        binding.against
    );
    text.push_str(&table(&measured));
    let confused = measured.confused.iter().take(MOST_CONFUSED);
    text.push_str("\nMost often taken for each other\n");
    for confusion in confused {
        let shown = |answer: &Option<String>| answer.clone().unwrap_or_else(|| "nothing said".to_owned());
        let (right, read) = (shown(&confusion.right), shown(&confusion.read));
        let _ = writeln!(text, "  {} {:>4} ×  {right}, read as {read}", confusion.fact, confusion.times);
    }
    if measured.contradictions.is_empty() {
        text.push_str("\nNo two examples contradict each other.\n");
    } else {
        text.push_str("\nExamples that say nearly the same with other labels\n");
    }
    for contradiction in &measured.contradictions {
        let side = |(says, answer): &(String, Option<String>)| {
            let line: String = says.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(90).collect();
            format!("    {}: {line}\n", answer.as_deref().unwrap_or("nothing said"))
        };
        let _ = write!(text, "  {}\n{}{}", contradiction.fact, side(&contradiction.first), side(&contradiction.second));
    }
    Ok(text)
}

fn table(measured: &Measured) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["fact", "language", "examples", "sure", "found", "suggested", "found", "against", "found"]);
    let facts: BTreeSet<&str> = measured.rows.iter().map(|row| row.fact.as_str()).collect();
    for fact in facts {
        let of = || measured.rows.iter().filter(move |row| row.fact == fact);
        let sum = Row::sum(of(), "all");
        for row in of().chain(&sum) {
            let mut cells =
                vec![row.fact.clone(), row.language.clone(), format!("{} of {}", row.answered, row.examples)];
            for spoken in &row.at {
                cells.push(percent(spoken.right, spoken.said));
                cells.push(percent(spoken.right, row.answered));
            }
            table.add_row(cells);
        }
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("{table}\n")
}

fn percent(part: usize, whole: usize) -> String {
    match (Spoken { said: whole, right: part }).precision() {
        Some(share) => format!("{:.0} %", share * 100.0),
        None => "–".to_owned(),
    }
}
