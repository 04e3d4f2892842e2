//! The helpdesk's own settings: webhooks, triggers, forms, fields and tags, as the API's pages on them have it.

use chrono::{DateTime, Utc};
use reqwest::Method;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::client::{Helpdesk, read};
use super::error::CallError;

/// How many pages of a list are read at most, a hundred a page.
const MOST_PAGES: usize = 50;

/// A webhook that is told by triggers has this for its subscriptions.
pub const BY_TRIGGER: &str = "conditional_ticket_events";

/// A webhook, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Its id; empty for one that is still to be made.
    #[serde(default, skip_serializing)]
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it is for, in a sentence.
    #[serde(default)]
    pub description: Option<String>,
    /// Where it sends deliveries.
    pub endpoint: String,
    /// `active` or `inactive`.
    pub status: String,
    /// `POST`, here.
    pub http_method: String,
    /// `json`, here.
    pub request_format: String,
    /// [`BY_TRIGGER`] alone, or the events it is told of.
    #[serde(default)]
    pub subscriptions: Vec<String>,
}

impl Webhook {
    /// Whether triggers tell it; otherwise events do. It cannot be changed later.
    pub fn by_trigger(&self) -> bool {
        self.subscriptions.iter().any(|subscription| subscription == BY_TRIGGER)
    }
}

/// A trigger, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct Trigger {
    /// Its id; 0 for one that is still to be made.
    #[serde(default, skip_serializing)]
    pub id: u64,
    /// What people call it.
    pub title: String,
    /// Whether it is used.
    pub active: bool,
    /// When it fires.
    pub conditions: Json,
    /// What it does then.
    pub actions: Json,
}

/// What became of one delivery, as the helpdesk tells it for seven days.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Invocation {
    /// Its id.
    #[serde(default)]
    pub id: String,
    /// `success`, `accepted`, or what went wrong in a word or two.
    #[serde(default)]
    pub status: Option<String>,
    /// What we answered, where the list says so.
    #[serde(default)]
    pub status_code: Option<u16>,
    /// When it was begun.
    #[serde(default)]
    pub created_at: Option<DateTime<Utc>>,
}

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    /// We took it.
    Through,
    /// It is under way.
    UnderWay,
    /// It did not come through.
    Failed(Failure),
}

/// Why a delivery did not come through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// We answered, and refused it.
    Refused,
    /// We answered that we could not.
    Unable,
    /// We did not answer in time.
    TimedOut,
    /// Nothing is sent for a while, because too much failed.
    CircuitBroken,
    /// The helpdesk sends no more than so many a minute.
    Throttled,
    /// It failed, and more is not said.
    Unsaid,
    /// A word that is not known here.
    Other(String),
}

impl Invocation {
    /// What became of it; the helpdesk writes its words with a blank or an underscore.
    pub fn came(&self) -> Came {
        let word = self.status.as_deref().unwrap_or("unknown").to_lowercase().replace([' ', '-'], "_");
        match word.as_str() {
            "success" => Came::Through,
            "accepted" | "pending" | "queued" => Came::UnderWay,
            "client_error" => Came::Failed(Failure::Refused),
            "server_error" => Came::Failed(Failure::Unable),
            "timeout" => Came::Failed(Failure::TimedOut),
            "circuit_broken" => Came::Failed(Failure::CircuitBroken),
            "throttled" => Came::Failed(Failure::Throttled),
            "failed" | "unknown" => match self.status_code {
                Some(400..500) => Came::Failed(Failure::Refused),
                Some(500..) => Came::Failed(Failure::Unable),
                Some(_) | None => Came::Failed(Failure::Unsaid),
            },
            _ => Came::Failed(Failure::Other(word.chars().filter(|c| !c.is_control()).take(40).collect())),
        }
    }
}

#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    id: u64,
    #[serde(default = "yes")]
    active: bool,
    #[serde(default)]
    name: String,
}

fn yes() -> bool {
    true
}

