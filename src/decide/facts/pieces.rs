//! The customer's own words on a ticket: quoted mails, signatures and notes of ours left out.

use chrono::{DateTime, Utc};

use super::quotes::{LONGEST_HEADING, unquoted};
use super::replies::SIGNATURE;
use super::source::{Author, Source};
use crate::decide::policy::language::Language;
use crate::decide::policy::lexicon::Lexicon;
use crate::decide::ticket::{Comment, Reading};

/// A piece of a customer's text with its place.
pub(super) struct Piece {
    /// Their own words.
    pub text: String,
    /// Whose they are, and where.
    pub source: Source,
    /// When they were written, where the helpdesk says so.
    pub written: Option<DateTime<Utc>>,
}

/// The customer's own comments, newest first, then description and subject: their latest word comes first.
pub(super) fn of(reading: &Reading, lexicon: &Lexicon) -> Vec<Piece> {
    let piece = |text: &str, by: Author, written: Option<DateTime<Utc>>| {
        let text = own_words(text, &lexicon.languages);
        Piece { text, source: Source::Words { by, at: written }, written }
    };
    let description = reading.ticket.description.trim();
    let own = customers(reading).filter(|comment| comment.text().trim() != description);
    let mut pieces: Vec<Piece> =
        own.map(|comment| piece(comment.text(), Author::Customer, comment.created_at)).collect();
    let made = reading.ticket.created_at;
    pieces.push(piece(&reading.ticket.description, Author::Description, made));
    pieces.push(piece(&reading.ticket.subject, Author::Subject, made));
    pieces
}

/// The customer's public comments, newest first.
pub(super) fn customers(reading: &Reading) -> impl Iterator<Item = &Comment> {
    reading.comments.iter().rev().filter(|comment| comment.public && !reading.is_staff(comment.author_id))
}

/// A text without lines that start with `>`, without what follows a mail's heading or a signature's mark, and without
/// a note of ours and all before it.
pub(super) fn own_words(text: &str, languages: &[Language]) -> String {
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
