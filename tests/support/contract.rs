//! What the helpdesk's API takes and gives, against every call to a stand-in and every answer of it, in every test.
//!
//! `contract.json` holds facts of the published `OpenAPI` description, in a shape of our own: for each call its parameters and
//! the shapes of its body and its answer; for each shape its keys with their types, `?` where null stands there too; and which
//! keys an answer always has.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::{self, Next};
use axum::response::Response;
use serde_json::{Value, json};

static CONTRACT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("contract.json")).expect("the contract"));

/// Keys that every list may have besides, for its pages.
const PAGING: [(&str, &str); 5] = [
    ("meta", "object"),
    ("links", "object"),
    ("count", "integer"),
    ("next_page", "string?"),
    ("previous_page", "string?"),
];

/// The contract's entry of a call, with its key: the path whose own words fit best.
fn entry(method: &str, path: &str) -> Option<(&'static str, &'static Value)> {
    let asked: Vec<&str> = path.trim_end_matches(".json").split('/').collect();
    let fits = |key: &str| {
        let parts: Vec<&str> = key.strip_prefix(method)?.strip_prefix(' ')?.split('/').collect();
        let same =
            parts.len() == asked.len() && parts.iter().zip(&asked).all(|(part, word)| part == word || *part == "{n}");
        same.then(|| parts.iter().filter(|part| **part == "{n}").count())
    };
    let calls = CONTRACT["calls"].as_object().expect("calls");
    let fitting = calls.iter().filter_map(|(key, entry)| Some((fits(key)?, key.as_str(), entry)));
    fitting.min_by_key(|(open, _, _)| *open).map(|(_, key, entry)| (key, entry))
}

/// What in a call is not as the API takes it.
pub(crate) fn call_faults(method: &str, path: &str, query: &str, body: &Value) -> Vec<String> {
    let Some((key, entry)) = entry(method, path) else { return vec![format!("the API has no {method} {path}")] };
    let url: reqwest::Url = format!("http://localhost/?{query}").parse().expect("a query");
    let names: Vec<_> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    let mut found: Vec<String> = names
        .iter()
        .filter(|name| !entry["query"].as_array().expect("names").contains(&json!(name)))
        .map(|name| format!("{key} has no parameter {name}"))
        .collect();
    if names.iter().any(|name| name.starts_with("page[")) && names.iter().any(|name| name == "sort_order") {
        found.push(format!("{key}: sort_order belongs to pages by offset"));
    }
    if !body.is_null() {
        found.extend(of_shape(&format!("{key}: body"), body, &entry["body"]));
    }
    found
}

/// What in an answer is not as the API gives it.
pub(crate) fn answer_faults(method: &str, path: &str, answer: &Value) -> Vec<String> {
    let Some((key, entry)) = entry(method, path) else { return vec![format!("the API has no {method} {path}")] };
    let Some(shape) = entry["answer"].as_object() else { return Vec::new() };
    let mut shape = shape.clone();
    shape.extend(PAGING.map(|(name, kind)| (name.to_owned(), json!(kind))));
    of_shape(&format!("{key}: answer"), answer, &Value::Object(shape))
}

/// What in a value is not as the contract has it, each with its place.
pub(crate) fn faults(place: &str, value: &Value, kind: &str) -> Vec<String> {
    let (kind, nullable) = kind.strip_suffix('?').map_or((kind, false), |kind| (kind, true));
    if value.is_null() && nullable {
        return Vec::new();
    }
    if let Some(of) = kind.strip_prefix("list of ") {
        let Some(items) = value.as_array() else { return vec![format!("{place} is no list: {value}")] };
        return items.iter().enumerate().flat_map(|(at, item)| faults(&format!("{place}[{at}]"), item, of)).collect();
    }
    let fits = match kind {
        "any" => true,
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        shape => {
            let mut found = of_shape(place, value, &CONTRACT["shapes"][shape]);
            let always = CONTRACT["always"][shape].as_array().into_iter().flatten().filter_map(Value::as_str);
            found.extend(always.filter(|key| value.get(key).is_none()).map(|key| format!("{place} has no {key}")));
            return found;
        }
    };
    if fits { Vec::new() } else { vec![format!("{place} is no {kind}: {value}")] }
}

fn of_shape(place: &str, value: &Value, shape: &Value) -> Vec<String> {
    let (Some(members), Some(keys)) = (value.as_object(), shape.as_object()) else {
        return vec![format!("{place} is no object of the contract: {value}")];
    };
    members
        .iter()
        .flat_map(|(key, value)| match keys.get(key).and_then(Value::as_str) {
            Some(kind) => faults(&format!("{place}.{key}"), value, kind),
            None => vec![format!("{place}.{key} is unknown to the API")],
        })
        .collect()
}

/// What was seen that is not as the API has it.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<BTreeSet<String>>>);

impl Seen {
    /// The same routes, watched.
    pub(crate) fn on(&self, routes: Router) -> Router {
        routes.layer(middleware::from_fn_with_state(self.clone(), watch))
    }

    /// What was seen until now; it is forgotten.
    pub(crate) fn taken(&self) -> BTreeSet<String> {
        std::mem::take(&mut self.0.lock().expect("a lock"))
    }

    fn note(&self, faults: Vec<String>) {
        self.0.lock().expect("a lock").extend(faults);
    }
}

async fn watch(State(seen): State<Seen>, request: Request, next: Next) -> Response {
    let of_the_api = ["/api/v2/", "/oauth/"].iter().any(|its| request.uri().path().starts_with(its));
    if !of_the_api {
        return next.run(request).await; // What else a test asks at this address.
    }
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else { return Response::default() };
    let sent = serde_json::from_slice(&body).unwrap_or_default();
    let (method, path) = (head.method.to_string(), head.uri.path().to_owned());
    seen.note(call_faults(&method, &path, head.uri.query().unwrap_or_default(), &sent));
    let response = next.run(Request::from_parts(head, Body::from(body))).await;
    let json = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if !json {
        return response; // A trouble, or an answer that a test wrote itself.
    }
    let (head, body) = response.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else { return Response::default() };
    let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
    seen.note(match head.status.is_success() {
        true => answer_faults(&method, &path, &answer),
        false => refusal_faults(&answer),
    });
    Response::from_parts(head, Body::from(body))
}

/// A refusal names its error, as a text or as an object.
fn refusal_faults(answer: &Value) -> Vec<String> {
    match answer["error"].is_string() || answer["error"].is_object() || answer["errors"].is_array() {
        true => Vec::new(),
        false => vec![format!("a refusal without its error: {answer}")],
    }
}
