//! Why a call did not bring what it was to bring.

use std::time::Duration;

use reqwest::Response;
use reqwest::header;

use super::limits::{self, Scope};
use super::refusal::{self, About, Refusal};

/// How much of a refusal is read, bytes.
const MOST_READ: usize = 64 << 10;

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
    /// 404 where every helpdesk has something.
    #[error("there is no helpdesk at this address: see base_url")]
    NoHelpdesk,
    /// 3xx: the account was renamed, or has an address of its own; nothing is followed with credentials.
    #[error("the helpdesk has moved to {to}: put that into base_url")]
    Moved {
        /// Where to, without a path.
        to: String,
    },
    /// 401, after a new token was tried.
    #[error("the helpdesk refuses our credentials: {0}")]
    Unauthorized(String),
    /// 403.
    #[error("the helpdesk denies this to us: {0}")]
    Forbidden(Forbidden),
    /// 429: to wait, for this ticket, this kind of call, or the whole account.
    #[error("the helpdesk asks to wait {} s", retry_after.as_secs())]
    Limited {
        /// How long.
        retry_after: Duration,
        /// What is to wait.
        scope: Scope,
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
        /// Why, as far as it says so.
        why: String,
    },
    /// The call was not made: its turn could not be had.
    #[error("the account's share of calls cannot be asked for: {0}")]
    NoTurn(String),
    /// An answer of more bytes than are read.
    #[error("the helpdesk's answer is larger than 16 MiB")]
    TooLarge {
        /// Where the list goes on behind it, where it is a list.
        after: Behind,
    },
    /// An answer that is not what the API promises.
    #[error("the helpdesk's answer cannot be read: {0}")]
    Unreadable(String),
}

/// What a list has behind a page that is too large.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Behind {
    /// More, from this cursor on.
    At(String),
    /// No more.
    Nothing,
    /// That was not seen.
    Unknown,
}

/// What stands between us and what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// The token lacks these scopes.
    #[error("status 403, the token lacks the scope {}: give it to the OAuth client, and name it in auth.scopes where that is set", .0.join(" "))]
    Scopes(Vec<String>),
    /// The user whose token it is may not, whatever its scopes.
    #[error("status 403, the role of the agent whose token it is may not do this")]
    Role,
    /// It does not say, or only this.
    #[error("status 403, {0}")]
    Unsaid(String),
}

impl CallError {
    /// An answer, where its status says that all went well.
    pub(super) async fn of(answer: Response, about: About) -> Result<Response, CallError> {
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let retry_after = limits::retry_after(answer.headers());
        Err(match status.as_u16() {
            404 | 410 => CallError::Gone,
            409 => CallError::Conflict,
            429 => CallError::Limited {
                retry_after: retry_after.unwrap_or(Duration::from_secs(60)),
                scope: limits::scope(answer.headers(), answer.url().path()),
            },
            300..400 => CallError::Moved { to: moved_to(&answer) },
            code if status.is_server_error() => CallError::Failed { status: code, retry_after },
            code => {
                let Refusal { closed, scopes, role, why } = refusal::of(&start(answer).await, about);
                let why = why.unwrap_or_else(|| "no reason given".into());
                match code {
                    401 => CallError::Unauthorized(format!("status 401, {why}")),
                    403 if !scopes.is_empty() => CallError::Forbidden(Forbidden::Scopes(scopes)),
                    403 if role => CallError::Forbidden(Forbidden::Role),
                    403 => CallError::Forbidden(Forbidden::Unsaid(why)),
                    422 if closed => CallError::Closed,
                    code => CallError::Rejected { status: code, why },
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

/// Where a redirect leads, without a path; in words where it does not say.
fn moved_to(answer: &Response) -> String {
    let location = answer.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
    let to = location.and_then(|location| answer.url().join(location).ok());
    to.map_or_else(|| "an address that it does not name".into(), |to| to.origin().ascii_serialization())
}

/// The beginning of a refusal; what cannot be read of it gives no reason.
async fn start(mut answer: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > MOST_READ {
            break;
        }
    }
    body
}
