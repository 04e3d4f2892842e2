//! `check`: every fault of a configuration or a policy, and every case the policy does not decide as it should.

mod shown;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::doctor;
use super::doctor::finding::Found;
use super::reader::ReaderChoice;
use super::{ConfigFile, Done, ExitAs, print};
use crate::config;
use crate::config::policy::{Located, Refused, located, of_file};
use crate::decide::policy::Policy;
use crate::learn::backtest::cases::{Cases, Failed};
use crate::learn::backtest::unnoticed::{self, Coverage};
use shown::{CasesReport, Report};

/// Read configuration, policy and diagram, and show every fault with its place
///
/// Each fault has its file, line and column, and what to do. Of a sound policy it shows what each node of the picture is
/// bound to and where its answers lead, for a person to compare. Nothing outside is asked: whether secrets and helpdesks
/// are as they should be, doctor says. Exit code 1 where there is a fault, or a case that does not end as it should.
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    #[command(flatten)]
    config: ConfigFile,
    /// A policy's binding alone, star.toml
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Table tests of the policy, facts in and verdict out: star.cases.toml
    #[arg(long, value_name = "FILE")]
    cases: Option<PathBuf>,
    /// Say which links, outcomes, sources, patterns and sides of boundaries no case reaches
    #[arg(long, requires = "cases")]
    coverage: bool,
    /// Change the policy in every small way, say which changes no case notices, and propose a case for each
    #[arg(long, requires = "cases")]
    mutants: bool,
    /// Measure the reader of words on the policy's own examples, each left out in turn
    #[arg(long)]
    examples: bool,
    #[command(flatten)]
    reader: ReaderChoice,
    /// How it is shown
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Faults with a caret, the rule as a table
    Text,
    /// Faults, the rule and the cases as JSON
    Json,
    /// Faults and failing cases as GitLab's merge requests show them (Code Quality)
    CodeQuality,
}

impl Check {
    pub(super) fn run(self) -> Done {
        if self.examples && self.format != Format::Text {
            return Err(anyhow::anyhow!("--examples is shown as text alone: leave --format out")).exit_as(1);
        }
        let mut report = Report::default();
        let (what, policies) = match &self.policy {
            Some(policy) => (policy.clone(), Some((policy.clone(), None))),
            None => {
                let config = &self.config.file().exit_as(1)?;
                let policies = match config::read(config, std::env::vars()) {
                    Ok(settings) => {
                        if let Found::Wrong { says, cure } = doctor::public_url(settings.server.public_url.as_deref()) {
                            report.faults.push(of_file(config, format!("server.public_url: {says}"), &cure));
                        }
                        Some(settings.policy)
                    }
                    Err(error) => {
                        let message = format!("{error:#}");
                        report.faults.push(Located { drawing: message.clone(), ..of_file(config, message, "mend it") });
                        config::policies(config, std::env::vars()) // They may have faults of their own.
                    }
                };
                (config.clone(), policies.map(|policies| (policies.file, policies.candidate)))
            }
        };
        let mut sound =
            |file: &Path| config::policy::examined(file).map_err(|Refused(faults)| report.faults.extend(faults)).ok();
        let policy = policies.as_ref().and_then(|(policy, _)| sound(policy));
        let candidate = policies.as_ref().and_then(|(_, candidate)| candidate.as_deref());
        let candidate = candidate.and_then(|file| Some((file, sound(file)?)));
        if let Some(mut policy) = policy.filter(|_| report.faults.is_empty()) {
            report.policy = Some(policy.hash.clone());
            report.nodes = policy.table();
            if self.format == Format::Text {
                shown::sound(&what, &policy);
                if let Some((file, candidate)) = candidate {
                    print(&format!("{} is sound: the candidate, policy {}\n", file.display(), candidate.hash));
                }
            }
            if self.examples {
                print(&super::examples::measured(&policy, &self.reader).exit_as(1)?);
            }
            if let Some(file) = &self.cases {
                self.cases(&mut policy, file, &mut report);
            }
        }
        self.end(report)
    }

    /// Decides a file of cases.
    fn cases(&self, policy: &mut Policy, file: &Path, report: &mut Report) {
        let name = file.display().to_string();
        let text = match config::policy::text(file, "the cases") {
            Ok(text) => text,
            Err((message, help)) => return report.faults.push(of_file(file, message, help)),
        };
        let cases = match Cases::parse(&text, policy) {
            Ok(cases) => cases,
            Err(faults) => return report.faults.extend(faults.iter().map(|fault| located(fault, &name, &text))),
        };
        let failing = cases.failing(policy);
        let line =
            |failed: &Failed<'_>| text.get(..failed.case.name.span().start).unwrap_or_default().lines().count().max(1);
        if self.format == Format::Text {
            for failed in &failing {
                print(&format!("\n{name}:{}: {}\n", line(failed), failed.explained()));
            }
            match failing.len() {
                0 => print(&format!("{name}: all {} cases are decided as they say\n", cases.cases.len())),
                some => {
                    print(&format!("\n{name}: {some} of {} cases are not decided as they say\n", cases.cases.len()))
                }
            }
        }
        report.cases = Some(CasesReport {
            file: name,
            cases: cases.cases.len(),
            failing: failing.iter().map(|failed| shown::FailedReport::of(failed, line(failed))).collect(),
        });
        if self.coverage {
            report.coverage = Some(Coverage::of(&cases, policy));
        }
        if self.mutants && failing.is_empty() {
            report.mutants = Some(unnoticed::mutants(&cases, policy));
        }
        if self.format == Format::Text {
            report.coverage.iter().for_each(shown::coverage);
            report.mutants.iter().for_each(shown::mutants);
        }
    }

    fn end(&self, report: Report) -> Done {
        let sound = report.is_sound();
        match self.format {
            Format::Text if !report.faults.is_empty() => return Err(Refused(report.faults)).exit_as(1),
            Format::Text => {}
            Format::Json => print(&(serde_json::to_string_pretty(&report).exit_as(1)? + "\n")),
            Format::CodeQuality => print(&(serde_json::to_string_pretty(&report.code_quality()).exit_as(1)? + "\n")),
        }
        Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}
