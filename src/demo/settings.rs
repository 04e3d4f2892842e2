//! What the stand-in helpdesk keeps of its settings.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::helpdesk::StandIn;
use super::shape::{AT, over};

/// When its settings were made.
pub(super) const MADE: &str = "2026-01-01T00:00:00Z";

/// Webhooks and triggers by id, and what is told of deliveries.
#[derive(Default)]
pub(super) struct Settings {
    webhooks: BTreeMap<String, Json>,
    triggers: BTreeMap<String, Json>,
    invocations: Vec<Json>,
}

impl StandIn {
    /// Every webhook.
    pub fn webhooks(&self) -> Vec<Json> {
        self.lock().settings.webhooks.values().cloned().collect()
    }

    /// Every trigger.
    pub fn triggers(&self) -> Vec<Json> {
        self.lock().settings.triggers.values().cloned().collect()
    }

    /// Adds a webhook as somebody at the helpdesk would; as it is kept.
    pub fn add_webhook(&self, webhook: Json) -> Json {
        let id = format!("01STANDIN{}", self.fresh_id());
        let made = over(
            json!({ "id": id, "status": "active", "authentication": null, "custom_headers": null, "description": null,
            "created_at": MADE, "created_by": "9001", "updated_at": MADE, "updated_by": "9001", "external_source": null }),
            &webhook,
        );
        self.lock().settings.webhooks.insert(id, made.clone());
        made
    }

    /// Adds a trigger as somebody at the helpdesk would; as it is kept.
    pub fn add_trigger(&self, trigger: Json) -> Json {
        let id = self.fresh_id();
        let made = over(
            json!({ "id": id, "url": format!("{AT}/api/v2/triggers/{id}.json"), "active": true, "default": false, "description": null, "position": 1,
            "raw_title": trigger.get("title"), "category_id": "1", "created_at": MADE, "updated_at": MADE }),
            &trigger,
        );
        self.lock().settings.triggers.insert(id.to_string(), made.clone());
        made
    }

    /// Changes keys of a webhook; none where there is no such.
    pub fn change_webhook(&self, id: &str, change: &Json) -> Option<Json> {
        let mut held = self.lock();
        let webhook = held.settings.webhooks.get_mut(id)?;
        *webhook = over(webhook.clone(), change);
        Some(webhook.clone())
    }

    /// Changes keys of a trigger; none where there is no such.
    pub fn change_trigger(&self, id: &str, change: &Json) -> Option<Json> {
        let mut held = self.lock();
        let trigger = held.settings.triggers.get_mut(id)?;
        *trigger = over(trigger.clone(), change);
        Some(trigger.clone())
    }

    /// Puts an outcome among what is told of every webhook's deliveries.
    pub fn add_invocation(&self, invocation: &Json) {
        let id = self.fresh_id().to_string();
        let whole = json!({ "id": id, "attempts_count": 1, "created_at": MADE, "latest_completed_at": MADE });
        self.lock().settings.invocations.push(over(whole, invocation));
    }

    pub(super) fn webhook(&self, id: &str) -> Option<Json> {
        self.lock().settings.webhooks.get(id).cloned()
    }

    pub(super) fn remove_webhook(&self, id: &str) -> Option<Json> {
        self.lock().settings.webhooks.remove(id)
    }

    pub(super) fn remove_trigger(&self, id: &str) -> Option<Json> {
        self.lock().settings.triggers.remove(id)
    }

    pub(super) fn invocations(&self) -> Vec<Json> {
        self.lock().settings.invocations.clone()
    }
}
