//! What reaches a terminal: nothing that somebody else wrote is obeyed by it.
//!
//! Control characters, the one-byte forms of escape sequences (C1) and marks that turn the direction of text are shown as
//! `\u001b` instead, on every stream of every verb, for a pipe may end at a terminal as well. Within JSON that is the same
//! text. What a ticket, an argument or the name of a file says is nobody's order.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

/// Whether what follows may belong to the same character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    Follows,
    IsAll,
}

/// Text with what a terminal would obey made visible; line breaks and tabs stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(may_be_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = Vec::with_capacity(text.len() + 16);
    let _all = show(text.as_bytes(), Rest::IsAll, &mut shown);
    Cow::Owned(String::from_utf8_lossy(&shown).into_owned())
}

fn may_be_obeyed(byte: u8) -> bool {
    (byte < 0x20 && !matches!(byte, b'\n' | b'\t')) || matches!(byte, 0x7f | 0xc2 | 0xd8 | 0xe2)
}

/// Adds to `shown` what of the bytes can be told; how many that were.
fn show(bytes: &[u8], rest: Rest, shown: &mut Vec<u8>) -> usize {
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let (next, third) = (bytes.get(at + 1).copied(), bytes.get(at + 2).copied());
        let is_cut = match (byte, next) {
            (b'\r' | 0xc2 | 0xd8 | 0xe2, None) => true,
            (0xe2, Some(0x80 | 0x81)) => third.is_none(),
            _ => false,
        };
        if is_cut && rest == Rest::Follows {
            return at;
        }
        let obeyed = match (byte, next, third) {
            (b'\n' | b'\t', ..) | (b'\r', Some(b'\n'), _) => None,
            (0..=0x1f | 0x7f, ..) => Some((u32::from(byte), 1)),
            (0xc2, Some(low @ 0x80..=0x9f), _) => Some((u32::from(low), 2)),
            (0xd8, Some(0x9c), _) => Some((0x061c, 2)),
            (0xe2, Some(0x80), Some(low @ (0x8e | 0x8f | 0xa8..=0xae))) => Some((0x2000 + u32::from(low & 0x3f), 3)),
            (0xe2, Some(0x81), Some(low @ 0xa6..=0xa9)) => Some((0x2040 + u32::from(low & 0x3f), 3)),
            _ => None,
        };
        match obeyed {
            Some((character, length)) => {
                shown.extend_from_slice(format!("\\u{character:04x}").as_bytes());
                at += length;
            }
            None => {
                shown.push(byte);
                at += 1;
            }
        }
    }
    at
}

/// Writes what is shown to another writer.
pub(super) struct Visible<W: Write> {
    to: W,
    /// The start of a character whose rest is still to come.
    cut: Vec<u8>,
}

impl<W: Write> Visible<W> {
    pub(super) fn new(to: W) -> Visible<W> {
        Visible { to, cut: Vec::new() }
    }
}

impl<W: Write> Write for Visible<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.cut.is_empty() && !bytes.iter().copied().any(may_be_obeyed) {
            self.to.write_all(bytes)?;
            return Ok(bytes.len());
        }
        let mut all = std::mem::take(&mut self.cut);
        all.extend_from_slice(bytes);
        let mut shown = Vec::with_capacity(all.len() + 16);
        let told = show(&all, Rest::Follows, &mut shown);
        self.cut = all.split_off(told);
        self.to.write_all(&shown)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut shown = Vec::new();
        let _all = show(&std::mem::take(&mut self.cut), Rest::IsAll, &mut shown);
        self.to.write_all(&shown)?;
        self.to.flush()
    }
}

/// Why something could not be written to standard output.
static UNTOLD: Mutex<Option<io::Error>> = Mutex::new(None);

/// Whether all that was to be told on standard output was.
///
/// # Errors
/// Why something was not: a full disk, a reader that went away.
pub(super) fn told() -> io::Result<()> {
    UNTOLD.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
}

/// Writes a result to standard output; what cannot be written is told at the end, by [`told`].
pub(super) fn print(text: &str) {
    keep(raw(&visible(text)));
}

fn keep(written: io::Result<()>) {
    if let Err(error) = written {
        UNTOLD.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }
}

/// Writes a result in colours of our own; whatever else stands in it is shown.
pub(super) fn print_painted(text: &str) {
    let mut parts = text.split("\u{1b}[");
    let mut shown = visible(parts.next().unwrap_or_default()).into_owned();
    for part in parts {
        let colour =
            part.split_once('m').filter(|(codes, _)| codes.bytes().all(|it| it.is_ascii_digit() || it == b';'));
        match colour {
            Some((codes, rest)) => shown.push_str(&format!("\u{1b}[{codes}m{}", visible(rest))),
            None => shown.push_str(&format!("\\u001b[{}", visible(part))),
        }
    }
    keep(raw(&shown));
}

/// Writes what a program is to read as it is.
pub(super) fn raw(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush())
}

/// Says something on standard error.
pub(super) fn tell(text: &str) {
    let mut err = io::stderr().lock();
    let _gone = err.write_all(visible(text).as_bytes()).and_then(|()| err.write_all(b"\n"));
}
