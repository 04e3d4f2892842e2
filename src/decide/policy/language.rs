//! How people of one language quote, sign and write dates: data of the binding.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error};

use super::expression::{EDGE, Expression, phrase};
use crate::decide::facts::dates::vocabulary::DateWords;

/// One language. A policy without any reads as the shipped one does: in English.
///
/// Every phrase is a regular expression that stands for whole words; a space in it is any white space.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Language {
    /// Lines behind which another mail is quoted: `on .* wrote:`.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub quotes: Phrases,
    /// Lines behind which a signature follows: `kind regards`.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub signs_off: Phrases,
    /// How dates are written and what they date. Absent in all languages: as the shipped policy has it.
    #[serde(default)]
    pub dates: DateWords,
}

/// Phrases, any of which is enough; none never match.
#[derive(Debug, Clone, Default)]
pub struct Phrases(Option<Expression>);

impl Phrases {
    /// Where the one the text begins with ends.
    pub fn lead(&self, text: &str) -> Option<usize> {
        self.0.as_ref()?.regex()?.find(text).map(|found| found.end())
    }
}

impl<'de> Deserialize<'de> for Phrases {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let phrases = Vec::<String>::deserialize(deserializer)?;
        if phrases.is_empty() {
            return Ok(Phrases::default());
        }
        let parts: Vec<String> = phrases.iter().map(|text| format!("(?:{})", phrase(text))).collect();
        let leading = Expression::new(format!("^(?:{})(?:{EDGE}|$)", parts.join("|")));
        let wrong = |error| D::Error::custom(format!("these phrases cannot be used: {error}"));
        Ok(Phrases(Some(leading.map_err(wrong)?)))
    }
}
