//! How far a long reading has come: drawn on standard error where that is a terminal, and nowhere else.

use std::fs::File;
use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressStyle};

/// A bar beside results on standard output: not where they are on the same terminal.
pub(super) fn beside_results() -> ProgressBar {
    match io::stdout().is_terminal() {
        true => ProgressBar::hidden(),
        false => ProgressBar::no_length(),
    }
}

/// A bar for the vectors of examples that a server makes, which takes minutes the first time.
pub(super) fn of_examples() -> ProgressBar {
    let bar = ProgressBar::no_length();
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos} of {len} examples' vectors  {eta} left") {
        bar.set_style(style);
    }
    bar
}

/// Has a bar tell that so many of so many are done.
pub(super) fn moved(bar: &ProgressBar, done: usize, of: usize) {
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    bar.set_length(number(of));
    bar.set_position(number(done));
}

/// Has the bar tell how much of a file is read.
///
/// # Errors
/// A file whose length is not known.
pub(super) fn measure(bar: &ProgressBar, file: &File) -> io::Result<()> {
    bar.set_length(file.metadata()?.len());
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {percent:>3} %  {bytes_per_sec}  {eta} left") {
        bar.set_style(style);
    }
    Ok(())
}
