//! Regular expressions as a policy writes them: checked when the policy is read, built when first needed.
//!
//! Word boundaries, digits and white space are those of ASCII, which is faster to search.

use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};

/// One expression, without regard to capitals; it runs in linear time.
#[derive(Debug, Clone)]
pub struct Expression {
    text: String,
    built: OnceLock<Option<Regex>>,
}

impl Expression {
    /// Takes an expression.
    ///
    /// # Errors
    /// What is wrong with it, or that it would grow too large, in words.
    pub(super) fn new(text: String) -> Result<Expression, String> {
        let mut parser = regex_syntax::ParserBuilder::new().case_insensitive(true).dot_matches_new_line(true).build();
        parser.parse(&text).map_err(|error| error.to_string())?;
        let expression = Expression { text, built: OnceLock::new() };
        let may_grow = ["{", r"\p", r"\P", r"\W", r"\D", r"\S"].iter().any(|large| expression.text.contains(large));
        if may_grow && expression.regex().is_none() {
            return Err(format!("it grows larger than {LARGEST} bytes"));
        }
        Ok(expression)
    }

    /// The text it was made of.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The expression; none where it grows too large.
    pub fn regex(&self) -> Option<&Regex> {
        let build = || {
            let mut builder = RegexBuilder::new(&self.text);
            builder.case_insensitive(true).dot_matches_new_line(true).size_limit(LARGEST).build().ok()
        };
        self.built.get_or_init(build).as_ref()
    }

    /// Whether it is found even in an empty text.
    pub(super) fn matches_nothing(&self) -> bool {
        let parsed = regex_syntax::ParserBuilder::new().build().parse(&self.text);
        parsed.is_ok_and(|parsed| parsed.properties().minimum_len() == Some(0))
    }

    /// Whether it stands in a text.
    pub fn found_in(&self, text: &str) -> bool {
        self.regex().is_some_and(|regex| regex.is_match(text))
    }
}

/// How large a built expression may be, bytes.
const LARGEST: usize = 1 << 20;

const WHITE: &str = r"(?:[ \t\r\n]+)";

/// The start or end of a word.
pub(super) const EDGE: &str = r"(?-u:\b)";

/// Anything within a sentence, up to the start of a word: a full stop inside of `gitlab.com` ends none, an empty line does.
const GAP: &str = r"(?:[^.!?;\n]|\.[0-9A-Za-z]|\n[^\n])*?(?-u:\b)";

/// A phrase as an expression: a space is any white space, ` … ` a [`GAP`].
pub(super) fn phrase(text: &str) -> String {
    let text = text.replace(" … ", "…");
    let mut written = String::with_capacity(2 * text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            ' ' => written.push_str(WHITE), // A group, so that ` ?` is white space or none.
            '…' => written.push_str(GAP),
            '\\' => match characters.next() {
                Some('b') => written.push_str(EDGE),
                Some('d') => written.push_str("[0-9]"),
                Some('s') => written.push_str(r"[ \t\r\n]"),
                Some('w') => written.push_str("[0-9A-Za-z_À-ɏ]"),
                Some(other) => written.extend(['\\', other]),
                None => written.push('\\'),
            },
            other => written.push(other),
        }
    }
    written
}
