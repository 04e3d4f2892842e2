//! Where keys and values stand in a TOML text, for faults to point at the line and not at its table.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A TOML text with the place of every part.
pub(super) struct Spots<'a> {
    root: Option<Spanned<DeValue<'a>>>,
}

impl<'a> Spots<'a> {
    /// Reads a text; of one that is no TOML nothing is found.
    pub(super) fn new(text: &'a str) -> Spots<'a> {
        let parsed = DeTable::parse(text).ok();
        Spots { root: parsed.map(|table| Spanned::new(table.span(), DeValue::Table(table.into_inner()))) }
    }

    /// Where a value stands, by the keys and the places in lists that lead to it; of a value that is not there, its table.
    pub(super) fn value(&self, path: &[&str]) -> Range<usize> {
        self.follow(path).map_or(0..0, |(_, value)| value)
    }

    /// Where a key stands.
    pub(super) fn key(&self, path: &[&str]) -> Range<usize> {
        self.follow(path).map_or(0..0, |(key, _)| key)
    }

    /// Keys of a table whose values are no tables, each with its place.
    pub(super) fn plain_keys(&self, table: &str) -> Vec<(String, Range<usize>)> {
        let within = self.root.as_ref().and_then(|root| root.get_ref().as_table()?.get(table)?.get_ref().as_table());
        let plain = within.into_iter().flat_map(|table| table.iter()).filter(|(_, value)| !value.get_ref().is_table());
        plain.map(|(key, _)| (key.get_ref().to_string(), key.span())).collect()
    }

    /// The last part of a path that is there: its key's place and its value's.
    fn follow(&self, path: &[&str]) -> Option<(Range<usize>, Range<usize>)> {
        let mut value = self.root.as_ref()?;
        let mut key = value.span();
        for part in path {
            let in_table = value.get_ref().as_table().and_then(|table| table.get_key_value(*part));
            let in_list = || {
                let inner = value.get_ref().as_array()?.get(part.parse::<usize>().ok()?)?;
                Some((inner.span(), inner))
            };
            let next = in_table.map(|(name, inner)| (name.span(), inner)).or_else(in_list);
            let Some((at, inner)) = next else { break };
            (key, value) = (at, inner);
        }
        Some((key, value.span()))
    }
}
