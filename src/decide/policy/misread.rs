//! What is said of a TOML text that cannot be read: in plain words, at the narrowest place, with what to write instead.

use std::ops::Range;

use super::fault::{Document, Fault};
use crate::decide::near::nearest;

/// The fault of a text that is no TOML, or whose keys or values are not what is needed.
pub fn fault(text: &str, error: &toml::de::Error) -> Fault {
    let message = error.message();
    let span = narrowed(text, error.span().unwrap_or(0..0), message);
    let (message, help) = reworded(message);
    Fault { document: Document::Binding, span, message, help }
}

/// The place of what a message names, where that stands within the place it was given.
fn narrowed(text: &str, span: Range<usize>, message: &str) -> Range<usize> {
    let named = message.split('`').nth(1).filter(|named| !named.is_empty());
    let within = text.get(span.start..table_end(text, &span)).unwrap_or_default();
    let escaped = named.map(|named| named.replace('\\', "\\\\"));
    let found =
        [named, escaped.as_deref()].into_iter().flatten().find_map(|named| Some((within.find(named)?, named.len())));
    found.map_or(span.clone(), |(at, length)| span.start + at..span.start + at + length)
}

/// Where a place ends; of a table's heading, where the table ends.
fn table_end(text: &str, span: &Range<usize>) -> usize {
    let heading = text.get(span.clone()).is_some_and(|heading| heading.starts_with('[') && heading.ends_with(']'));
    let starts_line = text.get(..span.start).is_some_and(|before| before.is_empty() || before.ends_with('\n'));
    let rest = text.get(span.end..).filter(|_| heading && starts_line);
    rest.map_or(span.end, |rest| span.end + rest.find("\n[").unwrap_or(rest.len()))
}

/// A message of the parser in plain words, and what to do.
pub(crate) fn reworded(message: &str) -> (String, Option<String>) {
    if let Some(there) = message.strip_prefix("unknown variant, expected ") {
        return (
            "this word is none of those that may stand here".into(),
            Some(format!("there are: {}", there.replace('`', ""))),
        );
    }
    if message == "invalid socket address syntax" {
        return ("this is no address and port".into(), Some("write it like 127.0.0.1:8080".into()));
    }
    let mut quoted = message.split('`').skip(1).step_by(2);
    let first = quoted.next().unwrap_or_default();
    if message.starts_with("unknown field") || message.starts_with("unknown variant") {
        let what = if message.starts_with("unknown field") { "key" } else { "word" };
        let there: Vec<&str> = quoted.collect();
        let help = match nearest(first, &there) {
            Some(near) => format!("did you mean `{near}`?"),
            None if there.is_empty() => "take it away".into(),
            None => format!("there are: {}", there.join(", ")),
        };
        return (format!("unknown {what} `{first}`"), Some(help));
    }
    if message.starts_with("missing field") {
        return (format!("the key `{first}` is missing"), Some(format!("add a line: {first} = …")));
    }
    let given = |kind: &str| message.strip_prefix("invalid type: ").is_some_and(|rest| rest.starts_with(kind));
    if message.contains("expected a string") && (given("integer") || given("float") || given("boolean")) {
        return (format!("`{first}` is no text"), Some(format!("write it in quotes: \"{first}\"")));
    }
    match message.strip_prefix("invalid type: ").and_then(|rest| rest.split_once(", expected ")) {
        Some((given, wanted)) => (format!("{given} stands here"), Some(format!("write {}", sort(wanted)))),
        None => (message.to_owned(), None),
    }
}

/// What the parser wants, in plain words.
fn sort(wanted: &str) -> &str {
    match wanted {
        "u8" | "u16" | "u32" | "u64" | "usize" | "i64" => "a whole number",
        number if number.contains("nonzero") => "a whole number of 1 or more",
        "f32" | "f64" => "a number",
        "a string" => "a text in quotes",
        "a boolean" => "true or false",
        "a sequence" => "a list in [ ]",
        table if table.starts_with("struct ") || table == "a map" => "a table of keys and values",
        other => other,
    }
}
