//! A text cut into words, numbers and marks.

use std::borrow::Cow;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind<'a> {
    /// In small letters.
    Word(Cow<'a, str>),
    /// A number and how many digits it is written with.
    Number(i64, usize),
    Mark(char),
}

/// What is longest read as a number, digits.
const LONGEST_NUMBER: usize = 14;

/// The words of a phrase, as a text is cut.
pub(super) fn words(text: &str) -> impl Iterator<Item = String> {
    raw(text).into_iter().filter_map(move |(at, end, kind)| match kind {
        Kind::Word(word) if text.get(end..).is_some_and(|rest| rest.starts_with('*')) => Some(format!("{word}*")),
        Kind::Word(word) => Some(word.into_owned()),
        Kind::Number(..) => text.get(at..end).map(str::to_owned),
        Kind::Mark('*') => None,
        Kind::Mark(mark) => Some(mark.to_string()),
    })
}

/// Words of letters, numbers of digits, and marks; white space is left out, a line's end is a mark.
pub(super) fn raw(text: &str) -> Vec<(usize, usize, Kind<'_>)> {
    let mut found = Vec::with_capacity(text.len() / 4);
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let mut end = at + letter.len_utf8();
        let mut take_while = |more: &dyn Fn(usize, char) -> bool| {
            while let Some((at, letter)) = letters.next_if(|(at, letter)| more(*at, *letter)) {
                end = at + letter.len_utf8();
            }
            end
        };
        let kind = if digit(letter).is_some() {
            end = take_while(&|_, letter| digit(letter).is_some());
            let digits = text.get(at..end).unwrap_or_default().chars().filter_map(digit);
            let count = digits.clone().count();
            let number = digits.take(LONGEST_NUMBER).fold(0, |number, digit| number * 10 + i64::from(digit));
            Kind::Number(number, count)
        } else if unspaced(letter) {
            end = take_while(&|_, letter| unspaced(letter));
            Kind::Word(text.get(at..end).unwrap_or_default().into())
        } else if letter.is_alphabetic() {
            let inside =
                |at: usize| text.get(at + 1..).and_then(|rest| rest.chars().next()).is_some_and(char::is_alphabetic);
            let elided =
                |to: usize| text.get(at..to).is_some_and(|word| ELIDED.contains(&word.to_ascii_lowercase().as_str()));
            end = take_while(&|here, letter| {
                letter.is_alphabetic() && !unspaced(letter) || letter == '\'' && inside(here) && !elided(here)
            });
            let word = text.get(at..end).unwrap_or_default();
            let small = word.chars().all(|letter| letter.is_lowercase() || letter == '\'');
            Kind::Word(if small { word.into() } else { word.to_lowercase().into() })
        } else if letter.is_whitespace() && letter != '\n' {
            continue;
        } else {
            Kind::Mark(plain(letter))
        };
        found.push((at, end, kind));
    }
    found
}

/// What stands before an apostrophe as a word of its own: `l'abonnement`.
const ELIDED: [&str; 15] = ["l", "d", "j", "s", "n", "m", "t", "c", "qu", "un", "all", "dell", "nell", "dall", "sull"];

fn digit(letter: char) -> Option<u32> {
    match letter {
        '０'..='９' => Some(letter as u32 - '０' as u32),
        _ => letter.to_digit(10),
    }
}

/// A mark as it is on a keyboard of Latin letters.
fn plain(mark: char) -> char {
    match mark {
        '。' | '！' | '｡' => '!',
        '？' => '?',
        '、' | '，' | '､' => ',',
        '：' => ':',
        '；' => ';',
        '（' | '「' | '【' => '(',
        '）' | '」' | '】' => ')',
        '／' => '/',
        '–' | '—' | '−' | '‐' | '‑' | '〜' | '～' | '~' | '－' => '-',
        '’' => '\'',
        other => other,
    }
}

/// Whether a letter is of a script that sets no blanks between words, or joins particles to them.
pub(super) fn unspaced(letter: char) -> bool {
    matches!(letter, '\u{1100}'..='\u{11ff}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}')
}
