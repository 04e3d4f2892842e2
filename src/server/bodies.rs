//! Bodies of requests: copied as they come into room that is bounded for all and for each address.
//!
//! What is held is what counts, and not what was sent: a body in a million chunks of a byte is one text of a million
//! bytes here. The first few kibibytes of each are free, so that usual deliveries find room whatever others hold.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use axum::body::{Bytes, HttpBody};
use hyper::body::{Frame, Incoming, SizeHint};

use super::places::Phase;
use super::shares::{Full, Share};

/// The largest body of any request, bytes; some paths take less.
const LARGEST: usize = 4 << 20;

/// What a body may hold without a share, bytes.
const FREE: usize = 16 << 10;

/// The least by which a body's room grows, bytes.
const STEP: usize = 4 << 10;

/// How many pieces a body may come in whatever their size, and how large further ones are on average, bytes: each takes
/// work that its sender hardly has.
const PIECES: usize = 256;
const LEAST_PIECE: usize = 64;

/// Why a body was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Untaken {
    /// It is larger than any may be.
    #[error("the body is over 4 MiB")]
    TooLarge,
    /// What others hold leaves no room for it.
    #[error("other requests' bodies fill the room there is")]
    NoRoom,
    /// It comes in pieces so small that they are work and nothing else.
    #[error("the body comes in too many pieces")]
    Crumbs,
    /// The connection broke off.
    #[error("the body broke off")]
    Broken,
}

/// A request's body, which comes in one piece once it is whole.
pub(super) struct Whole {
    incoming: Incoming,
    held: Option<Held>,
    phase: Arc<Phase>,
    /// Why it was not taken, for whoever answers.
    untaken: Arc<OnceLock<Untaken>>,
}

/// Bytes with the share they take.
struct Held {
    bytes: Vec<u8>,
    pieces: usize,
    share: Share,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Held {
    fn push(&mut self, data: &[u8]) -> Result<(), Untaken> {
        let wanted = self.bytes.len() + data.len();
        self.pieces += 1;
        if self.pieces > PIECES + wanted / LEAST_PIECE {
            return Err(Untaken::Crumbs);
        }
        if wanted > LARGEST {
            return Err(Untaken::TooLarge);
        }
        let room = self.bytes.capacity();
        if wanted > room {
            let grown = wanted.max(2 * room).clamp(STEP, LARGEST);
            let more = grown.saturating_sub(FREE.max(room));
            self.share.grow(more).map_err(|(Full::ForAll | Full::ForAddress)| Untaken::NoRoom)?;
            self.bytes.reserve_exact(grown - self.bytes.len());
        }
        self.bytes.extend_from_slice(data);
        Ok(())
    }
}

impl Whole {
    pub(super) fn new(incoming: Incoming, share: Share, phase: Arc<Phase>, untaken: Arc<OnceLock<Untaken>>) -> Whole {
        if incoming.is_end_stream() {
            phase.works();
        }
        Whole { incoming, held: Some(Held { bytes: Vec::new(), pieces: 0, share }), phase, untaken }
    }

    fn poll_whole(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Held>, Untaken>> {
        loop {
            let Some(held) = &mut self.held else { return Poll::Ready(Ok(None)) };
            match ready!(Pin::new(&mut self.incoming).poll_frame(context)) {
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        held.push(data)?;
                    }
                }
                Some(Err(_)) => return Poll::Ready(Err(Untaken::Broken)),
                None => {
                    self.phase.works();
                    return Poll::Ready(Ok(self.held.take()));
                }
            }
        }
    }
}

impl HttpBody for Whole {
    type Data = Bytes;
    type Error = Untaken;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Untaken>>> {
        match ready!(self.poll_whole(context)) {
            Ok(Some(held)) if held.bytes.is_empty() => Poll::Ready(None),
            Ok(Some(held)) => Poll::Ready(Some(Ok(Frame::data(Bytes::from_owner(held))))),
            Ok(None) => Poll::Ready(None),
            Err(why) => {
                self.held = None;
                let _first = self.untaken.set(why);
                Poll::Ready(Some(Err(why)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.held.is_none() || self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match self.held {
            Some(_) => self.incoming.size_hint(),
            None => SizeHint::with_exact(0),
        }
    }
}
