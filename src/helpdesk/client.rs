//! Calls to the helpdesk's API. Nothing here tries again but after a 401; that is the loop's to decide.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use reqwest::{Client, Method, RequestBuilder, Response, Url};
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use super::ahead::Ahead;
use super::auth::{Credentials, Keeper, Purpose};
use super::error::{Behind, CallError};
use super::limits::{self, Endpoint, Scope};
use super::pace::{AtOnce, Pace};
use super::refusal::About;
use super::wire;
use crate::decide::loose;
use crate::decide::ticket::{Comment, Organization, Role, Ticket, User};
use crate::metrics;

/// The largest answer that is read, bytes.
const LARGEST: usize = 16 << 20;

/// How much of an answer that is too large is passed over to see where the list goes on, bytes.
const MOST_PASSED_OVER: usize = 256 << 20;

/// How many comments of one ticket are read at most.
const MOST_COMMENTS: usize = 1000;

/// How many comments are asked for at once.
const LARGEST_PAGE: usize = 100;

/// How comments are asked for: with who wrote them, the newest first.
const NEWEST_FIRST: [(&str, &str); 2] = [("include", "users"), ("sort", "-created_at")];

/// How long a call may take where nothing else is said.
const USUAL_PATIENCE: Duration = Duration::from_secs(20);

/// One account of the helpdesk.
#[derive(Clone)]
pub struct Helpdesk {
    http: Client,
    base: Url,
    keeper: Arc<Keeper>,
    pace: Arc<dyn Pace>,
    /// Kinds of calls that the helpdesk wants none of, and until when.
    held: Arc<Mutex<BTreeMap<Endpoint, Instant>>>,
    ahead: Ahead,
}

/// A page of starred tickets.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Each ticket's number, and when it last changed.
    pub tickets: Vec<(u64, Option<DateTime<Utc>>)>,
    /// Where the next page is.
    pub next: Option<Url>,
}

/// A ticket as one look found it.
#[derive(Debug, Clone)]
pub struct Looked {
    /// The ticket.
    pub ticket: Ticket,
    /// Its requester's organisation.
    pub organization: Option<Organization>,
    /// People named on it.
    pub users: Vec<User>,
    /// What time it is at the helpdesk.
    pub server_time: Option<DateTime<Utc>>,
}

/// The comments on a ticket, as far as they were read.
#[derive(Debug, Clone, Default)]
pub struct Thread {
    /// The comments, oldest first.
    pub comments: Vec<Comment>,
    /// Who wrote them.
    pub users: Vec<User>,
    /// How many came, those among them that could not be read.
    pub read: usize,
    /// Whether these are all.
    pub reach: Reach,
}

impl Thread {
    /// Takes in a page; the link to the next, where there is more.
    fn take(&mut self, page: loose::Read<wire::Comments>) -> Option<String> {
        let loose::Read { read: page, left_out } = page;
        self.read += page.comments.len() + left_out.iter().filter(|place| place.starts_with("comments[")).count();
        self.comments.extend(page.comments);
        self.users.extend(page.users.unwrap_or_default());
        let more = page.meta.is_none_or(|meta| meta.has_more);
        page.links.and_then(|links| links.next).or(page.next_page).filter(|_| more)
    }

    /// The oldest first.
    fn in_order(mut self) -> Thread {
        self.comments.sort_by_key(|comment| (comment.created_at, comment.id));
        self
    }
}

/// How far back a list was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reach {
    /// To its beginning.
    #[default]
    Whole,
    /// Only the newest of it.
    Newest,
}

/// The helpdesk's user whose token we have.
#[derive(Debug, Clone)]
pub struct Me {
    /// Its id.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Its address.
    pub email: Option<String>,
    /// What it may do.
    pub role: Role,
    /// The helpdesk's host as it names itself.
    pub host: Option<String>,
    /// What time it is at the helpdesk.
    pub server_time: Option<DateTime<Utc>>,
}

/// What became of a write.
#[derive(Debug, Clone, Default)]
pub struct Written {
    /// The audit's id, where the answer has one.
    pub audit: Option<u64>,
    /// The ticket's tags after it, where the answer has them.
    pub tags: Option<Vec<String>>,
}

/// Leave to make one call now.
#[derive(Debug)]
pub struct Turn(());

