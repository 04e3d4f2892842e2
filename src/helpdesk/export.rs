//! The incremental export: every ticket that changed since a moment, a page after the other, for a backtest.
//!
//! Follows <https://developer.zendesk.com/api-reference/ticketing/ticket-management/incremental_exports/>: ten requests a
//! minute, for admins alone, the latest minute left out.

use chrono::{DateTime, Utc};
use reqwest::{Method, Url};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::client::{Helpdesk, read};
use super::error::CallError;
use super::wire::{Links, Meta};
use crate::decide::ticket::Organization;

/// How many tickets a page has; the helpdesk allows a thousand, which can be more than one answer may hold.
const PAGE: &str = "500";

/// A page of the export.
#[derive(Debug, Deserialize)]
pub struct Exported {
    /// The tickets, as the helpdesk wrote them.
    pub tickets: Vec<Box<RawValue>>,
    /// Where the next page begins.
    #[serde(default)]
    pub after_cursor: Option<String>,
    /// Whether these are the last for now.
    #[serde(default)]
    pub end_of_stream: bool,
}

/// Where a page begins.
#[derive(Debug, Clone, Copy)]
pub enum Begin<'a> {
    /// With what changed since then.
    Since(DateTime<Utc>),
    /// Where the page before ended.
    Cursor(&'a str),
}

#[derive(Deserialize)]
struct OneOrganization {
    organization: Organization,
}

#[derive(Deserialize)]
struct Audits {
    audits: Vec<Box<RawValue>>,
    #[serde(default)]
    meta: Option<Meta>,
    #[serde(default)]
    links: Option<Links>,
}

impl Helpdesk {
    /// A page of tickets, `GET /api/v2/incremental/tickets/cursor.json`.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn exported(&self, begin: Begin<'_>) -> Result<Exported, CallError> {
        let since;
        let from = match begin {
            Begin::Since(at) => {
                since = at.timestamp().to_string();
                ("start_time", since.as_str())
            }
            Begin::Cursor(cursor) => ("cursor", cursor),
        };
        let url = self.url("/api/v2/incremental/tickets/cursor.json", &[from, ("per_page", PAGE)])?;
        read(self.call(Method::GET, &url, None).await?).await
    }

    /// An organisation, `GET /api/v2/organizations/{id}`.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn organization(&self, id: u64) -> Result<Organization, CallError> {
        let url = self.url(&format!("/api/v2/organizations/{id}"), &[])?;
        let one: OneOrganization = read(self.call(Method::GET, &url, None).await?).await?;
        Ok(one.organization)
    }

    /// A page of a ticket's audits as the helpdesk wrote them, `GET /api/v2/tickets/{id}/audits`, and where the next is;
    /// `from` is where the page before said.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn audits(&self, id: u64, from: Option<Url>) -> Result<(Vec<Box<RawValue>>, Option<Url>), CallError> {
        let url = match from {
            Some(url) => url,
            None => self.url(&format!("/api/v2/tickets/{id}/audits"), &[("page[size]", "100")])?,
        };
        let found: Audits = read(self.call(Method::GET, &url, None).await?).await?;
        let more = found.meta.is_some_and(|meta| meta.has_more);
        let next = found.links.and_then(|links| links.next).filter(|_| more);
        Ok((found.audits, self.next_page(&url, next.as_deref())?))
    }
}
