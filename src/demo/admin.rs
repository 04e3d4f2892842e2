//! The stand-in helpdesk's own settings: webhooks, triggers, forms, fields, tags, with the real paths and answers.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, put};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::gate::missing;
use super::helpdesk::StandIn;
use super::paging::Asked;
use super::settings::MADE;
use super::shape::AT;

/// What a webhook made here is signed with.
pub const SIGNING_SECRET: &str = "stand-in-signing-secret";

/// Ids of the forms that exist here.
pub const FORMS: [u64; 5] = [360000071293, 360001421072, 360000803379, 334447, 426148];

/// Ids of the fields that exist here.
pub const FIELDS: [u64; 2] = [360020421853, 360000000001];

pub(super) fn routes() -> Router<StandIn> {
    Router::new()
        .route("/api/v2/webhooks", get(webhooks).post(make_webhook))
        .route("/api/v2/webhooks/{id}", patch(change_webhook).delete(remove_webhook))
        .route("/api/v2/webhooks/{id}/signing_secret", get(signing_secret))
        .route("/api/v2/webhooks/{id}/invocations", get(invocations))
        .route("/api/v2/webhooks/{id}/invocations/{invocation}/attempts", get(attempts))
        .route("/api/v2/triggers", get(triggers).post(make_trigger))
        .route("/api/v2/triggers/{id}", put(change_trigger).delete(remove_trigger))
        .route("/api/v2/ticket_forms", get(forms))
        .route("/api/v2/ticket_fields", get(fields))
        .route("/api/v2/tags", get(tags))
}

async fn webhooks(State(helpdesk): State<StandIn>, asked: Asked) -> Response {
    asked.page_by_cursor("webhooks", helpdesk.webhooks(), json!({}))
}

async fn make_webhook(State(helpdesk): State<StandIn>, Json(body): Json<Value>) -> Response {
    let made = helpdesk.add_webhook(body.get("webhook").cloned().unwrap_or_default());
    (StatusCode::CREATED, Json(json!({ "webhook": made }))).into_response()
}

async fn change_webhook(State(helpdesk): State<StandIn>, Path(id): Path<String>, Json(body): Json<Value>) -> Response {
    let change = body.get("webhook").cloned().unwrap_or_default();
    // Whether it is told by triggers or by events is settled when it is made.
    let other_kind = helpdesk.webhook(&id).is_some_and(|webhook| {
        change.get("subscriptions").is_some_and(|subscriptions| {
            let by_trigger = json!(["conditional_ticket_events"]);
            (*subscriptions == by_trigger) != (webhook.get("subscriptions") == Some(&by_trigger))
        })
    });
    if other_kind {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "InvalidSubscriptions" }))).into_response();
    }
    match helpdesk.change_webhook(&id, &change) {
        Some(webhook) => Json(json!({ "webhook": webhook })).into_response(),
        None => missing(),
    }
}

async fn remove_webhook(State(helpdesk): State<StandIn>, Path(id): Path<String>) -> Response {
    match helpdesk.remove_webhook(&id) {
        Some(_) => StatusCode::NO_CONTENT.into_response(),
        None => missing(),
    }
}

async fn signing_secret(State(helpdesk): State<StandIn>, Path(id): Path<String>) -> Response {
    match helpdesk.webhook(&id) {
        Some(_) => {
            Json(json!({ "signing_secret": { "algorithm": "SHA256", "secret": SIGNING_SECRET } })).into_response()
        }
        None => missing(),
    }
}

async fn invocations(State(helpdesk): State<StandIn>, Path(id): Path<String>, asked: Asked) -> Response {
    if helpdesk.webhook(&id).is_none() {
        return missing();
    }
    let mut invocations = helpdesk.invocations();
    for invocation in invocations.iter_mut().filter_map(Value::as_object_mut) {
        invocation.remove("answered"); // That stands with its attempts.
    }
    asked.page_by_cursor("invocations", invocations, json!({}))
}

/// What was answered stands with the attempts, as the real one has it.
async fn attempts(State(helpdesk): State<StandIn>, Path((id, invocation)): Path<(String, String)>) -> Response {
    if helpdesk.webhook(&id).is_none() {
        return missing();
    }
    let all = helpdesk.invocations();
    let one = all.iter().find(|one| one["id"] == json!(invocation));
    let attempts: Vec<Value> =
        one.map(|one| json!({ "id": "1", "invocation_id": invocation, "status": one["status"], "response_code": one["answered"] })).into_iter().collect();
    Json(json!({ "attempts": attempts })).into_response()
}

async fn triggers(State(helpdesk): State<StandIn>, asked: Asked) -> Response {
    asked.page("triggers", helpdesk.triggers(), json!({}))
}

async fn make_trigger(State(helpdesk): State<StandIn>, Json(body): Json<Value>) -> Response {
    let made = helpdesk.add_trigger(body.get("trigger").cloned().unwrap_or_default());
    (StatusCode::CREATED, Json(json!({ "trigger": made }))).into_response()
}

async fn change_trigger(State(helpdesk): State<StandIn>, Path(id): Path<String>, Json(body): Json<Value>) -> Response {
    match helpdesk.change_trigger(&id, &body.get("trigger").cloned().unwrap_or_default()) {
        Some(trigger) => Json(json!({ "trigger": trigger })).into_response(),
        None => missing(),
    }
}

async fn remove_trigger(State(helpdesk): State<StandIn>, Path(id): Path<String>) -> Response {
    match helpdesk.remove_trigger(&id) {
        Some(_) => StatusCode::NO_CONTENT.into_response(),
        None => missing(),
    }
}

async fn forms(asked: Asked) -> Response {
    let forms = FORMS.map(|id| {
        json!({ "id": id, "url": format!("{AT}/api/v2/ticket_forms/{id}.json"), "name": format!("Form {id}"),
            "raw_name": format!("Form {id}"), "display_name": format!("Form {id}"), "raw_display_name": format!("Form {id}"),
            "end_user_visible": true, "position": 1, "ticket_field_ids": FIELDS, "active": true, "default": false,
            "in_all_brands": true, "restricted_brand_ids": [], "agent_conditions": [], "end_user_conditions": [],
            "created_at": MADE, "updated_at": MADE })
    });
    asked.page("ticket_forms", forms.to_vec(), json!({}))
}

async fn fields(asked: Asked) -> Response {
    let fields = FIELDS.map(|id| {
        json!({ "id": id, "url": format!("{AT}/api/v2/ticket_fields/{id}.json"), "type": "text", "title": format!("Field {id}"),
            "raw_title": format!("Field {id}"), "description": "", "raw_description": "", "position": 1, "active": true,
            "required": false, "collapsed_for_agents": false, "regexp_for_validation": null, "title_in_portal": "",
            "raw_title_in_portal": "", "visible_in_portal": true, "editable_in_portal": true, "required_in_portal": false,
            "tag": null, "removable": true, "agent_description": null, "created_at": MADE, "updated_at": MADE })
    });
    asked.page("ticket_fields", fields.to_vec(), json!({}))
}

async fn tags(State(helpdesk): State<StandIn>, asked: Asked) -> Response {
    let tags: Vec<Value> =
        helpdesk.tags().into_iter().map(|(name, count)| json!({ "name": name, "count": count })).collect();
    asked.page("tags", tags, json!({}))
}
