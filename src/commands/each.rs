//! `decide --each`: a stream of lines, decided on all cores, in their order, in flat memory.

use std::io::{BufRead, Write};

use anyhow::Context;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value as Json;

use crate::policy::Policy;
use crate::work::line::Line;

/// How many lines are in hand at once, for each core.
const BATCH: usize = 256;

/// The longest line that is read, bytes; a longer one is a bad line.
const LONGEST: u64 = 64 << 20;

/// Whether every line could be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    AllGood,
    SomeBad,
}

/// Decides every line of `input` into one line of `output`.
pub(super) fn decide(
    policy: &Policy,
    now: DateTime<Utc>,
    input: &mut dyn BufRead,
    output: &mut dyn Write,
) -> anyhow::Result<Lines> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut good = Lines::AllGood;
    let mut batch: Vec<Vec<u8>> = Vec::new();
    loop {
        batch.clear();
        while batch.len() < BATCH * cores {
            let mut line = Vec::new();
            let read = std::io::Read::take(&mut *input, LONGEST)
                .read_until(b'\n', &mut line)
                .context("the tickets cannot be read")?;
            if read == 0 {
                break;
            }
            if !line.trim_ascii().is_empty() {
                batch.push(line);
            }
        }
        if batch.is_empty() {
            return Ok(good);
        }
        let share = batch.len().div_ceil(cores);
        let decided: Vec<(Vec<u8>, Lines)> = std::thread::scope(|scope| {
            let workers: Vec<_> =
                batch.chunks(share).map(|lines| scope.spawn(move || part(policy, now, lines))).collect();
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| (Vec::new(), Lines::SomeBad))).collect()
        });
        for (text, lines) in decided {
            output.write_all(&text).context("the decisions cannot be written")?;
            if lines == Lines::SomeBad {
                good = Lines::SomeBad;
            }
        }
    }
}

fn part(policy: &Policy, now: DateTime<Utc>, lines: &[Vec<u8>]) -> (Vec<u8>, Lines) {
    let mut text = Vec::new();
    let mut good = Lines::AllGood;
    for line in lines {
        let written = match one(policy, now, line) {
            Ok(decided) => write(&mut text, &decided),
            Err(bad) => {
                good = Lines::SomeBad;
                write(&mut text, &bad)
            }
        };
        if written.is_err() {
            good = Lines::SomeBad;
        }
        text.push(b'\n');
    }
    (text, good)
}

/// A line that could not be decided.
#[derive(Serialize)]
struct Bad {
    id: Json,
    error: String,
}

fn one(policy: &Policy, now: DateTime<Utc>, line: &[u8]) -> Result<crate::work::line::Decided, Bad> {
    match serde_json::from_slice::<Line>(line) {
        Ok(line) => {
            let id = line.own_id();
            line.decide(policy, now).map_err(|error| Bad { id, error })
        }
        Err(error) => {
            let id =
                serde_json::from_slice::<Json>(line).ok().and_then(|line| line.get("id").cloned()).unwrap_or_default();
            Err(Bad { id, error: format!("this line is not a ticket: {error}") })
        }
    }
}

fn write(text: &mut Vec<u8>, value: &impl Serialize) -> serde_json::Result<()> {
    serde_json::to_writer(text, value)
}
