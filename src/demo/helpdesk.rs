//! What the stand-in helpdesk holds: tickets with their comments and audits, and the calls made.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, SubsecRound, Utc};
use serde_json::{Map, Value as Json, json};

use super::limit::Turns;
use super::scopes::Granted;
use super::settings::Settings;
use super::shape::{self, over};
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
    pub(super) tokens: Vec<(String, Granted)>,
    pub(super) tokens_given: u64,
    pub(super) allowed: Granted,
    tags: TagsAre,
    name: Option<String>,
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
    /// What of the ticket was set besides that is not read here.
    besides: Map<String, Json>,
    /// When it was written upon of late.
    written: Vec<Instant>,
}

/// A call that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// `GET`, `PUT` or `POST`.
    pub method: String,
    /// The path without its query.
    pub path: String,
    /// The query, as it was sent.
    pub query: String,
    /// The body, where it is JSON.
    pub body: Json,
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

/// What becomes of tags in an update.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TagsAre {
    /// They are taken.
    #[default]
    Taken,
    /// They are left as they were, and nothing says so.
    LeftOut,
}

/// Why an update was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refused {
    Gone,
    Closed,
    Conflict,
    /// The ticket was written upon too often; seconds until it may be again.
    TooOften(u64),
    /// A key of the ticket, and the name of what is wrong with it.
    Invalid(&'static str, &'static str),
}

/// How often one user may write upon one ticket in ten minutes.
const UPDATES: usize = 30;

