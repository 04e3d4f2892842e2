//! A text as words, numbers and marks, each with what it says.

pub(super) use super::cut::Kind;
use super::cut::{raw, unspaced};
use super::vocabulary::{Class, Sense, Unit, Vocabulary};

/// A word, a phrase, a number or a mark.
#[derive(Debug, Clone)]
pub(super) struct Token<'a> {
    /// Where it starts, bytes.
    pub at: usize,
    /// Where it ends, bytes.
    pub end: usize,
    pub kind: Kind<'a>,
    /// What it says; empty where no language knows it.
    pub senses: &'a [Sense],
}

impl Token<'_> {
    pub(super) fn is(&self, class: Class) -> bool {
        self.senses.contains(&Sense::Word(class))
    }

    pub(super) fn any(&self, classes: &[Class]) -> bool {
        classes.iter().any(|class| self.is(*class))
    }

    pub(super) fn mark(&self) -> Option<char> {
        match self.kind {
            Kind::Mark(mark) => Some(mark),
            Kind::Word(_) | Kind::Number(..) => None,
        }
    }

    pub(super) fn number(&self) -> Option<(i64, usize)> {
        match self.kind {
            Kind::Number(number, digits) => Some((number, digits)),
            Kind::Word(_) | Kind::Mark(_) => None,
        }
    }

    pub(super) fn month(&self) -> Option<u32> {
        self.senses.iter().find_map(|sense| if let Sense::Month(month) = sense { Some(*month) } else { None })
    }

    pub(super) fn weekday(&self) -> Option<u32> {
        self.senses.iter().find_map(|sense| if let Sense::Weekday(day) = sense { Some(*day) } else { None })
    }

    pub(super) fn unit(&self) -> Option<Unit> {
        self.senses.iter().find_map(|sense| if let Sense::Unit(unit) = sense { Some(*unit) } else { None })
    }

    /// A number of at most three digits, in digits or as a word.
    pub(super) fn count(&self) -> Option<u32> {
        match self.kind {
            Kind::Number(number, digits) => u32::try_from(number).ok().filter(|_| digits <= 3),
            Kind::Word(_) | Kind::Mark(_) => self
                .senses
                .iter()
                .find_map(|sense| if let Sense::Number(number) = sense { Some(*number) } else { None }),
        }
    }
}

/// Every token of a text; phrases are one.
pub(super) fn read<'a>(text: &'a str, vocabulary: &'a Vocabulary) -> Vec<Token<'a>> {
    let raw = raw(text);
    let mut tokens = Vec::with_capacity(raw.len());
    let mut next = 0;
    while let Some((at, end, kind)) = raw.get(next) {
        next += 1;
        let (at, end) = (*at, *end);
        match kind {
            Kind::Word(word) if word.chars().next().is_some_and(unspaced) => {
                run(text, at, end, vocabulary, &mut tokens)
            }
            Kind::Word(word) => {
                let ahead = |more: usize| match raw.get(next + more) {
                    Some((_, _, Kind::Word(word))) => Some(word.as_ref()),
                    Some((at, end, Kind::Mark('-' | '/' | '.'))) => text.get(*at..*end),
                    _ => None,
                };
                let (senses, more) = vocabulary.phrase(word, ahead).unwrap_or_default();
                let end = more.checked_sub(1).and_then(|last| raw.get(next + last)).map_or(end, |last| last.1);
                next += more;
                tokens.push(Token { at, end, kind: kind.clone(), senses });
            }
            Kind::Number(..) | Kind::Mark(_) => tokens.push(Token { at, end, kind: kind.clone(), senses: &[] }),
        }
    }
    tokens
}

/// Cuts a run of a script without blanks into the phrases that are known and what lies between them.
fn run<'a>(text: &'a str, at: usize, end: usize, vocabulary: &'a Vocabulary, tokens: &mut Vec<Token<'a>>) {
    let (mut from, mut here) = (at, at);
    let unknown = |from: usize, to: usize| {
        let word = text.get(from..to).unwrap_or_default();
        (from < to).then(|| Token { at: from, end: to, kind: Kind::Word(word.into()), senses: &[] })
    };
    while let Some(rest) = text.get(here..end).filter(|rest| !rest.is_empty()) {
        match vocabulary.leading(rest) {
            Some((senses, length)) => {
                tokens.extend(unknown(from, here));
                let word = rest.get(..length).unwrap_or_default();
                tokens.push(Token { at: here, end: here + length, kind: Kind::Word(word.into()), senses });
                here += length;
                from = here;
            }
            None => here += rest.chars().next().map_or(1, char::len_utf8),
        }
    }
    tokens.extend(unknown(from, here));
}
