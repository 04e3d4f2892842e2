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
