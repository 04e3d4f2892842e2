//! Checks of where follow-ups go.

use std::path::Path;
use std::time::{Duration, Instant};

use super::finding::Found;
use crate::config::follow_ups::{ChatChannel, StarIssues};
use crate::config::reader::ReaderServer;
use crate::elsewhere::CallError;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// The least that may label issues: a planner.
const PLANNER: u32 = 15;

/// Whether the server of embeddings gives vectors; none where none is configured.
pub(super) async fn reader(configured: &ReaderServer, home: &Path) -> Option<Found> {
    let cure = "see [reader]; until it answers, words are read by the built-in vectors";
    let server = match configured.open(home) {
        Ok(server) => server?,
        Err(error) => return Some(Found::wrong(format!("{error:#}"), cure)),
    };
    let begun = Instant::now();
    let texts = ["Our licence ended this morning and nobody can push.".to_owned()];
    Some(match server.embed(&texts).await {
        Ok(vectors) => {
            let numbers = vectors.first().map_or(0, Vec::len);
            let (url, took) = (server.url(), begun.elapsed().as_millis());
            Found::well(format!("{url} gives vectors of {numbers} numbers by {}, in {took} ms", server.model()))
        }
        Err(error @ CallError::Refused(_)) => Found::wrong(format!("{}: {error}", server.url()), "see reader.token"),
        Err(error) => Found::wrong(format!("{}: {error}", server.url()), cure),
    })
}

/// Whether the project is there for us, and lets us label its issues.
pub(super) async fn star_issues(configured: &StarIssues, home: &Path) -> Found {
    let gitlab = match configured.open(home, PATIENCE) {
        Ok(gitlab) => gitlab,
        Err(error) => return Found::wrong(format!("{error:#}"), "see [star_issues]"),
    };
    let us = match gitlab.me().await {
        Ok(us) => us,
        Err(error @ CallError::Refused(_)) => {
            return Found::wrong(error.to_string(), "put a token with the scope api into star_issues.token");
        }
        Err(error) => return Found::wrong(error.to_string(), "see star_issues.gitlab and the way there"),
    };
    match gitlab.project().await {
        Ok(project) if project.access() >= PLANNER => {
            Found::well(format!("we are user {us} in {}, label {}", project.path_with_namespace, configured.label))
        }
        Ok(project) => Found::wrong(
            format!("user {us} may not label issues of {}", project.path_with_namespace),
            "make that user a planner or a reporter of the project",
        ),
        Err(error) => Found::wrong(
            format!("{}: {error}", configured.project),
            "see star_issues.project, and that the token's user is a member of it",
        ),
    }
}

/// Whether the chat's address can be read; it cannot be tried without saying something there.
pub(super) fn chat(configured: &ChatChannel, home: &Path) -> Found {
    match configured.open(home, PATIENCE) {
        Ok(_) => Found::well("its address is readable; only a message would show whether it is right"),
        Err(error) => Found::wrong(format!("{error:#}"), "see [chat]"),
    }
}
