//! A stand-in for where follow-ups go: one GitLab project with its issues, and a chat's channel.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

/// The project's path.
pub const PROJECT: &str = "support/star";

/// The token that is taken.
pub const TOKEN: &str = "demo-gitlab-token";

/// Where the chat's webhook is.
pub const WEBHOOK: &str = "/chat/a-secret-address";

/// Our number there.
pub const US: u64 = 41;

/// A trouble for the next write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing is done, and the answer has this status.
    Status(u16),
    /// Nothing is done, and the answer asks to wait so many seconds.
    Limited(u64),
    /// It is done, and the answer is lost.
    LostAnswer,
    /// It is done, and no answer ever comes.
    Silence,
    /// Nothing is done, and the answer points elsewhere.
    Elsewhere,
}

/// An issue as it is kept.
#[derive(Debug, Clone, Default)]
pub struct KeptIssue {
    /// Its title.
    pub title: String,
    /// Its description.
    pub description: String,
    /// Its labels.
    pub labels: Vec<String>,
    /// Its comments, each with its author's number.
    pub comments: Vec<(u64, String)>,
    /// Every change of its labels: who, `add` or `remove`, and which.
    pub moves: Vec<(u64, &'static str, String)>,
}

#[derive(Default)]
struct Held {
    issues: Vec<KeptIssue>,
    said: Vec<String>,
    troubles: VecDeque<Trouble>,
    calls: Vec<String>,
}

/// The stand-in; clones share it.
#[derive(Clone, Default)]
pub struct Elsewhere(Arc<Mutex<Held>>);

impl KeptIssue {
    /// Moves a label where that changes anything, and keeps who did.
    fn move_label(&mut self, who: u64, way: &'static str, label: &str) {
        let has = self.labels.iter().any(|one| one == label);
        match way {
            "add" if !has => self.labels.push(label.to_owned()),
            "remove" if has => self.labels.retain(|one| one != label),
            _ => return,
        }
        self.moves.push((who, way, label.to_owned()));
    }
}

impl Elsewhere {
    /// Adds an open issue; its number.
    pub fn add_issue(&self, title: &str, description: &str) -> usize {
        let mut held = self.lock();
        held.issues.push(KeptIssue {
            title: title.to_owned(),
            description: description.to_owned(),
            ..KeptIssue::default()
        });
        held.issues.len()
    }

    /// Writes a comment as somebody else would.
    pub fn add_comment(&self, issue: usize, author: u64, body: &str) {
        self.change(issue, |issue| issue.comments.push((author, body.to_owned())));
    }

    /// Puts a label on an issue as somebody else would.
    pub fn add_label(&self, issue: usize, label: &str) {
        self.change(issue, |issue| issue.move_label(7, "add", label));
    }

    /// Takes a label from an issue as somebody else would.
    pub fn remove_label(&self, issue: usize, label: &str) {
        self.change(issue, |issue| issue.move_label(7, "remove", label));
    }

    /// An issue as it stands.
    pub fn issue(&self, issue: usize) -> Option<KeptIssue> {
        self.lock().issues.get(issue.checked_sub(1)?).cloned()
    }

    /// What was said in the chat.
    pub fn said(&self) -> Vec<String> {
        self.lock().said.clone()
    }

    /// Every call so far, as `METHOD PATH STATUS`.
    pub fn calls(&self) -> Vec<String> {
        self.lock().calls.clone()
    }

    /// Makes trouble for the next writes, one each.
    pub fn make_trouble(&self, troubles: &[Trouble]) {
        self.lock().troubles.extend(troubles);
    }

    /// The routes.
    pub fn router(&self) -> Router {
        let issue = "/api/v4/projects/{project}/issues/{iid}";
        Router::new()
            .route("/api/v4/user", get(async || Json(json!({ "id": US, "username": "starwarden" }))))
            .route("/api/v4/projects/{project}", get(project))
            .route("/api/v4/projects/{project}/issues", get(search))
            .route(issue, put(label))
            .route(&format!("{issue}/notes"), get(comments).post(comment))
            .route(&format!("{issue}/resource_label_events"), get(moves))
            .route(WEBHOOK, post(say))
            .layer(middleware::from_fn_with_state(self.clone(), admit))
            .with_state(self.clone())
    }

