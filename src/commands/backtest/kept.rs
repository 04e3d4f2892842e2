//! The file of a fetch, and how far it has come: kept beside it as `FILE.cursor`, written anew after each page.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::commands::terminal::Visible;

/// How far a fetch has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// Where the next page begins; none before the first.
    pub cursor: Option<String>,
    /// Whether all of it is there.
    pub whole: bool,
}

/// What is written beside the file.
#[derive(Debug, Serialize, Deserialize)]
struct Beside {
    account: String,
    since: DateTime<Utc>,
    #[serde(flatten)]
    progress: Progress,
}

/// Where the lines go.
pub(super) enum Kept {
    /// A file that can be gone on with.
    File { file: File, name: PathBuf, beside: PathBuf, state: Box<State> },
    /// Standard output.
    Output(Progress),
}

/// What a fetch fetches, and how far it has come.
pub(super) struct State(Beside);

impl Kept {
    /// A file to begin, or to go on with; a last line that is not whole is cut off.
    ///
    /// # Errors
    /// A file that cannot be written, one that no fetch began, or a fetch of something else.
    pub(super) fn open(name: &Path, account: &str, since: DateTime<Utc>) -> anyhow::Result<Kept> {
        let told = || format!("{} cannot be written", name.display());
        let beside = PathBuf::from(format!("{}.cursor", name.display()));
        let state = match std::fs::read(&beside) {
            Ok(json) => serde_json::from_slice::<Beside>(&json)
                .with_context(|| format!("{} cannot be read: remove it to begin anew", beside.display()))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Beside { account: account.to_owned(), since, progress: Progress::default() }
            }
            Err(error) => return Err(error).with_context(|| format!("{} cannot be read", beside.display())),
        };
        if state.account != account || state.since != since {
            bail!(
                "{} is of account {} since {}: go on with that, or name another file",
                name.display(),
                state.account,
                state.since.format("%Y-%m-%d")
            );
        }
        let fresh = !beside.exists();
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(name).with_context(told)?;
        let whole = whole_lines(&file).with_context(told)?;
        if fresh && file.metadata().with_context(told)?.len() > 0 {
            bail!("{} is there already and no fetch began it: name another file", name.display());
        }
        file.set_len(whole).with_context(told)?;
        file.seek(SeekFrom::End(0)).with_context(told)?;
        let mut kept = Kept::File { file, name: name.to_owned(), beside, state: Box::new(State(state)) };
        let progress = kept.progress().clone();
        kept.reached(progress)?; // Says that the file is a fetch's from its first line on.
        Ok(kept)
    }

    /// Standard output.
    pub(super) fn none() -> Kept {
        Kept::Output(Progress::default())
    }

    /// How far it has come.
    pub(super) fn progress(&self) -> &Progress {
        match self {
            Kept::File { state, .. } => &state.0.progress,
            Kept::Output(progress) => progress,
        }
    }

    /// The numbers of the tickets that are there.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub(super) fn tickets(&self) -> anyhow::Result<HashSet<u64>> {
        let Kept::File { name, .. } = self else { return Ok(HashSet::new()) };
        let told = || format!("{} cannot be read", name.display());
        let mut numbers = HashSet::new();
        for line in BufReader::new(File::open(name).with_context(told)?).lines() {
            let number: Number = serde_json::from_str(&line.with_context(told)?).with_context(told)?;
            numbers.extend(number.ticket.map(|ticket| ticket.id).or(number.id));
        }
        Ok(numbers)
    }

    /// Writes a line.
    ///
    /// # Errors
    /// A disk that is full, a reader that is gone.
    pub(super) fn write(&mut self, line: &[u8]) -> anyhow::Result<()> {
        // A line break in JSON is white space. In one write: what is there is whole lines but for the last.
        let flat = line.iter().map(|byte| if *byte == b'\n' { b' ' } else { *byte });
        let whole: Vec<u8> = flat.chain([b'\n']).collect();
        match self {
            Kept::File { file, name, .. } => {
                file.write_all(&whole).with_context(|| format!("{} cannot be written", name.display()))
            }
            Kept::Output(_) => {
                let mut output = Visible::new(io::stdout().lock());
                output.write_all(&whole).and_then(|()| output.flush()).context("the tickets cannot be written")
            }
        }
    }

    /// Says how far it has come, once the lines before are on disk.
    ///
    /// # Errors
    /// A disk that is full.
    pub(super) fn reached(&mut self, progress: Progress) -> anyhow::Result<()> {
        match self {
            Kept::Output(stands) => *stands = progress,
            Kept::File { file, beside, state, .. } => {
                let told = || format!("{} cannot be written", beside.display());
                file.sync_data().with_context(told)?;
                state.0.progress = progress;
                let next = PathBuf::from(format!("{}.next", beside.display()));
                std::fs::write(&next, serde_json::to_vec(&state.0)?).with_context(told)?;
                std::fs::rename(&next, &*beside).with_context(told)?; // Whole, or as it was before.
            }
        }
        Ok(())
    }
}

/// A line's ticket number.
#[derive(Deserialize)]
struct Number {
    #[serde(default)]
    id: Option<u64>,
    #[serde(default)]
    ticket: Option<Inner>,
}

#[derive(Deserialize)]
struct Inner {
    id: u64,
}

/// How long a file is without a last line that was not ended, bytes.
fn whole_lines(file: &File) -> io::Result<u64> {
    let mut lines = BufReader::new(file);
    let (mut whole, mut line) = (0, Vec::new());
    loop {
        line.clear();
        let read = lines.read_until(b'\n', &mut line)?;
        if line.last() != Some(&b'\n') {
            return Ok(whole);
        }
        whole += u64::try_from(read).unwrap_or(u64::MAX);
    }
}
