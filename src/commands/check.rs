//! `check`: every fault of a configuration or a policy, and every case the policy does not decide as it should.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

use super::doctor;
use super::doctor::finding::Found;
use super::reader::ReaderChoice;
use super::{Done, ExitAs, print};
use crate::config;
use crate::config::policy::drawn;
use crate::decide::policy::Policy;
use crate::learn::backtest::cases::Cases;

/// Read configuration, policy and diagram, and show every fault with its place
///
/// Each fault has its file, line and column, and what to do. Nothing outside is asked: whether secrets and helpdesks are
/// as they should be, doctor says. Exit code 1 where there is a fault, or a case that does not end as it should.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("what").args(["config", "policy"]).required(true).multiple(true)))]
pub(super) struct Check {
    /// The configuration, starwarden.toml
    #[arg(long, env = "STARWARDEN_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// A policy's binding alone, star.toml
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Table tests of the policy, facts in and verdict out: star.cases.toml
    #[arg(long, value_name = "FILE")]
    cases: Option<PathBuf>,
    /// Measure the reader of words on the policy's own examples, each left out in turn
    #[arg(long)]
    examples: bool,
    #[command(flatten)]
    reader: ReaderChoice,
}

impl Check {
    pub(super) fn run(self) -> Done {
        let mut faults = Vec::new();
        let (what, policies) = match (self.policy, self.config) {
            (Some(policy), _) => (policy.clone(), Some((policy, None))),
            (None, Some(config)) => {
                let policies = match config::read(&config, std::env::vars()) {
                    Ok(settings) => {
                        if let Found::Wrong { says, cure } = doctor::public_url(settings.server.public_url.as_deref()) {
                            faults.push(format!("{}: server.public_url: {says}; {cure}", config.display()));
                        }
                        Some(settings.policy)
                    }
                    Err(error) => {
                        faults.push(format!("{error:#}"));
                        config::policies(&config, std::env::vars()) // They may have faults of their own.
                    }
                };
                (config, policies.map(|policies| (policies.file, policies.candidate)))
            }
            (None, None) => return Err(anyhow::anyhow!("give --config or --policy")).exit_as(1),
        };
        let mut sound = |read: anyhow::Result<Policy>| read.map_err(|error| faults.push(format!("{error:#}"))).ok();
        let policy = policies.as_ref().and_then(|(policy, _)| sound(config::policy::read(policy)));
        let candidate = policies.as_ref().and_then(|(_, candidate)| candidate.as_deref()).and_then(|file| {
            let read = config::policy::read(file).context("policy.candidate");
            Some((file, sound(read)?))
        });
        let Some(policy) = policy.filter(|_| faults.is_empty()) else {
            return Err(anyhow::Error::msg(faults.join("\n"))).exit_as(1);
        };
        let (nodes, edges) = (policy.diagram.nodes.len(), policy.diagram.edges.len());
        print(&format!("{} is sound: {nodes} nodes, {edges} links, policy {}\n", what.display(), policy.hash));
        if let Some((file, candidate)) = candidate {
            print(&format!("{} is sound: the candidate, policy {}\n", file.display(), candidate.hash));
        }
        if self.examples {
            print(&super::examples::measured(&policy, &self.reader).exit_as(1)?);
        }
        match self.cases {
            Some(file) => cases(&policy, &file).exit_as(1),
            None => Ok(ExitCode::SUCCESS),
        }
    }
}

/// Decides a file of cases; one that fails is shown with its place and the path it took.
fn cases(policy: &Policy, file: &Path) -> anyhow::Result<ExitCode> {
    let name = file.display();
    let text = std::fs::read_to_string(file).with_context(|| format!("the cases {name} cannot be read"))?;
    let cases = Cases::parse(&text, policy).map_err(|faults| {
        let shown = faults.iter().map(|fault| drawn(fault, &name.to_string(), &text));
        anyhow::Error::msg(shown.collect::<Vec<_>>().join("\n"))
    })?;
    let failing = cases.failing(policy);
    for failed in &failing {
        let before = text.get(..failed.case.name.span().start).unwrap_or_default();
        print(&format!("\n{name}:{}: {}\n", before.lines().count().max(1), failed.explained()));
    }
    match failing.len() {
        0 => {
            print(&format!("{name}: all {} cases are decided as they say\n", cases.cases.len()));
            Ok(ExitCode::SUCCESS)
        }
        some => {
            print(&format!("\n{name}: {some} of {} cases are not decided as they say\n", cases.cases.len()));
            Ok(ExitCode::from(1))
        }
    }
}
