//! The stand-in helpdesk's long lists: a page at a time, a hundred at most, by cursor.
//!
//! Follows <https://developer.zendesk.com/api-reference/introduction/pagination/>.

use std::convert::Infallible;

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::Url;
use serde::Serialize;
use serde_json::{Value, json};

/// The most there is on a page, and what is there where nobody asks for less.
const LARGEST: usize = 100;

/// A list that was asked for: the whole address, for the link to the next page is the same but for its cursor.
pub(super) struct Asked(Option<Url>);

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Asked, Infallible> {
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        Ok(Asked(format!("http://{host}{}", parts.uri).parse().ok()))
    }
}

impl Asked {
    /// Whether the newest is to come first: `sort` says so with pages by cursor, and `sort_order` says nothing there.
    pub(super) fn sorted_newest_first(&self) -> bool {
        let sort = self.0.as_ref().and_then(|url| url.query_pairs().find(|(key, _)| key == "sort"));
        sort.is_some_and(|(_, order)| order == "-created_at")
    }

    /// The page of these items that was asked for, under their name, with what comes with every page besides.
    ///
    /// A cursor names the last item before the page, so that what is added to the list's beginning moves nothing.
    pub(super) fn page<T: Serialize>(self, name: &str, items: Vec<T>, besides: Value) -> Response {
        let Asked(Some(mut url)) = self else { return refused() };
        let asked = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        let size = asked("page[size]").and_then(|size| size.parse().ok()).unwrap_or(LARGEST).clamp(1, LARGEST);
        let mut items: Vec<Value> = items.into_iter().map(|item| json!(item)).collect();
        if let Some(after) = asked("page[after]") {
            let Some(last) = items.iter().position(|item| cursor(item) == after) else { return refused() };
            items.drain(..=last);
        }
        let has_more = items.len() > size;
        items.truncate(size);
        let last = items.last().map(cursor);
        let next = last.as_ref().map(|last| {
            let others: Vec<(String, String)> =
                url.query_pairs().into_owned().filter(|(key, _)| key != "page[after]").collect();
            url.query_pairs_mut().clear().extend_pairs(others).append_pair("page[after]", last);
            url.to_string()
        });
        let mut page = besides;
        if let Some(page) = page.as_object_mut() {
            page.insert(name.to_owned(), items.into());
            page.insert("meta".to_owned(), json!({ "has_more": has_more, "after_cursor": last }));
            page.insert("links".to_owned(), json!({ "next": next })); // There is one on the last page too.
        }
        Json(page).into_response()
    }
}

/// An item's own cursor.
fn cursor(item: &Value) -> String {
    URL_SAFE_NO_PAD.encode(item.get("id").unwrap_or(&Value::Null).to_string())
}

fn refused() -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": "InvalidPaginationParameter" }))).into_response()
}
