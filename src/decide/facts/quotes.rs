//! What of a text is its author's own, and what is quoted.

use crate::decide::policy::language::Language;

/// The lines up to the heading of a quoted mail, without those that start with `>`.
pub(super) fn unquoted<'a>(text: &'a str, languages: &[Language]) -> impl Iterator<Item = &'a str> {
    let mut lines = text.lines().peekable();
    let own = std::iter::from_fn(move || {
        let line = lines.next()?;
        let next = lines.peek().map(|next| next.trim());
        (!heads_a_quote(line.trim(), next, languages)).then_some(line)
    });
    own.fuse().filter(|line| !line.trim_start().starts_with('>'))
}

/// How long the line above a quoted mail or a signature can be, bytes.
pub(super) const LONGEST_HEADING: usize = 200;

/// Whether a quoted mail follows; mails break `On Monday Ann <ann@example.com> wrote:` over two lines.
fn heads_a_quote(line: &str, next: Option<&str>, languages: &[Language]) -> bool {
    let heads = |line: &str| languages.iter().any(|language| language.quotes.lead(line).is_some());
    if line.is_empty() || line.len() > LONGEST_HEADING {
        return false;
    }
    let broken = next.filter(|next| next.ends_with(':') && next.len() < LONGEST_HEADING && !line.ends_with('.'));
    heads(line)
        || broken.is_some_and(|next| {
            (line.contains(['@', ',', '<']) || next.contains(['@', '<'])) && heads(&format!("{line} {next}"))
        })
}
