//! Secrets: the text itself, `env:NAME` or `file:PATH`.

use std::env::VarError;
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

/// The longest value that a message shows, characters: a word somebody chose from a list, or a span of time.
const SHORT: usize = 16;

/// What a parser says, without the values it shows: one that stands in the wrong place may be a secret.
pub(super) fn without_values(message: &str) -> String {
    let ending = message.rfind(", expected ").and_then(|at| message.get(at..)).unwrap_or_default();
    for begins in ["invalid type: ", "invalid value: "] {
        if let Some(rest) = message.strip_prefix(begins) {
            let kind = rest.split(['"', '`', ',']).next().unwrap_or_default().trim();
            return format!("{begins}{}{ending}", if kind == "string" { "a text" } else { kind });
        }
    }
    match message.strip_prefix("unknown variant `").and_then(|rest| rest.split_once('`')) {
        Some((value, _)) if value.chars().count() > SHORT => format!("unknown variant{ending}"),
        Some(_) | None => message.to_owned(),
    }
}

/// A value as a message shows it: itself where it is short, else nothing of it.
pub(super) fn short(value: &str) -> String {
    if value.chars().count() <= SHORT { format!("`{value}`") } else { "this text".into() }
}

/// The tables there are: their headers are shown, for they hold no value.
const TABLES: [&str; 11] =
    ["server", "store", "policy", "reader", "console", "work", "accounts", "lookups", "star_issues", "chat", "hours"];

/// The text of a configuration, for faults to be shown in, with stars over every value: a secret may stand anywhere, under
/// a misspelt key, in the wrong table, over several lines.
///
/// It goes by lines, for what is at fault may be that it is no TOML; places in the text stay what they are.
pub fn blotted(text: &str) -> String {
    let mut open = Open::default();
    let mut blotted = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let name = if open.is_nothing() { name(line) } else { 0 };
        let (name, value) = line.split_at_checked(name).unwrap_or(("", line));
        open.after(value);
        blotted.push_str(name);
        blotted.push_str(&stars(value));
    }
    blotted
}

/// How many bytes at a line's start are a table's header, or a key and its `=`.
fn name(line: &str) -> usize {
    let bare = |text: &str| text.chars().all(|it| it.is_ascii_alphanumeric() || "_-.".contains(it));
    let whole = line.trim_end();
    if let Some(header) = whole.trim_start().strip_prefix('[') {
        let header = header.trim_start_matches('[').trim_end_matches(']');
        let known = header.split('.').next().is_some_and(|table| TABLES.contains(&table.trim()));
        return if known && bare(header) && whole.ends_with(']') { whole.len() } else { 0 };
    }
    let Some((key, value)) = line.split_once('=') else { return 0 };
    // A secret in base64 by itself looks like a key without a value.
    let is_key =
        bare(key.trim()) && key.trim().len() <= 60 && !value.trim().is_empty() && !value.trim().starts_with('=');
    if is_key { key.len() + 1 } else { 0 }
}

/// What of a value is still open at a line's end.
#[derive(Default)]
struct Open {
    /// The quotes that end its text.
    text: Option<&'static str>,
    /// How many lists and tables it is within.
    lists: usize,
}

impl Open {
    fn is_nothing(&self) -> bool {
        self.text.is_none() && self.lists == 0
    }

    /// Reads on to the end of a line.
    fn after(&mut self, line: &str) {
        let mut rest = line;
        loop {
            if let Some(quotes) = self.text {
                let Some((_, after)) = rest.split_once(quotes) else { return };
                (self.text, rest) = (None, after);
                continue;
            }
            if let Some((quotes, after)) =
                ["\"\"\"", "'''"].into_iter().find_map(|quotes| Some((quotes, rest.strip_prefix(quotes)?)))
            {
                (self.text, rest) = (Some(quotes), after);
                continue;
            }
            let mut characters = rest.chars();
            match characters.next() {
                None | Some('#') => return,
                Some(quote @ ('"' | '\'')) => match closed(characters.as_str(), quote) {
                    Some(after) => {
                        rest = after;
                        continue;
                    }
                    None => return, // A text that is not ended is at fault, and ends with its line.
                },
                Some('[' | '{') => self.lists += 1,
                Some(']' | '}') => self.lists = self.lists.saturating_sub(1),
                Some(_) => {}
            }
            rest = characters.as_str();
        }
    }
}

/// What stands behind the end of a text.
fn closed(text: &str, quote: char) -> Option<&str> {
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' if quote == '"' => drop(characters.next()),
            _ if character == quote => return Some(characters.as_str()),
            _ => {}
        }
    }
    None
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