impl Helpdesk {
    /// Every webhook, `GET /api/v2/webhooks`.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn webhooks(&self) -> Result<Vec<Webhook>, CallError> {
        self.all("/api/v2/webhooks", "webhooks").await
    }

    /// Every trigger, `GET /api/v2/triggers`.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn triggers(&self) -> Result<Vec<Trigger>, CallError> {
        self.all("/api/v2/triggers", "triggers").await
    }

    /// Ids of the forms in use, `GET /api/v2/ticket_forms`.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn forms(&self) -> Result<Vec<u64>, CallError> {
        let all: Vec<Named> = self.all("/api/v2/ticket_forms", "ticket_forms").await?;
        Ok(all.into_iter().filter(|form| form.active).map(|form| form.id).collect())
    }

    /// Ids of the fields in use, `GET /api/v2/ticket_fields`.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn fields(&self) -> Result<Vec<u64>, CallError> {
        let all: Vec<Named> = self.all("/api/v2/ticket_fields", "ticket_fields").await?;
        Ok(all.into_iter().filter(|field| field.active).map(|field| field.id).collect())
    }

    /// Tags seen on tickets of the last 60 days, `GET /api/v2/tags`.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn tags(&self) -> Result<Vec<String>, CallError> {
        let all: Vec<Named> = self.all("/api/v2/tags", "tags").await?;
        Ok(all.into_iter().map(|tag| tag.name).collect())
    }

    /// What became of a webhook's newest hundred deliveries, `GET /api/v2/webhooks/{id}/invocations`.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn invocations(&self, webhook: &str) -> Result<Vec<Invocation>, CallError> {
        let url = self.url(&format!("/api/v2/webhooks/{webhook}/invocations"), &[("page[size]", "100")])?;
        let mut page: Json = read(self.call(Method::GET, &url, None).await?).await?;
        let mut invocations: Vec<Invocation> = items("invocations", page.get_mut("invocations").map(Json::take))?;
        invocations.sort_by_key(|invocation| std::cmp::Reverse(invocation.created_at)); // Stable: without dates as it is.
        Ok(invocations)
    }

    /// What we answered to the last attempt of a delivery, `GET /api/v2/webhooks/{id}/invocations/{id}/attempts`; none where
    /// we did not answer.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn answered(&self, webhook: &str, invocation: &str) -> Result<Option<u16>, CallError> {
        let url = self.url(&format!("/api/v2/webhooks/{webhook}/invocations/{invocation}/attempts"), &[])?;
        let page: Json = read(self.call(Method::GET, &url, None).await?).await?;
        let attempts = page.get("attempts").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default().iter();
        let status = |attempt: &Json| attempt.get("response_code").or(attempt.get("status_code"))?.as_u64();
        Ok(attempts.rev().find_map(status).and_then(|status| u16::try_from(status).ok()))
    }

    /// What a webhook signs with, `GET /api/v2/webhooks/{id}/signing_secret`.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn signing_secret(&self, webhook: &str) -> Result<SecretString, CallError> {
        #[derive(Deserialize)]
        struct Answer {
            signing_secret: Secret,
        }
        #[derive(Deserialize)]
        struct Secret {
            secret: SecretString,
        }
        let url = self.url(&format!("/api/v2/webhooks/{webhook}/signing_secret"), &[])?;
        let answer: Answer = read(self.call(Method::GET, &url, None).await?).await?;
        Ok(answer.signing_secret.secret)
    }

    /// Makes a webhook, `POST /api/v2/webhooks`; gives its id.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn make_webhook(&self, webhook: &Webhook) -> Result<String, CallError> {
        let url = self.url("/api/v2/webhooks", &[])?;
        let made: Json = read(self.call(Method::POST, &url, Some(&json!({ "webhook": webhook }))).await?).await?;
        let id = made.pointer("/webhook/id").and_then(Json::as_str);
        id.map(str::to_owned).ok_or_else(|| CallError::Unreadable("the new webhook has no id".into()))
    }

    /// Brings a webhook to what it should be, `PATCH /api/v2/webhooks/{id}`.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn mend_webhook(&self, id: &str, webhook: &Webhook) -> Result<(), CallError> {
        let url = self.url(&format!("/api/v2/webhooks/{id}"), &[])?;
        self.call(Method::PATCH, &url, Some(&json!({ "webhook": webhook }))).await.map(drop)
    }

    /// Takes a webhook away, `DELETE /api/v2/webhooks/{id}`.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn remove_webhook(&self, id: &str) -> Result<(), CallError> {
        let url = self.url(&format!("/api/v2/webhooks/{id}"), &[])?;
        self.call(Method::DELETE, &url, None).await.map(drop)
    }

    /// Makes a trigger, `POST /api/v2/triggers`.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn make_trigger(&self, trigger: &Trigger) -> Result<(), CallError> {
        let url = self.url("/api/v2/triggers", &[])?;
        self.call(Method::POST, &url, Some(&json!({ "trigger": trigger }))).await.map(drop)
    }

    /// Brings a trigger to what it should be, `PUT /api/v2/triggers/{id}`.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn mend_trigger(&self, id: u64, trigger: &Trigger) -> Result<(), CallError> {
        let url = self.url(&format!("/api/v2/triggers/{id}"), &[])?;
        self.call(Method::PUT, &url, Some(&json!({ "trigger": trigger }))).await.map(drop)
    }

    /// Takes a trigger away, `DELETE /api/v2/triggers/{id}`.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn remove_trigger(&self, id: u64) -> Result<(), CallError> {
        let url = self.url(&format!("/api/v2/triggers/{id}"), &[])?;
        self.call(Method::DELETE, &url, None).await.map(drop)
    }

    /// All items of a list, page after page.
    async fn all<T: serde::de::DeserializeOwned>(&self, path: &str, key: &str) -> Result<Vec<T>, CallError> {
        let mut next = Some(self.url(path, &[("page[size]", "100")])?);
        let mut all = Vec::new();
        for _ in 0..MOST_PAGES {
            let Some(url) = next.take() else { break };
            let mut page: Json = read(self.call(Method::GET, &url, None).await?).await?;
            all.extend(items(key, page.get_mut(key).map(Json::take))?);
            let more = page.pointer("/meta/has_more").and_then(Json::as_bool).unwrap_or(true);
            let link = page.pointer("/links/next").or(page.get("next_page")).and_then(Json::as_str);
            next = self.next_page(&url, link.filter(|_| more))?;
        }
        Ok(all)
    }
}

/// The items of a list. It holds other people's items too: one that cannot be read is passed over, and named in the log.
fn items<T: serde::de::DeserializeOwned>(key: &str, list: Option<Json>) -> Result<Vec<T>, CallError> {
    let Some(Json::Array(list)) = list else {
        return Err(CallError::Unreadable(format!("{key} is not in it")));
    };
    let mut items = Vec::with_capacity(list.len());
    for (index, item) in list.into_iter().enumerate() {
        match serde_path_to_error::deserialize(item) {
            Ok(item) => items.push(item),
            Err(error) => {
                let place = format!("{key}[{index}].{}", error.path());
                tracing::warn!(place, "an item of the helpdesk's settings cannot be read and is passed over");
            }
        }
    }
    Ok(items)
}
