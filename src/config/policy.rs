//! A policy's files: reading them, and showing their faults.

use std::fmt;
use std::path::{Path, PathBuf};

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource, Report};
use serde::Serialize;

use crate::decide::policy::Policy;
use crate::decide::policy::binding::Binding;
use crate::decide::policy::examples::joined;
use crate::decide::policy::fault::{Document, Fault};
use crate::decide::reader::Reader;

/// A fault with its place in a file.
#[derive(Debug, Clone, Serialize)]
pub struct Located {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The character in that line, from 1.
    pub column: usize,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// The place with a caret.
    #[serde(skip)]
    pub drawing: String,
}

/// Every fault of a policy's files.
#[derive(Debug)]
pub struct Refused(pub Vec<Located>);

impl std::error::Error for Refused {}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let drawings: Vec<&str> = self.0.iter().map(|fault| fault.drawing.as_str()).collect();
        f.write_str(&drawings.join("\n"))
    }
}

/// Reads a policy from its binding's file and the diagram it names.
///
/// # Errors
/// A file that cannot be read; or every fault found, each with file, line, column and a caret.
pub fn read(file: &Path) -> anyhow::Result<Policy> {
    Ok(examined(file)?)
}

/// The same, with its faults as values.
///
/// # Errors
/// As [`read`].
pub fn examined(file: &Path) -> Result<Policy, Refused> {
    let whole = |file: &Path, message: String, help: &str| Refused(vec![of_file(file, message, help)]);
    let binding = text(file, "the policy").map_err(|(message, help)| whole(file, message, help))?;
    if is_mermaid(file, &binding) {
        let message = format!("{} is a Mermaid flowchart, and no policy", file.display());
        return Err(whole(file, message, "name the file that says what its nodes mean, such as star.toml"));
    }
    let in_binding = |fault: &Fault| located(fault, &name(file), &binding);
    let parsed = Binding::parse(&binding).map_err(|fault| Refused(vec![in_binding(&fault)]))?;
    let diagram_file = beside(file, parsed.diagram.get_ref());
    let diagram = text(&diagram_file, "the diagram").map_err(|(message, help)| {
        let span = parsed.diagram.span();
        let fault = Fault { document: Document::Binding, span, message, help: Some(help.into()) };
        Refused(vec![in_binding(&fault)])
    })?;
    let examples = examples(file, &parsed).map_err(|fault| Refused(vec![in_binding(&fault)]))?;
    let files = examples.iter().map(|examples| (examples.language.as_str(), examples.text.as_str()));
    let policy = Policy::parse(&joined(&binding, files), &diagram).map_err(|faults| {
        let shown = faults.iter().map(|fault| match fault.document {
            Document::Binding => in_binding(fault),
            Document::Diagram => located(fault, &name(&diagram_file), &diagram),
            Document::Examples(number) => match examples.get(number) {
                Some(examples) => located(fault, &name(&examples.file), &examples.text),
                None => in_binding(fault),
            },
        });
        Refused(shown.collect())
    })?;
    learn(&policy);
    Ok(policy)
}

/// Has the policy's reader learned, or taken from the user's cache folder, where it is kept for the next time.
///
/// A cache that cannot be read or written costs a second and nothing else.
fn learn(policy: &Policy) {
    let Some(folder) = cache() else { return policy.learn(|_| None) };
    let file = folder.join(format!("reader-{}", Reader::key(&policy.examples)));
    policy.learn(|examples| {
        let kept = std::fs::read(&file).ok().and_then(|bytes| Reader::from_bytes(&bytes, examples));
        if kept.is_some() {
            return kept;
        }
        let reader = Reader::learn(examples);
        let written = std::fs::create_dir_all(&folder).and_then(|()| {
            let draft = tempfile::NamedTempFile::new_in(&folder)?;
            std::fs::write(draft.path(), reader.to_bytes())?;
            draft.persist(&file).map(drop).map_err(|error| error.error)
        });
        if let Err(error) = written {
            tracing::debug!(%error, folder = %folder.display(), "the reader is not kept, and is learned again next time");
        }
        Some(reader)
    });
}

/// The user's cache folder, by the XDG base directory specification.
fn cache() -> Option<PathBuf> {
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

/// A text file, `what` it is: its text, or why it cannot be read and what to do.
///
/// # Errors
/// A file that is not there or may not be read, or one that is not in UTF-8.
pub fn text(file: &Path, what: &str) -> Result<String, (String, &'static str)> {
    let shown = file.display();
    let bytes = std::fs::read(file).map_err(|error| {
        (format!("{what} {shown} cannot be read: {error}"), "name a file that is there, beside this one")
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let encoding = match error.as_bytes() {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "UTF-16",
            bytes if bytes.iter().take(64).any(|byte| *byte == 0) => "UTF-16",
            _ => "an older encoding, such as Latin-1",
        };
        (format!("{what} {shown} is in {encoding}"), "save it as UTF-8")
    })
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

/// A fault with its place in a file.
pub fn located(fault: &Fault, file: &str, source: &str) -> Located {
    let before = source.get(..fault.span.start).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    Located {
        file: file.to_owned(),
        line: before.matches('\n').count() + 1,
        column: line.chars().count() + 1,
        message: fault.message.clone(),
        help: fault.help.clone(),
        drawing: drawn(fault, file, source),
    }
}

/// A fault of a file as a whole.
pub fn of_file(file: &Path, message: String, help: &str) -> Located {
    let drawing = format!("{message}; {help}");
    Located { file: name(file), line: 1, column: 1, message, help: Some(help.to_owned()), drawing }
}

/// Whether a file given as a policy is its picture.
fn is_mermaid(file: &Path, text: &str) -> bool {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with("%%"));
    let begins = |word| first.is_some_and(|line| line.split_whitespace().next() == Some(word));
    file.extension().is_some_and(|extension| extension == "mmd" || extension == "mermaid")
        || begins("graph")
        || begins("flowchart")
}

fn beside(file: &Path, name: &str) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(name)
}

fn name(file: &Path) -> String {
    file.display().to_string()
}
