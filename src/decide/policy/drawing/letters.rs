//! How wide text is, whatever font a machine has: letters as wide as in DejaVu Sans, the widest that is common.

/// The size of text on a chart, pixels.
pub(super) const SIZE: f64 = 14.0;

/// How far lines are apart, pixels.
pub(super) const LINE: f64 = 18.0;

/// The width of a line of text, pixels.
pub(super) fn width(text: &str) -> f64 {
    text.chars().map(|character| SIZE * ems(character)).sum()
}

/// A letter's width as a part of the size of text.
fn ems(character: char) -> f64 {
    match character {
        'i' | 'j' | 'l' | 'I' | '\'' | '|' | '.' | ',' | ':' | ';' | '!' => 0.36,
        ' ' | 'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '/' | '-' => 0.44,
        'm' | 'w' | 'W' | 'M' | '@' | '%' | '—' | '…' => 1.02,
        'A'..='Z' | '+' | '=' | '<' | '>' | '#' | '&' => 0.82,
        '\u{0}'..='\u{7f}' => 0.66,
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' => 0.0,
        '\u{80}'..='\u{10ff}' => 0.76,
        _ => 1.1, // Chinese, Japanese, Korean, pictures.
    }
}

/// Text in lines of at most so many pixels; a word that is longer is broken.
pub(super) fn wrapped(text: &str, most: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if width(&longer) <= most {
            line = longer;
            continue;
        }
        lines.extend((!line.is_empty()).then_some(std::mem::take(&mut line)));
        for character in word.chars() {
            if width(&line) + width(&character.to_string()) > most && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            line.push(character);
        }
    }
    lines.extend((!line.is_empty()).then_some(line));
    lines
}
