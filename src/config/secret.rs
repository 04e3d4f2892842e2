//! Secrets: the text itself, `env:NAME` or `file:PATH`.

use std::env::VarError;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de::Error};

/// What is in the names of keys that hold secrets.
const NAMES: [&str; 4] = ["secret", "token", "password", "webhook_url"];

/// A secret as configured; read with [`Secret::read`] where it is needed. Its text is never shown.
#[derive(Debug, Clone)]
pub struct Secret(SecretString);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        // Not by serde's own error, which would show the value.
        let value = toml::Value::deserialize(deserializer)?;
        let text = value
            .as_str()
            .ok_or_else(|| D::Error::custom("a secret is a text: put it in quotes, or write env:NAME or file:PATH"))?;
        Ok(Secret(text.into()))
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Secret) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }
}

impl Eq for Secret {}

impl From<&str> for Secret {
    fn from(text: &str) -> Secret {
        Secret(text.into())
    }
}

/// One secret, or a list of them.
pub(super) fn one_or_several<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Secret>, D::Error> {
    let told = |_| D::Error::custom("give a secret in quotes, or a list of them; each may be env:NAME or file:PATH");
    let given = toml::Value::deserialize(deserializer)?;
    let several = given.as_array().cloned().unwrap_or_else(|| vec![given]);
    several.into_iter().map(|one| Secret::deserialize(one).map_err(told)).collect()
}

/// Whether a key of the configuration holds a secret, by its name.
pub(super) fn is_named(key: &str) -> bool {
    NAMES.iter().any(|name| key.contains(name))
}

/// What a parser says, without the texts it shows: one that stands in the wrong place may be a secret.
pub(super) fn without_values(message: &str) -> String {
    let shown = ["invalid type: string ", "invalid value: string "].iter().find(|begins| message.starts_with(**begins));
    match (shown, message.rfind(", expected ")) {
        (Some(begins), Some(rest)) => {
            format!(
                "{} a text{}",
                begins.trim_end_matches("string ").trim_end(),
                message.get(rest..).unwrap_or_default()
            )
        }
        _ => message.to_owned(),
    }
}

/// The text of a configuration, for faults to be shown in, with stars where a secret stands in it.
///
/// It goes by lines, for what is at fault may be that it is no TOML; places in the text stay what they are.
pub fn blotted(text: &str) -> String {
    let mut open = false; // Within a secret's list or long text.
    let mut blotted = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let low = line.to_ascii_lowercase();
        let named = NAMES.iter().filter_map(|word| low.find(word)).min();
        let from = match (open, named) {
            (true, _) => Some(0),
            (false, Some(word)) => line.get(word..).and_then(|rest| rest.find('=')).map(|equals| word + equals + 1),
            (false, None) => low.find("://").filter(|at| low.get(*at..).is_some_and(|rest| rest.contains('@'))),
        };
        let (kept, value) = line.split_at(from.unwrap_or(line.len()));
        open = match open {
            true => !value.contains(']') && !value.contains("\"\"\""),
            false => (value.contains('[') && !value.contains(']')) || value.matches("\"\"\"").count() == 1,
        };
        blotted.push_str(kept);
        let elsewhere = value.split(',').all(|part| part.contains("\"env:") || part.contains("\"file:"));
        match elsewhere {
            true => blotted.push_str(value),
            false => blotted.push_str(&stars(value)),
        }
    }
    blotted
}

/// The text with stars over one part of it.
pub(super) fn starred(text: &str, part: Range<usize>) -> String {
    match (text.get(..part.start), text.get(part.clone()), text.get(part.end..)) {
        (Some(before), Some(value), Some(after)) => format!("{before}{}{after}", stars(value)),
        _ => stars(text),
    }
}

/// As many stars as bytes, so that places stay what they are.
fn stars(value: &str) -> String {
    value.bytes().map(|byte| if byte.is_ascii_whitespace() { char::from(byte) } else { '*' }).collect()
}

impl Secret {
    /// The secret itself; a file's path is relative to `home`, and white space around its text is left out.
    ///
    /// # Errors
    /// A variable that is not set, a file that cannot be read, or an empty secret.
    pub fn read(&self, home: &Path) -> anyhow::Result<SecretString> {
        let text = self.0.expose_secret();
        let secret = if let Some(name) = text.strip_prefix("env:") {
            match std::env::var(name) {
                Ok(secret) => secret,
                Err(VarError::NotPresent) => bail!("the environment variable {name} is not set"),
                Err(VarError::NotUnicode(_)) => bail!("the environment variable {name} is no text"),
            }
        } else if let Some(path) = self.file(home) {
            let read = std::fs::read_to_string(&path);
            read.with_context(|| format!("the secret file {} cannot be read", path.display()))?.trim().to_owned()
        } else {
            text.to_owned()
        };
        if secret.is_empty() {
            bail!("a secret is empty");
        }
        Ok(secret.into())
    }

    /// The same, where a file's path is not relative to `home` any more.
    pub(super) fn beside(&self, home: &Path) -> Secret {
        match self.file(home) {
            Some(path) => Secret(format!("file:{}", path.display()).into()),
            None => self.clone(),
        }
    }

    /// Whether the configuration has the text itself.
    pub(super) fn is_here(&self) -> bool {
        let text = self.0.expose_secret();
        !text.starts_with("env:") && !text.starts_with("file:")
    }

    /// The environment variable it is kept in, if it is kept in one.
    pub fn variable(&self) -> Option<&str> {
        self.0.expose_secret().strip_prefix("env:")
    }

    /// The file it is kept in, if it is kept in one.
    pub fn file(&self, home: &Path) -> Option<PathBuf> {
        self.0.expose_secret().strip_prefix("file:").map(|path| home.join(path))
    }
}
