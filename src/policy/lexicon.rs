//! Everything a policy reads words with, built once: its patterns as one set, its languages, its spellings of dates.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, OnceLock};

use regex::{RegexSet, RegexSetBuilder};

use super::binding::Binding;
use super::expression::{EDGE, Expression, phrase};
use super::language::Language;
use super::source::{Pattern, Source};

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
    /// All patterns of all facts by their texts, sorted, each with its places among the parts.
    patterns: Vec<(String, Vec<usize>)>,
    /// What the patterns need, without gaps, so that one small table finds them all in one pass.
    parts: Vec<String>,
    /// The parts as one, built for the first ticket with words.
    set: OnceLock<Option<RegexSet>>,
    named_dates: OnceLock<Option<NamedDates>>,
}

/// Two expressions for dates with a month's name, with the groups `day`, `year` and `m1` to `m12`.
#[derive(Debug)]
pub struct NamedDates {
    /// `30th of November, 2026`
    pub day_first: Expression,
    /// `November 30th, 2026`
    pub month_first: Expression,
}

impl Lexicon {
    /// Takes it out of a binding.
    pub(super) fn new(binding: &Binding) -> Lexicon {
        let patterns: BTreeMap<&str, &Pattern> = binding
            .facts
            .values()
            .flat_map(|fact| &fact.sources)
            .flat_map(Source::patterns)
            .map(|pattern| (pattern.whole.text(), pattern))
            .collect();
        let parts: BTreeSet<&String> = patterns.values().flat_map(|pattern| &pattern.needs).collect();
        let parts: Vec<String> = parts.into_iter().cloned().collect();
        let places =
            |pattern: &Pattern| pattern.needs.iter().filter_map(|need| parts.binary_search(need).ok()).collect();
        let patterns = patterns.into_iter().map(|(text, pattern)| (text.to_owned(), places(pattern))).collect();
        let own: Vec<Language> = binding.languages.values().cloned().collect();
        let languages = if own.is_empty() { SHIPPED.clone() } else { own };
        Lexicon { languages, patterns, parts, set: OnceLock::new(), named_dates: OnceLock::new() }
    }

    /// Which of the policy's patterns may stand in a text, and how much of it each may search.
    pub fn hits(&self, text: &str) -> Hits<'_> {
        let build = || {
            let mut builder = RegexSetBuilder::new(&self.parts);
            builder.case_insensitive(true).dot_matches_new_line(true).size_limit(64 << 20).build().ok()
        };
        let matched = self.set.get_or_init(build).as_ref().map(|set| set.matches(text));
        let may =
            |needs: &[usize]| matched.as_ref().is_none_or(|matched| needs.iter().all(|&part| matched.matched(part)));
        let may: Vec<bool> = self.patterns.iter().map(|(_, needs)| may(needs)).collect();
        let searches = may.iter().filter(|&&may| may).count().max(1);
        Hits { may, reach: (MOST_SEARCHED / searches).max(ALWAYS_SEARCHED), patterns: &self.patterns }
    }

    /// Spellings of dates with a month's name: `30 Nov 2026` and `Nov 30, 2026`.
    pub fn named_dates(&self) -> Option<&NamedDates> {
        self.named_dates.get_or_init(|| named_dates(&self.languages)).as_ref()
    }
}

fn named_dates(languages: &[Language]) -> Option<NamedDates> {
    let month = |month: usize| {
        let names = languages.iter().filter_map(|language| language.months.0.get(month - 1));
        let names: Vec<String> = names.map(|name| format!("(?:{})", phrase(name))).collect();
        (!names.is_empty()).then(|| format!("(?<m{month}>{})", names.join("|")))
    };
    let months: Vec<String> = (1..=12).filter_map(month).collect();
    if months.is_empty() {
        return None;
    }
    let months = months.join("|");
    let (day, year, white) = (r"(?<day>[0-9]{1,2})", r"(?<year>[0-9]{4})", r"[ \t\r\n]");
    let day_first = format!(
        r"{EDGE}{day}(?:st|nd|rd|th|\.)?(?:{white}+of)?(?:{white}|-)+(?:{months}){EDGE}\.?(?:,?(?:{white}|-)+{year}{EDGE})?"
    );
    let month_first =
        format!(r"{EDGE}(?:{months}){EDGE}\.?{white}+{day}(?:st|nd|rd|th)?{EDGE}(?:,?{white}+{year}{EDGE})?");
    Some(NamedDates { day_first: Expression::new(day_first).ok()?, month_first: Expression::new(month_first).ok()? })
}

/// How much of one text all patterns together may search, bytes, so that the longest text takes milliseconds.
const MOST_SEARCHED: usize = 8 << 20;

/// How much of a text every pattern may search, bytes; a helpdesk's comment is no longer.
const ALWAYS_SEARCHED: usize = 1 << 16;

/// Which patterns may stand in one text.
#[derive(Debug)]
pub struct Hits<'a> {
    may: Vec<bool>,
    reach: usize,
    patterns: &'a [(String, Vec<usize>)],
}

impl Hits<'_> {
    /// How much of the text is worth a search for this pattern, bytes from its start.
    pub fn reach(&self, pattern: &Pattern) -> usize {
        let place = self.patterns.binary_search_by(|(text, _)| text.as_str().cmp(pattern.whole.text()));
        let may = place.is_ok_and(|place| self.may.get(place).copied().unwrap_or_default());
        if may { self.reach } else { 0 }
    }
}
