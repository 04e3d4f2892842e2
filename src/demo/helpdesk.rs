//! What the stand-in helpdesk holds: tickets with their comments and audits, and the calls made.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, SubsecRound, Utc};
use serde_json::{Value as Json, json};

use super::limit::Turns;
use super::settings::Settings;
use super::troubles::Troubles;
use crate::decide::ticket::{Comment, Organization, Reading, Role, User};

/// Who the bot is here.
pub const BOT_ID: u64 = 9001;

/// The bearer token that is taken here.
pub const TOKEN: &str = "demo-token";

/// A helpdesk in memory; clones share it.
#[derive(Clone, Default)]
pub struct StandIn {
    held: Arc<Mutex<Held>>,
}

#[derive(Default)]
pub(super) struct Held {
    tickets: BTreeMap<u64, Kept>,
    calls: Vec<Call>,
    tokens: Vec<String>,
    tokens_given: u64,
    next_id: u64,
    export_page: Option<usize>,
    pub(super) settings: Settings,
    pub(super) troubles: Troubles,
    pub(super) turns: Turns,
}

struct Kept {
    reading: Reading,
    audits: Vec<Json>,
    /// Comments that are given just so, by their id.
    as_given: BTreeMap<u64, Json>,
}

/// A call that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// `GET`, `PUT` or `POST`.
    pub method: String,
    /// The path without its query.
    pub path: String,
    /// The status it was answered with.
    pub status: u16,
}

/// Who can read a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publicity {
    /// The customer.
    Public,
    /// Staff alone.
    Internal,
}

/// Why an update was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    Gone,
    Closed,
    Conflict,
}

/// An update as the API takes it.
pub(super) struct Change {
    pub html_body: Option<String>,
    pub publicity: Publicity,
    pub tags: Option<Vec<String>>,
    /// With `safe_update`: the stamp it must still have.
    pub guard: Option<DateTime<Utc>>,
}

impl StandIn {
    /// An empty one.
    pub fn new() -> StandIn {
        StandIn::default()
    }

    /// Adds a ticket with all that belongs to it; the people every sample names are known.
    pub fn add(&self, mut reading: Reading) {
        for (id, name, role) in [
            (BOT_ID, "starwarden", Role::Agent),
            (5001, "Casey Customer", Role::EndUser),
            (7001, "Ann Agent", Role::Agent),
        ] {
            if reading.user(id).is_none() {
                reading.users.push(User { id, name: name.into(), role });
            }
        }
        self.lock().tickets.insert(reading.ticket.id, Kept { reading, audits: Vec::new(), as_given: BTreeMap::new() });
    }

    /// A ticket as it stands.
    pub fn reading(&self, id: u64) -> Option<Reading> {
        let mut reading = self.lock().tickets.get(&id).map(|kept| kept.reading.clone())?;
        reading.ticket.comment_count = Some(reading.comments.len());
        Some(reading)
    }

    /// Gives no more tickets than this on a page of the export from here on.
    pub fn export_by(&self, tickets: usize) {
        self.lock().export_page = Some(tickets);
    }

    pub(super) fn largest_export_page(&self) -> usize {
        self.lock().export_page.unwrap_or(1000).max(1)
    }

    /// When each ticket changed last, milliseconds, with its number, in that order.
    pub(super) fn changed(&self) -> Vec<(i64, u64)> {
        let held = self.lock();
        let at = |kept: &Kept| kept.reading.ticket.updated_at.map_or(0, |at| at.timestamp_millis());
        let mut changed: Vec<_> = held.tickets.iter().map(|(id, kept)| (at(kept), *id)).collect();
        changed.sort_unstable();
        changed
    }

    /// Adds an audit of an earlier change to a ticket.
    pub fn audited(&self, id: u64, mut audit: Json) {
        let audit_id = self.fresh_id();
        if let Some(kept) = self.lock().tickets.get_mut(&id) {
            if let Some(audit) = audit.as_object_mut() {
                audit.entry("id").or_insert(audit_id.into());
            }
            kept.audits.push(audit);
        }
    }

    /// A ticket's audits, oldest first.
    pub fn audits(&self, id: u64) -> Vec<Json> {
        self.lock().tickets.get(&id).map(|kept| kept.audits.clone()).unwrap_or_default()
    }

    /// The bot's own notes on a ticket, as text.
    pub fn notes(&self, id: u64) -> Vec<String> {
        let own = |comment: &&Comment| comment.author_id == Some(BOT_ID);
        self.reading(id)
            .iter()
            .flat_map(|reading| reading.comments.iter().filter(own))
            .map(|comment| comment.text().to_owned())
            .collect()
    }

    /// Changes a ticket as somebody at the helpdesk would.
    pub fn change(&self, id: u64, change: impl FnOnce(&mut Reading)) {
        if let Some(kept) = self.lock().tickets.get_mut(&id) {
            change(&mut kept.reading);
            kept.reading.ticket.updated_at = Some(Utc::now().trunc_subsecs(0));
        }
    }

    /// As if a ticket had last changed so many seconds ago.
    pub fn touch(&self, id: u64, seconds_ago: i64) {
        if let Some(kept) = self.lock().tickets.get_mut(&id) {
            let at = Utc::now().trunc_subsecs(0) - chrono::TimeDelta::seconds(seconds_ago);
            kept.reading.ticket.updated_at = Some(at);
        }
    }

    /// Adds somebody's comment.
    pub fn say(&self, id: u64, author: u64, text: &str, publicity: Publicity) {
        let comment_id = self.fresh_id();
        self.change(id, |reading| {
            let mut comment = Comment::of(text);
            comment.id = comment_id;
            comment.author_id = Some(author);
            comment.public = publicity == Publicity::Public;
            comment.created_at = Some(Utc::now().trunc_subsecs(0));
            reading.comments.push(comment);
        });
    }

