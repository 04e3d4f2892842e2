//! What is to be done at the helpdesk so that it tells us of starred tickets: from how things stand to the steps.
//!
//! What we made is known by its name, which holds the account's; whatever is named otherwise is never touched.

use std::fmt;

use serde_json::{Value as Json, json};

use crate::helpdesk::settings::{BY_TRIGGER, Trigger, Webhook};

/// Events that can star a ticket, that can change a decision, or after which words are to be forgotten.
const EVENTS: [&str; 17] = [
    "zen:event-type:ticket.tags_changed",
    "zen:event-type:ticket.comment_added",
    "zen:event-type:ticket.status_changed",
    "zen:event-type:ticket.form_changed",
    "zen:event-type:ticket.custom_field_changed",
    "zen:event-type:ticket.organization_changed",
    "zen:event-type:ticket.created",
    "zen:event-type:ticket.merged",
    "zen:event-type:ticket.undeleted",
    "zen:event-type:ticket.requester_changed",
    "zen:event-type:ticket.subject_changed",
    "zen:event-type:ticket.description_changed",
    "zen:event-type:ticket.comment_made_private",
    "zen:event-type:ticket.comment_redacted",
    "zen:event-type:ticket.attachment_redacted_from_comment",
    "zen:event-type:ticket.soft_deleted",
    "zen:event-type:ticket.permanently_deleted",
];

/// The condition of a trigger that names who changed the ticket.
const BY_WHOM: &str = "role";

/// How the helpdesk tells us of tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// By a trigger on starred tickets.
    ByTrigger,
    /// Of every ticket's events.
    ByEvents,
}

/// What there should be.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub webhook: Webhook,
    pub told: Told,
    star_tags: Vec<String>,
    title: String,
    /// Our own user, whose changes are no news; none where that is left open.
    us: Option<u64>,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    RemoveTrigger(Trigger),
    RemoveWebhook(Webhook),
    MakeWebhook,
    MendWebhook(Webhook, Vec<&'static str>),
    MakeTrigger,
    MendTrigger(Trigger, Vec<&'static str>),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::RemoveTrigger(trigger) => write!(f, "remove the trigger \"{}\" ({})", trigger.title, trigger.id),
            Step::RemoveWebhook(webhook) => write!(f, "remove the webhook \"{}\" ({})", webhook.name, webhook.id),
            Step::MakeWebhook => write!(f, "make the webhook"),
            Step::MendWebhook(webhook, what) => {
                write!(f, "mend the webhook \"{}\" ({}): {}", webhook.name, webhook.id, what.join(", "))
            }
            Step::MakeTrigger => write!(f, "make the trigger"),
            Step::MendTrigger(trigger, what) => {
                write!(f, "mend the trigger \"{}\" ({}): {}", trigger.title, trigger.id, what.join(", "))
            }
        }
    }
}

impl Wanted {
    /// For deliveries to `public_url` on an account's starred tickets.
    pub(crate) fn new(account: &str, public_url: &str, star_tags: Vec<String>, told: Told, us: Option<u64>) -> Wanted {
        let webhook = Webhook {
            id: String::new(),
            name: format!("starwarden {account}"),
            description: Some("Made by starwarden setup, which mends it and with --remove takes it away.".into()),
            endpoint: format!("{}/webhooks/zendesk/{account}", public_url.trim_end_matches('/')),
            status: "active".into(),
            http_method: "POST".into(),
            request_format: "json".into(),
            subscriptions: match told {
                Told::ByTrigger => vec![BY_TRIGGER.into()],
                Told::ByEvents => EVENTS.map(str::to_owned).to_vec(),
            },
        };
        Wanted { webhook, told, star_tags, title: format!("starwarden {account}: tell of starred tickets"), us }
    }

    /// The trigger, once the webhook's id is known.
    pub(crate) fn trigger(&self, webhook: &str) -> Trigger {
        let body = r#"{"ticket_id": "{{ticket.id}}"}"#;
        let mut all = vec![
            json!({ "field": "current_tags", "operator": "includes", "value": self.star_tags.join(" ") }),
            json!({ "field": "status", "operator": "less_than", "value": "solved" }),
        ];
        all.extend(self.us.map(|us| json!({ "field": BY_WHOM, "operator": "is_not", "value": us.to_string() })));
        Trigger {
            id: 0,
            title: self.title.clone(),
            active: true,
            conditions: json!({ "all": all, "any": [] }),
            actions: json!([{ "field": "notification_webhook", "value": [webhook, body] }]),
        }
    }

