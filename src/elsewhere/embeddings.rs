//! A server of embeddings, by `OpenAI`'s route: `POST {"model": …, "input": […]}` gives a vector for each text.
//!
//! Follows <https://platform.openai.com/docs/api-reference/embeddings>, as Ollama, vLLM, text-embeddings-inference and
//! llama.cpp have it too.

use std::time::Duration;

use reqwest::{Client, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::CallError;

/// The most texts of one call: no server of the four refuses so few.
const MOST: usize = 16;

/// The most bytes of one call, unless one text alone has more: a slow machine is to answer in time too.
const BYTES: usize = 3_000;

/// A server's address and what it is asked for.
#[derive(Debug)]
pub struct EmbeddingsServer {
    http: Client,
    url: Url,
    model: String,
    token: Option<SecretString>,
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Embedding>,
}

#[derive(Deserialize)]
struct Embedding {
    index: usize,
    embedding: Vec<f32>,
}

impl EmbeddingsServer {
    /// The server at `url`, asked for vectors of this model; a call is given up after `patience`.
    ///
    /// # Errors
    /// TLS that cannot be set up.
    pub fn new(
        url: Url,
        model: &str,
        token: Option<SecretString>,
        patience: Duration,
    ) -> Result<EmbeddingsServer, reqwest::Error> {
        Ok(EmbeddingsServer { http: super::client(patience)?, url, model: model.to_owned(), token })
    }

    /// The model's name.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Where it is.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// One call's vectors, in the order of the texts and all of one length.
    ///
    /// # Errors
    /// See [`CallError`]; an answer without a vector for each text, or with vectors that are none, is
    /// [`CallError::Unreadable`].
    pub async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, CallError> {
        let mut call = self.http.post(self.url.clone()).json(&json!({ "model": self.model, "input": texts }));
        if let Some(token) = &self.token {
            call = call.bearer_auth(token.expose_secret());
        }
        let sent = call.send().await.map_err(|error| CallError::unreachable(&error))?;
        let Answer { mut data } = super::read(super::well(sent)?).await?;
        data.sort_by_key(|one| one.index);
        let nonsense = |what: String| Err(CallError::Unreadable(what));
        if !data.iter().map(|one| one.index).eq(0..texts.len()) {
            return nonsense(format!("{} vectors for {} texts", data.len(), texts.len()));
        }
        let length = data.first().map_or(0, |one| one.embedding.len());
        for Embedding { embedding, .. } in &data {
            if embedding.len() != length {
                return nonsense(format!("vectors of {length} and of {} numbers", embedding.len()));
            }
            if !embedding.iter().all(|number| number.is_finite()) || embedding.iter().all(|number| *number == 0.0) {
                return nonsense("a vector that is none".to_owned());
            }
        }
        Ok(data.into_iter().map(|one| one.embedding).collect())
    }
}

/// Texts in batches that one call takes each.
pub fn batches(texts: Vec<String>) -> Vec<Vec<String>> {
    let mut batches: Vec<Vec<String>> = Vec::new();
    let mut bytes = 0;
    for text in texts {
        bytes += text.len();
        match batches.last_mut().filter(|batch| batch.len() < MOST && bytes <= BYTES) {
            Some(batch) => batch.push(text),
            None => {
                bytes = text.len();
                batches.push(vec![text]);
            }
        }
    }
    batches
}
