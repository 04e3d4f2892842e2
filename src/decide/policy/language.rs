//! How people of one language deny, speak of the past, quote, sign and write dates: data of the binding.

use regex::Regex;
use serde::{Deserialize, Deserializer, de::Error};

use super::expression::{EDGE, Expression, phrase};
use crate::decide::facts::dates::vocabulary::DateWords;

/// One language. A policy without any reads as the shipped one does: in English.
///
/// Every phrase is a regular expression that stands for whole words; a space in it is any white space.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Language {
    /// What, standing before a find in its clause, turns it into its opposite: `not`, `without`.
    #[serde(default)]
    pub denies: Phrases,
    /// What looks like a denial and is none: `why not`, `can't you`.
    #[serde(default)]
    pub denies_nothing: Phrases,
    /// What a question begins with that asks by a denial, up to the denial: `can you … not`. Such a denial denies nothing.
    #[serde(default)]
    pub asks: Phrases,
    /// What, standing behind a find in its sentence, turns it into its opposite: `is not needed`.
    #[serde(default)]
    pub denies_after: Phrases,
    /// Where the reach of a denial ends: `but`, `because`.
    #[serde(default)]
    pub turns: Phrases,
    /// What makes a sentence speak of something long over: `last year`.
    #[serde(default)]
    pub past: Phrases,
    /// Lines behind which another mail is quoted: `on .* wrote:`.
    #[serde(default)]
    pub quotes: Phrases,
    /// Lines behind which a signature follows: `kind regards`.
    #[serde(default)]
    pub signs_off: Phrases,
    /// How dates are written and what they date. Absent in all languages: as the shipped policy has it.
    #[serde(default)]
    pub dates: DateWords,
}

/// Phrases, any of which is enough; none never match.
#[derive(Debug, Clone, Default)]
pub struct Phrases {
    any: Option<Expression>,
    /// The same for texts that begin with one.
    leading: Option<Expression>,
}

impl Phrases {
    /// The expression that finds any of them.
    pub fn any(&self) -> Option<&Regex> {
        self.any.as_ref()?.regex()
    }

    /// Whether one of them stands in the text.
    pub fn found_in(&self, text: &str) -> bool {
        self.any.as_ref().is_some_and(|any| any.found_in(text))
    }

    /// Where the one the text begins with ends.
    pub fn lead(&self, text: &str) -> Option<usize> {
        self.leading.as_ref()?.regex()?.find(text).map(|found| found.end())
    }
}

impl<'de> Deserialize<'de> for Phrases {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let phrases = Vec::<String>::deserialize(deserializer)?;
        if phrases.is_empty() {
            return Ok(Phrases::default());
        }
        let parts: Vec<String> = phrases.iter().map(|text| format!("(?:{})", phrase(text))).collect();
        let any = format!("(?:{})(?:{EDGE}|$)", parts.join("|"));
        let built = |text: String| {
            Expression::new(text).map_err(|error| D::Error::custom(format!("these phrases cannot be used: {error}")))
        };
        let (leading, any) = (built(format!("^{any}"))?, built(format!("(?:^|{EDGE}){any}"))?);
        Ok(Phrases { any: Some(any), leading: Some(leading) })
    }
}
