//! Where sentences and clauses of a text begin and end.

use super::cut::unspaced;
use super::spelled::Spelled;
use super::tokens::{Kind, Token};
use super::vocabulary::Class;

/// The tokens of one sentence: from one up to another, which is not of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sentence {
    pub from: usize,
    pub to: usize,
    /// Whether it ends with a question mark.
    pub ends: Ends,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    Asking,
    Otherwise,
}

/// The sentences of a text; what ends one is of none, unless it is part of a date: `Nov. 30`.
pub(super) fn sentences(text: &str, tokens: &[Token<'_>], dates: &[Spelled]) -> Vec<Sentence> {
    let mut found = Vec::new();
    let (mut from, mut dates) = (0, dates.iter().peekable());
    for (at, token) in tokens.iter().enumerate() {
        while dates.next_if(|date| date.to <= at).is_some() {}
        // A full stop that ends a date, as of `30.11.`, can end the sentence, too.
        let within = dates.peek().is_some_and(|date| date.from <= at && at + 1 < date.to);
        if within || !ends(text, tokens, at) {
            continue;
        }
        let asks = if token.mark() == Some('?') { Ends::Asking } else { Ends::Otherwise };
        let of_date = dates.peek().is_some_and(|date| date.from <= at && at < date.to);
        let to = if of_date { at + 1 } else { at };
        if of_date && tokens.get(at + 1).is_some_and(|next| !begins(text, next)) {
            continue;
        }
        found.push(Sentence { from, to, ends: asks });
        from = at + 1;
    }
    found.push(Sentence { from, to: tokens.len(), ends: Ends::Otherwise });
    found.retain(|sentence| sentence.from < sentence.to);
    found
}

/// Whether a token can begin a sentence: with a capital, a number or a mark.
fn begins(text: &str, token: &Token<'_>) -> bool {
    let first = text.get(token.at..).and_then(|rest| rest.chars().next());
    first.is_none_or(|first| first.is_uppercase() || !first.is_alphanumeric() || unspaced(first))
}

fn ends(text: &str, tokens: &[Token<'_>], at: usize) -> bool {
    let (Some(token), next) = (tokens.get(at), tokens.get(at + 1)) else { return false };
    match token.mark() {
        Some('!' | '?' | ';') => true,
        Some('.') => next.is_none_or(|next| next.at > token.end || matches!(next.kind, Kind::Mark(_))),
        Some('\n') => next.is_none_or(|next| begins(text, next)),
        _ => false,
    }
}

/// What stands between two clauses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Boundary {
    /// A comma, or a parenthesis.
    Comma,
    /// `and`, `because`
    And,
    /// `but`
    But,
    /// `if`
    If,
}

/// The boundary that a token is.
pub(super) fn boundary(token: &Token<'_>) -> Option<Boundary> {
    match token.mark() {
        Some(',' | '(' | ')' | '|') => return Some(Boundary::Comma),
        Some(_) => return None,
        None => {}
    }
    match () {
        () if token.is(Class::If) => Some(Boundary::If),
        () if token.is(Class::But) => Some(Boundary::But),
        () if token.is(Class::And) => Some(Boundary::And),
        () => None,
    }
}

/// Where the clause begins and ends that a token is in.
pub(super) fn clause(tokens: &[Token<'_>], sentence: Sentence, dates: &[Spelled], at: usize) -> (usize, usize) {
    let in_date = |at: usize| dates.iter().any(|date| date.from <= at && at < date.to);
    let bounds = |here: &usize| !in_date(*here) && tokens.get(*here).is_some_and(|token| boundary(token).is_some());
    let from = (sentence.from..at).rev().find(bounds).map_or(sentence.from, |bound| bound + 1);
    let to = (at..sentence.to).find(bounds).unwrap_or(sentence.to);
    (from, to.max(from))
}
