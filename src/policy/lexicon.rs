//! Everything a policy reads words with, built once: its patterns as one set, its languages, its spellings of dates.

use std::sync::{LazyLock, OnceLock};

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
    /// The languages.
    pub languages: Vec<Language>,
    /// The texts of all patterns of all facts, sorted.
    patterns: Vec<String>,
    /// All of them as one, built for the first ticket with words: one pass tells which are worth a search of their own.
    set: OnceLock<Option<RegexSet>>,
    named_dates: OnceLock<Vec<NamedDate>>,
}

/// Two expressions for one month's dates, with the groups `day` and `year`: the month's name may have groups of its own.
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
    /// Takes it out of a binding.
    pub(super) fn new(binding: &Binding) -> Lexicon {
        let sources = binding.facts.values().flat_map(|fact| &fact.sources);
        let patterns = sources.flat_map(Source::patterns).map(|Pattern(pattern)| pattern.as_str().to_owned());
        let mut patterns: Vec<String> = patterns.collect();
        patterns.sort_unstable();
        patterns.dedup();
        let own: Vec<Language> = binding.languages.values().cloned().collect();
        let languages = if own.is_empty() { SHIPPED.clone() } else { own };
        Lexicon { languages, patterns, set: OnceLock::new(), named_dates: OnceLock::new() }
    }

    /// Which of the policy's patterns stand anywhere in a text.
    pub fn hits(&self, text: &str) -> Hits<'_> {
        let build = || {
            RegexSetBuilder::new(&self.patterns)
                .case_insensitive(true)
                .dot_matches_new_line(true)
                .size_limit(64 << 20)
                .dfa_size_limit(32 << 20)
                .build()
                .ok()
        };
        let matched = self.set.get_or_init(build).as_ref().map(|set| set.matches(text));
        Hits { matched, patterns: &self.patterns }
    }

    /// Spellings of dates with a month's name: `30 Nov 2026` and `Nov 30, 2026`.
    pub fn named_dates(&self) -> &[NamedDate] {
        let months = || self.languages.iter().flat_map(|language| (1..=12).zip(&language.months.0));
        self.named_dates.get_or_init(|| months().filter_map(|(month, name)| named_date(month, name).ok()).collect())
    }
}

fn named_date(month: u32, name: &str) -> Result<NamedDate, regex::Error> {
    let day_first = format!(
        r"\b(?<day>\d{{1,2}})(?:st|nd|rd|th|\.)?(?:\s+of)?[\s-]+(?:{name})\b\.?(?:,?[\s-]+(?<year>\d{{4}})\b)?"
    );
    let month_first = format!(r"\b(?:{name})\b\.?\s+(?<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s+(?<year>\d{{4}})\b)?");
    Ok(NamedDate { month, day_first: build(&day_first)?, month_first: build(&month_first)? })
}

/// Which patterns stand in one text.
#[derive(Debug)]
pub struct Hits<'a> {
    /// None where the patterns are too many for one set: then each is searched.
    matched: Option<regex::SetMatches>,
    patterns: &'a [String],
}

impl Hits<'_> {
    /// Whether this pattern may; the search for it tells where.
    pub fn has(&self, Pattern(pattern): &Pattern) -> bool {
        let Some(matched) = &self.matched else { return true };
        let place = self.patterns.binary_search_by(|text| text.as_str().cmp(pattern.as_str()));
        place.is_ok_and(|place| matched.matched(place))
    }
}
