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
    /// `star: yes`: takes what the newest note proposes, or agrees with its verdict.
    Yes,
    /// `star: no` and why: refuses that.
    No(String),
    /// `star: undo`: takes back the writer's own last line.
    Undo,
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
    let counts = |comment: &&Comment| !comment.public && reading.is_staff(comment.author_id) && !own.wrote(comment);
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
    let said = unquoted(comment.text(), languages).filter_map(command).flat_map(|command| says(&command));
    said.map(|says| Reply {
        says,
        source: source.clone(),
        at: comment.created_at,
        who: name.to_owned(),
        comment: comment.id,
    })
    .collect()
}

/// What stands behind `star:` at the start of a line, as phones write it too: `STAR :`, `star：`, in quotes or in a list.
pub(super) fn command(line: &str) -> Option<String> {
    let plain: String = line
        .chars()
        .filter(|c| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}'))
        .map(|c| match c {
            '\u{ff1a}' | '\u{fe55}' | '\u{2236}' => ':',
            '\u{ff1d}' => '=',
            '\u{ff0c}' | '\u{3001}' => ',',
            '“' | '”' | '„' | '«' | '»' => '"',
            '‘' | '’' => '\'',
            c if c.is_whitespace() => ' ',
            c => c,
        })
        .collect();
    let line = plain.trim_matches(|c: char| c.is_whitespace() || matches!(c, '`' | '"' | '*' | '-' | '•' | '\''));
    let (start, rest) = (line.get(..4)?, line.get(4..)?);
    let without_colon = || (rest.starts_with(' ') && rest.contains('=')).then_some(rest);
    let command = rest.trim_start().strip_prefix(':').or_else(without_colon)?;
    start.eq_ignore_ascii_case("star").then(|| command.trim().to_owned())
}

/// What a line can say besides answers.
pub(super) const VERBS: [&str; 7] = ["yes", "no", "undo", "agree", "disagree", "recheck", "stop"];

fn says(command: &str) -> Vec<Says> {
    let (verb, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
    let why = || rest.trim().to_owned();
    match ended(verb).trim_end_matches([',', ':']).to_ascii_lowercase().as_str() {
        "yes" => std::iter::once(Says::Yes)
            .chain(parts(rest).into_iter().filter(|it| it.contains('=')).map(|it| answer(&it)))
            .collect(),
        "no" => vec![Says::No(why())],
        "undo" => vec![Says::Undo],
        "agree" => vec![Says::Agree],
        "disagree" => vec![Says::Disagree(why())],
        "recheck" => vec![Says::Recheck],
        "stop" => vec![Says::Stop],
        "" => vec![Says::Unreadable(String::new())],
        _ => parts(command).iter().map(|part| answer(part)).collect(),
    }
}

/// The answers on a line, between commas; what has no `=` of its own belongs to the answer before it, such as the year of
/// `expires_at=Nov 30, 2026`.
fn parts(command: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for part in command.split([',', ';']).map(ended).filter(|part| !part.is_empty()) {
        match parts.last_mut() {
            Some(last) if !part.contains('=') && last.contains('=') => {
                last.push_str(", ");
                last.push_str(part);
            }
            Some(_) | None => parts.push(part.to_owned()),
        }
    }
    parts
}

/// Without what a sentence ends with, where a line was copied out of one; a question mark stays, for doubt is no answer.
fn ended(words: &str) -> &str {
    words
        .trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '.' | '。' | '!' | ';' | '`' | '"' | '\''))
        .trim_start()
}

fn answer(part: &str) -> Says {
    match part.split_once('=') {
        Some((fact, value)) if !fact.trim().is_empty() && !value.trim().is_empty() => {
            let plain = |text: &str| text.trim().trim_matches(['"', '\'']).trim().to_owned();
            Says::Answer { fact: plain(fact).to_ascii_lowercase(), value: plain(value) }
        }
        _ => Says::Unreadable(part.to_owned()),
    }
}
