//! The command line: one file a verb.

mod backtest;
mod bot;
mod check;
mod decide;
mod demo;
mod diagram;
mod doctor;
pub mod each;
mod explained;
mod front;
mod hash_password;
mod health;
pub mod lines;
mod loaded;
mod policy;
mod reload;
mod report;
mod serve;
mod setup;
mod store;
mod tickets;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Works GitLab's STAR flowchart on starred tickets and leaves one internal note and one tag.
#[derive(Debug, Parser)]
#[command(name = "starwarden", version, arg_required_else_help = true)]
pub struct CommandLine {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show the bot at work on sample tickets, with a stand-in helpdesk; nothing outside is needed
    Demo(demo::Demo),
    /// Run the bot: take deliveries, decide tickets, leave notes
    Serve(ConfigFile),
    /// Make or mend webhook and trigger at the helpdesk
    Setup(setup::Setup),
    /// Check everything the bot needs, and say what to do about what is wrong
    Doctor(doctor::Doctor),
    /// Read configuration, policy and diagram, and show every fault with its place
    Check(check::Check),
    /// Decide one ticket or a file of them, offline, and say why
    Decide(decide::Decide),
    /// Hash a console user's password for the configuration; the password is read from standard input
    HashPassword,
    /// Decide past tickets again, and show what a policy or a change of it would do
    Backtest(backtest::Backtest),
    /// Say which policy is in force, put the candidate in force, take it back
    Policy(policy::Policy),
    /// Show a Mermaid flowchart as data, as a picture, as text
    Diagram(diagram::Diagram),
    /// List and show watched tickets, look again, send dead letters back, pause and resume an account
    Tickets(tickets::Tickets),
    /// Report on decisions: agreement, what STARs were about, what was saved
    Report(report::Report),
}

/// Which configuration.
#[derive(Debug, clap::Args)]
struct ConfigFile {
    /// The configuration, starwarden.toml
    #[arg(long, env = "STARWARDEN_CONFIG", value_name = "FILE")]
    config: PathBuf,
}

/// Runs a command; what went wrong is one sentence on standard error.
pub fn run(line: CommandLine) -> ExitCode {
    let done = match line.verb {
        Verb::Demo(demo) => demo.run(),
        Verb::Serve(serve) => serve::run(&serve.config),
        Verb::Setup(setup) => setup.run(),
        Verb::Doctor(doctor) => doctor.run(),
        Verb::Check(check) => check.run(),
        Verb::HashPassword => hash_password::run(),
        Verb::Decide(decide) => decide.run(),
        Verb::Backtest(backtest) => backtest.run(),
        Verb::Policy(policy) => policy.run(),
        Verb::Diagram(diagram) => diagram.run(),
        Verb::Tickets(tickets) => tickets.run(),
        Verb::Report(report) => report.run(),
    };
    match done {
        Ok(code) => code,
        Err(Failed { code, error }) => {
            eprintln!("{error:#}");
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

/// Writes a result to standard output; a reader that has gone away is no fault.
fn print(text: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    let _gone = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
