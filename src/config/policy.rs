//! A policy's two files: reading them, and showing their faults.

use std::path::{Path, PathBuf};

use anyhow::Context;
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource, Report};

use crate::decide::policy::Policy;
use crate::decide::policy::binding::Binding;
use crate::decide::policy::fault::{Document, Fault};

/// Reads a policy from its binding's file and the diagram it names.
///
/// # Errors
/// A file that cannot be read; or every fault found, each with file, line, column and a caret.
pub fn read(file: &Path) -> anyhow::Result<Policy> {
    let binding = text(file)?;
    let parsed = Binding::parse(&binding).map_err(|fault| anyhow::Error::msg(drawn(&fault, &name(file), &binding)))?;
    let diagram_file = beside(file, parsed.diagram.get_ref());
    let diagram = std::fs::read_to_string(&diagram_file).map_err(|error| {
        let message = format!("the diagram {} cannot be read: {error}", diagram_file.display());
        let fault = Fault {
            document: Document::Binding,
            span: parsed.diagram.span(),
            message,
            help: Some("name a Mermaid file beside this one".into()),
        };
        anyhow::Error::msg(drawn(&fault, &name(file), &binding))
    })?;
    Policy::parse(&binding, &diagram).map_err(|faults| {
        let shown = faults.iter().map(|fault| match fault.document {
            Document::Binding => drawn(fault, &name(file), &binding),
            Document::Diagram => drawn(fault, &name(&diagram_file), &diagram),
        });
        anyhow::Error::msg(shown.collect::<Vec<_>>().join("\n"))
    })
}

/// The diagram that a binding's file names, if it can be read.
pub fn diagram(file: &Path) -> Option<PathBuf> {
    let table: toml::Table = std::fs::read_to_string(file).ok()?.parse().ok()?;
    Some(beside(file, table.get("diagram")?.as_str()?))
}

/// A fault with its place in a text: file, line, column and a caret.
pub fn drawn(fault: &Fault, file: &str, source: &str) -> String {
    let mut diagnostic = MietteDiagnostic::new(fault.message.clone())
        .with_label(LabeledSpan::new_with_span(Some("here".into()), fault.span.clone()));
    if let Some(help) = &fault.help {
        diagnostic = diagnostic.with_help(help.clone());
    }
    let report = Report::new(diagnostic).with_source_code(NamedSource::new(file, source.to_owned()));
    let mut drawing = String::new();
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(100);
    match handler.render_report(&mut drawing, report.as_ref()) {
        Ok(()) => drawing,
        Err(_) => format!("{file}: {}", fault.message),
    }
}

fn text(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("the policy {} cannot be read", file.display()))
}

fn beside(file: &Path, name: &str) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(name)
}

fn name(file: &Path) -> String {
    file.display().to_string()
}
