//! The customer's screenshot: whether one came since it was last asked for.

use super::pieces::customers;
use crate::decide::policy::source::Pattern;
use crate::decide::ticket::{Attachment, Comment, Reading};

/// The newest picture from the customer that came after staff last asked for one, with its comment.
///
/// Pictures that mail programs add by themselves (`image001.png`, a logo) are none.
pub fn newest<'a>(reading: &'a Reading, asked: &[Pattern]) -> Option<(&'a Attachment, &'a Comment)> {
    let asks = |comment: &Comment| {
        comment.public
            && reading.is_staff(comment.author_id)
            && asked.iter().any(|pattern| pattern.0.found_in(comment.text()))
    };
    let last_asked = reading.comments.iter().rev().find(|comment| asks(comment)).map(|comment| comment.id);
    let since = customers(reading).take_while(|comment| {
        // Comments are newest first; those before the last request do not count.
        last_asked.is_none_or(|asked| position(reading, comment.id) > position(reading, asked))
    });
    since.flat_map(|comment| comment.attachments.iter().map(move |file| (file, comment))).find(|(file, _)| shot(file))
}

fn position(reading: &Reading, id: u64) -> Option<usize> {
    reading.comments.iter().rposition(|comment| comment.id == id)
}

fn shot(file: &Attachment) -> bool {
    let name = file.file_name.to_lowercase();
    let numbered = name
        .strip_prefix("image")
        .and_then(|rest| rest.get(..3))
        .is_some_and(|digits| digits.chars().all(|c| c.is_ascii_digit()));
    file.content_type.starts_with("image/") && !numbered && !name.contains("logo") && !name.contains("signature")
}

/// For people: `dashboard.png (customer, 23 Nov)`.
pub fn cited((file, comment): (&Attachment, &Comment)) -> String {
    let day = comment.created_at.map(|at| format!(", {}", at.format("%-d %b"))).unwrap_or_default();
    format!("{} (customer{day})", file.file_name.chars().take(60).collect::<String>())
}