    /// Adds a comment that the API gives just so, in a shape that need not be the usual one.
    pub fn say_as_given(&self, id: u64, mut comment: Json) {
        let comment_id = self.fresh_id();
        if let Some(comment) = comment.as_object_mut() {
            comment.entry("id").or_insert(comment_id.into());
            comment.entry("created_at").or_insert(json!(Utc::now().trunc_subsecs(0)));
        }
        self.change(id, |reading| {
            let mut read: Comment = serde_json::from_value(comment.clone()).unwrap_or_default();
            read.id = comment_id;
            reading.comments.push(read);
        });
        if let Some(kept) = self.lock().tickets.get_mut(&id) {
            kept.as_given.insert(comment_id, comment);
        }
    }

    /// A ticket's comments as the API gives them, oldest first.
    pub(super) fn comments_given(&self, id: u64, until: Option<DateTime<Utc>>) -> Vec<Json> {
        let held = self.lock();
        let Some(kept) = held.tickets.get(&id) else { return Vec::new() };
        let comments = kept.reading.comments.iter();
        let there = comments
            .filter(|comment| comment.created_at.is_none_or(|created| until.is_none_or(|until| created <= until)));
        there.map(|comment| kept.as_given.get(&comment.id).cloned().unwrap_or_else(|| json!(comment))).collect()
    }

    /// Every call so far.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    /// How many writes came, whatever they were answered with.
    pub fn writes(&self) -> usize {
        self.lock().calls.iter().filter(|call| call.method == "PUT").count()
    }

    /// Makes every token given so far worthless.
    pub fn revoke_tokens(&self) {
        self.lock().tokens.clear();
    }

    pub(super) fn give_token(&self) -> String {
        let mut held = self.lock();
        held.tokens_given += 1;
        let token = format!("granted-{}", held.tokens_given);
        held.tokens.push(token.clone());
        token
    }

    pub(super) fn knows_token(&self, token: &str) -> bool {
        token == TOKEN || self.lock().tokens.iter().any(|known| known == token)
    }

    pub(super) fn note_call(&self, method: &str, path: &str, status: u16) {
        self.lock().calls.push(Call { method: method.into(), path: path.into(), status });
    }

    /// Numbers of tickets with a tag that are not solved or closed.
    pub(super) fn open_with_tag(&self, tag: &str) -> Vec<u64> {
        let open = |reading: &Reading| !["solved", "closed"].contains(&reading.ticket.status.as_str());
        let held = self.lock();
        let tagged = held
            .tickets
            .values()
            .filter(|kept| open(&kept.reading) && kept.reading.ticket.tags.iter().any(|it| it == tag));
        tagged.map(|kept| kept.reading.ticket.id).collect()
    }

    /// Every tag in use, and on how many tickets.
    pub(super) fn tags(&self) -> BTreeMap<String, usize> {
        let mut tags = BTreeMap::new();
        for tag in self.lock().tickets.values().flat_map(|kept| &kept.reading.ticket.tags) {
            *tags.entry(tag.clone()).or_default() += 1;
        }
        tags
    }

    pub(super) fn user(&self, id: u64) -> Option<User> {
        self.lock().tickets.values().find_map(|kept| kept.reading.user(id).cloned())
    }

    pub(super) fn organization(&self, id: u64) -> Option<Organization> {
        let held = self.lock();
        held.tickets.values().filter_map(|kept| kept.reading.organization.as_ref()).find(|it| it.id == id).cloned()
    }

    /// Carries out an update: all of it, or nothing.
    pub(super) fn update(&self, id: u64, change: Change) -> Result<(Reading, Json), Refused> {
        let (comment_id, audit_id) = (self.fresh_id(), self.fresh_id());
        let now = Utc::now().trunc_subsecs(0);
        let mut held = self.lock();
        let kept = held.tickets.get_mut(&id).ok_or(Refused::Gone)?;
        let ticket = &mut kept.reading.ticket;
        if ticket.status == "closed" {
            return Err(Refused::Closed);
        }
        // Whole seconds, as the helpdesk keeps them: a second write within the second of the first slips by.
        if change
            .guard
            .is_some_and(|stamp| Some(stamp.trunc_subsecs(0)) != ticket.updated_at.map(|at| at.trunc_subsecs(0)))
        {
            return Err(Refused::Conflict);
        }
        let mut events = Vec::new();
        if let Some(tags) = change.tags {
            events
                .push(json!({ "type": "Change", "field_name": "tags", "value": tags, "previous_value": ticket.tags }));
            ticket.tags = tags;
        }
        ticket.updated_at = Some(now);
        if let Some(html) = change.html_body {
            let public = change.publicity == Publicity::Public;
            events.push(json!({ "type": "Comment", "id": comment_id, "author_id": BOT_ID, "html_body": html, "public": public }));
            let mut comment = Comment::of_html(html);
            comment.id = comment_id;
            comment.author_id = Some(BOT_ID);
            comment.public = public;
            comment.created_at = Some(now);
            kept.reading.comments.push(comment);
        }
        let audit =
            json!({ "id": audit_id, "ticket_id": id, "created_at": now, "author_id": BOT_ID, "events": events });
        kept.audits.push(audit.clone());
        Ok((kept.reading.clone(), audit))
    }

    pub(super) fn fresh_id(&self) -> u64 {
        let mut held = self.lock();
        held.next_id += 1;
        1_000_000 + held.next_id
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
