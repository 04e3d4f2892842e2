//! `diagram`: a flowchart as data, as a picture, as text.

use std::path::PathBuf;
use std::process::ExitCode;

use super::{Done, ExitAs, print};
use crate::config;
use crate::config::policy::drawn;
use crate::decide::policy::diagram::Diagram as Flowchart;
use crate::decide::policy::drawing;
use crate::decide::policy::fault::Fault;

/// Show a Mermaid flowchart as data, as a picture, as text
#[derive(Debug, clap::Args)]
pub(super) struct Diagram {
    /// The Mermaid file
    #[arg(value_name = "FILE.mmd")]
    file: PathBuf,
    /// How it is shown
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    /// Nodes, edges and groups as JSON
    Json,
    /// A picture
    Svg,
    /// A node a paragraph, its exits below it
    Text,
}

impl Diagram {
    pub(super) fn run(self) -> Done {
        let name = self.file.display().to_string();
        let text = config::policy::text(&self.file, "the diagram")
            .map_err(|(message, help)| anyhow::anyhow!("{message}; {help}"))
            .exit_as(2)?;
        let told = |faults: Vec<Fault>| {
            anyhow::Error::msg(faults.iter().map(|fault| drawn(fault, &name, &text)).collect::<Vec<_>>().join("\n"))
        };
        let diagram = Flowchart::parse(&text).map_err(told).exit_as(2)?;
        print(&match self.format {
            Format::Json => serde_json::to_string_pretty(&diagram).exit_as(2)? + "\n",
            Format::Svg => drawing::svg(&text, &[]).map_err(told).exit_as(2)?,
            Format::Text => diagram.to_text(),
        });
        Ok(ExitCode::SUCCESS)
    }
}
