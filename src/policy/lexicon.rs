//! Everything a policy reads words with, built once: its patterns as one set, its languages, its spellings of dates.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::{Regex, RegexSet, RegexSetBuilder};

use super::binding::Binding;
use super::language::Language;
use super::source::{Pattern, Source, build};

/// The shipped policy, whose languages stand in for those a policy does not have.
static SHIPPED: LazyLock<Vec<Language>> = LazyLock::new(|| {
    let shipped = Binding::parse(include_str!("../../config/policy/star.toml"));
    shipped.map(|binding| binding.languages.into_values().collect()).unwrap_or_default()
});

/// What a policy reads words with.
#[derive(Debug)]
pub struct Lexicon {
    /// All patterns of all facts: one pass tells which of them are worth a search of their own.
    set: RegexSet,
    places: HashMap<String, usize>,
    /// The languages.
    pub languages: Vec<Language>,
    /// Spellings with a month's name, each with its languages' place: `30 Nov 2026` and `Nov 30, 2026`.
    pub named_dates: Vec<NamedDate>,
}

/// Two expressions for one month's dates: day first (groups day, year) and month first (the same).
#[derive(Debug)]
pub struct NamedDate {
    /// 1 to 12.
    pub month: u32,
    /// `30th of November, 2026`
    pub day_first: Regex,
    /// `November 30th, 2026`
    pub month_first: Regex,
}

impl Lexicon {
    /// Builds it from a binding.
    ///
    /// # Errors
    /// Patterns that together are too large.
    pub(super) fn new(binding: &Binding) -> Result<Lexicon, regex::Error> {
        let sources = binding.facts.values().flat_map(|fact| &fact.sources);
        let mut texts: Vec<&str> =
            sources.flat_map(Source::patterns).map(|Pattern(pattern)| pattern.as_str()).collect();
        texts.sort_unstable();
        texts.dedup();
        let set = RegexSetBuilder::new(&texts)
            .case_insensitive(true)
            .size_limit(16 << 20)
            .dfa_size_limit(16 << 20)
            .build()?;
        let places = texts.iter().enumerate().map(|(place, text)| ((*text).to_owned(), place)).collect();
        let own: Vec<Language> = binding.languages.values().cloned().collect();
        let languages = if own.is_empty() { SHIPPED.clone() } else { own };
        let mut named_dates = Vec::new();
        for (month, name) in languages.iter().flat_map(|language| (1..=12).zip(&language.months.0)) {
            named_dates.push(NamedDate {
                month,
                day_first: build(&format!(
                    r"\b(\d{{1,2}})(?:st|nd|rd|th|\.)?(?:\s+of)?[\s-]+(?:{name})\b\.?(?:,?[\s-]+(\d{{4}})\b)?"
                ))?,
                month_first: build(&format!(
                    r"\b(?:{name})\b\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s+(\d{{4}})\b)?"
                ))?,
            });
        }
        Ok(Lexicon { set, places, languages, named_dates })
    }

    /// Which of the policy's patterns stand anywhere in a text.
    pub fn hits(&self, text: &str) -> Hits<'_> {
        Hits { matched: self.set.matches(text), lexicon: self }
    }
}

/// Which patterns stand in one text.
#[derive(Debug)]
pub struct Hits<'a> {
    matched: regex::SetMatches,
    lexicon: &'a Lexicon,
}

impl Hits<'_> {
    /// Whether this pattern does.
    pub fn has(&self, Pattern(pattern): &Pattern) -> bool {
        let place = self.lexicon.places.get(pattern.as_str());
        place.is_some_and(|&place| self.matched.matched(place))
    }
}
