//! A stream of lines worked on all cores: in their order, in flat memory.

use std::io::{BufRead, Read, Write};
use std::sync::{Condvar, Mutex, PoisonError};

use anyhow::Context;

/// How many bytes a worker has in hand at once, unless one line alone is longer.
const ENOUGH: usize = 1 << 20;

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
    line: u64,
}

impl<R: BufRead> Stream<R> {
    /// From the first on.
    pub(super) fn new(from: R) -> Stream<R> {
        Stream { from, line: 0 }
    }

    /// The next lines; an empty batch at the end.
    pub(super) fn next(&mut self) -> std::io::Result<Batch> {
        let mut batch = Batch { text: Vec::with_capacity(ENOUGH + ENOUGH / 8), ends: Vec::new() };
        while batch.text.len() < ENOUGH {
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
    let (mut stream, mut good) = (Stream::new(input), Lines::AllGood);
    let next = || stream.next().context("the lines cannot be read");
    let part = |batch: &Batch| {
        let mut written = Vec::new();
        let worst = batch.lines().map(|(_, line)| work(line, &mut written)).max();
        (written, worst.unwrap_or(Lines::AllGood))
    };
    in_order(next, part, |(written, worst)| {
        good = good.max(worst);
        output.write_all(&written).context("the results cannot be written")
    })?;
    Ok(good)
}

/// Works batch after batch of `next` on all cores until one is empty; what comes of each is taken in their order.
///
/// A worker takes its next batch when what came of its last is taken: so no more than one a core is in hand.
///
/// # Errors
/// The first that `next` or `take` gives.
pub(super) fn in_order<T: Send>(
    next: impl FnMut() -> anyhow::Result<Batch> + Send,
    work: impl Fn(&Batch) -> T + Sync,
    take: impl FnMut(T) -> anyhow::Result<()> + Send,
) -> anyhow::Result<()> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let source = Mutex::new((next, 0_u64));
    let (sink, turn) = (Mutex::new(Sink { take, turn: 0, ended: Ok(()) }), Condvar::new());
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                let _told = Broken(&sink, &turn);
                loop {
                    let (batch, number) = {
                        let mut source = source.lock().unwrap_or_else(PoisonError::into_inner);
                        let number = source.1;
                        source.1 += 1;
                        (source.0(), number)
                    };
                    let worked = batch.map(|batch| (!batch.is_empty()).then(|| work(&batch)));
                    let sink = sink.lock().unwrap_or_else(PoisonError::into_inner);
                    let waiting = |sink: &mut Sink<_>| sink.turn != number && sink.ended.is_ok();
                    let mut sink = turn.wait_while(sink, waiting).unwrap_or_else(PoisonError::into_inner);
                    if sink.ended.is_err() {
                        return;
                    }
                    sink.turn += 1;
                    let going_on = sink.accept(worked);
                    turn.notify_all();
                    if going_on == GoingOn::No {
                        return;
                    }
                }
            });
        }
    });
    sink.into_inner().unwrap_or_else(PoisonError::into_inner).ended
}

/// Tells those who wait for a turn that it will not come, where a worker breaks off.
struct Broken<'a, F>(&'a Mutex<Sink<F>>, &'a Condvar);

impl<F> Drop for Broken<'_, F> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).ended = Err(anyhow::anyhow!("a worker broke off"));
            self.1.notify_all();
        }
    }
}

/// Where what comes of the batches goes.
struct Sink<F> {
    take: F,
    /// Whose turn it is.
    turn: u64,
    ended: anyhow::Result<()>,
}

#[derive(PartialEq, Eq)]
enum GoingOn {
    Yes,
    No,
}

impl<F> Sink<F> {
    fn accept<T>(&mut self, worked: anyhow::Result<Option<T>>) -> GoingOn
    where
        F: FnMut(T) -> anyhow::Result<()>,
    {
        let taken = match worked {
            Ok(Some(worked)) => (self.take)(worked),
            Ok(None) => return GoingOn::No,
            Err(error) => Err(error),
        };
        match taken {
            Ok(()) => GoingOn::Yes,
            Err(error) => {
                self.ended = Err(error);
                GoingOn::No
            }
        }
    }
}
