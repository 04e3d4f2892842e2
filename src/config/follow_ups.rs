//! What a decision brings about elsewhere: `[star_issues]` and `[chat]`, each off unless it is there.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use schemars::JsonSchema;
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::secret::Secret;
use crate::elsewhere::address::secrets_may_go_to;
use crate::elsewhere::chat::Chat;
use crate::elsewhere::gitlab::GitLab;

/// The GitLab project that has the STAR issues.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StarIssues {
    /// The GitLab it is in: `https://gitlab.com`.
    pub gitlab: String,
    /// The project, as `group/project` or by its number.
    #[serde(deserialize_with = "super::text")]
    #[schemars(schema_with = "crate::config::schema::text_or_number")]
    pub project: String,
    /// Who we are there: a token that may read and write the project's issues.
    #[schemars(with = "String")]
    pub token: Secret,
    /// The label that an issue gets. Absent: `unstarred`.
    #[serde(default = "unstarred", deserialize_with = "super::text")]
    #[schemars(schema_with = "crate::config::schema::text_or_number")]
    pub label: String,
}

/// A chat's channel.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChatChannel {
    /// An incoming webhook as Slack and Mattermost take it, a secret: whoever knows it may write there.
    #[schemars(with = "String")]
    pub webhook_url: Secret,
}

fn unstarred() -> String {
    "unstarred".into()
}

impl StarIssues {
    /// Adds what serde cannot see.
    pub(super) fn validate(&self, faults: &mut Vec<String>) {
        let mut fault = |what: &str| faults.push(format!("star_issues.{what}"));
        if let Err(error) = secrets_may_go_to(&self.gitlab) {
            fault(&format!("gitlab: {error}"));
        }
        if self.project.trim_matches('/').is_empty() || self.project.contains("://") {
            fault("project names none: write it like group/project, or give its number");
        }
        if self.label.trim().is_empty() || self.label.contains([',', '"', '\n']) {
            fault("label is not one label: leave it out for `unstarred`");
        }
    }

    /// The project, its token read; a call to it is given up after `patience`.
    ///
    /// # Errors
    /// A secret that is not there.
    pub fn open(&self, home: &Path, patience: Duration) -> anyhow::Result<GitLab> {
        let token = self.token.read(home).context("star_issues.token")?;
        let gitlab = secrets_may_go_to(&self.gitlab).context("star_issues.gitlab")?;
        GitLab::new(gitlab, self.project.trim_matches('/'), token, patience).context("star_issues cannot be set up")
    }
}

impl ChatChannel {
    /// The channel, its address read; a call to it is given up after `patience`.
    ///
    /// # Errors
    /// A secret that is not there or no address.
    pub fn open(&self, home: &Path, patience: Duration) -> anyhow::Result<Chat> {
        let url = self.webhook_url.read(home).context("chat.webhook_url")?;
        secrets_may_go_to(url.expose_secret()).context("chat.webhook_url")?;
        Chat::new(url, patience).context("chat cannot be set up")
    }
}
