//! Public tools from the Python package index, each in an environment of its own under target/, made once.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A tool's program, from this package at a version that is known to work.
pub(crate) fn tool(program: &str, package: &str) -> PathBuf {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools").join(package);
    let there = place.join("bin").join(program);
    if !there.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&place));
        run(Command::new(place.join("bin/pip")).args(["install", "--quiet", package]));
    }
    there
}

/// Runs a command that must do well; what it printed.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> String {
    let done =
        command.output().unwrap_or_else(|error| panic!("{command:?}: {error}; tests/run installs what it needs"));
    assert!(done.status.success(), "{command:?} failed:\n{}", said(&done));
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// All that a command printed.
pub(crate) fn said(done: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr))
}
