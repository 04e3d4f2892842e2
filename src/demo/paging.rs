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
use serde_json::{Value, json};

use super::helpdesk::StandIn;

/// The most there is on a page, and what is there where nobody asks for less.
const LARGEST: usize = 100;

/// A list that was asked for: the whole address, for the link to the next page is the same but for its cursor.
pub(super) struct Asked(Option<Url>);

impl FromRequestParts<StandIn> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, helpdesk: &StandIn) -> Result<Asked, Infallible> {
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        let host = helpdesk.name().unwrap_or_else(|| host.to_owned());
        Ok(Asked(format!("http://{host}{}", parts.uri).parse().ok()))
    }
}

impl Asked {
    /// Whether the newest is to come first: `sort` says so with pages by cursor, `sort_order` with pages by offset, and
    /// neither says anything with the other.
    pub(super) fn newest_first(&self) -> bool {
        match self.by_cursor() {
            true => self.asked("sort").as_deref() == Some("-created_at"),
            false => self.asked("sort_order").as_deref() == Some("desc"),
        }
    }

    /// What is to come along, by its name.
    pub(super) fn includes(&self, name: &str) -> bool {
        self.asked("include").is_some_and(|names| names.split(',').any(|one| one.trim() == name))
    }

    fn by_cursor(&self) -> bool {
        ["page[size]", "page[after]", "page[before]"].iter().any(|name| self.asked(name).is_some())
    }

    fn asked(&self, name: &str) -> Option<String> {
        let mut pairs = self.0.as_ref()?.query_pairs();
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// The page of these items that was asked for, by cursor or by offset, under their name, with what comes with every
    /// page besides.
    pub(super) fn page(self, name: &str, items: Vec<Value>, besides: Value) -> Response {
        if self.by_cursor() {
            self.page_by_cursor(name, items, besides)
        } else {
            self.page_by_offset(name, items, besides)
        }
    }

    pub(super) fn page_by_offset(self, name: &str, mut items: Vec<Value>, besides: Value) -> Response {
        let number = |name: &str| self.asked(name).and_then(|number| number.parse::<usize>().ok());
        let (page, size) =
            (number("page").unwrap_or(1).max(1), number("per_page").unwrap_or(LARGEST).clamp(1, LARGEST));
        let count = items.len();
        let first = (page - 1).saturating_mul(size);
        items = items.into_iter().skip(first).take(size).collect();
        let Asked(Some(url)) = self else { return refused() };
        let at = |page: usize| {
            let others: Vec<(String, String)> =
                url.query_pairs().into_owned().filter(|(key, _)| key != "page").collect();
            let mut url = url.clone();
            url.query_pairs_mut().clear().extend_pairs(others).append_pair("page", &page.to_string());
            url.to_string()
        };
        let mut answer = besides;
        if let Some(answer) = answer.as_object_mut() {
            answer.insert(name.to_owned(), items.into());
            answer.insert("next_page".into(), json!((first + size < count).then(|| at(page + 1))));
            answer.insert("previous_page".into(), json!((page > 1).then(|| at(page - 1))));
            answer.insert("count".into(), count.into());
        }
        Json(answer).into_response()
    }

    /// The page of these items by cursor.
    ///
    /// A cursor names the last item before the page, so that what is added to the list's beginning moves nothing.
    pub(super) fn page_by_cursor(self, name: &str, mut items: Vec<Value>, besides: Value) -> Response {
        let Asked(Some(mut url)) = self else { return refused() };
        let asked = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        let size = asked("page[size]").and_then(|size| size.parse().ok()).unwrap_or(LARGEST).clamp(1, LARGEST);
        if let Some(after) = asked("page[after]") {
            let Some(last) = items.iter().position(|item| cursor(item) == after) else { return refused() };
            items.drain(..=last);
        }
        let has_more = items.len() > size;
        items.truncate(size);
        let (first, last) = (items.first().map(cursor), items.last().map(cursor));
        let next = last.as_ref().map(|last| {
            let others: Vec<(String, String)> =
                url.query_pairs().into_owned().filter(|(key, _)| key != "page[after]").collect();
            url.query_pairs_mut().clear().extend_pairs(others).append_pair("page[after]", last);
            url.to_string()
        });
        let mut page = besides;
        if let Some(page) = page.as_object_mut() {
            page.insert(name.to_owned(), items.into());
            page.insert(
                "meta".to_owned(),
                json!({ "has_more": has_more, "after_cursor": last, "before_cursor": first }),
            );
            page.insert("links".to_owned(), json!({ "next": next, "prev": null })); // There is a next on the last page too.
        }
        Json(page).into_response()
    }
}

/// An item's own cursor.
fn cursor(item: &Value) -> String {
    URL_SAFE_NO_PAD.encode(item.get("id").or_else(|| item.get("name")).unwrap_or(&Value::Null).to_string())
}

fn refused() -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": "InvalidPaginationParameter" }))).into_response()
}
