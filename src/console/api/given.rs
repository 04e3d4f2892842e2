//! What `POST /api/v1/decide` takes, as the document describes it; [`crate::decide::line::Line`] reads it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;
use utoipa::ToSchema;

use crate::decide::policy::Policy;
use crate::decide::policy::decision::Decision;

/// A moment, RFC 3339.
#[derive(Serialize, ToSchema)]
#[schema(value_type = String, format = DateTime, min_length = 20, example = "2026-11-24T12:00:00Z")]
pub(super) struct When(String);

/// A ticket with what is known besides.
#[derive(Serialize, ToSchema)]
pub(super) struct Given {
    /// By whose ids of forms and fields it is decided: the account's name in the configuration. Absent or empty: the only
    /// account's, else the policy's own.
    account: Option<String>,
    /// Comes back with the decision. Absent: the ticket's number.
    #[schema(value_type = Option<Value>)]
    id: Json,
    /// When it is decided. Absent: now.
    now: Option<When>,
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

/// What of a ticket is read; the rest is passed over. An id is a positive number, or one in a text; whatever else stands in
/// its place is nobody's.
#[derive(Serialize, ToSchema)]
pub(super) struct GivenTicket {
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    id: i64,
    subject: Option<String>,
    description: Option<String>,
    status: Option<String>,
    tags: Option<Vec<String>>,
    #[schema(value_type = Option<Value>)]
    ticket_form_id: Json,
    #[schema(value_type = Option<Value>)]
    organization_id: Json,
    #[schema(value_type = Option<Value>)]
    requester_id: Json,
    #[schema(value_type = Option<Value>)]
    assignee_id: Json,
    custom_fields: Option<Vec<GivenField>>,
    created_at: Option<When>,
    updated_at: Option<When>,
}

/// A custom field's value.
#[derive(Serialize, ToSchema)]
pub(super) struct GivenField {
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    id: i64,
    #[schema(value_type = Option<Value>)]
    value: Json,
}

/// What of a comment is read.
#[derive(Serialize, ToSchema)]
pub(super) struct GivenComment {
    #[schema(value_type = Option<Value>)]
    author_id: Json,
    plain_body: Option<String>,
    body: Option<String>,
    #[schema(default = false, required = false)]
    public: bool,
    created_at: Option<When>,
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
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
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

/// The largest number that every JSON reader holds exactly.
const LARGEST: f64 = 9_007_199_254_740_991.0;

/// What was sent, in the shape the document gives: a list is not read as an object's fields in their order, `7.0` is 7,
/// and no id is larger than a reader can hold.
///
/// # Errors
/// In one sentence, what is not in shape.
pub(super) fn in_shape(mut given: Json) -> Result<Json, String> {
    whole(&mut given);
    let list = |name: &str| given.get(name).and_then(Json::as_array).into_iter().flatten();
    let fields = given.pointer("/ticket/custom_fields").and_then(Json::as_array).into_iter().flatten();
    let single = ["ticket", "organization"].iter().filter_map(|name| given.get(name)).filter(|it| !it.is_null());
    let objects = std::iter::once(&given).chain(single).chain(list("comments")).chain(list("users")).chain(fields);
    for object in objects {
        let Json::Object(members) = object else {
            let shown: String = object.to_string().chars().take(40).collect();
            return Err(format!("an object is expected in the place of {shown}"));
        };
        let mut ids = members.iter().filter(|(name, _)| name.ends_with("id"));
        if let Some((name, _)) = ids.find(|(_, id)| id.as_f64().is_some_and(|id| id > LARGEST)) {
            return Err(format!("{name} is larger than any id"));
        }
    }
    Ok(given)
}

/// Makes whole numbers that were written with a point integers.
pub(super) fn whole(json: &mut Json) {
    match json {
        Json::Number(number) => {
            let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() <= LARGEST);
            if let Some(float) = float.filter(|_| number.is_f64()) {
                #[expect(clippy::cast_possible_truncation, reason = "it is whole and within 2^53")]
                let whole = float as i64;
                *json = whole.into();
            }
        }
        Json::Array(items) => items.iter_mut().for_each(whole),
        Json::Object(members) => members.values_mut().for_each(whole),
        Json::Null | Json::Bool(_) | Json::String(_) => {}
    }
}

/// Names the policy's facts in the document: another name is refused. A decision's words are text.
pub(super) fn name_words(document: &mut Json, policy: &Policy) {
    let is_named = document.to_string().contains("\"#/components/schemas/String\"");
    if let Some(schemas) =
        document.pointer_mut("/components/schemas").and_then(Json::as_object_mut).filter(|_| is_named)
    {
        schemas.insert("String".into(), serde_json::json!({ "type": "string" }));
    }
    let Some(facts) = document.pointer_mut("/components/schemas/Given/properties/facts") else { return };
    let names = policy.binding.facts.keys().map(|name| name.get_ref().clone());
    let one = serde_json::json!({ "type": ["string", "boolean", "null"] });
    let properties: serde_json::Map<String, Json> = names.map(|name| (name, one.clone())).collect();
    *facts = serde_json::json!({
        "type": ["object", "null"], "properties": properties, "additionalProperties": false,
        "description": "Facts that stand above every other source, by the policy's names"
    });
}
