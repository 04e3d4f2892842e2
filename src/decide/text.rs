//! A text of the helpdesk as its author wrote it.
//!
//! The helpdesk's `plain_body` is not plain: what stands in its HTML as an entity stands there too (`&nbsp;`, `&amp;`,
//! `&#39;`). It is decoded once, where a text becomes a comment's, so that nobody below meets an entity or a hard blank.
//! And the helpdesk copies texts from one ticket to another, in the name of whoever merged them: those are nobody's words
//! on this ticket.

use std::sync::LazyLock;

use regex::Regex;

/// Decodes entities, once: `&amp;nbsp;` is the text `&nbsp;`. Hard blanks are blanks.
pub(super) fn decoded(text: String) -> String {
    let text = match text.contains('&') {
        true => html_escape::decode_html_entities(&text).into_owned(),
        false => text,
    };
    if text.contains('\u{a0}') { text.replace('\u{a0}', " ") } else { text }
}

/// The text in the helpdesk's own spelling: [`decoded`] gives it back as it was.
pub(super) fn encoded(text: &str) -> String {
    text.replace('&', "&amp;")
}

/// The text of an HTML body, for want of a plain one: a line for each paragraph and item, numbered or indented as its list
/// is; entities stay as they are.
pub(crate) fn without_markup(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut lists: Vec<Option<usize>> = Vec::new(); // The number of the last item, where the list has numbers.
    let mut rest = html;
    while let Some((before, tagged)) = rest.split_once('<') {
        text.push_str(before);
        let (tag, after) = tagged.split_once('>').unwrap_or((tagged, ""));
        let name = tag.split(char::is_whitespace).next().unwrap_or_default().trim_end_matches('/').to_ascii_lowercase();
        match name.as_str() {
            "/p" | "br" => text.push('\n'),
            "ol" | "ul" => lists.push((name == "ol").then_some(0)),
            "/ol" | "/ul" => {
                lists.pop();
                text.push_str(if lists.is_empty() { "\n" } else { "" });
            }
            "li" => {
                text.push_str(if text.ends_with('\n') || text.is_empty() { "" } else { "\n" });
                text.push_str(&"  ".repeat(lists.len().saturating_sub(1)));
                match lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        text.push_str(&format!("{number}. "));
                    }
                    Some(None) | None => text.push_str("- "),
                }
            }
            "/li" | "/div" | "/blockquote" | "/tr" if !text.ends_with('\n') => text.push('\n'),
            _ => {}
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

/// What of a text was written on this ticket: all above the heading of a merge, without the sentence a follow-up begins with.
pub(super) fn own(text: String) -> String {
    if !text.contains('#') {
        return text; // Each of these sentences names a ticket.
    }
    let mut own = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let sentence = line.trim();
        if heads_a_merge(sentence) {
            break;
        }
        if !FOLLOW_UP.is_match(sentence) {
            own.push_str(line);
        }
    }
    own
}

#[expect(clippy::expect_used, reason = "constant and tested")]
static MERGE: LazyLock<Regex> = LazyLock::new(|| {
    let closed =
        r"(?i)^(?:this )?(?:request|ticket)s? (?:#\d+.* )?(?:was|were|has been|have been) closed and merged into ";
    let last = r"(?i)^last comments? in (?:request|ticket)s? #\d+";
    Regex::new(&format!("{closed}|{last}")).expect("a pattern")
});

#[expect(clippy::expect_used, reason = "constant and tested")]
static FOLLOW_UP: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^this is a follow-?up to your (?:previous )?(?:request|ticket) #\d+").expect("a pattern")
});

/// The helpdesk's sentence above what it copied; in any language it names the other ticket, and again before a colon.
fn heads_a_merge(line: &str) -> bool {
    if !line.contains('#') && !line.contains("merged") {
        return false;
    }
    if MERGE.is_match(line) {
        return true;
    }
    let number = |text: &str| text.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default().to_owned();
    let Some((before, last)) = line.strip_suffix(':').and_then(|line| line.rsplit_once('#')) else { return false };
    let last = last.trim();
    !last.is_empty()
        && last.bytes().all(|byte| byte.is_ascii_digit())
        && before.split('#').skip(1).any(|rest| number(rest) == last)
}
