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
mod schema;
mod screen;
mod serve;
mod setup;
mod store;
pub mod terminal;
mod tickets;
mod uses;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{FromArgMatches, Parser, Subcommand};

use terminal::{print, tell};

/// The version, and of what is released the commit and the day it was built on.
pub(crate) const VERSION: &str = match option_env!("STARWARDEN_BUILD") {
    Some(build) => build,
    None => concat!(env!("CARGO_PKG_VERSION"), " (built here)"),
};

/// Works GitLab's STAR flowchart on starred tickets and leaves one internal note and one tag
///
/// To see it at work, with nothing outside needed: starwarden demo. For a helpdesk of your own write a configuration,
/// then setup, doctor, serve. To change the rule: check, decide and backtest say what a change would do.
///
/// Results go to standard output, what went wrong is one sentence on standard error. Where --config is not
/// given, `STARWARDEN_CONFIG` names the configuration, or it is ./starwarden.toml.
#[derive(Debug, Parser)]
#[command(name = "starwarden", version = VERSION, arg_required_else_help = true, subcommand_help_heading = "Verbs")]
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
    Schema(schema::PrintSchema),
    Completions(manual::Completions),
    Man(manual::Man),
}

// Which configuration. No doc comment: it would stand in the place of the verb's own text.
#[derive(Debug, clap::Args)]
struct ConfigFile {
    /// The configuration; absent: ./starwarden.toml
    #[arg(long, env = "STARWARDEN_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigFile {
    /// The file that is named, or the one in the folder in which the command runs.
    ///
    /// # Errors
    /// Neither is there.
    fn file(&self) -> anyhow::Result<PathBuf> {
        let beside = || Some(PathBuf::from("starwarden.toml")).filter(|file| file.is_file());
        self.config.clone().or_else(beside).context(
            "there is no configuration: name one with --config FILE or STARWARDEN_CONFIG, or run the command where starwarden.toml is; \
             `starwarden demo` needs none",
        )
    }
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
    let matches = uses::command().try_get_matches();
    matches.and_then(|matches| CommandLine::from_arg_matches(&matches)).map_err(|error| {
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
        Verb::Schema(schema) => schema.run(),
        Verb::Completions(completions) => completions.run(),
        Verb::Man(man) => man.run(),
    };
    // What was to be told and could not be is a fault, whatever else went well: a full disk, a reader that went away.
    let done =
        done.and_then(|code| terminal::told().map(|()| code).context("the results cannot be written").exit_as(2));
    match done {
        Ok(code) => code,
        Err(Failed { code, error }) => {
            tell(&without_numbers(&format!("{error:#}")));
            ExitCode::from(code)
        }
    }
}

/// A sentence without the system's number for an error, which says nothing beside its words.
fn without_numbers(sentence: &str) -> String {
    let mut parts = sentence.split(" (os error ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |told, part| told + part.split_once(')').map_or(part, |(_, rest)| rest))
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
