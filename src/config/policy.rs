//! A policy's files: reading them, and showing their faults.

use std::path::{Path, PathBuf};

use anyhow::Context;
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource, Report};

use crate::decide::policy::Policy;
use crate::decide::policy::binding::Binding;
use crate::decide::policy::examples::joined;
use crate::decide::policy::fault::{Document, Fault};
use crate::decide::reader::Reader;

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
    let examples = examples(file, &parsed).map_err(|fault| anyhow::Error::msg(drawn(&fault, &name(file), &binding)))?;
    let files = examples.iter().map(|examples| (examples.language.as_str(), examples.text.as_str()));
    let policy = Policy::parse(&joined(&binding, files), &diagram).map_err(|faults| {
        let shown = faults.iter().map(|fault| match fault.document {
            Document::Binding => drawn(fault, &name(file), &binding),
            Document::Diagram => drawn(fault, &name(&diagram_file), &diagram),
            Document::Examples(number) => match examples.get(number) {
                Some(examples) => drawn(fault, &name(&examples.file), &examples.text),
                None => fault.message.clone(),
            },
        });
        anyhow::Error::msg(shown.collect::<Vec<_>>().join("\n"))
    })?;
    learn(&policy);
    Ok(policy)
}

/// Has the policy's reader learned, or taken from the user's cache folder, where it is kept for the next time.
pub fn learn(policy: &Policy) {
    let name = format!("reader-{}", Reader::key(&policy.examples));
    policy.learn(|examples| {
        let learn = || Some(Reader::learn(examples));
        kept(&name, |bytes| Reader::from_bytes(bytes, examples), learn, |reader| Some(reader.to_bytes()))
    });
}

/// What was learned, from the user's cache folder where it is kept there under this name; else it is learned, and kept.
///
/// A cache that cannot be read or written costs a second and nothing else.
pub fn kept<T>(
    name: &str,
    read: impl FnOnce(&[u8]) -> Option<T>,
    learn: impl FnOnce() -> Option<T>,
    write: impl FnOnce(&T) -> Option<Vec<u8>>,
) -> Option<T> {
    let Some(folder) = cache() else { return learn() };
    let file = folder.join(name);
    let kept = std::fs::read(&file).ok().and_then(|bytes| read(&bytes));
    if kept.is_some() {
        return kept;
    }
    let learned = learn()?;
    let written = std::fs::create_dir_all(&folder).and_then(|()| {
        let draft = tempfile::NamedTempFile::new_in(&folder)?;
        std::fs::write(draft.path(), write(&learned).unwrap_or_default())?;
        draft.persist(&file).map(drop).map_err(|error| error.error)
    });
    if let Err(error) = written {
        tracing::debug!(%error, folder = %folder.display(), "what was learned is not kept, and is learned again next time");
    }
    Some(learned)
}

/// The user's cache folder, by the XDG base directory specification.
pub fn cache() -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = named("XDG_CACHE_HOME").or_else(|| Some(named("HOME")?.join(".cache")))?;
    Some(folder.join("starwarden"))
}

/// One file of examples.
struct Examples {
    file: PathBuf,
    /// The file's name without its ending.
    language: String,
    text: String,
}

/// The files of examples that a binding names, by name.
///
/// # Errors
/// A name that no file has, or a file that cannot be read.
fn examples(file: &Path, binding: &Binding) -> Result<Vec<Examples>, Fault> {
    let mut found = Vec::new();
    for named in &binding.reader.examples {
        let fault = |message: String| Fault {
            document: Document::Binding,
            span: named.span(),
            message,
            help: Some("name a file, or all of a folder: \"examples/*.toml\"".into()),
        };
        let mut files = match named.get_ref().strip_suffix("*.toml") {
            None => vec![beside(file, named.get_ref())],
            Some(folder) => std::fs::read_dir(beside(file, folder))
                .map_err(|error| fault(format!("the examples {folder} cannot be read: {error}")))?
                .filter_map(|entry| Some(entry.ok()?.path()))
                .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
                .collect(),
        };
        files.sort();
        if files.is_empty() {
            return Err(fault(format!("`{}` names no file", named.get_ref())));
        }
        for file in files {
            let text = std::fs::read_to_string(&file)
                .map_err(|error| fault(format!("the examples {} cannot be read: {error}", file.display())))?;
            let language = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            found.push(Examples { file, language, text });
        }
    }
    Ok(found)
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
