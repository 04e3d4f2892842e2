//! What every page has: its frame, the form it takes, and the page that says what went wrong.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Form, FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Response};

use super::assets;
use super::session::{By, NoRandomness, Role, Session};
use crate::store::StoreError;

/// Seconds after which a page that stays up to date is fetched anew.
const REFRESH: u32 = 20;

/// The same for a page on which something is awaited.
const SOON: u32 = 2;

/// What surrounds a page.
pub(super) struct Frame {
    pub title: String,
    pub who: String,
    pub csrf: String,
    pub may_act: MayAct,
    /// Whether they signed in, so that they can sign out.
    pub signed_in: bool,
    /// Where the page stands in the menu: the path of its entry.
    pub at: &'static str,
    pub style: &'static str,
    /// After how many seconds the script fetches the page anew; 0 where it does not.
    pub refresh: u32,
}

/// Whether buttons are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MayAct {
    Yes,
    No,
}

impl MayAct {
    pub(super) fn yes(self) -> bool {
        self == MayAct::Yes
    }
}

impl Frame {
    pub(super) fn new(session: &Session, title: impl Into<String>, at: &'static str) -> Frame {
        Frame {
            title: title.into(),
            who: session.name.clone(),
            csrf: session.csrf.clone(),
            signed_in: session.by != By::ThisMachine,
            may_act: if session.role >= Role::Act { MayAct::Yes } else { MayAct::No },
            at,
            style: assets::version(),
            refresh: 0,
        }
    }

    /// What the page waits for comes within seconds.
    pub(super) fn soon(self) -> Frame {
        Frame { refresh: SOON, ..self }
    }

    /// The page stays up to date by itself.
    pub(super) fn refreshed(self) -> Frame {
        Frame { refresh: REFRESH, ..self }
    }

    /// Entries of the menu.
    pub(super) fn menu(&self) -> [(&'static str, &'static str); 8] {
        [
            ("/", "Today"),
            ("/tickets", "Tickets"),
            ("/decisions", "Decisions"),
            ("/policy", "Policy"),
            ("/preview", "Preview"),
            ("/try", "Try it"),
            ("/report", "Report"),
            ("/record", "Activity"),
        ]
    }
}

/// A page, written.
pub(super) fn html(template: &impl Template) -> Result<Response, Problem> {
    let text = template.render().map_err(|error| Problem::Fault(error.to_string()))?;
    Ok(Html(text).into_response())
}

/// Why there is no page.
#[derive(Debug)]
pub enum Problem {
    /// Nobody can sign in, and it could be reached from elsewhere.
    Closed,
    /// It is open to this machine alone, and asked for by a name that may be another's.
    OtherName,
    /// It is open to this machine alone, and a proxy hands the request on.
    Proxied,
    /// Nothing is there.
    Missing(String),
    /// The form or address makes no sense.
    Bad(String),
    /// The form was not one of ours, or is too old.
    Forged,
    /// They may read alone.
    ReadOnly,
    /// The store cannot say.
    Store(StoreError),
    /// A fault of ours.
    Fault(String),
}

impl From<NoRandomness> for Problem {
    fn from(error: NoRandomness) -> Self {
        Problem::Fault(error.to_string())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Problem::Store(error)
    }
}

#[derive(Template)]
#[template(path = "problem.html", config = "src/console/askama.toml")]
struct ProblemPage {
    style: &'static str,
    title: &'static str,
    what: String,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, title, what) = match self {
            Problem::Closed => (
                StatusCode::FORBIDDEN,
                "The console is closed",
                "It could be reached from elsewhere, and nobody can sign in. Name users or oidc in [console] of the \
                 configuration; or, for this machine alone, let listen and public_url of [server] name 127.0.0.1."
                    .into(),
            ),
            Problem::OtherName => (
                StatusCode::FORBIDDEN,
                "The console is closed",
                "It is open to this machine alone, by an address of its own such as http://127.0.0.1 with the port of \
                 [server] listen. For other names configure [console] with users or oidc."
                    .into(),
            ),
            Problem::Proxied => (
                StatusCode::FORBIDDEN,
                "The console is closed",
                "It is open to this machine alone, and a proxy hands this request on. Set [server] public_url to the \
                 address that people use, and configure [console] with users or oidc."
                    .into(),
            ),
            Problem::Missing(what) => (StatusCode::NOT_FOUND, "Nothing here", what),
            Problem::Bad(what) => (StatusCode::BAD_REQUEST, "That makes no sense here", what),
            Problem::Forged => (
                StatusCode::FORBIDDEN,
                "This form is too old",
                "Go back, load the page again, and send the form once more.".into(),
            ),
            Problem::ReadOnly => (StatusCode::FORBIDDEN, "You may read", "Changing things needs the role act.".into()),
            Problem::Store(error) => {
                tracing::error!(%error, "a page could not be read");
                (StatusCode::SERVICE_UNAVAILABLE, "The store cannot be read", "Try again in a moment.".into())
            }
            Problem::Fault(error) => {
                tracing::error!(error, "a page could not be made");
                (StatusCode::INTERNAL_SERVER_ERROR, "This page could not be made", "The log says why.".into())
            }
        };
        let page = ProblemPage { style: assets::version(), title, what };
        (status, Html(page.render().unwrap_or_else(|_| title.to_owned()))).into_response()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Session {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        parts.extensions.get::<Session>().cloned().ok_or(Problem::Forged)
    }
}

/// A form that one of our pages sent.
pub(super) struct Filled {
    /// Who sent it.
    pub session: Session,
    fields: BTreeMap<String, String>,
}

impl Filled {
    /// A field without white space around it; empty where it was not sent.
    pub(super) fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", |value| value.trim())
    }

    /// Whether a field was sent.
    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// Everything that was filled in but the form's own token.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        let filled = self.fields.iter().map(|(name, value)| (name.as_str(), value.trim()));
        filled.filter(|(name, value)| *name != "csrf" && !value.is_empty())
    }
}

impl<S: Send + Sync> FromRequest<S> for Filled {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let session = request.extensions().get::<Session>().cloned().ok_or(Problem::Forged)?;
        let form = Form::<BTreeMap<String, String>>::from_request(request, state).await;
        let Form(fields) = form.map_err(|error| Problem::Bad(error.body_text()))?;
        let sent = fields.get("csrf").map(String::as_str).unwrap_or_default();
        if !same(sent, &session.csrf) {
            return Err(Problem::Forged);
        }
        Ok(Filled { session, fields })
    }
}

/// Compares two secrets in a time that tells nothing; two empty ones are not the same.
pub(super) fn same(one: &str, other: &str) -> bool {
    use sha2::{Digest, Sha256};
    !one.is_empty() && Sha256::digest(one) == Sha256::digest(other)
}
