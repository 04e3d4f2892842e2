//! `[reader]`: a server of embeddings by whose vectors words are read.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::Url;
use schemars::JsonSchema;
use serde::Deserialize;

use super::secret::Secret;
use crate::elsewhere::address::is_this_machine;
use crate::elsewhere::embeddings::EmbeddingsServer;

/// How long a call to the server may take.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The model it is asked for where none is named.
pub const USUAL_MODEL: &str = "multilingual-e5-small";

/// The server of embeddings: what people wrote on tickets is sent there.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReaderServer {
    /// Its address, as `OpenAI`'s route is: `http://127.0.0.1:8000/v1/embeddings`. Absent: nothing is sent, words are read by
    /// the built-in vectors.
    #[serde(default, deserialize_with = "super::some_text")]
    #[schemars(schema_with = "crate::config::schema::text_or_number")]
    pub url: Option<String>,
    /// The model it is asked for; vectors are kept by this name. Absent: `multilingual-e5-small`.
    #[serde(default = "usual_model", deserialize_with = "super::text")]
    #[schemars(schema_with = "crate::config::schema::text_or_number")]
    pub model: String,
    /// Sent as a bearer token. Absent: nothing is.
    #[schemars(with = "Option<String>")]
    pub token: Option<Secret>,
}

/// Which vectors one account's words are read by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AccountReader {
    /// Those made here: nothing of this account is sent to the server.
    BuiltIn,
}

impl Default for ReaderServer {
    fn default() -> ReaderServer {
        ReaderServer { url: None, model: usual_model(), token: None }
    }
}

fn usual_model() -> String {
    USUAL_MODEL.to_owned()
}

impl ReaderServer {
    /// Adds what serde cannot see.
    pub(super) fn validate(&self, faults: &mut Vec<String>) {
        let mut fault = |what: &str| faults.push(format!("reader.{what}"));
        if self.model.trim().is_empty() || self.model == crate::decide::reader::read::BUILT_IN {
            fault("model names none: give the name by which the server knows it");
        }
        if let Some(Err(error)) = self.address() {
            fault(&format!("url: {error}"));
        }
    }

    /// The server, its token read; none where none is named.
    ///
    /// # Errors
    /// A secret that is not there, or no address.
    pub fn open(&self, home: &Path) -> anyhow::Result<Option<EmbeddingsServer>> {
        let Some(url) = self.address().transpose().context("reader.url")? else { return Ok(None) };
        let token = self.token.as_ref().map(|token| token.read(home)).transpose().context("reader.token")?;
        let server = EmbeddingsServer::new(url, &self.model, token, PATIENCE);
        Ok(Some(server.context("the reader's server cannot be set up")?))
    }

    fn address(&self) -> Option<anyhow::Result<Url>> {
        let text = self.url.as_ref()?;
        let address = || match address(text) {
            Some(url) if self.token.is_some() && !is_safe(&url) => {
                bail!("this address is not https, and a token is sent there")
            }
            Some(url) => Ok(url),
            None => bail!("this is no address: write it like http://127.0.0.1:8000/v1/embeddings"),
        };
        Some(address())
    }
}

/// An address over HTTP.
pub fn address(text: &str) -> Option<Url> {
    text.parse::<Url>().ok().filter(|url| ["https", "http"].contains(&url.scheme()) && url.has_host())
}

/// Whether nobody between here and there can read along.
fn is_safe(url: &Url) -> bool {
    url.scheme() == "https" || url.host_str().is_some_and(is_this_machine)
}
