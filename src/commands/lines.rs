//! A stream of lines worked on all cores: in their order, in flat memory.

use std::io::{BufRead, Write};

use anyhow::Context;

/// How many lines are in hand at once, for each core.
const BATCH: usize = 1024;

/// How many bytes are in hand at once, unless one line alone is longer.
const ENOUGH: usize = 8 << 20;

/// The longest line that is read, bytes; the rest of a longer one is a line of its own, and both are bad.
const LONGEST: u64 = 64 << 20;

/// Whether every line was a good one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lines {
    /// Every one.
    AllGood,
    /// Not every one.
    SomeBad,
}

/// Works every line of `input` that is not blank with `work`, which writes what comes of it; all that is written goes to
/// `output` in the order of the lines.
///
/// # Errors
/// Input that cannot be read, or output that cannot be written.
pub fn each(
    input: &mut dyn BufRead,
    output: &mut dyn Write,
    work: impl Fn(&[u8], &mut Vec<u8>) -> Lines + Sync,
) -> anyhow::Result<Lines> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut good = Lines::AllGood;
    let mut text = Vec::new();
    loop {
        let ends = batch(input, &mut text, BATCH * cores)?;
        if ends.is_empty() {
            return Ok(good);
        }
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let lines: Vec<&[u8]> =
            starts.zip(&ends).map(|(start, end)| text.get(start..*end).unwrap_or_default()).collect();
        let part = |lines: &[&[u8]]| {
            let mut written = Vec::new();
            let worst = lines.iter().map(|line| work(line, &mut written)).max();
            (written, worst.unwrap_or(Lines::AllGood))
        };
        let done: Vec<(Vec<u8>, Lines)> = std::thread::scope(|scope| {
            let part = &part;
            let share = lines.len().div_ceil(cores);
            let workers: Vec<_> = lines.chunks(share).map(|lines| scope.spawn(move || part(lines))).collect();
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| (Vec::new(), Lines::SomeBad))).collect()
        });
        for (written, worst) in done {
            output.write_all(&written).context("the results cannot be written")?;
            good = good.max(worst);
        }
    }
}

/// Reads up to `most` lines into `text`, fewer where they are long; where each ends.
fn batch(input: &mut dyn BufRead, text: &mut Vec<u8>, most: usize) -> anyhow::Result<Vec<usize>> {
    text.clear();
    let mut ends = Vec::new();
    while ends.len() < most && text.len() < ENOUGH {
        let start = text.len();
        let read =
            std::io::Read::take(&mut *input, LONGEST).read_until(b'\n', text).context("the lines cannot be read")?;
        if read == 0 {
            break;
        }
        if text.get(start..).is_none_or(|line| line.trim_ascii().is_empty()) {
            text.truncate(start);
        } else {
            ends.push(text.len());
        }
    }
    Ok(ends)
}