    /// Changes an issue; none where there is no such.
    fn change<T>(&self, issue: usize, change: impl FnOnce(&mut KeptIssue) -> T) -> Option<T> {
        issue.checked_sub(1).and_then(|place| self.lock().issues.get_mut(place).map(change))
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets in who is known, makes the troubles it is told to, and keeps a list of calls.
async fn admit(State(elsewhere): State<Elsewhere>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
    let bearer = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let known = path == WEBHOOK || bearer == Some(&format!("Bearer {TOKEN}"));
    let trouble = if method == "GET" { None } else { elsewhere.lock().troubles.pop_front() };
    let response = match trouble {
        _ if !known => StatusCode::UNAUTHORIZED.into_response(),
        Some(Trouble::Status(status)) => {
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response()
        }
        Some(Trouble::Limited(seconds)) => {
            (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, HeaderValue::from(seconds))]).into_response()
        }
        Some(Trouble::Elsewhere) => {
            (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, HeaderValue::from_static("/api/v4/user"))])
                .into_response()
        }
        Some(Trouble::LostAnswer) => {
            next.run(request).await;
            StatusCode::BAD_GATEWAY.into_response()
        }
        Some(Trouble::Silence) => {
            next.run(request).await;
            std::future::pending().await
        }
        None => next.run(request).await,
    };
    elsewhere.lock().calls.push(format!("{method} {path} {}", response.status().as_u16()));
    response
}

async fn project(Path(project): Path<String>) -> Response {
    if project != PROJECT {
        return StatusCode::NOT_FOUND.into_response();
    }
    let access = json!({ "project_access": { "access_level": 20 }, "group_access": null });
    Json(json!({ "id": 1, "path_with_namespace": PROJECT, "permissions": access })).into_response()
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    search: String,
}

/// As fuzzy as GitLab: whatever holds a word that begins so, an address being one word.
async fn search(
    State(elsewhere): State<Elsewhere>,
    Path(project): Path<String>,
    Query(asked): Query<Asked>,
    request: Request,
) -> Response {
    if project != PROJECT {
        return StatusCode::NOT_FOUND.into_response();
    }
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
    let held = elsewhere.lock();
    let found = held
        .issues
        .iter()
        .enumerate()
        .filter(|(_, issue)| holds(&issue.title, &asked.search) || holds(&issue.description, &asked.search));
    let found = found.map(|(place, issue)| {
        json!({ "iid": place + 1, "title": issue.title, "description": issue.description, "labels": issue.labels,
            "web_url": format!("http://{host}/{PROJECT}/-/issues/{}", place + 1) })
    });
    Json(found.collect::<Vec<_>>()).into_response()
}

fn holds(text: &str, search: &str) -> bool {
    let parts = |c: char| c.is_whitespace() || "()<>[]\"".contains(c);
    text.split(parts).any(|word| match word.contains("://") {
        true => word.starts_with(search),
        false => word.split(|c: char| !c.is_alphanumeric()).any(|word| word.starts_with(search)),
    })
}

fn changed(elsewhere: &Elsewhere, at: &(String, usize), change: impl FnOnce(&mut KeptIssue) -> Value) -> Response {
    let (project, issue) = at;
    let done = if project == PROJECT { elsewhere.change(*issue, change) } else { None };
    done.map_or_else(|| StatusCode::NOT_FOUND.into_response(), |done| Json(done).into_response())
}

async fn label(
    State(elsewhere): State<Elsewhere>,
    Path(at): Path<(String, usize)>,
    Json(body): Json<Value>,
) -> Response {
    changed(&elsewhere, &at, |issue| {
        for (field, way) in [("add_labels", "add"), ("remove_labels", "remove")] {
            if let Some(label) = body.get(field).and_then(Value::as_str) {
                issue.move_label(US, way, label);
            }
        }
        json!({ "iid": at.1, "labels": issue.labels })
    })
}

async fn moves(State(elsewhere): State<Elsewhere>, Path(at): Path<(String, usize)>) -> Response {
    changed(&elsewhere, &at, |issue| {
        let moves = issue.moves.iter();
        moves
            .map(|(who, way, label)| json!({ "action": way, "user": { "id": who }, "label": { "name": label } }))
            .collect()
    })
}

async fn comments(State(elsewhere): State<Elsewhere>, Path(at): Path<(String, usize)>) -> Response {
    changed(&elsewhere, &at, |issue| {
        let newest_first = issue.comments.iter().enumerate().rev();
        newest_first
            .map(|(place, (author, body))| json!({ "id": place + 1, "body": body, "author": { "id": author } }))
            .collect()
    })
}

async fn comment(
    State(elsewhere): State<Elsewhere>,
    Path(at): Path<(String, usize)>,
    Json(body): Json<Value>,
) -> Response {
    changed(&elsewhere, &at, |issue| {
        issue.comments.push((US, body.get("body").and_then(Value::as_str).unwrap_or_default().to_owned()));
        json!({ "id": issue.comments.len() })
    })
}

async fn say(State(elsewhere): State<Elsewhere>, Json(body): Json<Value>) -> &'static str {
    let text = body.get("text").and_then(Value::as_str).unwrap_or_default().to_owned();
    elsewhere.lock().said.push(text);
    "ok"
}
