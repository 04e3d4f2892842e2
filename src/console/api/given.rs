//! What `POST /api/v1/decide` takes, as the document describes it; [`crate::work::line::Line`] reads it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value as Json;
use utoipa::ToSchema;

use crate::policy::Policy;
use crate::policy::decision::Decision;

/// A ticket with what is known besides.
#[derive(Serialize, ToSchema)]
pub(super) struct Given {
    /// Comes back with the decision. Absent: the ticket's number.
    id: Option<String>,
    /// When it is decided. Absent: now.
    now: Option<DateTime<Utc>>,
    /// The ticket as the helpdesk's API gives it. Absent: only the facts are asked.
    ticket: Option<GivenTicket>,
    /// Its comments, in any order.
    comments: Option<Vec<GivenComment>>,
    /// The requester's organisation.
    organization: Option<GivenOrganization>,
    /// People named in the above.
    users: Option<Vec<GivenUser>>,
    /// Facts that stand above every other source, by the policy's names.
    facts: Option<BTreeMap<String, Option<String>>>,
}

/// What of a ticket is read; the rest is passed over.
#[derive(Serialize, ToSchema)]
pub(super) struct GivenTicket {
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    id: i64,
    subject: Option<String>,
    description: Option<String>,
    status: Option<String>,
    tags: Option<Vec<String>>,
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    ticket_form_id: Option<i64>,
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    organization_id: Option<i64>,
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    requester_id: Option<i64>,
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    assignee_id: Option<i64>,
    custom_fields: Option<Vec<GivenField>>,
    created_at: Option<DateTime<Utc>>,
    updated_at: Option<DateTime<Utc>>,
}

/// A custom field's value.
#[derive(Serialize, ToSchema)]
pub(super) struct GivenField {
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    id: i64,
    #[schema(value_type = Option<Value>)]
    value: Json,
}

/// What of a comment is read.
#[derive(Serialize, ToSchema)]
pub(super) struct GivenComment {
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    author_id: Option<i64>,
    plain_body: Option<String>,
    body: Option<String>,
    #[schema(default = false, required = false)]
    public: bool,
    created_at: Option<DateTime<Utc>>,
}

/// What of an organisation is read.
#[derive(Serialize, ToSchema)]
pub(super) struct GivenOrganization {
    name: Option<String>,
    tags: Option<Vec<String>>,
    #[schema(value_type = Option<Object>)]
    organization_fields: Option<BTreeMap<String, Json>>,
}

/// What of a person is read.
#[derive(Serialize, ToSchema)]
pub(super) struct GivenUser {
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    id: i64,
    name: Option<String>,
    role: Option<String>,
}

/// A decision on what was given.
#[derive(Serialize, ToSchema)]
pub(super) struct DecidedDocument {
    /// What was given as `id`.
    #[schema(value_type = Option<Value>)]
    id: Json,
    /// The decision.
    #[serde(flatten)]
    decision: Decision,
    /// Answers that could not be used, a sentence each. Absent: none.
    problems: Option<Vec<String>>,
}

/// Names the policy's facts in the document: another name is refused.
pub(super) fn name_facts(document: &mut Json, policy: &Policy) {
    let Some(facts) = document.pointer_mut("/components/schemas/Given/properties/facts") else { return };
    let names = policy.binding.facts.keys().map(|name| name.get_ref().clone());
    let one = serde_json::json!({ "type": ["string", "null"] });
    let properties: serde_json::Map<String, Json> = names.map(|name| (name, one.clone())).collect();
    *facts = serde_json::json!({
        "type": ["object", "null"], "properties": properties, "additionalProperties": false,
        "description": "Facts that stand above every other source, by the policy's names"
    });
}
