//! A chat's incoming webhook, as Slack and Mattermost take it.

use std::time::Duration;

use reqwest::{Client, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::CallError;

/// One channel of a chat. Its address is a secret: whoever knows it may write there.
pub struct Chat {
    http: Client,
    webhook: SecretString,
}

impl Chat {
    /// The channel behind a webhook's address.
    ///
    /// # Errors
    /// TLS that cannot be set up.
    pub fn new(webhook: SecretString, patience: Duration) -> Result<Chat, reqwest::Error> {
        Ok(Chat { http: super::client(patience)?, webhook })
    }

    /// Says one message, `{"text": …}`.
    ///
    /// # Errors
    /// See [`CallError`]; a webhook cannot be asked what was said, so what is tried again after
    /// [`CallError::leaves_open`] may be said twice.
    pub async fn say(&self, text: &str) -> Result<(), CallError> {
        // Checked at start; and never shown, whatever is wrong with it.
        let url: Url = self.webhook.expose_secret().parse().map_err(|_| CallError::Unreachable("no address"))?;
        let sent = self.http.post(url).json(&json!({ "text": text })).send().await;
        super::well(sent.map_err(|error| CallError::unreachable(&error))?)?;
        Ok(())
    }
}
