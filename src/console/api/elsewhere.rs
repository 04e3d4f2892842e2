//! What the document says besides the API's own operations: where it is, who may, and the paths that the receiver and the
//! running bot serve beside it.

use serde_json::{Value as Json, json};

/// Whether callers must show who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signing {
    /// They send a token, or a signed-in browser's session.
    In,
    /// It is open to this machine alone, and asks for nothing.
    NotNeeded,
}

/// Completes the document.
pub(super) fn complete(document: &mut Json, signing: Signing) {
    let Some(document) = document.as_object_mut() else { return };
    document.insert("servers".into(), json!([{ "url": "/", "description": "Where this document is" }]));
    document.insert(
        "tags".into(),
        json!([
            { "name": "tickets", "description": "What is watched and was decided" },
            { "name": "decide", "description": "Decisions on what is given, and before a STAR is filed" },
            { "name": "deliveries", "description": "What the helpdesk sends" },
            { "name": "health", "description": "How the bot is" }
        ]),
    );
    let security = match signing {
        Signing::In => json!([{ "token": [] }, { "session": [] }]),
        Signing::NotNeeded => json!([]),
    };
    document.insert("security".into(), security.clone());
    if let Some(info) = document.get_mut("info").and_then(Json::as_object_mut) {
        info.insert("contact".into(), json!({ "name": "Whoever runs this bot" }));
    }
    let components = document.get_mut("components").and_then(Json::as_object_mut);
    if let Some(components) = components.filter(|_| signing == Signing::In) {
        components.insert("securitySchemes".into(), schemes());
    }
    let Some(paths) = document.get_mut("paths").and_then(Json::as_object_mut) else { return };
    paths.extend(beside(&security));
    for operation in paths.values_mut().filter_map(Json::as_object_mut).flat_map(serde_json::Map::values_mut) {
        let summary = operation.get("summary").cloned();
        if let (Some(operation), Some(summary)) = (operation.as_object_mut(), summary) {
            operation.entry("description").or_insert(summary);
        }
    }
}

fn schemes() -> Json {
    json!({
        "token": { "type": "http", "scheme": "bearer", "description": "One of [console.tokens] of the configuration" },
        "session": { "type": "apiKey", "in": "cookie", "name": "starwarden", "description": "A signed-in browser's session" }
    })
}

/// The paths of the receiver and of the running bot.
fn beside(security: &Json) -> serde_json::Map<String, Json> {
    let text = |name: &str, values: &[&str]| json!({ "type": "object", "required": [name], "properties": { name: { "type": "string", "enum": values } } });
    let answer = |description: &str, schema: Json| json!({ "description": description, "content": { "application/json": { "schema": schema } } });
    let refusal = |description: &str| answer(description, json!({ "$ref": "#/components/schemas/Refusal" }));
    let header = |name: &str, description: &str| json!({ "name": name, "in": "header", "required": true, "description": description, "schema": { "type": "string" } });
    let webhook = json!({ "post": {
        "operationId": "webhook", "tags": ["deliveries"], "security": [],
        "summary": "Takes one delivery of the helpdesk: an event of a subscription, or a trigger's body with `ticket_id`.",
        "parameters": [
            { "name": "account", "in": "path", "required": true, "description": "The account's name in the configuration", "schema": { "type": "string" } },
            header("X-Zendesk-Webhook-Signature", "Base64 of the HMAC-SHA256 of timestamp and body, with the webhook's secret"),
            header("X-Zendesk-Webhook-Signature-Timestamp", "When it was signed, RFC 3339"),
            { "name": "X-Zendesk-Webhook-Invocation-Id", "in": "header", "required": false, "description": "What a repeat of the same delivery shares with it", "schema": { "type": "string" } }
        ],
        "requestBody": { "required": true, "content": { "application/json": { "schema": { "type": "object" } } } },
        "responses": {
            "200": answer("It is on disk, was there before, or is none of ours", text("status", &["accepted", "duplicate", "ignored"])),
            "400": refusal("Verified, and not JSON"),
            "401": refusal("The signature is missing, wrong or too old, or there is no such account"),
            "413": refusal("Over 1 MiB"),
            "503": refusal("It cannot be kept now; Retry-After says when to send it again")
        }
    } });
    let healthz = json!({ "get": {
        "operationId": "healthz", "tags": ["health"], "security": [], "summary": "Whether the process is alive.",
        "responses": { "200": answer("It is", text("status", &["ok"])), "429": refusal("Too many requests of one address") }
    } });
    let readyz = json!({ "get": {
        "operationId": "readyz", "tags": ["health"], "security": [],
        "summary": "Whether the bot can do its job: store, policy, credentials. Who may use the API is told what is wrong.",
        "responses": {
            "200": answer("It can", text("status", &["ready"])),
            "429": refusal("Too many requests of one address"),
            "503": answer("It cannot", text("status", &["not ready"]))
        }
    } });
    let plain = |description: &str| json!({ "description": description, "content": { "text/plain": { "schema": { "type": "string" } } } });
    let metrics = json!({ "get": {
        "operationId": "metrics", "tags": ["health"], "security": security, "summary": "What is counted and measured, for Prometheus.",
        "responses": { "200": plain("Prometheus text, or OpenMetrics where that is asked for"), "401": plain("Not signed in"), "503": plain("The store cannot be read") }
    } });
    let paths =
        [("/webhooks/zendesk/{account}", webhook), ("/healthz", healthz), ("/readyz", readyz), ("/metrics", metrics)];
    paths.into_iter().map(|(path, described)| (path.to_owned(), described)).collect()
}
