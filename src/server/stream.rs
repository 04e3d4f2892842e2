//! A connection's bytes, with an end to the wait for a peer that takes none of its answer.

use std::future::Future;
use std::io::{Error, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::places::Phase;

/// Who takes an answer at this rate or faster has as long as that takes, bytes a second.
const SLOWEST: u64 = 16 << 10;

/// A connection that breaks off where its peer keeps an answer waiting for too long.
///
/// From the first byte that finds no room until all are taken the peer has `patience`, and a second more for each 16 KiB
/// that it takes.
pub(super) struct Bounded {
    stream: TcpStream,
    patience: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
    /// Bytes taken that have not lengthened the wait yet.
    taken: u64,
    /// Told when the peer is first waited for; none from then on.
    fresh: Option<Arc<Phase>>,
}

impl Bounded {
    pub(super) fn new(stream: TcpStream, patience: Duration, phase: Arc<Phase>) -> Bounded {
        Bounded { stream, patience, stalled: None, taken: 0, fresh: Some(phase) }
    }

    /// What a write came to, or an error where the peer's time is over.
    fn bounded(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<Result<usize, Error>>,
    ) -> Poll<Result<usize, Error>> {
        let written = match written {
            Poll::Ready(Ok(written)) => written as u64,
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => {
                let patience = self.patience;
                let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + patience)));
                ready!(stalled.as_mut().poll(context));
                return Poll::Ready(Err(Error::new(ErrorKind::TimedOut, "the peer does not take its answer")));
            }
        };
        if let Some(stalled) = &mut self.stalled {
            self.taken += written;
            let seconds = self.taken / SLOWEST;
            self.taken %= SLOWEST;
            if seconds > 0 {
                let deadline = stalled.deadline() + Duration::from_secs(seconds);
                stalled.as_mut().reset(deadline);
            }
            // A peer that always takes a byte before its time is over takes no byte after it.
            if stalled.deadline() <= Instant::now() {
                return Poll::Ready(Err(Error::new(ErrorKind::TimedOut, "the peer takes its answer too slowly")));
            }
        }
        Poll::Ready(Ok(usize::try_from(written).unwrap_or(usize::MAX)))
    }
}

impl AsyncRead for Bounded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<Result<(), Error>> {
        let read = Pin::new(&mut self.stream).poll_read(context, into);
        if let Some(phase) = self.fresh.take() {
            phase.is_read();
        }
        read
    }
}

impl AsyncWrite for Bounded {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, Error>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.bounded(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[std::io::IoSlice<'_>],
    ) -> Poll<Result<usize, Error>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.bounded(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        // Whoever flushes has written all there was: the next answer has its own time.
        self.stalled = None;
        self.taken = 0;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
