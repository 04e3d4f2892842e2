//! What people wrote on a ticket, for a reader: the customer's public words, and colleagues' internal notes.
//!
//! Not heard: our own notes and replies to the customer, lines that managers wrote to the bot, quoted mail, and what a merge
//! carried over from another ticket.

use chrono::DateTime;

use super::pieces::own_words;
use super::replies;
use super::said::Speaker;
use crate::decide::policy::language::Language;
use crate::decide::reader::read::Text;
use crate::decide::ticket::{Comment, OwnUsers, Reading};

/// Everything that people wrote, in the order in which it was written; subject and description are one text.
pub fn of(reading: &Reading, own: &OwnUsers, languages: &[Language]) -> Vec<Text> {
    let ticket = &reading.ticket;
    let made = ticket.created_at.unwrap_or(DateTime::UNIX_EPOCH);
    let description = ticket.description.trim();
    let first = reading.comments.iter().find(|comment| comment.text().trim() == description);
    let opened = Text {
        words: format!("{}\n{}", own_words(&ticket.subject, languages), own_words(&ticket.description, languages)),
        by: first.and_then(|comment| colleague(comment, reading)).unwrap_or(Speaker::Customer),
        at: made,
    };
    let later = reading.comments.iter().filter(|comment| comment.text().trim() != description).filter_map(|comment| {
        let by = match comment.public {
            true if reading.is_staff(comment.author_id) => return None, // Our reply to the customer.
            true => Speaker::Customer,
            false if own.has(comment.author_id) => return None,
            false => colleague(comment, reading)?,
        };
        let words = own_words(comment.text(), languages);
        let kept: Vec<&str> = words.lines().filter(|line| replies::command(line).is_none()).collect();
        let merged = MERGED.iter().any(|told| words.contains(told));
        (!merged).then(|| Text { words: kept.join("\n"), by, at: comment.created_at.unwrap_or(made) })
    });
    let mut texts: Vec<Text> = std::iter::once(opened).chain(later).collect();
    texts.retain(|text| text.words.contains(char::is_alphanumeric));
    texts.sort_by_key(|text| text.at);
    texts
}

/// How the helpdesk tells that a ticket was merged, in the ticket that went on and in the one that ended.
const MERGED: [&str; 3] =
    ["was closed and merged into this request", "was closed and merged into this ticket", "has been merged into"];

/// The colleague whose internal note this is.
fn colleague(comment: &Comment, reading: &Reading) -> Option<Speaker> {
    let staff = !comment.public && reading.is_staff(comment.author_id);
    let name = comment.author_id.and_then(|id| reading.user(id)).map_or("an agent", |user| user.name.as_str());
    staff.then(|| Speaker::Colleague { name: name.to_owned() })
}
