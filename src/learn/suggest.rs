//! Examples proposed from what managers put right: words that were read as one answer, and the answer that a person gave.
//!
//! Nothing comes into force by itself: what is proposed is a file for people to read, mend and put among the examples.

use std::sync::LazyLock;

use regex::Regex;

use crate::decide::basis::Basis;
use crate::decide::facts::fact::{Fact, Finding, Trust};
use crate::decide::facts::source::Source;

/// An example that is proposed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggested {
    /// The sentence as it was written, what names people and places masked.
    pub says: String,
    /// Whether a colleague wrote it, and not the customer.
    pub by_colleague: bool,
    /// The fact it was read for.
    pub fact: String,
    /// What it was read as.
    pub read: String,
    /// What a person said.
    pub answer: String,
    /// Who, and where: `Ann Agent, note of 24 Nov 2026, 12:03 UTC`.
    pub who: String,
}

/// What the decisions on one ticket, oldest first, teach: each answer that a person gave against what words were read as before.
pub fn from_decisions(decisions: &[Basis]) -> Vec<Suggested> {
    let mut suggested: Vec<Suggested> = Vec::new();
    for (place, basis) in decisions.iter().enumerate() {
        let earlier = decisions.get(..place).unwrap_or_default();
        for (name, stated) in basis.facts.iter().filter_map(|(name, finding)| Some((name, by_person(finding)?))) {
            let read = earlier.iter().rev().find_map(|earlier| from_words(earlier.facts.get(name)?));
            let Some((read, quote)) =
                read.filter(|(read, _)| read.value.word().is_some() && read.value != stated.value)
            else {
                continue;
            };
            let one = Suggested {
                says: masked(quote),
                by_colleague: read.source.is_colleague(),
                fact: name.clone(),
                read: read.value.to_string(),
                answer: stated.value.to_string(),
                who: stated.source.to_string(),
            };
            let known = |other: &Suggested| (&other.says, &other.fact) == (&one.says, &one.fact);
            suggested.retain(|other| !known(other)); // The later answer stands.
            suggested.push(one);
        }
    }
    suggested
}

/// The examples as a file, headed by how to use it.
pub fn file(suggested: &[(String, Suggested)]) -> String {
    let mut text = "# Proposed from what managers put right. Read each: is it what the words say, does it name nobody? Then move it to\n\
                    # the file of its language, and see with `backtest --against` what it changes.\n"
        .to_owned();
    for (ticket, one) in suggested {
        let quoted = |text: &str| toml::Value::from(text).to_string();
        text.push_str(&format!(
            "\n# {ticket}: read as {} = {}; {} said {}\n[[example]]\nsays = {}\nby = \"{}\"\n{} = {}\n",
            one.fact,
            one.read,
            one.who,
            one.answer,
            quoted(&one.says),
            if one.by_colleague { "colleague" } else { "customer" },
            one.fact,
            quoted(&one.answer),
        ));
    }
    text
}

/// What a manager answered.
fn by_person(finding: &Finding) -> Option<&Fact> {
    let fact = finding.known()?;
    let person = matches!(fact.source, Source::Note { .. } | Source::Console { .. });
    (fact.trust == Trust::Stated && person).then_some(fact)
}

/// What was read in words, with the sentence.
fn from_words(finding: &Finding) -> Option<(&Fact, &str)> {
    let fact = finding.known()?;
    let words = matches!(fact.source, Source::Words { .. });
    Some((fact, fact.quote.as_deref().filter(|_| words)?))
}

/// A sentence without addresses, numbers that may be somebody's, and what stands in a greeting.
fn masked(sentence: &str) -> String {
    static MASKS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        let mask = |pattern: &str, with| Some((Regex::new(pattern).ok()?, with));
        [
            mask(r"\S+@\S+", "name@company.example"),
            mask(r"https?://\S+", "https://gitlab.company.example"),
            mask(r"(?i)\b(hi|hello|dear|hallo|bonjour|hola|olá|ciao)\s+\p{Lu}\p{L}+", "$1"),
            mask(r"\+?\d[\d ()/-]{6,}\d", "000"),
            mask(r"\b[A-Z]+-?\d{4,}\b", "X-000"),
        ]
        .into_iter()
        .flatten()
        .collect()
    });
    MASKS.iter().fold(sentence.to_owned(), |text, (pattern, with)| pattern.replace_all(&text, *with).into_owned())
}
