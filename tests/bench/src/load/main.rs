//! How much the bot takes, of a whole process and over HTTP: the released binary on each kind of store, all of it as it
//! ships, beside a bare handler in a process of its own.
//!
//! Without an argument: deliveries a second. With `backlog`: tickets a second, of tickets that are due already. With `notes`:
//! how long a STAR waits for its note, of as many as come in a busy minute. It builds the binary, and starts what it needs and ends it; all of it on this machine, over loopback.

mod backlog;
mod bare;
mod deliveries;
mod notes;
#[allow(dead_code, reason = "shared with the tests, which need all of it")]
#[path = "../../../support/postgres.rs"]
mod postgres;
mod servers;

use std::path::Path;
use std::process::Command;

use servers::root;

#[tokio::main]
async fn main() {
    match std::env::args().nth(1).as_deref() {
        Some(bare::ARGUMENT) => return bare::serve().await,
        Some("backlog") => {
            prepare();
            backlog::measure().await;
        }
        Some("notes") => {
            prepare();
            notes::measure().await;
        }
        Some(other) => {
            panic!("{other} is nothing this can measure: give `backlog`, `notes`, or nothing for deliveries")
        }
        None => {
            prepare();
            deliveries::measure().await;
        }
    }
}

/// Builds what is measured, and says on what machine it is.
fn prepare() {
    let build = Command::new("cargo").args(["build", "--profile", "dist", "--locked"]).current_dir(root()).status();
    assert!(build.expect("cargo").success(), "the binary cannot be built");
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let load = std::fs::read_to_string(Path::new("/proc/loadavg")).unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown");
    println!("{cores} cores, which the senders and the helpdesk share; load average before: {load}");
}
