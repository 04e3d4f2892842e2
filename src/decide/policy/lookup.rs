//! Systems of record a policy may ask: which address, how often, how long.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error};

use super::length::Span;

/// One HTTP GET to a system of record; its token and allowed hosts stand in `starwarden.toml`, never here.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    /// The system, by its name in `starwarden.toml`; without an entry there the lookup is switched off.
    pub system: String,
    /// The address, with facts in braces.
    #[schemars(with = "String")]
    pub url: Template,
    /// How long an answer may be used again. Absent: 10 minutes.
    #[serde(default = "ten_minutes")]
    #[schemars(with = "String")]
    pub cache: Span,
    /// How long a call that failed is not made again. Absent: 1 minute.
    #[serde(default = "one_minute")]
    #[schemars(with = "String")]
    pub retry_after: Span,
    /// How long an answer is waited for. Absent: 3 seconds.
    #[serde(default = "three_seconds")]
    #[schemars(with = "String")]
    pub timeout: Span,
    /// How many calls a minute it may make. Absent: 30.
    #[serde(default = "thirty")]
    pub per_minute: u32,
}

fn ten_minutes() -> Span {
    Span(600_000)
}

fn one_minute() -> Span {
    Span(60_000)
}

fn three_seconds() -> Span {
    Span(3_000)
}

fn thirty() -> u32 {
    30
}

/// An address with facts in braces in its path: `https://gitlab.com/api/v4/namespaces/{namespace_id}`.
///
/// The host is fixed text. A fact fills in only where its value is a few letters, digits, `-` or `_`, so it can be
/// one segment of the path and never more.
#[derive(Debug, Clone)]
pub struct Template {
    text: String,
    /// The facts it needs.
    pub facts: Vec<String>,
}

impl Template {
    /// The address as written, braces and all.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The host, as in `gitlab.com`.
    pub fn host(&self) -> &str {
        host(&self.text).unwrap_or_default()
    }

    /// The address with every fact filled in; none where a value could be more than one segment.
    pub fn filled(&self, value: impl Fn(&str) -> Option<String>) -> Option<String> {
        let mut url = self.text.clone();
        for fact in &self.facts {
            let value = value(fact)?;
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if value.is_empty() || value.len() > 64 || !value.chars().all(plain) {
                return None;
            }
            url = url.replace(&format!("{{{fact}}}"), &value);
        }
        Some(url)
    }
}

fn host(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let (authority, _) = rest.split_once('/')?;
    Some(authority.split_once(':').map_or(authority, |(host, _)| host)).filter(|host| !host.is_empty())
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const SHAPE: &str =
            "write it like https://gitlab.com/api/v4/namespaces/{namespace_id}, facts in the path alone";
        let text = String::deserialize(deserializer)?;
        let wrong = || D::Error::custom(format!("`{text}` is no address for a lookup: {SHAPE}"));
        let fixed = host(&text).ok_or_else(wrong)?;
        if fixed.contains(['{', '}', '@', '%']) || text.contains(['?', '#']) {
            return Err(wrong());
        }
        let mut facts = Vec::new();
        let mut rest = text.as_str();
        while let Some((_, after)) = rest.split_once('{') {
            let (fact, after) = after.split_once('}').ok_or_else(wrong)?;
            facts.push(fact.to_owned());
            rest = after;
        }
        if rest.contains('}') || facts.is_empty() {
            return Err(wrong());
        }
        Ok(Template { text, facts })
    }
}
