//! `completions` and `man`: the command line's own description, for shells and for `man`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;

use super::terminal::raw;
use super::{CommandLine, Done, ExitAs};

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
        let _gone = raw(&String::from_utf8_lossy(&script));
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
        clap_mangen::generate_to(CommandLine::command(), &self.folder).with_context(told).exit_as(1)?;
        Ok(ExitCode::SUCCESS)
    }
}