    /// Our webhooks among these; more than one only where somebody copied it.
    pub(crate) fn own<'a>(&self, webhooks: &'a [Webhook]) -> Vec<&'a Webhook> {
        webhooks.iter().filter(|webhook| webhook.name == self.webhook.name).collect()
    }

    /// Our triggers among these.
    pub(crate) fn own_triggers<'a>(&self, triggers: &'a [Trigger]) -> Vec<&'a Trigger> {
        triggers.iter().filter(|trigger| trigger.title == self.title).collect()
    }

    /// A webhook of somebody else's that sends to the same place: a second beside it would tell everything twice.
    pub(crate) fn rival<'a>(&self, webhooks: &'a [Webhook]) -> Option<&'a Webhook> {
        webhooks.iter().find(|it| it.endpoint == self.webhook.endpoint && it.name != self.webhook.name)
    }

    /// What is to be done so that there is all of it, once; nothing where all is as it should be.
    pub(crate) fn steps(&self, webhooks: &[Webhook], triggers: &[Trigger]) -> Vec<Step> {
        let mut steps = Vec::new();
        // Whether triggers or events tell a webhook cannot be changed: one of the other kind is made anew.
        let (kept, wrong): (Vec<_>, Vec<_>) =
            self.own(webhooks).into_iter().partition(|it| it.by_trigger() == self.webhook.by_trigger());
        let copies = kept.iter().skip(1).chain(&wrong);
        let own_triggers = self.own_triggers(triggers);
        let (first, rest) = match self.told {
            Told::ByTrigger => (own_triggers.first(), own_triggers.get(1..).unwrap_or_default()),
            Told::ByEvents => (None, own_triggers.as_slice()),
        };
        steps.extend(rest.iter().map(|trigger| Step::RemoveTrigger((*trigger).clone())));
        match kept.first() {
            None => steps.push(Step::MakeWebhook),
            Some(webhook) => {
                let what = self.amiss(webhook);
                if !what.is_empty() {
                    steps.push(Step::MendWebhook((*webhook).clone(), what));
                }
            }
        }
        match (self.told, first) {
            (Told::ByEvents, _) => {}
            (Told::ByTrigger, None) => steps.push(Step::MakeTrigger),
            (Told::ByTrigger, Some(trigger)) => {
                let id = kept.first().map_or("", |webhook| webhook.id.as_str());
                let what = self.trigger_amiss(trigger, id);
                if !what.is_empty() {
                    steps.push(Step::MendTrigger((*trigger).clone(), what));
                }
            }
        }
        // Last, when no trigger sends to them any more.
        steps.extend(copies.map(|webhook| Step::RemoveWebhook((*webhook).clone())));
        steps
    }

    /// What is to be done so that nothing of ours is left.
    pub(crate) fn removal(&self, webhooks: &[Webhook], triggers: &[Trigger]) -> Vec<Step> {
        let triggers = self.own_triggers(triggers).into_iter().cloned().map(Step::RemoveTrigger);
        triggers.chain(self.own(webhooks).into_iter().cloned().map(Step::RemoveWebhook)).collect()
    }

    /// What about our webhook is not as it should be.
    pub(crate) fn amiss(&self, webhook: &Webhook) -> Vec<&'static str> {
        let wanted = &self.webhook;
        let sorted = |webhook: &Webhook| {
            let mut subscriptions = webhook.subscriptions.clone();
            subscriptions.sort();
            subscriptions
        };
        let all = [
            ("endpoint", webhook.endpoint == wanted.endpoint),
            ("status", webhook.status == wanted.status),
            ("method", webhook.http_method == wanted.http_method),
            ("format", webhook.request_format == wanted.request_format),
            ("subscriptions", sorted(webhook) == sorted(wanted)),
        ];
        all.into_iter().filter(|(_, right)| !right).map(|(what, _)| what).collect()
    }

    /// What about our trigger is not as it should be.
    pub(crate) fn trigger_amiss(&self, trigger: &Trigger, webhook: &str) -> Vec<&'static str> {
        let wanted = self.trigger(webhook);
        let all = [
            ("not active", trigger.active),
            ("conditions", self.fits(&trigger.conditions, &wanted.conditions)),
            ("actions", trigger.actions == wanted.actions),
        ];
        all.into_iter().filter(|(_, right)| !right).map(|(what, _)| what).collect()
    }

    /// Whether conditions are those that are wanted; where it is left open who we are, whoever they leave out.
    fn fits(&self, given: &Json, wanted: &Json) -> bool {
        let mut given = given.clone();
        if let (None, Some(all)) = (self.us, given.get_mut("all").and_then(Json::as_array_mut)) {
            all.retain(|condition| condition.get("field").and_then(Json::as_str) != Some(BY_WHOM));
        }
        given == *wanted
    }

    /// The same for a helpdesk that knows no condition on who changed a ticket.
    pub(crate) fn of_whomever(&self) -> Wanted {
        Wanted { us: None, ..self.clone() }
    }
}
