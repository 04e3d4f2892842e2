//! `serve`: the bot.
use super::{Done, ExitAs};
use std::path::Path;
pub(super) fn run(config: &Path) -> Done {
    crate::config::read(config, std::env::vars()).exit_as(1)?;
    Err(anyhow::anyhow!("not yet")).exit_as(1)
}
