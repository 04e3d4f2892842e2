//! The customer's own words on a ticket: quoted mails, signatures and notes of ours left out.

use chrono::{DateTime, Utc};

use super::quotes::{LONGEST_HEADING, unquoted};
use super::replies::SIGNATURE;
use crate::decide::policy::language::Language;
use crate::decide::policy::lexicon::{Hits, Lexicon};
use crate::decide::ticket::{Comment, Reading};

/// A piece of a customer's text with its place.
pub(super) struct Piece {
    /// Their own words.
    pub text: String,
    /// Where they stand: `subject, 22 Nov`, `description, 22 Nov`, `customer, 23 Nov`.
    pub place: String,
    /// When they were written, where the helpdesk says so.
    pub written: Option<DateTime<Utc>>,
    /// Which of the policy's patterns stand in them.
    pub hits: Hits,
}

/// The customer's own comments, newest first, then description and subject: their latest word comes first.
pub(super) fn of(reading: &Reading, lexicon: &Lexicon) -> Vec<Piece> {
    let piece = |text: &str, place: String, written: Option<DateTime<Utc>>| {
        let text = own_words(text, &lexicon.languages);
        let hits = lexicon.hits(&text);
        Piece { text, place, written, hits }
    };
    let description = reading.ticket.description.trim();
    let own = customers(reading).filter(|comment| comment.text().trim() != description);
    let mut pieces: Vec<Piece> = own
        .map(|comment| piece(comment.text(), format!("customer{}", on(comment.created_at)), comment.created_at))
        .collect();
    let made = reading.ticket.created_at;
    pieces.push(piece(&reading.ticket.description, format!("description{}", on(made)), made));
    pieces.push(piece(&reading.ticket.subject, format!("subject{}", on(made)), made));
    pieces
}

/// The day behind a place, where it is known.
fn on(written: Option<DateTime<Utc>>) -> String {
    written.map(|at| format!(", {}", at.format("%-d %b"))).unwrap_or_default()
}

/// The customer's public comments, newest first.
pub(super) fn customers(reading: &Reading) -> impl Iterator<Item = &Comment> {
    reading.comments.iter().rev().filter(|comment| comment.public && !reading.is_staff(comment.author_id))
}

/// A text without lines that start with `>`, without what follows a mail's heading or a signature's mark, and without
/// a note of ours and all before it.
fn own_words(text: &str, languages: &[Language]) -> String {
    let ours = text.rfind(SIGNATURE).and_then(|at| text.get(at..)?.find('\n').map(|end| at + end + 1));
    let text = ours.map_or(text, |after| text.get(after..).unwrap_or_default());
    let mut own = String::with_capacity(text.len());
    let mut said = false; // Whether there is a word above: a farewell follows words.
    for line in unquoted(text, languages) {
        let trimmed = line.trim();
        if trimmed == "--" || (said && signs_off(trimmed, languages)) {
            break;
        }
        said |= trimmed.contains(char::is_alphanumeric);
        own.extend(line.chars().map(|character| match character {
            '’' => '\'',
            '\u{a0}' => ' ',
            other => other,
        }));
        own.push('\n');
    }
    own.truncate(own.trim_end().len());
    own
}

/// Whether a line is nothing but a farewell.
fn signs_off(line: &str, languages: &[Language]) -> bool {
    let words = line.trim_end_matches(|c: char| !c.is_alphanumeric());
    let farewell = |language: &Language| language.signs_off.lead(words).is_some_and(|end| end >= words.len());
    !words.is_empty() && line.len() < LONGEST_HEADING && languages.iter().any(farewell)
}
