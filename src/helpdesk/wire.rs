//! The shapes of the helpdesk's answers and of our one update.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use crate::decide::loose;
use crate::decide::ticket::{Comment, Organization, Role, Ticket, User};

#[derive(Deserialize)]
pub(super) struct Me {
    pub user: MeUser,
}

#[derive(Deserialize)]
pub(super) struct MeUser {
    #[serde(default, deserialize_with = "loose::id")]
    pub id: Option<u64>,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub email: Option<String>,
    #[serde(default)]
    pub role: Role,
    #[serde(default)]
    pub url: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct OneTicket {
    pub ticket: Ticket,
    #[serde(default)]
    pub users: Option<Vec<User>>,
    #[serde(default)]
    pub organizations: Option<Vec<Organization>>,
}

#[derive(Deserialize)]
pub(super) struct Comments {
    pub comments: Vec<Comment>,
    #[serde(default)]
    pub users: Option<Vec<User>>,
    #[serde(default)]
    pub meta: Option<Meta>,
    #[serde(default)]
    pub links: Option<Links>,
    #[serde(default)]
    pub next_page: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Meta {
    #[serde(default)]
    pub has_more: bool,
}

#[derive(Deserialize)]
pub(super) struct Links {
    #[serde(default)]
    pub next: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Found {
    pub results: Vec<FoundTicket>,
    #[serde(default)]
    pub meta: Option<Meta>,
    #[serde(default)]
    pub links: Option<Links>,
}

#[derive(Deserialize)]
pub(super) struct FoundTicket {
    #[serde(deserialize_with = "loose::some_id")]
    pub id: u64,
    #[serde(default)]
    pub updated_at: Option<DateTime<Utc>>,
}

#[derive(Default, Deserialize)]
pub(super) struct Written {
    #[serde(default)]
    pub audit: Option<Audit>,
    #[serde(default)]
    pub ticket: Option<WrittenTicket>,
}

#[derive(Deserialize)]
pub(super) struct WrittenTicket {
    #[serde(default)]
    pub tags: Option<Vec<String>>,
}

#[derive(Deserialize)]
pub(super) struct Audit {
    #[serde(default, deserialize_with = "loose::id")]
    pub id: Option<u64>,
}

#[derive(Serialize)]
pub(super) struct Put<'a> {
    pub ticket: PutTicket<'a>,
}

#[derive(Serialize)]
pub(super) struct PutTicket<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<PutComment<'a>>,
    pub tags: &'a [String],
    pub safe_update: bool,
    pub updated_stamp: String,
}

#[derive(Serialize)]
pub(super) struct PutComment<'a> {
    pub html_body: &'a str,
    pub public: bool,
}

pub(super) fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
