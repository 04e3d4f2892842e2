//! `completions` and `man`: the command line's own description, for shells and for `man`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fs, io};

use anyhow::Context;
use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::roff::{Roff, bold, roman};

use super::terminal::raw;
use super::{CommandLine, Done, ExitAs, uses};

/// Print a completion script for a shell
///
/// It completes verbs, options and their values:
///
///     starwarden completions bash > ~/.local/share/bash-completion/completions/starwarden
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Completions {
    /// Which shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self) -> Done {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut CommandLine::command(), "starwarden", &mut script);
        raw(&String::from_utf8_lossy(&script)).context("the script cannot be written").exit_as(1)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Write the man pages into a folder, one for each verb
#[derive(Debug, clap::Args)]
pub(super) struct Man {
    /// The folder, which must be there: /usr/local/share/man/man1
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Man {
    pub(super) fn run(&self) -> Done {
        let told = || format!("the man pages cannot be written to {}", self.folder.display());
        let mut whole = CommandLine::command();
        whole.build();
        pages(&whole, &self.folder).with_context(told).exit_as(1)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Writes the page of a command, and those of its verbs.
fn pages(command: &Command, folder: &Path) -> io::Result<()> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let man = clap_mangen::Man::new(command.clone());
    let mut page = Vec::new();
    man.render(&mut page)?;
    let mut besides = Roff::new();
    for (title, paragraphs) in uses::sections(&name) {
        besides.control("SH", [title]);
        for paragraph in paragraphs {
            besides.control("PP", []);
            match paragraph.starts_with("starwarden ") {
                true => besides.text([bold(paragraph)]),
                false => besides.text([roman(paragraph)]),
            };
        }
    }
    besides.to_writer(&mut page)?;
    fs::write(folder.join(man.get_filename()), page)?;
    command.get_subcommands().filter(|verb| verb.get_name() != "help").try_for_each(|verb| pages(verb, folder))
}
