//! The command line: parses, calls, ends.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    starwarden::commands::run(starwarden::commands::CommandLine::parse())
}
