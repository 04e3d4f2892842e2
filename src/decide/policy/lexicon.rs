//! Everything a policy reads words with, built once: its patterns as one set, its languages, its words for dates.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, OnceLock};

use regex::{RegexSet, RegexSetBuilder, SetMatches};

use super::binding::Binding;
use super::language::Language;
use super::source::{Pattern, SourceBinding};
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
    /// What the patterns need, without gaps, so that one small table finds them all in one pass.
    parts: Vec<String>,
    /// Of each pattern of all facts, its places among the parts.
    patterns: Vec<Vec<usize>>,
    /// The parts as one, built for the first ticket with words.
    set: OnceLock<Option<RegexSet>>,
    /// How dates in words, records and answers are read.
    pub dates: Reader,
}

impl Lexicon {
    /// Takes it out of a binding, and tells its patterns their places.
    pub(super) fn new(binding: &mut Binding) -> Lexicon {
        let sources = binding.facts.values().flat_map(|fact| &fact.sources);
        let needs: BTreeSet<&String> =
            sources.flat_map(SourceBinding::patterns).flat_map(|pattern| &pattern.needs).collect();
        let parts: Vec<String> = needs.into_iter().cloned().collect();
        let places: BTreeMap<&String, usize> = parts.iter().zip(0..).collect();
        let sources = binding.facts.values_mut().flat_map(|fact| &mut fact.sources);
        let patterns: BTreeMap<String, Vec<usize>> = sources
            .flat_map(SourceBinding::patterns_mut)
            .map(|pattern| {
                pattern.parts = pattern.needs.iter().filter_map(|need| places.get(need)).copied().collect();
                (pattern.whole.text().to_owned(), pattern.parts.clone())
            })
            .collect();
        let own: Vec<Language> = binding.languages.values().cloned().collect();
        let languages = if own.is_empty() { SHIPPED.clone() } else { own };
        let patterns = patterns.into_values().collect();
        let dated = languages.iter().any(|language| language.dates.any());
        let words = if dated { &languages } else { &*SHIPPED };
        let dates = Reader::new(words.iter().map(|language| &language.dates));
        Lexicon { languages, parts, patterns, set: OnceLock::new(), dates }
    }

    /// Which of the policy's patterns may stand in a text, and how much of it each may search.
    pub fn hits(&self, text: &str) -> Hits {
        let build = || {
            let mut builder = RegexSetBuilder::new(&self.parts);
            builder.case_insensitive(true).dot_matches_new_line(true).size_limit(64 << 20).build().ok()
        };
        let matched = self.set.get_or_init(build).as_ref().map(|set| set.matches(text));
        let mut hits = Hits { matched, reach: ALWAYS_SEARCHED };
        if text.len() > ALWAYS_SEARCHED {
            let searches = self.patterns.iter().filter(|parts| hits.may(parts)).count().max(1);
            hits.reach = (MOST_SEARCHED / searches).max(ALWAYS_SEARCHED);
        }
        hits
    }
}

/// How much of one text all patterns together may search, bytes, so that the longest text takes milliseconds.
const MOST_SEARCHED: usize = 8 << 20;

/// How much of a text every pattern may search, bytes; a helpdesk's comment is no longer.
const ALWAYS_SEARCHED: usize = 1 << 16;

/// Which patterns may stand in one text.
#[derive(Debug)]
pub struct Hits {
    /// The parts that stand in it; none where there are too many of them to look for at once.
    matched: Option<SetMatches>,
    reach: usize,
}

impl Hits {
    /// How much of the text is worth a search for this pattern, bytes from its start.
    pub fn reach(&self, pattern: &Pattern) -> usize {
        if self.may(&pattern.parts) { self.reach } else { 0 }
    }

    fn may(&self, parts: &[usize]) -> bool {
        let stands = |matched: &SetMatches| parts.iter().all(|&part| matched.matched(part));
        self.matched.as_ref().is_none_or(stands)
    }
}
