//! What a policy reads words with, built once: its languages and its words for dates.

use std::sync::LazyLock;

use super::binding::Binding;
use super::language::Language;
use crate::decide::facts::dates::Reader;

/// The shipped policy, whose languages stand in for those a policy does not have.
static SHIPPED: LazyLock<Vec<Language>> = LazyLock::new(|| {
    let shipped = Binding::parse(include_str!("../../../config/policy/star.toml"));
    shipped.map(|binding| binding.languages.into_values().collect()).unwrap_or_default()
});

/// What a policy reads words with.
#[derive(Debug)]
pub struct Lexicon {
    /// The languages.
    pub languages: Vec<Language>,
    /// How dates in words, records and answers are read.
    pub dates: Reader,
}

impl Lexicon {
    /// Takes it out of a binding.
    pub(super) fn new(binding: &Binding) -> Lexicon {
        let own: Vec<Language> = binding.languages.values().cloned().collect();
        let languages = if own.is_empty() { SHIPPED.clone() } else { own };
        let dated = languages.iter().any(|language| language.dates.any());
        let words = if dated { &languages } else { &*SHIPPED };
        let dates = Reader::new(words.iter().map(|language| &language.dates));
        Lexicon { languages, dates }
    }
}
