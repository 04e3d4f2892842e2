//! The issues of one GitLab project, by its REST API, <https://docs.gitlab.com/api/issues/>.

use std::time::Duration;

use reqwest::{Client, Method, Response, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::CallError;

/// How many things a page has; the most GitLab gives.
const PAGE: usize = 100;

/// How many pages of comments are read at most, newest first.
const MOST_PAGES: usize = 10;

/// A project in GitLab, and who we are to it.
pub struct GitLab {
    http: Client,
    base: Url,
    project: String,
    token: SecretString,
}

/// An issue as it is found.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Issue {
    /// Its number in the project.
    pub iid: u64,
    /// Its title, anybody's words.
    pub title: String,
    /// Its description, anybody's words.
    #[serde(default)]
    pub description: Option<String>,
    /// Its labels.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Where people see it.
    #[serde(default)]
    pub web_url: String,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Search {
    /// All there is.
    All(Vec<Issue>),
    /// More than one page, which no one ticket has.
    TooMany,
}

/// How a label was moved last, and by whom, where that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// It was put on.
    Put {
        /// By this user.
        by: Option<u64>,
    },
    /// It was taken away.
    Taken {
        /// By this user.
        by: Option<u64>,
    },
}

#[derive(Deserialize)]
struct User {
    id: u64,
}

/// Somebody put a label on an issue, or took it away.
#[derive(Deserialize)]
struct LabelEvent {
    action: String,
    #[serde(default)]
    user: Option<User>,
    #[serde(default)]
    label: Option<LabelName>,
}

#[derive(Deserialize)]
struct LabelName {
    name: String,
}

#[derive(Deserialize)]
struct Comment {
    #[serde(default)]
    body: String,
    author: User,
}

/// The project as it is to us.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Project {
    /// Its path with its group's.
    pub path_with_namespace: String,
    #[serde(default)]
    permissions: Permissions,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
struct Permissions {
    #[serde(default)]
    project_access: Option<Access>,
    #[serde(default)]
    group_access: Option<Access>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Access {
    access_level: u32,
}

impl Project {
    /// Our access level there, as GitLab counts: 10 is a guest, 15 a planner, 20 a reporter; 0 for none.
    pub fn access(&self) -> u32 {
        let both = [&self.permissions.project_access, &self.permissions.group_access];
        both.into_iter().flatten().map(|access| access.access_level).max().unwrap_or_default()
    }
}

impl GitLab {
    /// The project `project`, a number or a path such as `group/project`, of the GitLab at `base`.
    ///
    /// # Errors
    /// TLS that cannot be set up.
    pub fn new(base: Url, project: &str, token: SecretString, patience: Duration) -> Result<GitLab, reqwest::Error> {
        Ok(GitLab { http: super::client(patience)?, base, project: project.to_owned(), token })
    }

    /// Our own number, `GET /user`.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn me(&self) -> Result<u64, CallError> {
        let user: User = super::read(self.call(Method::GET, &["user"], &[], None).await?).await?;
        Ok(user.id)
    }

    /// The project, `GET /projects/:id`.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn project(&self) -> Result<Project, CallError> {
        super::read(self.call(Method::GET, &["projects", &self.project], &[], None).await?).await
    }

    /// Open issues whose title or description may hold `words`; the search is fuzzy, and what it finds is to be checked.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn issues_with(&self, words: &str) -> Result<Search, CallError> {
        let query = [
            ("search", words),
            ("in", "title,description"),
            ("state", "opened"),
            ("scope", "all"),
            ("per_page", "100"),
        ];
        let answer = self.call(Method::GET, &["projects", &self.project, "issues"], &query, None).await?;
        let issues: Vec<Issue> = super::read(answer).await?;
        Ok(if issues.len() < PAGE { Search::All(issues) } else { Search::TooMany })
    }

    /// What the user `author` wrote on an issue, the newest first; of the newest thousand comments.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn comments_of(&self, issue: u64, author: u64) -> Result<Vec<String>, CallError> {
        let (issue, mut own) = (issue.to_string(), Vec::new());
        for page in 1..=MOST_PAGES {
            let page = page.to_string();
            let query = [("sort", "desc"), ("order_by", "created_at"), ("per_page", "100"), ("page", page.as_str())];
            let answer = self.call(Method::GET, &self.of_issue(&issue, &["notes"]), &query, None).await?;
            let comments: Vec<Comment> = super::read(answer).await?;
            let last = comments.len() < PAGE;
            own.extend(comments.into_iter().filter(|one| one.author.id == author).map(|one| one.body));
            if last {
                break;
            }
        }
        Ok(own)
    }

    /// Adds a label to an issue, which may have it already.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn add_label(&self, issue: u64, label: &str) -> Result<(), CallError> {
        let issue = issue.to_string();
        self.call(Method::PUT, &self.of_issue(&issue, &[]), &[], Some(&json!({ "add_labels": label }))).await?;
        Ok(())
    }

    /// Takes a label from an issue, which may not have it any more.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn remove_label(&self, issue: u64, label: &str) -> Result<(), CallError> {
        let issue = issue.to_string();
        self.call(Method::PUT, &self.of_issue(&issue, &[]), &[], Some(&json!({ "remove_labels": label }))).await?;
        Ok(())
    }

    /// Who moved a label on an issue last, and how; of its oldest thousand changes of labels, which GitLab gives in their
    /// order. <https://docs.gitlab.com/api/resource_label_events/>
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn label_moved(&self, issue: u64, label: &str) -> Result<Option<Moved>, CallError> {
        let (issue, mut last) = (issue.to_string(), None);
        for page in 1..=MOST_PAGES {
            let page = page.to_string();
            let query = [("per_page", "100"), ("page", page.as_str())];
            let path = self.of_issue(&issue, &["resource_label_events"]);
            let events: Vec<LabelEvent> = super::read(self.call(Method::GET, &path, &query, None).await?).await?;
            let whole = events.len() < PAGE;
            let mut of_it = events.into_iter().filter(|event| event.label.as_ref().is_some_and(|it| it.name == label));
            last = of_it.next_back().or(last);
            if whole {
                break;
            }
        }
        Ok(last.map(|event| {
            let by = event.user.map(|user| user.id);
            if event.action == "add" { Moved::Put { by } } else { Moved::Taken { by } }
        }))
    }

    /// Writes a comment on an issue.
    ///
    /// # Errors
    /// See [`CallError`]; after [`CallError::leaves_open`] it may have taken effect, or may yet.
    pub async fn comment(&self, issue: u64, body: &str) -> Result<(), CallError> {
        let issue = issue.to_string();
        self.call(Method::POST, &self.of_issue(&issue, &["notes"]), &[], Some(&json!({ "body": body }))).await?;
        Ok(())
    }

    /// An address GitLab gives, where it leads to this GitLab.
    pub fn own<'a>(&self, address: &'a str) -> Option<&'a str> {
        Some(address).filter(|address| address.parse().is_ok_and(|url: Url| url.origin() == self.base.origin()))
    }

    fn of_issue<'a>(&'a self, issue: &'a str, rest: &[&'a str]) -> Vec<&'a str> {
        [&["projects", self.project.as_str(), "issues", issue], rest].concat()
    }

    async fn call(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<&Json>,
    ) -> Result<Response, CallError> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "v4"]).extend(path); // A project's slash is escaped with it.
        }
        let mut call = self.http.request(method, url).bearer_auth(self.token.expose_secret());
        if !query.is_empty() {
            call = call.query(query);
        }
        if let Some(body) = body {
            call = call.json(body);
        }
        super::well(call.send().await.map_err(|error| CallError::unreachable(&error))?)
    }
}
