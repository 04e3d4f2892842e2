//! A decision as JSON, written at the speed of copying: the same bytes as serde's, for streams of a million decisions.

use super::decision::{Answered, Decision};
use crate::decide::facts::fact::Trust;

impl<S: AsRef<str>> Decision<S> {
    /// Writes the members of the decision's JSON object, without the braces.
    ///
    /// # Errors
    /// None in practice: what is left to serde can be written to memory.
    pub fn write_members(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        member(out, "\"verdict\":", &self.verdict)?;
        optional(out, ",\"likely\":", self.likely.as_ref())?;
        list(out, ",\"possible\":", &self.possible, |out, word| text(out, word.as_ref()))?;
        optional(out, ",\"outcome_node\":", self.outcome_node.as_ref())?;
        out.extend_from_slice(b",\"trust\":");
        match self.trust {
            Some(trust) => out.extend_from_slice(quoted(trust)),
            None => out.extend_from_slice(b"null"),
        }
        list(out, ",\"path\":", &self.path, answered)?;
        if !self.beyond.is_empty() {
            list(out, ",\"beyond\":", &self.beyond, answered)?;
        }
        list(out, ",\"walked\":", &self.walked, |out, word| text(out, word.as_ref()))?;
        list(out, ",\"missing\":", &self.missing, |out, missing| serde_json::to_writer(out, missing))?;
        list(out, ",\"tasks\":", &self.tasks, |out, word| text(out, word.as_ref()))?;
        optional(out, ",\"workflow\":", self.workflow.as_ref())?;
        out.extend_from_slice(b",\"valid_until\":");
        serde_json::to_writer(&mut *out, &self.valid_until)?;
        out.extend_from_slice(b",\"tags\":{");
        list(out, "\"add\":", &self.tags.add, |out, tag| text(out, tag))?;
        list(out, ",\"remove\":", &self.tags.remove, |out, tag| text(out, tag))?;
        member(out, "},\"policy\":", &self.policy)
    }
}

fn answered<S: AsRef<str>>(out: &mut Vec<u8>, answered: &Answered<S>) -> serde_json::Result<()> {
    member(out, "{\"node\":", &answered.node)?;
    member(out, ",\"text\":", &answered.text)?;
    member(out, ",\"fact\":", &answered.fact)?;
    member(out, ",\"answer\":", &answered.answer)?;
    member(out, ",\"value\":", &answered.value)?;
    out.extend_from_slice(b",\"trust\":");
    out.extend_from_slice(quoted(answered.trust));
    member(out, ",\"source\":", &answered.source)?;
    if let Some(quote) = &answered.quote {
        out.extend_from_slice(b",\"quote\":");
        serde_json::to_writer(&mut *out, quote)?;
    }
    out.push(b'}');
    Ok(())
}

fn member<S: AsRef<str>>(out: &mut Vec<u8>, key: &str, value: &S) -> serde_json::Result<()> {
    out.extend_from_slice(key.as_bytes());
    text(out, value.as_ref())
}

fn optional<S: AsRef<str>>(out: &mut Vec<u8>, key: &str, value: Option<&S>) -> serde_json::Result<()> {
    out.extend_from_slice(key.as_bytes());
    match value {
        Some(value) => text(out, value.as_ref()),
        None => {
            out.extend_from_slice(b"null");
            Ok(())
        }
    }
}

fn list<T>(
    out: &mut Vec<u8>,
    key: &str,
    items: &[T],
    write: impl Fn(&mut Vec<u8>, &T) -> serde_json::Result<()>,
) -> serde_json::Result<()> {
    out.extend_from_slice(key.as_bytes());
    out.push(b'[');
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write(out, item)?;
    }
    out.push(b']');
    Ok(())
}

/// A text within quotes; one with anything to escape is left to serde.
fn text(out: &mut Vec<u8>, words: &str) -> serde_json::Result<()> {
    // Without an early end, so that many bytes are looked at in one step.
    let escapes = words.bytes().fold(false, |found, byte| found | (byte < 0x20) | (byte == b'"') | (byte == b'\\'));
    if escapes {
        return serde_json::to_writer(out, words);
    }
    out.reserve(words.len() + 2);
    out.push(b'"');
    out.extend_from_slice(words.as_bytes());
    out.push(b'"');
    Ok(())
}

fn quoted(trust: Trust) -> &'static [u8] {
    match trust {
        Trust::Stated => b"\"stated\"",
        Trust::Recorded => b"\"recorded\"",
        Trust::Inferred => b"\"inferred\"",
    }
}