/// The one write: an internal note and the whole set of tags, guarded.
#[derive(Debug, Clone)]
pub struct Update {
    /// The note; none where only tags are put back.
    pub html_body: Option<String>,
    /// All tags the ticket is to have.
    pub tags: Vec<String>,
    /// The ticket's `updated_at` as it was read; the write is refused where it has moved on.
    pub updated_stamp: DateTime<Utc>,
}

impl Helpdesk {
    /// An account at `base_url`, such as `https://example.zendesk.com`.
    ///
    /// # Errors
    /// An address that is none.
    pub fn new(base_url: &str, credentials: Credentials) -> Result<Helpdesk, CallError> {
        Helpdesk::with(base_url, credentials, Purpose::Work)
    }

    /// The same, with a token that may be used for more than the bot itself needs.
    ///
    /// # Errors
    /// An address that is none.
    pub fn with(base_url: &str, credentials: Credentials, purpose: Purpose) -> Result<Helpdesk, CallError> {
        Helpdesk::build(base_url, credentials, purpose, USUAL_PATIENCE, Arc::new(AtOnce))
    }

    /// The same for the bot itself: every call waits for its turn, and is given up after `patience`.
    ///
    /// # Errors
    /// An address that is none.
    pub fn paced(
        base_url: &str,
        credentials: Credentials,
        patience: Duration,
        pace: Arc<dyn Pace>,
    ) -> Result<Helpdesk, CallError> {
        Helpdesk::build(base_url, credentials, Purpose::Work, patience, pace)
    }

    fn build(
        base_url: &str,
        credentials: Credentials,
        purpose: Purpose,
        patience: Duration,
        pace: Arc<dyn Pace>,
    ) -> Result<Helpdesk, CallError> {
        let base: Url = base_url
            .trim_end_matches('/')
            .parse()
            .map_err(|_| CallError::Unreachable(format!("{base_url} is no address")))?;
        let http = Client::builder()
            .timeout(patience)
            .connect_timeout(patience.min(Duration::from_secs(5)))
            .redirect(reqwest::redirect::Policy::none()) // Elsewhere our credentials have no business.
            .user_agent(concat!("starwarden/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| CallError::unreachable(&error))?;
        let keeper = Arc::new(Keeper::new(base.as_str().trim_end_matches('/'), credentials, purpose));
        Ok(Helpdesk { http, base, keeper, pace, held: Arc::default(), ahead: Ahead::default() })
    }

    /// By how much its clock is ahead of this machine's.
    pub fn ahead(&self) -> &Ahead {
        &self.ahead
    }

    /// Who we are, `GET /api/v2/users/me.json`.
    ///
    /// # Errors
    /// See [`CallError`]; an anonymous answer counts as refused credentials.
    pub async fn me(&self) -> Result<Me, CallError> {
        let url = self.url("/api/v2/users/me.json", &[])?;
        let answer = match self.call(Method::GET, &url, None).await {
            Err(CallError::Gone) => return Err(CallError::NoHelpdesk),
            answer => answer?,
        };
        let server_time = limits::date(answer.headers());
        let wire::MeUser { id, name, email, role, url } = read::<wire::Me>(answer).await?.user;
        let id = id.ok_or_else(|| CallError::Unauthorized("it does not know who we are".into()))?;
        let host = url.and_then(|url| url.parse::<Url>().ok()?.host_str().map(str::to_owned));
        Ok(Me { id, name, email, role, host, server_time })
    }

    /// A ticket with its organisation, `GET /api/v2/tickets/{id}`.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn ticket(&self, id: u64) -> Result<Looked, CallError> {
        let url = self.url(&format!("/api/v2/tickets/{id}"), &[("include", "users,organizations,comment_count")])?;
        let answer = self.call(Method::GET, &url, None).await?;
        let server_time = limits::date(answer.headers());
        let one: wire::OneTicket = read(answer).await?;
        let organization =
            one.organizations.unwrap_or_default().into_iter().find(|it| Some(it.id) == one.ticket.organization_id);
        Ok(Looked { ticket: one.ticket, organization, users: one.users.unwrap_or_default(), server_time })
    }

    /// A ticket's comments, oldest first, with who wrote them, `GET /api/v2/tickets/{id}/comments`; the newest thousand.
    ///
    /// Pages by cursor are sorted by `sort`; `sort_order` belongs to pages by offset and says nothing here. A page that is too
    /// large is asked for in smaller pieces, and a comment that is too large by itself is left out.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn comments(&self, id: u64) -> Result<Thread, CallError> {
        let mut size = LARGEST_PAGE;
        let mut next = Some(self.url(&format!("/api/v2/tickets/{id}/comments"), &NEWEST_FIRST)?);
        let mut thread = Thread::default();
        while thread.read < MOST_COMMENTS {
            let Some(url) = next.take() else { break };
            let answer = self.call(Method::GET, &with(&url, "page[size]", &size.to_string()), None).await?;
            let page = match read_loosely::<wire::Comments>(answer).await {
                Ok(page) => page,
                Err(CallError::TooLarge { .. }) if size > 1 => {
                    size = size.div_ceil(10);
                    next = Some(url);
                    continue;
                }
                Err(CallError::TooLarge { after }) => {
                    tracing::warn!(ticket = id, "a comment is too large to be read and is left out");
                    thread.read += 1;
                    match after {
                        Behind::At(after) => next = Some(with(&url, "page[after]", &after)),
                        Behind::Nothing => {}
                        Behind::Unknown => thread.reach = Reach::Newest,
                    }
                    continue;
                }
                Err(error) => return Err(error),
            };
            size = LARGEST_PAGE.min(size * 10);
            next = self.next_page(&url, thread.take(page).as_deref())?;
        }
        if next.is_some() {
            thread.reach = Reach::Newest;
        }
        Ok(thread.in_order())
    }

