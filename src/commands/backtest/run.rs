//! All tickets of a file decided on all cores: counted as they come, and what is to be listed kept in their order.

use std::io::{self, BufRead, BufReader, BufWriter, Seek, Write};

use anyhow::Context;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::input::Input;
use crate::commands::lines;
use crate::decide::policy::Policy;
use crate::learn::backtest::past::{self, Marks};
use crate::learn::backtest::summary::{Rule, Summary};

/// How many bad lines are told of one by one.
const TOLD: usize = 10;

/// What a file of past tickets came to.
pub(super) struct Outcome {
    pub summary: Summary,
    /// Every [`crate::learn::backtest::comparison::Difference`], in the order of the tickets.
    pub differences: Spool,
    /// Every [`crate::learn::backtest::agreement::Disagreement`], in the order of the tickets.
    pub disagreements: Spool,
    /// The first lines that were no tickets, a sentence each.
    pub bad: Vec<String>,
}

/// What is listed, a JSON line each, in a file without a name: memory stays flat however much it is.
pub(super) struct Spool(BufWriter<std::fs::File>);

impl Spool {
    fn new() -> anyhow::Result<Spool> {
        Ok(Spool(BufWriter::new(tempfile::tempfile().context("no temporary file can be made")?)))
    }

    /// Everything in it, from the start.
    ///
    /// # Errors
    /// A temporary file that cannot be written or read.
    pub(super) fn lines(&mut self) -> anyhow::Result<impl Iterator<Item = io::Result<String>>> {
        self.0.flush().context("the temporary file cannot be written")?;
        let mut file = self.0.get_ref().try_clone()?;
        file.rewind()?;
        Ok(BufReader::new(file).lines())
    }

    /// The first of it.
    ///
    /// # Errors
    /// See [`Spool::lines`].
    pub(super) fn first<T: DeserializeOwned>(&mut self, most: usize) -> anyhow::Result<Vec<T>> {
        self.lines()?.take(most).map(|line| Ok(serde_json::from_str(&line?)?)).collect()
    }
}

/// What some lines in a row came to.
struct Part {
    summary: Summary,
    differences: Vec<u8>,
    disagreements: Vec<u8>,
    bad: Vec<String>,
}

/// Decides every ticket of `input` by one policy or by two.
///
/// Parts are joined in the order of the file, so that every run gives the same.
///
/// # Errors
/// Input that cannot be read, or a temporary file that cannot be written.
pub(super) fn all(
    mut input: Input,
    marks: &Marks,
    rule: Rule<'_>,
    against: Option<Rule<'_>>,
) -> anyhow::Result<Outcome> {
    let second = against.map(|rule| rule.policy);
    let mut outcome = Outcome {
        summary: Summary::new(rule.policy, second),
        differences: Spool::new()?,
        disagreements: Spool::new()?,
        bad: Vec::new(),
    };
    loop {
        let batch = input.next()?;
        if batch.is_empty() {
            return Ok(outcome);
        }
        for part in lines::on_all_cores(&batch, |lines| part(lines, marks, rule, against))? {
            outcome.join(&part)?;
        }
    }
}

impl Outcome {
    fn join(&mut self, part: &Part) -> anyhow::Result<()> {
        self.summary.join(&part.summary);
        let room = TOLD.saturating_sub(self.bad.len());
        self.bad.extend(part.bad.iter().take(room).cloned());
        self.differences.0.write_all(&part.differences).context("the temporary file cannot be written")?;
        self.disagreements.0.write_all(&part.disagreements).context("the temporary file cannot be written")
    }
}

fn part(lines: &[(u64, &[u8])], marks: &Marks, rule: Rule<'_>, against: Option<Rule<'_>>) -> Part {
    let second: Option<&Policy> = against.map(|rule| rule.policy);
    let summary = Summary::new(rule.policy, second);
    let mut part = Part { summary, differences: Vec::new(), disagreements: Vec::new(), bad: Vec::new() };
    for &(number, line) in lines {
        let tickets = match past::read(line, marks) {
            Ok(tickets) => tickets,
            Err(why) => {
                part.summary.bad_lines += 1;
                if part.bad.len() < TOLD {
                    part.bad.push(format!("line {number}: {why}"));
                }
                continue;
            }
        };
        for past in &tickets {
            let found = part.summary.add(past, rule, against);
            note(&mut part.differences, found.difference.as_ref());
            note(&mut part.disagreements, found.disagreement.as_ref());
        }
    }
    part
}

fn note(lines: &mut Vec<u8>, item: Option<&impl Serialize>) {
    let Some(item) = item else { return };
    if serde_json::to_writer(&mut *lines, item).is_ok() {
        lines.push(b'\n');
    }
}
