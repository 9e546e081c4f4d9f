//! The stream below HTTP, watched: which bytes of which download the transport took.
//!
//! A byte is *taken* when HTTP moved past it (`Piece::advance`: written, or in HTTP's own buffer) and
//! after that a flush of the stream below completed. HTTP flushes only with an empty write buffer, and
//! a TLS flush completes only when the socket accepted every record: taken bytes are with the kernel.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::Sleep;

/// How far one download came, in bytes from its beginning.
#[derive(Default)]
pub(super) struct Transfer {
    advanced: AtomicU64,
    taken: AtomicU64,
    broken: AtomicBool,
    changed: Notify,
}

impl Transfer {
    /// How many bytes from the beginning the transport took.
    pub(super) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Acquire)
    }

    /// Whether no further byte will be taken.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }

    /// Waits until `taken` or `is_broken` may have changed.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn break_off(&self) {
        self.broken.store(true, Ordering::Release);
        self.changed.notify_one();
    }
}

/// The downloads that run over one connection.
#[derive(Default)]
pub(super) struct Ledger {
    running: Mutex<Vec<Weak<Transfer>>>,
    cut: Notify,
}

impl Ledger {
    /// Begins a download over this connection.
    pub(super) fn begin(&self) -> Arc<Transfer> {
        let transfer = Arc::new(Transfer::default());
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|transfer| transfer.strong_count() > 0);
        running.push(Arc::downgrade(&transfer));
        transfer
    }

    /// Ends the connection: who downloads over it may not any more, and it takes nothing, not even that.
    pub(super) fn cut(&self) {
        self.cut.notify_one();
    }

    /// Waits until the connection is to end.
    pub(super) async fn is_cut(&self) {
        self.cut.notified().await;
    }

    fn each(&self, act: impl Fn(&Transfer)) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.iter().filter_map(Weak::upgrade).for_each(|transfer| act(&transfer));
    }

    fn flushed(&self) {
        self.each(|transfer| {
            let advanced = transfer.advanced.load(Ordering::Acquire);
            if transfer.taken.swap(advanced, Ordering::AcqRel) != advanced {
                transfer.changed.notify_one();
            }
        });
    }
}

/// A piece of a body. A counted piece tells its transfer how far HTTP moved through it.
pub(super) struct Piece {
    bytes: Bytes,
    transfer: Option<Arc<Transfer>>,
}

impl Piece {
    /// Bytes that nobody counts.
    pub(super) const fn plain(bytes: Bytes) -> Self {
        Self { bytes, transfer: None }
    }

    /// The next bytes of a download.
    pub(super) const fn counted(bytes: Bytes, transfer: Arc<Transfer>) -> Self {
        Self { bytes, transfer: Some(transfer) }
    }
}

impl Buf for Piece {
    fn remaining(&self) -> usize {
        self.bytes.len()
    }

    fn chunk(&self) -> &[u8] {
        &self.bytes
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        if let Some(transfer) = &self.transfer {
            transfer.advanced.fetch_add(count as u64, Ordering::AcqRel);
        }
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        if let Some(transfer) = self.transfer.take().filter(|_| !self.bytes.is_empty()) {
            transfer.break_off();
        }
    }
}

/// The stream below HTTP. Fails when the other side takes nothing for `patience`.
pub(super) struct Wire<S> {
    stream: S,
    ledger: Arc<Ledger>,
    patience: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Wire<S> {
    /// Watches `stream` for `ledger`.
    pub(super) const fn new(stream: S, ledger: Arc<Ledger>, patience: Duration) -> Self {
        Self { stream, ledger, patience, stalled: None }
    }

    fn unless_stalled<T>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.stalled = None;
            return polled;
        }
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.unless_stalled(cx, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.unless_stalled(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(cx);
        ready!(self.unless_stalled(cx, polled))?;
        self.ledger.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.unless_stalled(cx, polled)
    }
}

impl<S> Drop for Wire<S> {
    fn drop(&mut self) {
        self.ledger.each(Transfer::break_off);
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    #[tokio::test]
    async fn bytes_count_only_after_a_flush_that_followed_them() {
        let ledger = Arc::new(Ledger::default());
        let (near, _far) = tokio::io::duplex(64);
        let mut wire = Wire::new(near, Arc::clone(&ledger), Duration::from_secs(1));
        let transfer = ledger.begin();
        let mut piece = Piece::counted(Bytes::from_static(b"0123456789"), Arc::clone(&transfer));
        wire.flush().await.unwrap();
        let written = wire.write(piece.chunk()).await.unwrap();
        piece.advance(written);
        assert_eq!((written, transfer.taken()), (10, 0));
        wire.flush().await.unwrap();
        assert_eq!((transfer.taken(), transfer.is_broken()), (10, false));
        drop(piece);
        assert!(!transfer.is_broken());
        drop(wire);
        assert!(transfer.is_broken());
    }

    #[tokio::test]
    async fn a_piece_dropped_halfway_breaks_its_transfer() {
        let transfer = Ledger::default().begin();
        let mut piece = Piece::counted(Bytes::from_static(b"0123456789"), Arc::clone(&transfer));
        piece.advance(4);
        drop(piece);
        assert!(transfer.is_broken());
        assert_eq!(transfer.taken(), 0);
    }

    #[tokio::test]
    async fn a_side_that_takes_nothing_is_given_up() {
        let (near, _far) = tokio::io::duplex(4);
        let mut wire = Wire::new(near, Arc::default(), Duration::from_millis(20));
        let outcome = wire.write_all(b"more than four").await;
        assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
