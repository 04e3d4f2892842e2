//! `decide`: one ticket, or a stream of them, offline.

use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};

use super::each;
use super::explained;
use super::lines::Lines;
use super::moments;
use super::progress;
use super::reader::{Offline, ReaderChoice};
use super::terminal::Visible;
use super::{Done, ExitAs, print};
use crate::config;
use crate::decide::facts::gather::{self, Stated};
use crate::decide::facts::source::{Given, Source};
use crate::decide::facts::sources::Ids;
use crate::decide::judge;
use crate::decide::line::{Case, Decided, Line, WithFacts};
use crate::decide::note;
use crate::decide::policy::Policy;
use crate::decide::policy::drawing;
use crate::decide::policy::fault::Fault;
use crate::decide::ticket::OwnUsers;

/// Decide one ticket, or a file of them, offline, and say why
///
/// With facts alone: starwarden decide --policy star.toml --fact trial=no --fact expires_at=2026-11-30
///
/// With --each, one JSON object a line comes in, with a ticket or facts in it, and one decision a line goes out, in the same
/// order; a line that is none gives its error, the others go on, and the exit code is 3. Bad input otherwise is 2.
#[derive(Debug, clap::Args)]
pub(super) struct Decide {
    /// The policy's binding, star.toml
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// A ticket as JSON: as the helpdesk's API gives it, or with comments, organization, users and facts beside it
    #[arg(long, value_name = "FILE", conflicts_with = "each")]
    ticket: Option<PathBuf>,
    /// A fact that stands above every other source; may be given several times
    #[arg(long = "fact", value_name = "NAME=VALUE", conflicts_with = "each")]
    facts: Vec<String>,
    /// One ticket a line, - for standard input; one decision a line comes out
    #[arg(long, value_name = "FILE|-")]
    each: Option<PathBuf>,
    /// With --each: every fact known of each ticket beside its decision
    #[arg(long = "facts", requires = "each")]
    with_facts: bool,
    /// When it is decided. Absent: now
    #[arg(long, value_name = "RFC3339", value_parser = moments::moment)]
    now: Option<DateTime<Utc>>,
    #[command(flatten)]
    reader: ReaderChoice,
    /// How the decision is shown
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    /// The note and every fact
    Text,
    /// The decision as JSON
    Json,
    /// The flowchart with the walked path lit
    Svg,
}

impl Decide {
    pub(super) fn run(self) -> Done {
        let policy = config::policy::read(&self.policy).exit_as(2)?;
        let now = self.now.unwrap_or_else(Utc::now);
        let reader = self.reader.open(&[&policy]).exit_as(2)?;
        let done = match &self.each {
            Some(file) => {
                let with = if self.with_facts { WithFacts::All } else { WithFacts::None };
                stream(&policy, now, with, &reader, file)
            }
            None => self.one(&policy, now, &reader).exit_as(2),
        };
        reader.tell();
        done
    }

    fn one(&self, policy: &Policy, now: DateTime<Utc>, reader: &Offline) -> anyhow::Result<ExitCode> {
        let mut line = match &self.ticket {
            Some(file) => read(file)?,
            None => Line::default(),
        };
        let (id, now) = (line.own_id(), self.now.or(line.now).unwrap_or(now));
        let mut stated = line.stated(policy).map_err(anyhow::Error::msg)?;
        for fact in &self.facts {
            stated.push(given(policy, fact, now)?);
        }
        let mut reading = line.reading();
        let ids = Ids::new(&policy.binding, &Ids::default());
        reader.read(policy, &ids, &mut reading, now);
        let judged = judge::ticket(policy, &ids, reading.as_ref(), &[], &stated, &OwnUsers::none(), now);
        match self.format {
            Format::Json => print(&(serde_json::to_string_pretty(&Decided::of(id, judged, WithFacts::All))? + "\n")),
            Format::Svg => {
                let told =
                    |faults: Vec<Fault>| faults.into_iter().map(|fault| fault.message).collect::<Vec<_>>().join("; ");
                print(
                    &drawing::svg(&policy.mermaid, &judged.decision.walked)
                        .map_err(told)
                        .map_err(anyhow::Error::msg)?,
                );
            }
            Format::Text => {
                let note = note::write(&judged.subject(policy, &ids, reading.as_ref(), now));
                print(&format!("{}\nFacts\n{}", note.text(), explained::facts(policy, &judged)));
                if let Some(reader) = &judged.decision.reader {
                    print(&format!("\nWords read by {reader} vectors\n"));
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn stream(policy: &Policy, now: DateTime<Utc>, with: WithFacts, reader: &Offline, file: &Path) -> Done {
    let bar = progress::beside_results();
    let mut input: Box<dyn BufRead + Send> = if file.as_os_str() == "-" {
        Box::new(std::io::BufReader::new(std::io::stdin()))
    } else {
        let told = || format!("the tickets {} cannot be read", file.display());
        let opened = std::fs::File::open(file).with_context(told).exit_as(2)?;
        progress::measure(&bar, &opened).with_context(told).exit_as(2)?;
        Box::new(std::io::BufReader::new(bar.wrap_read(opened)))
    };
    let mut output = Visible::new(std::io::BufWriter::new(std::io::stdout()));
    let read = |ids: &Ids, case: &mut Case| reader.read(policy, ids, &mut case.reading, case.now);
    let lines = each::decide_reading(policy, now, with, &read, &mut input, &mut output).exit_as(2)?;
    std::io::Write::flush(&mut output).exit_as(2)?;
    bar.finish_and_clear();
    Ok(match lines {
        Lines::AllGood => ExitCode::SUCCESS,
        Lines::SomeBad => ExitCode::from(3),
    })
}

/// A ticket file: a line of `--each`, or the ticket by itself.
fn read(file: &Path) -> anyhow::Result<Line> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("the ticket {} cannot be read", file.display()))?;
    Line::read(&text).with_context(|| format!("{} is not a ticket", file.display()))
}

fn given(policy: &Policy, text: &str, now: DateTime<Utc>) -> anyhow::Result<Stated> {
    let Some((fact, value)) = text.split_once('=') else { bail!("--fact {text}: write it like --fact trial=yes") };
    let stated = Stated { fact: fact.trim().into(), value: value.trim().into(), source: Source::Given(Given::Option) };
    match gather::usable(policy, &stated, now) {
        Ok(_) => Ok(stated),
        Err(problem) => bail!("{problem}"),
    }
}
