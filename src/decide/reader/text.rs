//! A text as the reader sees it: its sentences, and of each the normal form and its words.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The sentences of a text as they were written, without the blanks around them.
///
/// A sentence ends with `.`, `!` or `?` before a blank, with `。`, `！` or `？` anywhere, and with its line; a full stop inside of
/// `gitlab.com` ends none, nor does one behind a single letter or a number.
pub(super) fn sentences(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    for line in text.lines() {
        let mut from = 0;
        let mut characters = line.char_indices().peekable();
        let (mut before, mut word) = (' ', 0_usize); // The character before, and how many letters its word has.
        while let Some((at, character)) = characters.next() {
            let next = characters.peek().map(|&(_, next)| next);
            let closes = |next: char| next.is_whitespace() || matches!(next, '"' | '\'' | ')' | '”' | '’' | '»');
            let ends = match character {
                '。' | '！' | '？' | '｡' => true,
                '!' | '?' => next.is_none_or(|next| closes(next) || !next.is_ascii()),
                '.' => next.is_none_or(closes) && word > 1 && !before.is_ascii_digit(),
                _ => false,
            };
            word = if character.is_alphanumeric() { word + 1 } else { 0 };
            before = character;
            if ends {
                let end = at + character.len_utf8();
                sentences.extend(line.get(from..end));
                from = end;
            }
        }
        sentences.extend(line.get(from..));
    }
    sentences.into_iter().map(str::trim).filter(|sentence| sentence.contains(char::is_alphanumeric)).collect()
}

/// One word of a sentence in its normal form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word<'a> {
    /// Letters and digits between blanks.
    Spaced(&'a str),
    /// Korean letters: words with their endings.
    Korean(&'a str),
    /// Japanese or Chinese, a run without blanks.
    Unspaced(&'a str),
    /// `?` or `!`.
    Mark(&'a str),
}

/// A sentence without capitals, accents and full-width forms; every digit is 0, an address is only named.
pub(super) fn normal(sentence: &str) -> String {
    let mut normal = String::with_capacity(sentence.len());
    for chunk in sentence.split_whitespace() {
        if chunk.contains("://") {
            normal.push_str("urlx");
        } else if chunk.find('@').is_some_and(|at| at > 0 && chunk.get(at..).is_some_and(|host| host.contains('.'))) {
            normal.push_str("mailx");
        } else if chunk.is_ascii() {
            normal.extend(chunk.chars().map(|c| if c.is_ascii_digit() { '0' } else { c.to_ascii_lowercase() }));
        } else {
            let plain = chunk.nfkd().filter(|&c| !is_combining_mark(c) || matches!(c, '\u{3099}' | '\u{309a}')).nfc();
            normal.extend(plain.flat_map(char::to_lowercase).map(|c| match c {
                '’' => '\'',
                c if c.is_numeric() => '0',
                c => c,
            }));
        }
        normal.push(' ');
    }
    normal
}

/// The words of a text in its normal form.
pub(super) fn words(normal: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let (mut from, mut run) = (0, Kind::Between);
    for (at, character) in normal.char_indices() {
        let kind = match Kind::of(character) {
            Kind::Between if character == '\'' && run == Kind::Spaced => Kind::Spaced, // can't
            kind @ (Kind::Spaced | Kind::Korean | Kind::Unspaced | Kind::Mark | Kind::Between) => kind,
        };
        if kind != run || kind == Kind::Mark {
            words.extend(run.word(normal.get(from..at).unwrap_or_default()));
            (from, run) = (at, kind);
        }
    }
    words.extend(run.word(normal.get(from..).unwrap_or_default()));
    words
}

/// What sort of word a character belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Spaced,
    Korean,
    Unspaced,
    Mark,
    Between,
}

impl Kind {
    fn of(character: char) -> Kind {
        match character {
            '?' | '!' => Kind::Mark,
            '\u{ac00}'..='\u{d7af}' => Kind::Korean,
            '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '々' => Kind::Unspaced,
            _ if character.is_alphanumeric() => Kind::Spaced,
            _ => Kind::Between,
        }
    }

    fn word(self, run: &str) -> Option<Word<'_>> {
        match self {
            Kind::Spaced => Some(Word::Spaced(run.trim_matches('\''))),
            Kind::Korean => Some(Word::Korean(run)),
            Kind::Unspaced => Some(Word::Unspaced(run)),
            Kind::Mark => Some(Word::Mark(run)),
            Kind::Between => None,
        }
    }
}
