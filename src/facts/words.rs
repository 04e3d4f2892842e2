//! Facts read out of customers' words: guesses, always with the words quoted.

use std::borrow::Cow;

use super::fact::Quote;
use crate::helpdesk::ticket::Reading;
use crate::policy::binding::Pattern;

/// How much of a sentence is quoted, characters.
const LONGEST_QUOTE: usize = 90;

/// A piece of a customer's text with its place.
struct Piece<'a> {
    text: Cow<'a, str>,
    place: String,
}

/// The first sentence of the customer that one of the patterns finds and that neither denies it nor speaks of the past.
pub fn find(patterns: &[Pattern], reading: &Reading) -> Option<Quote> {
    pieces(reading).iter().find_map(|piece| {
        patterns.iter().find_map(|Pattern(pattern)| {
            pattern.find_iter(&piece.text).find_map(|found| {
                let (start, end) = sentence(&piece.text, found.start(), found.end());
                let before = piece.text.get(start..found.start()).unwrap_or_default();
                let whole = piece.text.get(start..end).unwrap_or_default();
                (!denies(before) && !is_past(whole))
                    .then(|| Quote { words: clip(whole.trim()), place: piece.place.clone() })
            })
        })
    })
}

/// Subject, description and the customer's own comments; replies quoted in them and signatures left out.
fn pieces(reading: &Reading) -> Vec<Piece<'_>> {
    let mut pieces = vec![
        Piece { text: Cow::Borrowed(&reading.ticket.subject), place: "subject".into() },
        Piece { text: own_words(&reading.ticket.description), place: "description".into() },
    ];
    for comment in reading.comments.iter().filter(|comment| comment.public && !reading.is_staff(comment.author_id)) {
        if comment.text().trim() != reading.ticket.description.trim() {
            let day = comment.created_at.map(|at| format!(", {}", at.format("%-d %b"))).unwrap_or_default();
            pieces.push(Piece { text: own_words(comment.text()), place: format!("customer{day}") });
        }
    }
    pieces
}

fn own_words(text: &str) -> Cow<'_, str> {
    let quoted = |line: &str| {
        line.trim_start().starts_with('>') || line.trim_end() == "--" || line.trim_end().ends_with(" wrote:")
    };
    if !text.lines().any(quoted) {
        return Cow::Borrowed(text);
    }
    let mut own = String::with_capacity(text.len());
    for line in text.lines() {
        if line.trim_end() == "--" || line.trim_end().ends_with(" wrote:") {
            break;
        }
        if !line.trim_start().starts_with('>') {
            own.push_str(line);
            own.push('\n');
        }
    }
    Cow::Owned(own)
}

/// The sentence around a place.
fn sentence(text: &str, start: usize, end: usize) -> (usize, usize) {
    let ends = |character: char| matches!(character, '\n' | '!' | '?' | ';');
    let stop = |before: &str| before.rfind(ends).map(|at| at + 1).max(before.rfind(". ").map(|at| at + 2));
    let from = text.get(..start).and_then(stop).unwrap_or(0);
    let rest = text.get(end..).unwrap_or_default();
    let to = [rest.find(ends), rest.find(". "), rest.strip_suffix('.').map(str::len)].into_iter().flatten().min();
    (from, end + to.unwrap_or(rest.len()))
}

/// Whether what stands before the find in its sentence turns it into its opposite.
fn denies(before: &str) -> bool {
    let before = before.to_lowercase().replace('’', "'");
    let mut words = before.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| !word.is_empty());
    words.any(|word| {
        ["not", "no", "never", "without", "cannot", "neither", "nor"].contains(&word) || word.ends_with("n't")
    })
}

/// Whether a sentence speaks of something long over.
fn is_past(sentence: &str) -> bool {
    let sentence = sentence.to_lowercase();
    ["last year", "years ago", "previous trial", "earlier trial", "in the past", "months ago"]
        .iter()
        .any(|word| sentence.contains(word))
}

fn clip(words: &str) -> String {
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONGEST_QUOTE {
        return line;
    }
    let cut: String = line.chars().take(LONGEST_QUOTE).collect();
    format!("{}…", cut.trim_end())
}

/// A guess's place for people: `"we started a trial" (customer, 23 Nov)`.
pub fn cited(quote: &Quote) -> String {
    format!("“{}” ({})", quote.words, quote.place)
}