    /// The newest hundred of them, in one call.
    ///
    /// # Errors
    /// See [`CallError`]; a page that is too large is not asked for in pieces.
    pub async fn newest_comments(&self, id: u64) -> Result<Thread, CallError> {
        let url = self.url(&format!("/api/v2/tickets/{id}/comments"), &NEWEST_FIRST)?;
        let answer = self.call(Method::GET, &with(&url, "page[size]", &LARGEST_PAGE.to_string()), None).await?;
        let mut thread = Thread::default();
        if thread.take(read_loosely::<wire::Comments>(answer).await?).is_some() {
            thread.reach = Reach::Newest;
        }
        Ok(thread.in_order())
    }

    /// Waits for the turn of a write, so that what is to be written can be looked at a last time before it is.
    ///
    /// # Errors
    /// See [`Pace::turn`].
    pub async fn turn(&self) -> Result<Turn, CallError> {
        self.pace.turn().await?;
        Ok(Turn(()))
    }

    /// Writes note and tags, `PUT /api/v2/tickets/{id}`.
    ///
    /// # Errors
    /// See [`CallError`]; after [`CallError::Unreachable`] and [`CallError::Failed`] it may have taken effect, or may yet.
    pub async fn update(&self, turn: Turn, id: u64, update: &Update) -> Result<Written, CallError> {
        let url = self.url(&format!("/api/v2/tickets/{id}"), &[])?;
        let put = wire::Put {
            ticket: wire::PutTicket {
                comment: update.html_body.as_deref().map(|html_body| wire::PutComment { html_body, public: false }),
                tags: &update.tags,
                safe_update: true,
                updated_stamp: wire::stamp(update.updated_stamp),
            },
        };
        let body = serde_json::to_value(&put).map_err(|error| CallError::Unreadable(error.to_string()))?;
        let answer = self.in_turn(turn, Method::PUT, &url, Some(&body)).await?;
        // It is done, whatever is to be read of the rest.
        let written: Option<wire::Written> = read(answer).await.ok();
        let written = written.unwrap_or_default();
        Ok(Written {
            audit: written.audit.and_then(|audit| audit.id),
            tags: written.ticket.and_then(|ticket| ticket.tags),
        })
    }

