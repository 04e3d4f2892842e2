//! Secrets: the text itself, `env:NAME` or `file:PATH`.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de::Error};

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

/// The text of a configuration, for faults to be shown in, with stars where a secret stands in it.
///
/// It goes by lines, for what is at fault may be that it is no TOML; places in the text stay what they are.
pub fn blotted(text: &str) -> String {
    let mut open = false; // Within a secret's list or long text.
    let mut blotted = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let low = line.to_ascii_lowercase();
        let named = ["secret", "token", "password"].iter().filter_map(|word| low.find(word)).min();
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
            false => blotted
                .extend(value.bytes().map(|byte| if byte.is_ascii_whitespace() { char::from(byte) } else { '*' })),
        }
    }
    blotted
}

impl Secret {
    /// The secret itself; a file's path is relative to `home`, and white space around its text is left out.
    ///
    /// # Errors
    /// A variable that is not set, a file that cannot be read, or an empty secret.
    pub fn read(&self, home: &Path) -> anyhow::Result<SecretString> {
        let text = self.0.expose_secret();
        let secret = if let Some(name) = text.strip_prefix("env:") {
            std::env::var(name).with_context(|| format!("the environment variable {name} is not set"))?
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

    /// The environment variable it is kept in, if it is kept in one.
    pub fn variable(&self) -> Option<&str> {
        self.0.expose_secret().strip_prefix("env:")
    }

    /// The file it is kept in, if it is kept in one.
    pub fn file(&self, home: &Path) -> Option<PathBuf> {
        self.0.expose_secret().strip_prefix("file:").map(|path| home.join(path))
    }
}
