//! `check`: every fault of a configuration or a policy.

use std::path::PathBuf;
use std::process::ExitCode;

use super::{Done, ExitAs, print};
use crate::config;

/// What is checked.
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// The configuration, starwarden.toml
    #[arg(long, env = "STARWARDEN_CONFIG", value_name = "FILE", required_unless_present = "policy")]
    config: Option<PathBuf>,
    /// A policy's binding alone, star.toml
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

impl Check {
    pub(super) fn run(self) -> Done {
        let (what, policy) = match (self.policy, self.config) {
            (Some(policy), _) => (policy.clone(), policy),
            (None, Some(config)) => {
                let settings = config::read(&config, std::env::vars()).exit_as(1)?;
                (config, settings.policy.file)
            }
            (None, None) => return Err(anyhow::anyhow!("give --config or --policy")).exit_as(1),
        };
        let sound = config::policy::read(&policy).exit_as(1)?;
        let (nodes, edges) = (sound.diagram.nodes.len(), sound.diagram.edges.len());
        print(&format!("{} is sound: {nodes} nodes, {edges} links, policy {}\n", what.display(), sound.hash));
        Ok(ExitCode::SUCCESS)
    }
}
