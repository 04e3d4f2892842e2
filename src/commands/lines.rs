//! A stream of lines worked on all cores: in their order, in flat memory, one batch after another.

use std::io::{BufRead, Read, Write};

use anyhow::Context;

/// How many bytes a batch usually has.
pub(super) const ENOUGH: usize = 4 << 20;

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

/// Some lines in a row.
#[derive(Debug, Default)]
pub struct Batch {
    text: Vec<u8>,
    /// The number and the end of each line in `text`.
    ends: Vec<(u64, usize)>,
}

impl Batch {
    /// Adds a line; one that is blank is left out.
    pub(super) fn push(&mut self, number: u64, line: &[u8]) {
        self.text.extend_from_slice(line);
        self.ended(number);
    }

    /// Each line with its number, which counts blank ones too.
    pub fn lines(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|(_, end)| *end));
        starts.zip(&self.ends).map(|(start, (line, end))| (*line, self.text.get(start..*end).unwrap_or_default()))
    }

    /// How many bytes it has.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Makes a line of what was added since the last.
    fn ended(&mut self, number: u64) {
        let start = self.ends.last().map_or(0, |(_, end)| *end);
        if self.text.get(start..).is_none_or(|line| line.trim_ascii().is_empty()) {
            self.text.truncate(start);
        } else {
            self.ends.push((number, self.text.len()));
        }
    }
}

/// Lines to be read in batches.
pub(super) struct Stream<R> {
    from: R,
    /// How many bytes a batch has, unless one line alone is longer.
    enough: usize,
    line: u64,
}

impl<R: BufRead> Stream<R> {
    /// From the first on, in batches of so many bytes.
    pub(super) fn new(from: R, enough: usize) -> Stream<R> {
        Stream { from, enough, line: 0 }
    }

    /// The next lines; an empty batch at the end.
    pub(super) fn next(&mut self) -> std::io::Result<Batch> {
        let mut batch = Batch { text: Vec::with_capacity(self.enough + self.enough / 8), ends: Vec::new() };
        while batch.text.len() < self.enough {
            if self.from.by_ref().take(LONGEST).read_until(b'\n', &mut batch.text)? == 0 {
                break;
            }
            self.line += 1;
            batch.ended(self.line);
        }
        Ok(batch)
    }
}

/// Works every line of `input` that is not blank with `work`, which writes what comes of it; all that is written goes to
/// `output` in the order of the lines.
///
/// # Errors
/// Input that cannot be read, or output that cannot be written.
pub fn each(
    input: &mut (dyn BufRead + Send),
    output: &mut (dyn Write + Send),
    work: impl Fn(&[u8], &mut Vec<u8>) -> Lines + Sync,
) -> anyhow::Result<Lines> {
    let (mut stream, mut good) = (Stream::new(input, ENOUGH), Lines::AllGood);
    loop {
        let batch = stream.next().context("the lines cannot be read")?;
        if batch.is_empty() {
            return Ok(good);
        }
        let part = |lines: &[(u64, &[u8])]| {
            let mut written = Vec::new();
            let worst = lines.iter().map(|(_, line)| work(line, &mut written)).max();
            (written, worst.unwrap_or(Lines::AllGood))
        };
        for (written, worst) in on_all_cores(&batch, part)? {
            good = good.max(worst);
            output.write_all(&written).context("the results cannot be written")?;
        }
    }
}

/// Works the lines of a batch on all cores, some lines in a row each; what comes of them is in their order.
///
/// # Errors
/// A worker that panicked.
pub(super) fn on_all_cores<T: Send>(
    batch: &Batch,
    work: impl Fn(&[(u64, &[u8])]) -> T + Sync,
) -> anyhow::Result<Vec<T>> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let lines: Vec<(u64, &[u8])> = batch.lines().collect();
    let work = &work;
    std::thread::scope(|scope| {
        let parts = lines.chunks(lines.len().div_ceil(cores).max(1));
        let workers: Vec<_> = parts.map(|part| scope.spawn(move || work(part))).collect();
        let join = |worker: std::thread::ScopedJoinHandle<'_, T>| {
            worker.join().map_err(|_| anyhow::anyhow!("a worker panicked (a bug)"))
        };
        workers.into_iter().map(join).collect()
    })
}