    /// Whether we may write on a ticket: a write that cannot take effect, for its stamp is older than any ticket.
    ///
    /// # Errors
    /// See [`CallError`]; that the stamp is too old is none.
    pub async fn may_write(&self, id: u64) -> Result<(), CallError> {
        let url = self.url(&format!("/api/v2/tickets/{id}"), &[])?;
        let put = json!({ "ticket": { "safe_update": true, "updated_stamp": "2000-01-01T00:00:00Z" } });
        match self.call(Method::PUT, &url, Some(&put)).await {
            Ok(_) | Err(CallError::Conflict | CallError::Closed) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Open tickets with a tag, `GET /api/v2/search/export`, a page after the other; a minute or so behind.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn tagged(&self, tag: &str, page: Option<Url>) -> Result<Page, CallError> {
        let query = format!("tags:{tag} status<solved");
        let first = [("query", query.as_str()), ("filter[type]", "ticket"), ("page[size]", "100")];
        let url = page.map_or_else(|| self.url("/api/v2/search/export", &first), Ok)?;
        let found: wire::Found = read(self.call(Method::GET, &url, None).await?).await?;
        let more = found.meta.is_some_and(|meta| meta.has_more);
        let link = found.links.and_then(|links| links.next).filter(|_| more);
        Ok(Page {
            tickets: found.results.into_iter().map(|ticket| (ticket.id, ticket.updated_at)).collect(),
            next: self.next_page(&url, link.as_deref())?,
        })
    }

    pub(super) fn url(&self, path: &str, query: &[(&str, &str)]) -> Result<Url, CallError> {
        let mut url = self.base.join(path).map_err(|_| CallError::Unreachable(format!("{path} is no path")))?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    /// The page behind this one, if the helpdesk links to one. An account answers under several names (its own, a mapped
    /// one), and may link by another than ours: what is taken is where in the list it goes on, and never a host.
    ///
    /// # Errors
    /// A link that leads to another list: the pages behind it would be missing without a word.
    pub(super) fn next_page(&self, page: &Url, link: Option<&str>) -> Result<Option<Url>, CallError> {
        let Some(link) = link else { return Ok(None) };
        let path = |url: &Url| url.path().trim_end_matches(".json").to_owned();
        match page.join(link) {
            Ok(next) if path(&next) == path(page) => {
                let mut url = page.clone();
                url.set_query(next.query());
                Ok(Some(url))
            }
            Ok(_) | Err(_) => Err(CallError::Unreadable("its next page is another list".into())),
        }
    }

    pub(super) async fn call(&self, method: Method, url: &Url, body: Option<&Json>) -> Result<Response, CallError> {
        self.in_turn(self.turn().await?, method, url, body).await
    }

    async fn in_turn(&self, _: Turn, method: Method, url: &Url, body: Option<&Json>) -> Result<Response, CallError> {
        let endpoint = Endpoint::of(&method, url.path());
        if let Some(retry_after) = endpoint.and_then(|endpoint| self.held_for(endpoint)) {
            return Err(CallError::Limited { retry_after, scope: Scope::Endpoint });
        }
        let request = || -> RequestBuilder {
            let call = self.http.request(method.clone(), url.clone());
            match body {
                Some(body) => call.json(body),
                None => call,
            }
        };
        let (signed, token) = self.signed(request(), None).await?;
        let mut answer = counted(&method, signed).await?;
        if answer.status().as_u16() == 401 && self.keeper.renews() {
            let (signed, _) = self.signed(request(), Some(&token)).await?;
            self.pace.turn().await?;
            answer = counted(&method, signed).await?;
        }
        self.ahead.told(limits::date(answer.headers()));
        if let Some(nearly_spent) = limits::hold(answer.headers()) {
            self.pace.spare(nearly_spent).await;
        }
        if let (Some(Endpoint::Updates), Some(nearly_spent)) = (endpoint, limits::hold_updates(answer.headers())) {
            self.hold_endpoint(Endpoint::Updates, nearly_spent);
        }
        let answer = CallError::of(answer, about(url)).await;
        match (limited(&answer), endpoint) {
            (Some((length, Scope::Account)), _) => self.pace.hold(length).await,
            (Some((length, Scope::Endpoint)), Some(endpoint)) => self.hold_endpoint(endpoint, length),
            (Some((_, Scope::Endpoint | Scope::Ticket)) | None, _) => {}
        }
        answer
    }

    /// A call with our credentials on it; that they are not given now is a refusal of all calls.
    async fn signed(&self, call: RequestBuilder, refused: Option<&str>) -> Result<(RequestBuilder, String), CallError> {
        let signed = self.keeper.sign(&self.http, call, refused).await;
        if let Some((length, _)) = limited(&signed) {
            self.pace.hold(length).await;
        }
        signed
    }

    /// How long no call of this kind is to be made.
    fn held_for(&self, endpoint: Endpoint) -> Option<Duration> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.get(&endpoint)?.checked_duration_since(Instant::now()).filter(|wait| !wait.is_zero())
    }

    fn hold_endpoint(&self, endpoint: Endpoint, length: Duration) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let until = held.entry(endpoint).or_insert_with(Instant::now);
        *until = (*until).max(Instant::now() + length);
    }
}

/// Whose words a refusal of this call may quote.
fn about(url: &Url) -> About {
    let ours = ["/webhooks", "/triggers", "/search", "/incremental", "/ticket_forms", "/ticket_fields", "/tags"];
    let path = url.path().trim_start_matches("/api/v2");
    if ours.iter().any(|ours| path.starts_with(ours)) { About::Ourselves } else { About::Customers }
}

/// How long the helpdesk asks to wait, and with what.
fn limited<T>(answer: &Result<T, CallError>) -> Option<(Duration, Scope)> {
    match answer {
        Err(CallError::Limited { retry_after, scope }) => Some((*retry_after, *scope)),
        Ok(_) | Err(_) => None,
    }
}

async fn counted(method: &Method, call: RequestBuilder) -> Result<Response, CallError> {
    let answer = call.send().await;
    metrics::api_call(method, answer.as_ref().ok().map(|answer| answer.status().as_u16()));
    answer.map_err(|error| CallError::unreachable(&error))
}

/// An address with another value of one key of its query.
fn with(url: &Url, key: &str, value: &str) -> Url {
    let others: Vec<(String, String)> = url.query_pairs().into_owned().filter(|(one, _)| one != key).collect();
    let mut url = url.clone();
    url.query_pairs_mut().clear().extend_pairs(others).append_pair(key, value);
    url
}

/// Reads an answer; what in it cannot be read is left out and named in the log.
pub(super) async fn read<T: DeserializeOwned>(answer: Response) -> Result<T, CallError> {
    Ok(read_loosely(answer).await?.read)
}

/// The same, with the places of what was left out.
async fn read_loosely<T: DeserializeOwned>(answer: Response) -> Result<loose::Read<T>, CallError> {
    let body = body(answer).await?;
    if let Ok(read) = serde_json::from_slice(&body) {
        return Ok(loose::Read { read, left_out: Vec::new() });
    }
    // What serde says may quote a value, and values are customers' words: only the place is told.
    let json: Json = serde_json::from_slice(&body).map_err(|_| CallError::Unreadable("it is not JSON".into()))?;
    let read = loose::from_json(json).map_err(|place| CallError::Unreadable(format!("at {place}")))?;
    for place in &read.left_out {
        tracing::warn!(place, "a part of the helpdesk's answer cannot be read and is left out");
    }
    Ok(read)
}

async fn body(mut answer: Response) -> Result<Vec<u8>, CallError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| CallError::unreachable(&error))? {
        if body.len() + chunk.len() > LARGEST {
            return Err(CallError::TooLarge { after: cursor_at_the_end(answer, &chunk).await? });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The cursor that stands at the end of a list's answer, which is read on without being kept.
async fn cursor_at_the_end(mut answer: Response, first: &[u8]) -> Result<Behind, CallError> {
    let mut end = first.to_vec();
    let mut passed_over = 0;
    while let Some(chunk) = answer.chunk().await.map_err(|error| CallError::unreachable(&error))? {
        passed_over += chunk.len();
        if passed_over > MOST_PASSED_OVER {
            return Ok(Behind::Unknown);
        }
        end.extend_from_slice(&chunk);
        end.drain(..end.len().saturating_sub(4096));
    }
    let end = String::from_utf8_lossy(&end);
    let more = end.rsplit_once("\"has_more\":").map(|(_, rest)| rest.trim_start().starts_with("true"));
    let cursor = end.rsplit_once("\"after_cursor\":").and_then(|(_, rest)| rest.split('"').nth(1));
    Ok(match (more, cursor) {
        (Some(true), Some(cursor)) => Behind::At(cursor.to_owned()),
        (Some(false), _) => Behind::Nothing,
        (Some(true) | None, _) => Behind::Unknown,
    })
}
