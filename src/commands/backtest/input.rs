//! The file of past tickets: plain, gzip or zstd, told apart by its first bytes; in lines, or as JSON over many lines.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use anyhow::Context;
use flate2::bufread::MultiGzDecoder;
use indicatif::ProgressBar;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
use serde_json::value::RawValue;

use crate::commands::lines::{Batch, Stream};
use crate::commands::progress;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const BUFFER: usize = 256 << 10;

/// What is read from: lines, or whole JSON values where a value spreads over many lines.
pub(super) enum Input {
    Lines(Stream<Box<dyn BufRead + Send>>),
    Values { from: Box<dyn Iterator<Item = serde_json::Result<Box<RawValue>>> + Send>, enough: usize, value: u64 },
}

impl Input {
    /// Opens a file, or standard input for `-`, to be read in batches of `enough` bytes; `bar` follows how much is read.
    ///
    /// # Errors
    /// A file that cannot be read, or compressed data that is none.
    pub(super) fn open(file: &Path, enough: usize, bar: &ProgressBar) -> anyhow::Result<Input> {
        let read: Box<dyn Read + Send> = if file.as_os_str() == "-" {
            Box::new(io::stdin())
        } else {
            let told = || format!("the tickets {} cannot be read", file.display());
            let opened = File::open(file).with_context(told)?;
            progress::measure(bar, &opened).with_context(told)?;
            Box::new(opened)
        };
        let mut packed = BufReader::with_capacity(BUFFER.min(enough), bar.wrap_read(read));
        let first = packed.fill_buf().with_context(|| format!("the tickets {} cannot be read", file.display()))?;
        let mut from: Box<dyn BufRead + Send> = if first.starts_with(&GZIP) {
            Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(packed)))
        } else if first.starts_with(&ZSTD) {
            Box::new(BufReader::with_capacity(BUFFER, Frames::new(packed)))
        } else {
            Box::new(packed)
        };
        let start = from.fill_buf().with_context(|| format!("{} cannot be unpacked", file.display()))?;
        let first_line = start.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
        // A line that ends in the middle of a value is one of many that make it up.
        let spread = matches!(first_line.trim_ascii_end().last(), Some(b'{' | b'[' | b','));
        Ok(if spread {
            let values = serde_json::Deserializer::from_reader(from).into_iter::<Box<RawValue>>();
            Input::Values { from: Box::new(values), enough, value: 0 }
        } else {
            Input::Lines(Stream::new(from, enough))
        })
    }

    /// The next lines or values; an empty batch at the end.
    ///
    /// # Errors
    /// Input that cannot be read, or JSON that ends in the middle.
    pub(super) fn next(&mut self) -> anyhow::Result<Batch> {
        match self {
            Input::Lines(stream) => stream.next().context("the tickets cannot be read"),
            Input::Values { from, enough, value } => {
                let mut batch = Batch::default();
                for read in from.by_ref() {
                    *value += 1;
                    batch.push(*value, read.context("the tickets cannot be read")?.get().as_bytes());
                    if batch.len() >= *enough {
                        break;
                    }
                }
                Ok(batch)
            }
        }
    }
}

/// Zstandard frames one behind the other, as parallel and appending writers leave them.
struct Frames<R: BufRead> {
    state: Frame<R>,
}

enum Frame<R: BufRead> {
    Between(R),
    Within(Box<StreamingDecoder<R, FrameDecoder>>),
    Over,
}

impl<R: BufRead> Frames<R> {
    fn new(from: R) -> Frames<R> {
        Frames { state: Frame::Between(from) }
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match std::mem::replace(&mut self.state, Frame::Over) {
                Frame::Over => return Ok(0),
                Frame::Between(mut from) => {
                    if !from.fill_buf()?.is_empty() {
                        let decoder = StreamingDecoder::new(from).map_err(io::Error::other)?;
                        self.state = Frame::Within(Box::new(decoder));
                    }
                }
                Frame::Within(mut decoder) => {
                    let read = decoder.read(into)?;
                    if read > 0 || into.is_empty() {
                        self.state = Frame::Within(decoder);
                        return Ok(read);
                    }
                    self.state = Frame::Between(decoder.into_inner());
                }
            }
        }
    }
}
