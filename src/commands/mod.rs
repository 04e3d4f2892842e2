//! The command line: one file a verb.

mod backtest;
mod backup;
mod bot;
mod check;
mod decide;
mod demo;
mod diagram;
mod doctor;
pub mod each;
mod examples;
mod explained;
mod front;
mod hash_password;
mod health;
pub mod lines;
mod loaded;
mod log;
mod manual;
mod moments;
mod policy;
mod progress;
mod reader;
mod reload;
mod report;
mod screen;
mod serve;
mod setup;
mod store;
pub mod terminal;
mod tickets;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use terminal::{print, tell};

/// Works GitLab's STAR flowchart on starred tickets and leaves one internal note and one tag
///
/// To see it at work, with nothing outside needed: starwarden demo. For a helpdesk of your own write a configuration,
/// then setup, doctor, serve. To change the rule: check, decide and backtest say what a change would do.
///
/// Results go to standard output, what went wrong is one sentence on standard error. Wherever --config is asked for,
/// `STARWARDEN_CONFIG` may name it.
#[derive(Debug, Parser)]
#[command(name = "starwarden", version, arg_required_else_help = true, subcommand_help_heading = "Verbs")]
pub struct CommandLine {
    #[command(subcommand)]
    verb: Verb,
}

// Each verb's own text, short and long, stands on what it takes.
#[derive(Debug, Subcommand)]
enum Verb {
    Demo(demo::Demo),
    Serve(serve::Serve),
    Setup(setup::Setup),
    Doctor(doctor::Doctor),
    Check(check::Check),
    Decide(decide::Decide),
    HashPassword(hash_password::HashPassword),
    Backtest(backtest::Backtest),
    Policy(policy::Policy),
    Diagram(diagram::Diagram),
    Tickets(tickets::Tickets),
    Report(report::Report),
    Backup(backup::Backup),
    Completions(manual::Completions),
    Man(manual::Man),
}

// Which configuration. No doc comment: it would stand in the place of the verb's own text.
#[derive(Debug, clap::Args)]
struct ConfigFile {
    /// The configuration, starwarden.toml
    #[arg(long, env = "STARWARDEN_CONFIG", value_name = "FILE")]
    config: PathBuf,
}

/// Who does something that is kept on record.
#[derive(Debug, clap::Args)]
struct Who {
    /// Who does it, for the record
    #[arg(long, env = "USER", value_name = "NAME", hide_env_values = true)]
    by: String,
}

/// What the arguments ask for; where they make no sense, that is said on standard error.
///
/// # Errors
/// The exit code.
pub fn parse() -> Result<CommandLine, ExitCode> {
    CommandLine::try_parse().map_err(|error| {
        if !error.use_stderr() {
            error.exit(); // Help, and the version.
        }
        tell(error.render().to_string().trim_end());
        ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
    })
}

/// Runs a command; what went wrong is one sentence on standard error.
pub fn run(line: CommandLine) -> ExitCode {
    let done = match line.verb {
        Verb::Demo(demo) => demo.run(),
        Verb::Serve(serve) => serve.run(),
        Verb::Setup(setup) => setup.run(),
        Verb::Doctor(doctor) => doctor.run(),
        Verb::Check(check) => check.run(),
        Verb::HashPassword(hash) => hash.run(),
        Verb::Decide(decide) => decide.run(),
        Verb::Backtest(backtest) => backtest.run(),
        Verb::Policy(policy) => policy.run(),
        Verb::Diagram(diagram) => diagram.run(),
        Verb::Tickets(tickets) => tickets.run(),
        Verb::Report(report) => report.run(),
        Verb::Backup(backup) => backup.run(),
        Verb::Completions(completions) => completions.run(),
        Verb::Man(man) => man.run(),
    };
    match done {
        Ok(code) => code,
        Err(Failed { code, error }) => {
            tell(&format!("{error:#}"));
            ExitCode::from(code)
        }
    }
}

/// Why a command ended without its result, with its exit code.
#[derive(Debug)]
struct Failed {
    code: u8,
    error: anyhow::Error,
}

type Done = Result<ExitCode, Failed>;

/// Gives a failure its exit code.
trait ExitAs<T> {
    fn exit_as(self, code: u8) -> Result<T, Failed>;
}

impl<T, E: Into<anyhow::Error>> ExitAs<T> for Result<T, E> {
    fn exit_as(self, code: u8) -> Result<T, Failed> {
        self.map_err(|error| Failed { code, error: error.into() })
    }
}