/// In how long.
const TEN_MINUTES: Duration = Duration::from_secs(600);

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
        let id = reading.ticket.id;
        let kept =
            Kept { reading, audits: Vec::new(), as_given: BTreeMap::new(), besides: Map::new(), written: Vec::new() };
        self.lock().tickets.insert(id, kept);
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
    pub fn audited(&self, id: u64, audit: &Json) {
        let whole = audit_of(self.fresh_id(), id, audit);
        if let Some(kept) = self.lock().tickets.get_mut(&id) {
            kept.audits.push(whole);
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
        there.map(|comment| shape::comment(comment, kept.as_given.get(&comment.id))).collect()
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

    /// What a token may be used for; none where it is not known.
    pub(super) fn knows_token(&self, token: &str) -> Option<Granted> {
        if token == TOKEN {
            return Some(None);
        }
        self.lock().tokens.iter().find(|(known, _)| known == token).map(|(_, granted)| granted.clone())
    }

    pub(super) fn note_call(&self, call: Call) {
        self.lock().calls.push(call);
    }

    /// Every tag in use, and on how many tickets.
    pub(super) fn tags(&self) -> BTreeMap<String, usize> {
        let mut tags = BTreeMap::new();
        for tag in self.lock().tickets.values().flat_map(|kept| &kept.reading.ticket.tags) {
            *tags.entry(tag.clone()).or_default() += 1;
        }
        tags
    }

    pub(super) fn organization(&self, id: u64) -> Option<Organization> {
        let held = self.lock();
        held.tickets.values().filter_map(|kept| kept.reading.organization.as_ref()).find(|it| it.id == id).cloned()
    }

    /// Carries out an update as the API takes it: all of it, or nothing.
    pub(super) fn update(&self, id: u64, mut change: Map<String, Json>) -> Result<(Json, Json), Refused> {
        let (comment_id, audit_id) = (self.fresh_id(), self.fresh_id());
        let now = Utc::now().trunc_subsecs(0);
        let mut held = self.lock();
        let tags_are = held.tags;
        let kept = held.tickets.get_mut(&id).ok_or(Refused::Gone)?;
        if kept.reading.ticket.status == "deleted" {
            return Err(Refused::Gone);
        }
        if kept.reading.ticket.status == "closed" {
            return Err(Refused::Closed);
        }
        kept.written.retain(|at| at.elapsed() < TEN_MINUTES);
        if let (true, Some(first)) = (kept.written.len() >= UPDATES, kept.written.first()) {
            return Err(Refused::TooOften((TEN_MINUTES - first.elapsed()).as_secs() + 1));
        }
        // Whole seconds, as the helpdesk keeps them: a second write within the second of the first slips by.
        let safe = change.remove("safe_update") == Some(Json::Bool(true));
        let stamp =
            change.remove("updated_stamp").and_then(|stamp| serde_json::from_value::<DateTime<Utc>>(stamp).ok());
        let stands = |stamp: DateTime<Utc>| {
            Some(stamp.trunc_subsecs(0)) == kept.reading.ticket.updated_at.map(|at| at.trunc_subsecs(0))
        };
        if safe && !stamp.is_some_and(stands) {
            return Err(Refused::Conflict);
        }
        let known = ["new", "open", "pending", "hold", "solved", "closed"];
        if change.get("status").is_some_and(|status| !status.as_str().is_some_and(|status| known.contains(&status))) {
            return Err(Refused::Invalid("status", "InvalidValue"));
        }
        let comment = change.remove("comment");
        if tags_are == TagsAre::LeftOut {
            change.remove("tags");
        }
        let mut events = Vec::new();
        let mut shown = json!(kept.reading.ticket);
        for (key, value) in change {
            let before = shown.get(&key).or(kept.besides.get(&key)).cloned().unwrap_or_default();
            if before != value {
                let change = json!({ "id": audit_id + 1, "type": "Change", "field_name": key, "value": value, "previous_value": before });
                events.push(change);
            }
            match shown.as_object_mut().filter(|shown| shown.contains_key(&key)) {
                Some(shown) => drop(shown.insert(key, value)),
                None => drop(kept.besides.insert(key, value)),
            }
        }
        kept.reading.ticket = serde_json::from_value(shown).map_err(|_| Refused::Invalid("base", "InvalidValue"))?;
        kept.reading.ticket.updated_at = Some(now);
        kept.written.push(Instant::now());
        if let Some(given) = comment {
            let text = |key: &str| given.get(key).and_then(Json::as_str);
            let mut comment = match (text("html_body"), text("body")) {
                (Some(html), _) => Comment::of_html(html),
                (None, Some(text)) => Comment::of(text),
                (None, None) => return Err(Refused::Invalid("comment", "BlankValue")),
            };
            // The helpdesk's own default is a public comment.
            let public = given.get("public") != Some(&Json::Bool(false));
            let author = given.get("author_id").and_then(Json::as_u64).unwrap_or(BOT_ID);
            (comment.id, comment.author_id, comment.public, comment.created_at) =
                (comment_id, Some(author), public, Some(now));
            let event = over(shape::comment(&comment, None), json!({ "audit_id": audit_id }));
            kept.as_given.insert(comment_id, json!({ "audit_id": audit_id, "via": by_api() }));
            kept.reading.comments.push(comment);
            events.push(event);
        }
        let audit = audit_of(audit_id, id, &json!({ "created_at": now, "events": events }));
        kept.audits.push(audit.clone());
        Ok((shape::ticket(&kept.reading.ticket, &kept.besides), audit))
    }

    /// A ticket as the API gives it.
    pub(super) fn ticket_given(&self, id: u64) -> Option<Json> {
        let held = self.lock();
        let kept = held.tickets.get(&id)?;
        Some(shape::ticket(&kept.reading.ticket, &kept.besides))
    }

    /// Makes a ticket as the API takes it.
    pub(super) fn make(&self, mut given: Map<String, Json>) -> Result<(Json, Json), Refused> {
        let (id, now) = (self.fresh_id(), Utc::now().trunc_subsecs(0));
        let comment =
            given.get("comment").and_then(|comment| comment.get("body").or(comment.get("html_body"))).cloned();
        let Some(description) = comment.or_else(|| given.remove("description")) else {
            return Err(Refused::Invalid("base", "DescriptionBlank"));
        };
        given.entry("comment").or_insert(json!({ "body": description }));
        let ticket = json!({ "id": id, "status": "open", "description": description, "created_at": now, "updated_at": now, "requester_id": BOT_ID });
        let ticket = serde_json::from_value(ticket).map_err(|_| Refused::Invalid("base", "InvalidValue"))?;
        self.add(Reading { ticket, ..Reading::default() });
        self.update(id, given)
    }

    /// Every ticket as the API gives it, by number.
    pub(super) fn tickets_given(&self) -> Vec<Json> {
        self.lock().tickets.values().map(|kept| shape::ticket(&kept.reading.ticket, &kept.besides)).collect()
    }

    /// Everybody who is named on a ticket.
    pub(super) fn users(&self) -> Vec<User> {
        let held = self.lock();
        let mut users: BTreeMap<u64, User> = BTreeMap::new();
        for user in held.tickets.values().flat_map(|kept| &kept.reading.users) {
            users.entry(user.id).or_insert_with(|| user.clone());
        }
        users.into_values().collect()
    }

    /// Links to itself by this host from here on, though it answers at another too.
    pub fn is_named(&self, host: &str) {
        self.lock().name = Some(host.to_owned());
    }

    pub(super) fn name(&self) -> Option<String> {
        self.lock().name.clone()
    }

    /// From here on tags in updates are taken, or left out without a word.
    pub fn tags_are(&self, tags: TagsAre) {
        self.lock().tags = tags;
    }

    /// Merges a ticket into another, as an agent does: the one is closed, and its last comment copied.
    pub fn merge(&self, from: u64, into: u64, agent: u64) {
        let Some(merged) = self.reading(from) else { return };
        let last = merged.comments.last().map(|comment| comment.text().to_owned()).unwrap_or_default();
        let subject = &merged.ticket.subject;
        let via = json!({ "channel": "web", "source": { "from": {}, "to": {}, "rel": "merge" } });
        let copied = format!(
            "Request #{from} \"{subject}\" was closed and merged into this request. Last comment in request #{from}:\n\n{last}"
        );
        self.say_as_given(
            into,
            json!({ "author_id": agent, "public": false, "plain_body": copied, "body": copied, "via": via }),
        );
        let into_subject = self.reading(into).map(|into| into.ticket.subject).unwrap_or_default();
        let closed = format!("This request was closed and merged into request #{into} \"{into_subject}\".");
        self.say_as_given(
            from,
            json!({ "author_id": agent, "public": false, "plain_body": closed, "body": closed, "via": via }),
        );
        self.change(from, |reading| {
            reading.ticket.status = "closed".into();
            reading.ticket.tags.push("closed_by_merge".into());
        });
    }

    /// Blacks words out of a comment.
    pub fn redact(&self, id: u64, comment: u64, words: &str) {
        let black = "▇".repeat(words.chars().count());
        self.change(id, |reading| {
            for one in reading.comments.iter_mut().filter(|one| one.id == comment) {
                let mut redacted = Comment::of(one.text().replace(words, &black));
                (redacted.id, redacted.author_id, redacted.public, redacted.created_at) =
                    (one.id, one.author_id, one.public, one.created_at);
                *one = redacted;
            }
        });
        if let Some(kept) = self.lock().tickets.get_mut(&id) {
            kept.as_given.remove(&comment);
        }
    }

    /// Takes a ticket away for good.
    pub fn delete_for_good(&self, id: u64) {
        self.lock().tickets.remove(&id);
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

/// An audit of a ticket, by the bot where nothing else is said.
fn audit_of(audit: u64, ticket: u64, over: &Json) -> Json {
    let whole = json!({ "id": audit, "ticket_id": ticket, "author_id": BOT_ID, "via": by_api(), "metadata": { "system": {}, "custom": {} } });
    shape::over(whole, over)
}

fn by_api() -> Json {
    json!({ "channel": "api", "source": { "from": {}, "to": {}, "rel": null } })
}
