//! Calls to the helpdesk's API. Nothing here tries again but after a 401; that is the loop's to decide.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::{Client, Method, RequestBuilder, Response, Url};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::auth::{Credentials, Keeper, Purpose};
use super::limits;
use super::pace::{AtOnce, Pace};
use super::wire;
use crate::decide::loose;
use crate::decide::ticket::{Comment, Organization, Ticket, User};
use crate::metrics;

/// The largest answer that is read, bytes.
const LARGEST: usize = 16 << 20;

/// How many comments of one ticket are read at most.
const MOST_COMMENTS: usize = 1000;

/// How many comments are asked for at once.
const LARGEST_PAGE: usize = 100;

/// How long a call may take where nothing else is said.
const USUAL_PATIENCE: Duration = Duration::from_secs(20);

/// One account of the helpdesk.
#[derive(Clone)]
pub struct Helpdesk {
    http: Client,
    base: Url,
    keeper: Arc<Keeper>,
    pace: Arc<dyn Pace>,
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

/// How far back a list was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reach {
    /// To its beginning.
    #[default]
    Whole,
    /// Only the newest of it.
    Newest,
}

/// Leave to make one call now.
#[derive(Debug)]
pub struct Turn(());

/// The one write: an internal note and the whole set of tags, guarded.
#[derive(Debug, Clone)]
pub struct Update {
    /// The note.
    pub html_body: String,
    /// All tags the ticket is to have.
    pub tags: Vec<String>,
    /// The ticket's `updated_at` as it was read; the write is refused where it has moved on.
    pub updated_stamp: DateTime<Utc>,
}

/// Why a call did not bring what it was to bring.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// No answer, or half of one; a write may have taken effect.
    #[error("the helpdesk cannot be reached: {0}")]
    Unreachable(String),
    /// 409: the ticket moved on since it was read.
    #[error("the ticket moved on since it was read")]
    Conflict,
    /// 422: the ticket is closed.
    #[error("the ticket is closed")]
    Closed,
    /// 404: deleted, or never there.
    #[error("the ticket is not there")]
    Gone,
    /// 401 or 403, after a new token was tried.
    #[error("the helpdesk refuses our credentials: {0}")]
    Unauthorized(String),
    /// 429: the whole account is to wait.
    #[error("the helpdesk asks to wait {} s", retry_after.as_secs())]
    Limited {
        /// How long.
        retry_after: Duration,
    },
    /// 5xx.
    #[error("the helpdesk failed with status {status}")]
    Failed {
        /// The status.
        status: u16,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// Any other status.
    #[error("the helpdesk refused with status {status}: {why}")]
    Rejected {
        /// The status.
        status: u16,
        /// The error's name.
        why: String,
    },
    /// The call was not made: its turn could not be had.
    #[error("the account's share of calls cannot be asked for: {0}")]
    NoTurn(String),
    /// An answer of more bytes than are read.
    #[error("the helpdesk's answer is larger than 16 MiB")]
    TooLarge {
        /// Where the list goes on behind it, where it is a list and its end was seen.
        after: Option<String>,
    },
    /// An answer that is not what the API promises.
    #[error("the helpdesk's answer cannot be read: {0}")]
    Unreadable(String),
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
        Ok(Helpdesk { http, base, keeper, pace })
    }

    /// Our own id, `GET /api/v2/users/me.json`.
    ///
    /// # Errors
    /// See [`CallError`]; an anonymous answer counts as refused credentials.
    pub async fn me(&self) -> Result<u64, CallError> {
        let url = self.url("/api/v2/users/me.json", &[])?;
        let me: wire::Me = read(self.call(Method::GET, &url, None).await?).await?;
        me.user.id.filter(|id| *id > 0).ok_or_else(|| CallError::Unauthorized("it does not know who we are".into()))
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
        let query = [("include", "users"), ("sort", "-created_at")];
        let mut next = Some(self.url(&format!("/api/v2/tickets/{id}/comments"), &query)?);
        let mut thread = Thread::default();
        while thread.read < MOST_COMMENTS {
            let Some(url) = next.take() else { break };
            let answer = self.call(Method::GET, &with(&url, "page[size]", &size.to_string()), None).await?;
            let loose::Read { read: page, left_out } = match read_loosely::<wire::Comments>(answer).await {
                Ok(page) => page,
                Err(CallError::TooLarge { .. }) if size > 1 => {
                    size = size.div_ceil(5);
                    next = Some(url);
                    continue;
                }
                Err(CallError::TooLarge { after }) => {
                    tracing::warn!(ticket = id, "a comment is too large to be read and is left out");
                    thread.read += 1;
                    next = after.map(|after| with(&url, "page[after]", &after));
                    continue;
                }
                Err(error) => return Err(error),
            };
            size = LARGEST_PAGE.min(size * 5);
            thread.read += page.comments.len() + left_out.iter().filter(|place| place.starts_with("comments[")).count();
            thread.comments.extend(page.comments);
            thread.users.extend(page.users.unwrap_or_default());
            let more = page.meta.is_none_or(|meta| meta.has_more);
            let link = page.links.and_then(|links| links.next).or(page.next_page);
            next = self.next_page(link.filter(|_| more).as_deref())?;
        }
        if next.is_some() {
            thread.reach = Reach::Newest;
        }
        thread.comments.sort_by_key(|comment| (comment.created_at, comment.id));
        Ok(thread)
    }

    /// Waits for the turn of a write, so that what is to be written can be looked at a last time before it is.
    ///
    /// # Errors
    /// See [`Pace::turn`].
    pub async fn turn(&self) -> Result<Turn, CallError> {
        self.pace.turn().await?;
        Ok(Turn(()))
    }

    /// Writes note and tags, `PUT /api/v2/tickets/{id}`; gives the audit's id where the answer has one.
    ///
    /// # Errors
    /// See [`CallError`]; after [`CallError::Unreachable`] and [`CallError::Failed`] it may have taken effect, or may yet.
    pub async fn update(&self, turn: Turn, id: u64, update: &Update) -> Result<Option<u64>, CallError> {
        let url = self.url(&format!("/api/v2/tickets/{id}"), &[])?;
        let put = wire::Put {
            ticket: wire::PutTicket {
                comment: wire::PutComment { html_body: &update.html_body, public: false },
                tags: &update.tags,
                safe_update: true,
                updated_stamp: wire::stamp(update.updated_stamp),
            },
        };
        let body = serde_json::to_value(&put).map_err(|error| CallError::Unreadable(error.to_string()))?;
        let answer = self.in_turn(turn, Method::PUT, &url, Some(&body)).await?;
        // It is done, whatever is to be read of the rest.
        let written: Option<wire::Written> = read(answer).await.ok();
        Ok(written.and_then(|written| written.audit?.id))
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
            next: self.next_page(link.as_deref())?,
        })
    }

    pub(super) fn url(&self, path: &str, query: &[(&str, &str)]) -> Result<Url, CallError> {
        let mut url = self.base.join(path).map_err(|_| CallError::Unreachable(format!("{path} is no path")))?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    /// The helpdesk's link to the next page, if there is one: followed only where it leads back to the helpdesk.
    ///
    /// # Errors
    /// One that leads elsewhere: the pages behind it would be missing without a word.
    pub(super) fn next_page(&self, link: Option<&str>) -> Result<Option<Url>, CallError> {
        let Some(link) = link else { return Ok(None) };
        match self.base.join(link) {
            Ok(url) if url.origin() == self.base.origin() => Ok(Some(url)),
            Ok(_) | Err(_) => Err(CallError::Unreadable("its next page is at another address".into())),
        }
    }

    pub(super) async fn call(&self, method: Method, url: &Url, body: Option<&Json>) -> Result<Response, CallError> {
        self.in_turn(self.turn().await?, method, url, body).await
    }

    async fn in_turn(&self, _: Turn, method: Method, url: &Url, body: Option<&Json>) -> Result<Response, CallError> {
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
        let nearly_spent = limits::hold(answer.headers());
        let answer = CallError::of(answer).await;
        self.hold(nearly_spent.max(limited(&answer))).await;
        answer
    }

    /// A call with our credentials on it; that they are not given now is a refusal of all calls.
    async fn signed(&self, call: RequestBuilder, refused: Option<&str>) -> Result<(RequestBuilder, String), CallError> {
        let signed = self.keeper.sign(&self.http, call, refused).await;
        self.hold(limited(&signed)).await;
        signed
    }

    async fn hold(&self, length: Option<Duration>) {
        if let Some(length) = length {
            self.pace.hold(length).await;
        }
    }
}

