//! `star:` lines in managers' internal notes.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::quotes::unquoted;
use super::source::Source;
use crate::decide::policy::language::Language;
use crate::decide::ticket::{Comment, OwnUsers, Reading};

/// What stands before the decision's id in the last line of every note of ours.
pub const SIGNATURE: &str = "starwarden · ref ";

/// What stands for a date where a note shows how to give one: nothing that could be read as a date, should it be copied as it is.
pub const DATE: &str = "YYYY-MM-DD";

/// One thing a manager wrote back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// What they want.
    pub says: Says,
    /// Who, and where.
    pub source: Source,
    /// When, where the helpdesk says so.
    pub at: Option<DateTime<Utc>>,
    /// Their name.
    pub who: String,
    /// The note's id.
    pub comment: u64,
}

/// What a `star:` line says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Says {
    /// `star: trial=yes`
    Answer {
        /// The fact, as written.
        fact: String,
        /// Its value, as written.
        value: String,
    },
    /// `star: agree`
    Agree,
    /// `star: disagree` and why.
    Disagree(String),
    /// `star: recheck`
    Recheck,
    /// `star: stop`
    Stop,
    /// Something else; the line as written.
    Unreadable(String),
}

/// Every reply on a ticket, oldest first: by staff, in internal notes, and not our `own`, which show how to reply.
///
/// What is quoted, and how it looks in these languages, is somebody else's: a customer's mail passed on is no manager's answer.
pub fn read(reading: &Reading, own: &OwnUsers, languages: &[Language]) -> Vec<Reply> {
    let counts =
        |comment: &&Comment| !comment.public && reading.is_staff(comment.author_id) && !own.has(comment.author_id);
    reading.comments.iter().filter(counts).flat_map(|comment| lines(comment, reading, languages)).collect()
}

/// The reply by which the managers' last word is that the ticket be left alone.
pub fn stop(replies: &[Reply]) -> Option<&Reply> {
    let last = replies.iter().rev().find(|reply| matches!(reply.says, Says::Stop | Says::Recheck));
    last.filter(|reply| reply.says == Says::Stop)
}

fn lines(comment: &Comment, reading: &Reading, languages: &[Language]) -> Vec<Reply> {
    if !comment.text().lines().any(|line| command(line).is_some()) {
        return Vec::new(); // Most notes, at little cost.
    }
    let name = comment.author_id.and_then(|id| reading.user(id)).map_or("an agent", |user| user.name.as_str());
    let source = Source::Note { who: name.to_owned(), at: comment.created_at };
    let said = unquoted(comment.text(), languages).filter_map(command).flat_map(says);
    said.map(|says| Reply {
        says,
        source: source.clone(),
        at: comment.created_at,
        who: name.to_owned(),
        comment: comment.id,
    })
    .collect()
}

/// What stands behind `star:` at the start of a line.
fn command(line: &str) -> Option<&str> {
    let line = line.trim().trim_matches('`').trim();
    let (start, rest) = (line.get(..5)?, line.get(5..)?);
    start.eq_ignore_ascii_case("star:").then(|| rest.trim())
}

/// What a line can say besides answers.
pub(super) const VERBS: [&str; 4] = ["agree", "disagree", "recheck", "stop"];

fn says(command: &str) -> Vec<Says> {
    let (verb, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
    match ended(verb).trim_end_matches([',', ':']).to_ascii_lowercase().as_str() {
        "agree" => vec![Says::Agree],
        "disagree" => vec![Says::Disagree(rest.trim().to_owned())],
        "recheck" => vec![Says::Recheck],
        "stop" => vec![Says::Stop],
        _ => parts(command).map(answer).collect(),
    }
}

/// The answers on a line, between commas; a comma that no answer follows belongs to a date: `Nov 30, 2026`.
fn parts(command: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(command);
    let parts = std::iter::from_fn(move || {
        let text = rest.filter(|text| !text.is_empty())?;
        let dated = text.find('=').is_some_and(|equals| text.find(',').is_none_or(|comma| equals < comma));
        let ends = |(at, _): &(usize, &str)| {
            let next = text.get(at + 1..).unwrap_or_default();
            let part = next.split(',').next().unwrap_or_default();
            !dated || part.contains('=') || part.trim().is_empty()
        };
        let end = text.match_indices(',').find(ends).map_or(text.len(), |(at, _)| at);
        rest = text.get(end + 1..);
        text.get(..end).map(ended)
    });
    parts.filter(|part| !part.is_empty())
}

/// Without what a sentence ends with, where a line was copied out of one; a question mark stays, for doubt is no answer.
fn ended(words: &str) -> &str {
    words.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '.' | '!' | ';' | '`')).trim_start()
}

fn answer(part: &str) -> Says {
    match part.split_once('=') {
        Some((fact, value)) if !fact.trim().is_empty() && !value.trim().is_empty() => {
            Says::Answer { fact: fact.trim().to_ascii_lowercase(), value: value.trim().to_owned() }
        }
        _ => Says::Unreadable(part.to_owned()),
    }
}
