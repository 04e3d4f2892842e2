//! Every fault of a configuration, each with its place.

use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Error, ValueDeserializer};

use super::{Settings, secret};
use crate::decide::policy::fault::{Document, Fault};
use crate::decide::policy::misread::reworded;

/// A text that is no TOML, or whose values are not what their keys ask for: all of them, for each that is found is taken
/// out and the rest is read again.
pub(super) fn of_text(file: &Path, text: &str, first: Error) -> anyhow::Error {
    let mut faults = vec![first];
    if let Ok(mut table) = DeTable::parse(text) {
        while let Some(span) = faults.last().and_then(Error::span)
            && take_out(table.get_mut(), &span)
        {
            let rest = Spanned::new(table.span(), DeValue::Table(table.get_ref().clone()));
            match Settings::deserialize(ValueDeserializer::from(rest)) {
                // What was taken out is missing now, which is no fault of its own.
                Err(error) if !error.message().starts_with("missing field") => faults.push(error),
                Ok(_) | Err(_) => break,
            }
        }
    }
    let shown = faults.iter().map(|fault| {
        let span = fault.span().unwrap_or(0..0);
        let (message, help) = reworded(&secret::without_values(fault.message()));
        drawn(file, &secret::blotted(text), span, message, help)
    });
    anyhow::Error::msg(shown.collect::<Vec<_>>().join("\n"))
}

/// Values that each are what their keys ask for, and do not go together or make no sense: a sentence each, which begins
/// with the key.
pub(super) fn of_sense(file: &Path, text: &str, sentences: &[String]) -> anyhow::Error {
    let table = DeTable::parse(text).ok().map(|table| Spanned::new(table.span(), DeValue::Table(table.into_inner())));
    let shown = sentences.iter().map(|sentence| {
        let key = sentence.split([' ', ':']).next().unwrap_or_default();
        match table.as_ref().and_then(|table| place(table, key)) {
            Some(span) => drawn(file, &secret::blotted(text), span, sentence.clone(), None),
            None => format!("{}: {sentence}", file.display()), // From the environment, or not there.
        }
    });
    anyhow::Error::msg(shown.collect::<Vec<_>>().join("\n"))
}

/// Takes out the innermost entry in which the fault is; whether there was one.
fn take_out(table: &mut DeTable<'_>, fault: &Range<usize>) -> bool {
    for (_, value) in table.iter_mut() {
        if let DeValue::Table(inner) = value.get_mut()
            && take_out(inner, fault)
        {
            return true;
        }
    }
    let around = |part: Range<usize>| part.start <= fault.start && fault.end <= part.end;
    let at_fault = table.iter().find(|(key, value)| around(key.span()) || around(value.span()));
    let key = at_fault.map(|(key, _)| key.clone());
    key.is_some_and(|key| table.remove(&key).is_some())
}

/// Where a key such as `work.tries` has its value.
fn place(table: &Spanned<DeValue<'_>>, key: &str) -> Option<Range<usize>> {
    let mut value = table;
    for part in key.split('.') {
        value = value.get_ref().as_table()?.get(part)?;
    }
    Some(value.span())
}

fn drawn(file: &Path, text: &str, span: Range<usize>, message: String, help: Option<String>) -> String {
    let fault = Fault { document: Document::Binding, span, message, help };
    super::policy::drawn(&fault, &file.display().to_string(), text)
}
