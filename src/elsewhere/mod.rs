//! Where follow-ups go: a GitLab project's issues and a chat's channel, as values in and out.
//!
//! They are called at configured addresses alone, follow no redirect, and try nothing again: that is the loop's to
//! decide. What an error says holds no address, no token, and nothing of what was sent or answered.

pub mod address;
pub mod chat;
pub mod embeddings;
pub mod gitlab;
pub mod lookups;

use std::time::Duration;

use reqwest::{Client, Response, redirect};
use serde::de::DeserializeOwned;

use crate::helpdesk::limits;

/// The largest answer that is read, bytes.
const LARGEST: usize = 8 << 20;

/// How long a destination that asks for no certain time is left in peace.
const USUAL_WAIT: Duration = Duration::from_secs(60);

/// Why a call did not bring what it was to bring.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// No answer, or half of one; a write may have taken effect, or may yet.
    #[error("it cannot be reached: {0}")]
    Unreachable(&'static str),
    /// 401 or 403.
    #[error("it refuses us with status {0}")]
    Refused(u16),
    /// 429: all calls are to wait.
    #[error("it asks to wait {} s", retry_after.as_secs())]
    Limited {
        /// How long.
        retry_after: Duration,
    },
    /// 5xx; a write may have taken effect, or may yet.
    #[error("it failed with status {0}")]
    Failed(u16),
    /// Any other status.
    #[error("it answered with status {0}")]
    Rejected(u16),
    /// An answer that is not what the API promises.
    #[error("its answer cannot be read: {0}")]
    Unreadable(String),
}

impl CallError {
    /// Whether a write that ended so may have taken effect all the same.
    pub fn leaves_open(&self) -> bool {
        match self {
            CallError::Unreachable(_) | CallError::Failed(_) | CallError::Unreadable(_) => true,
            CallError::Refused(_) | CallError::Limited { .. } | CallError::Rejected(_) => false,
        }
    }

    fn unreachable(error: &reqwest::Error) -> CallError {
        CallError::Unreachable(match () {
            () if error.is_timeout() => "no answer in time",
            () if error.is_connect() => "no connection",
            () => "the connection broke",
        })
    }
}

/// A client that gives a call up after `patience`.
fn client(patience: Duration) -> Result<Client, reqwest::Error> {
    Client::builder()
        .timeout(patience)
        .connect_timeout(patience.min(Duration::from_secs(5)))
        .redirect(redirect::Policy::none()) // Elsewhere our secrets have no business.
        .user_agent(concat!("starwarden/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// An answer, where its status says that all went well.
fn well(answer: Response) -> Result<Response, CallError> {
    let status = answer.status();
    match status.as_u16() {
        _ if status.is_success() => Ok(answer),
        code @ (401 | 403) => Err(CallError::Refused(code)),
        429 => Err(CallError::Limited { retry_after: limits::retry_after(answer.headers()).unwrap_or(USUAL_WAIT) }),
        code if status.is_server_error() => Err(CallError::Failed(code)),
        code => Err(CallError::Rejected(code)),
    }
}

async fn read<T: DeserializeOwned>(mut answer: Response) -> Result<T, CallError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| CallError::unreachable(&error))? {
        if body.len() + chunk.len() > LARGEST {
            return Err(CallError::Unreadable("it is larger than 8 MiB".into()));
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body)
        .map_err(|error| CallError::Unreadable(format!("at line {}, column {}", error.line(), error.column())))
}
