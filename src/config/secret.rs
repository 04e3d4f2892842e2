//! Secrets: the text itself, `env:NAME` or `file:PATH`.

use std::path::Path;

use anyhow::{Context, bail};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// A secret as configured; read with [`Secret::read`] where it is needed. Its text is never shown.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct Secret(SecretString);

impl Secret {
    /// The secret itself; a file's path is relative to `home`, and white space around its text is left out.
    ///
    /// # Errors
    /// A variable that is not set, a file that cannot be read, or an empty secret.
    pub fn read(&self, home: &Path) -> anyhow::Result<SecretString> {
        let text = self.0.expose_secret();
        let secret = if let Some(name) = text.strip_prefix("env:") {
            std::env::var(name).with_context(|| format!("the environment variable {name} is not set"))?
        } else if let Some(path) = text.strip_prefix("file:") {
            let path = home.join(path);
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
}
