//! The command line: parses, calls, ends.

use std::process::ExitCode;

fn main() -> ExitCode {
    match starwarden::commands::parse() {
        Ok(line) => starwarden::commands::run(line),
        Err(code) => code,
    }
}
