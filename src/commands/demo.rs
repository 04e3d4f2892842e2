//! `demo`
use super::{Done, ExitAs};
/// Demo.
#[derive(Debug, clap::Args)]
pub(super) struct Demo {}
impl Demo {
    pub(super) fn run(self) -> Done {
        Err(anyhow::anyhow!("not yet")).exit_as(1)
    }
}
