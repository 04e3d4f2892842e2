//! `schema`: the JSON Schemas of configuration, policy and examples, for editors.

use std::process::ExitCode;

use clap::ValueEnum;

use super::{Done, print};
use crate::config::schema;

/// Print the JSON Schema of a file that people write, for an editor to complete and check it
///
/// Name it in the file's first line, `#:schema star.schema.json`, as the shipped files do.
#[derive(Debug, clap::Args)]
pub(super) struct PrintSchema {
    /// Which file
    #[arg(value_enum)]
    of: Of,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Of {
    /// The configuration, starwarden.toml
    Configuration,
    /// A policy's binding, star.toml
    Policy,
    /// Labelled examples, examples/en.toml
    Examples,
}

impl PrintSchema {
    pub(super) fn run(&self) -> Done {
        let schema = match self.of {
            Of::Configuration => schema::configuration(),
            Of::Policy => schema::policy(),
            Of::Examples => schema::examples(),
        };
        print(&format!("{schema:#}\n"));
        Ok(ExitCode::SUCCESS)
    }
}