/// How long the helpdesk asks to wait.
fn limited<T>(answer: &Result<T, CallError>) -> Option<Duration> {
    match answer {
        Err(CallError::Limited { retry_after }) => Some(*retry_after),
        Ok(_) | Err(_) => None,
    }
}

async fn counted(method: &Method, call: RequestBuilder) -> Result<Response, CallError> {
    let answer = call.send().await;
    metrics::api_call(method, answer.as_ref().ok().map(|answer| answer.status().as_u16()));
    answer.map_err(|error| CallError::unreachable(&error))
}

impl CallError {
    /// An answer, where its status says that all went well.
    pub(super) async fn of(answer: Response) -> Result<Response, CallError> {
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let retry_after = limits::retry_after(answer.headers());
        Err(match status.as_u16() {
            401 | 403 => CallError::Unauthorized(format!("status {}", status.as_u16())),
            404 | 410 => CallError::Gone,
            409 => CallError::Conflict,
            429 => CallError::Limited { retry_after: retry_after.unwrap_or(Duration::from_secs(60)) },
            code if status.is_server_error() => CallError::Failed { status: code, retry_after },
            code => {
                let body: Json = read(answer).await.unwrap_or_default();
                if code == 422 && wire::speaks_of_closed(&body) {
                    CallError::Closed
                } else {
                    CallError::Rejected {
                        status: code,
                        why: wire::error_name(&body).unwrap_or_else(|| "no reason given".into()),
                    }
                }
            }
        })
    }

    /// A call that got no answer; the address is left out, for its query may hold what is not for logs.
    pub(super) fn unreachable(error: &reqwest::Error) -> CallError {
        let why = if error.is_timeout() {
            "no answer in time"
        } else if error.is_connect() {
            "no connection"
        } else {
            "the connection broke"
        };
        CallError::Unreachable(why.into())
    }
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
async fn cursor_at_the_end(mut answer: Response, first: &[u8]) -> Result<Option<String>, CallError> {
    let mut end = first.to_vec();
    let mut passed_over = 0;
    while let Some(chunk) = answer.chunk().await.map_err(|error| CallError::unreachable(&error))? {
        passed_over += chunk.len();
        if passed_over > LARGEST {
            return Ok(None);
        }
        end.extend_from_slice(&chunk);
        end.drain(..end.len().saturating_sub(4096));
    }
    let end = String::from_utf8_lossy(&end);
    let more = end.rsplit_once("\"has_more\":").is_some_and(|(_, rest)| rest.trim_start().starts_with("true"));
    let cursor = end.rsplit_once("\"after_cursor\":").and_then(|(_, rest)| rest.split('"').nth(1));
    Ok(cursor.filter(|_| more).map(str::to_owned))
}
