//! Bodies of answers, and the pump that brings a file into one: read in pieces,
//! at most two ahead of the transport, each put on record as taken only when the
//! transport took it; cut when its right ends, also while nothing moves. Knows no routes and no headers.
#![expect(clippy::disallowed_methods, reason = "time limits and tasks of its own connections")]

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

use super::wire::{Ledger, Piece, Transfer};
use crate::fronts::offload;
use crate::operations::{CollectedRead, DeliveryZip, DocumentRead, Failure, Fault, Fetch};
use crate::telemetry;

/// A file is read and sent in pieces of this size: 256 KiB.
pub(super) const PIECE_BYTES: usize = 256 * 1024;

/// While the other side takes nothing, it is asked so often whether it still may have the rest (J6: five seconds).
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A body was cut off on our side; the connection or stream ends with it.
#[derive(Debug)]
pub(super) struct CutOff;

impl std::fmt::Display for CutOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the answer was cut off")
    }
}

impl std::error::Error for CutOff {}

/// The body of an answer.
pub(super) enum Body {
    /// Nothing.
    Empty,
    /// All of it at hand.
    Whole(Option<Bytes>),
    /// Pieces that come from a pump.
    Pieces {
        /// Where they come from.
        from: mpsc::Receiver<Result<Piece, CutOff>>,
        /// Bytes still to come.
        left_bytes: u64,
    },
}

impl hyper::body::Body for Body {
    type Data = Piece;
    type Error = CutOff;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        match self.get_mut() {
            Self::Empty => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(Piece::plain(bytes))))),
            Self::Pieces { left_bytes: 0, .. } => Poll::Ready(None),
            Self::Pieces { from, left_bytes } => from.poll_recv(cx).map(|piece| {
                // The pump never ends early without saying so: an end here is a cut.
                let piece = piece.unwrap_or(Err(CutOff));
                Some(piece.map(|piece| {
                    *left_bytes = left_bytes.saturating_sub(bytes::Buf::remaining(&piece) as u64);
                    Frame::data(piece)
                }))
            }),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty | Self::Pieces { left_bytes: 0, .. } => true,
            Self::Whole(bytes) => bytes.is_none(),
            Self::Pieces { .. } => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            Self::Empty => 0,
            Self::Whole(bytes) => bytes.as_ref().map_or(0, |bytes| bytes.len() as u64),
            Self::Pieces { left_bytes, .. } => *left_bytes,
        })
    }
}

/// What is sent: a file of a delivery, all of them, a document of a product, or a collected participant file.
#[derive(Clone)]
pub(super) enum Opened {
    /// What left of it is counted.
    Delivered(Arc<Fetch>),
    /// What left of each file in it is counted.
    Zip(Arc<DeliveryZip>),
    /// That it is read is on record; how far, nobody asks.
    Document(Arc<DocumentRead>),
    /// That it is taken is on record; that it arrived, who takes it says.
    Collected(Arc<CollectedRead>),
}

impl Opened {
    /// Makes known what must be before it can be read. Blocks.
    pub(super) fn prepare(&self) -> Result<(), Failure> {
        match self {
            Self::Delivered(_) | Self::Document(_) | Self::Collected(_) => Ok(()),
            Self::Zip(zip) => zip.prepare(),
        }
    }

    /// As `Fetch::read`.
    pub(super) fn read(&self, offset: u64, into: &mut [u8]) -> Result<usize, Failure> {
        match self {
            Self::Delivered(fetch) => fetch.read(offset, into),
            Self::Zip(zip) => zip.read(offset, into),
            Self::Document(document) => document.read(offset, into),
            Self::Collected(collected) => collected.read(offset, into),
        }
    }

    fn read_at_hand<T>(&self, offset: u64, length: usize, then: T) -> bool
    where
        T: FnOnce(Result<Vec<u8>, Failure>) + Send + 'static,
    {
        match self {
            Self::Delivered(fetch) => fetch.read_at_hand(offset, length, then),
            Self::Zip(_) | Self::Document(_) | Self::Collected(_) => false,
        }
    }

    /// As `Fetch::may_go_on`.
    fn may_go_on(&self) -> Result<(), Failure> {
        match self {
            Self::Delivered(fetch) => fetch.may_go_on(),
            Self::Zip(zip) => zip.may_go_on(),
            Self::Document(document) => document.may_go_on(),
            Self::Collected(collected) => collected.may_go_on(),
        }
    }

    fn taken(&self, offset: u64, length: usize) -> Result<(), Failure> {
        match self {
            Self::Delivered(fetch) => fetch.taken(offset, length),
            Self::Zip(zip) => zip.taken(offset, length),
            Self::Document(_) | Self::Collected(_) => Ok(()),
        }
    }

    /// As `Fetch::close`.
    pub(super) fn close(&self) -> Result<(), Failure> {
        match self {
            Self::Delivered(fetch) => fetch.close(),
            Self::Zip(zip) => zip.close(),
            Self::Document(document) => {
                document.close();
                Ok(())
            }
            Self::Collected(_) => Ok(()),
        }
    }

    fn abandon(&self) -> Result<(), Failure> {
        match self {
            Self::Delivered(fetch) => fetch.abandon(),
            Self::Zip(zip) => zip.abandon(),
            Self::Document(_) | Self::Collected(_) => self.close(),
        }
    }

    /// Whether the transport must take more before more can be read.
    fn is_full(&self) -> bool {
        match self {
            Self::Delivered(_) | Self::Document(_) | Self::Collected(_) => false,
            Self::Zip(zip) => zip.is_full(),
        }
    }
}

/// A range of an opened file that is to be sent.
pub(super) struct Download {
    /// The opened file.
    pub fetch: Opened,
    /// First byte.
    pub start: u64,
    /// How many bytes.
    pub length: u64,
    /// The first piece, once it is read.
    first: Option<Bytes>,
}

impl Download {
    /// Reads the first piece: a refusal or fault still becomes a proper answer. Blocks.
    ///
    /// # Errors
    /// Those of `Fetch::read`.
    pub(super) fn begin(fetch: Opened, start: u64, length: u64) -> Result<Self, Failure> {
        let first = Some(read_piece(&fetch, start, length)?);
        Ok(Self { fetch, start, length, first })
    }

    /// A range of which the first piece is still to be read.
    pub(super) const fn unread(fetch: Opened, start: u64, length: u64) -> Self {
        Self { fetch, start, length, first: None }
    }

    /// The first piece as far as it was read.
    pub(super) fn first(&self) -> &[u8] {
        self.first.as_deref().unwrap_or_default()
    }

    /// Reads the first piece, unless it was: out of memory if it is there, without a thread that waits for the
    /// record.
    ///
    /// # Errors
    /// Those of `Fetch::read`.
    pub(super) async fn read_first(&mut self) -> Result<(), Failure> {
        if self.first.is_some() {
            return Ok(());
        }
        let (start, length) = (self.start, self.length);
        let (then, read) = oneshot::channel();
        let wanted = piece_of(length);
        let first = if self.fetch.read_at_hand(start, wanted, move |bytes| drop(then.send(bytes))) {
            read.await.map_err(|error| Fault::from_error("read a file", error))?.map(Bytes::from)?
        } else {
            let fetch = self.fetch.clone();
            offload(move || read_piece(&fetch, start, length)).await?
        };
        self.first = Some(first);
        Ok(())
    }

    /// The body, with a pump that runs until everything is taken or the transfer is broken.
    /// `alive` is held as long.
    pub(super) fn into_body(self, ledger: Arc<Ledger>, patience: Duration, alive: mpsc::Sender<()>) -> Body {
        let (to, from) = mpsc::channel(1);
        let left_bytes = self.length;
        let transfer = ledger.begin();
        let pump = Pump { download: self, transfer, ledger, recorded: 0, patience };
        tokio::spawn(async move {
            pump.run(to).await;
            drop(alive);
        });
        Body::Pieces { from, left_bytes }
    }
}

/// How long the next piece of so many bytes is.
fn piece_of(left: u64) -> usize {
    usize::try_from(left).unwrap_or(usize::MAX).min(PIECE_BYTES)
}

/// Fills one piece from `offset`, at most `left` bytes. Short only at the end of the file, or where a ZIP is full.
fn read_piece(fetch: &Opened, offset: u64, left: u64) -> Result<Bytes, Failure> {
    let length = piece_of(left);
    let mut piece = vec![0; length];
    if length > 0 {
        let read = fetch.read(offset, &mut piece)?;
        piece.truncate(read);
    }
    Ok(piece.into())
}

struct Pump {
    download: Download,
    transfer: Arc<Transfer>,
    ledger: Arc<Ledger>,
    recorded: u64,
    patience: Duration,
}

impl Pump {
    async fn run(mut self, to: mpsc::Sender<Result<Piece, CutOff>>) {
        let mut is_sent = self.send_all(&to).await;
        if is_sent && self.while_allowed(self.await_transport()).await.is_none() {
            self.give_up(&to).await;
            is_sent = false;
        }
        let length = self.download.length;
        let (fetch, taken) = self.newly_taken();
        let is_whole = is_sent && self.transfer.taken() >= length;
        // Nobody waits for the end of a fetch to be put on record.
        let ended = taken.record(&fetch).and_then(|()| if is_whole { fetch.close() } else { fetch.abandon() });
        report_failure(Ok(ended));
    }

    /// Whether every byte was handed over.
    async fn send_all(&mut self, to: &mpsc::Sender<Result<Piece, CutOff>>) -> bool {
        let (start, length) = (self.download.start, self.download.length);
        let mut piece = self.download.first.take().unwrap_or_default();
        let mut sent = 0;
        while sent < length {
            if piece.is_empty() {
                // The file is shorter than it said: what is promised cannot be kept.
                self.give_up(to).await;
                return false;
            }
            sent += piece.len() as u64;
            let counted = Piece::counted(piece, Arc::clone(&self.transfer));
            let handed = self.while_allowed(timeout(self.patience, to.send(Ok(counted)))).await;
            let Some(handed) = handed else {
                self.give_up(to).await;
                return false;
            };
            let Ok(Ok(())) = handed else { return false };
            if sent == length {
                break;
            }
            if !self.await_room(sent, to).await {
                return false;
            }
            let (fetch, taken) = self.newly_taken();
            let read = tokio::task::spawn_blocking(move || {
                taken.record(&fetch)?;
                read_piece(&fetch, start + sent, length - sent)
            });
            let Some(next) = report_failure(read.await) else {
                self.give_up(to).await;
                return false;
            };
            piece = next;
        }
        true
    }

    /// Waits until more can be read: the transport took what was handed over, or so much of it that files of a ZIP
    /// could be closed. False when it takes nothing any more, or may not.
    async fn await_room(&mut self, sent: u64, to: &mpsc::Sender<Result<Piece, CutOff>>) -> bool {
        while self.download.fetch.is_full() {
            let before = self.transfer.taken();
            let (fetch, taken) = self.newly_taken();
            let recorded = tokio::task::spawn_blocking(move || taken.record(&fetch)).await;
            if report_failure(recorded).is_none() {
                self.give_up(to).await;
                return false;
            }
            if !self.download.fetch.is_full() {
                break;
            }
            if self.transfer.is_broken() || before >= sent {
                return false;
            }
            let Some(waited) = self.while_allowed(timeout(self.patience, self.transfer.changed())).await else {
                self.give_up(to).await;
                return false;
            };
            if waited.is_err() && self.transfer.taken() == before {
                return false;
            }
        }
        true
    }

    /// Waits for something, as long as who downloads still may; `None` when not.
    async fn while_allowed<T>(&self, waiting: impl Future<Output = T>) -> Option<T> {
        let mut waiting = std::pin::pin!(waiting);
        loop {
            tokio::select! {
                done = waiting.as_mut() => return Some(done),
                () = sleep(LOOK_AGAIN) => {}
            }
            let fetch = self.download.fetch.clone();
            let looked = tokio::task::spawn_blocking(move || fetch.may_go_on()).await;
            if let Ok(Err(Failure::Refused(refusal))) = looked {
                tracing::info!(%refusal, "a download was cut off");
                return None;
            }
        }
    }

    /// Ends the answer early: its stream, or the whole connection when the other side takes nothing.
    async fn give_up(&self, to: &mpsc::Sender<Result<Piece, CutOff>>) {
        let ended = async {
            let _ = to.send(Err(CutOff)).await;
            to.closed().await;
        };
        if timeout(LOOK_AGAIN, ended).await.is_err() {
            self.ledger.cut();
        }
    }

    async fn await_transport(&self) {
        let mut before = self.transfer.taken();
        while before < self.download.length && !self.transfer.is_broken() {
            let waited = timeout(self.patience, self.transfer.changed()).await;
            let now = self.transfer.taken();
            if waited.is_err() && now == before {
                return;
            }
            before = now;
        }
    }

    fn newly_taken(&mut self) -> (Opened, Taken) {
        let from = self.recorded;
        self.recorded = self.transfer.taken();
        let taken = Taken { offset: self.download.start + from, length: self.recorded - from };
        (self.download.fetch.clone(), taken)
    }
}

struct Taken {
    offset: u64,
    length: u64,
}

impl Taken {
    fn record(&self, fetch: &Opened) -> Result<(), Failure> {
        match usize::try_from(self.length) {
            Ok(length) if length > 0 => fetch.taken(self.offset, length),
            _ => Ok(()),
        }
    }
}

/// A refusal here means that the right ended while the file was on its way: no fault of ours.
fn report_failure<T>(outcome: Result<Result<T, Failure>, tokio::task::JoinError>) -> Option<T> {
    match outcome {
        Ok(Ok(value)) => Some(value),
        Ok(Err(Failure::Refused(refusal))) => {
            tracing::info!(%refusal, "a download was cut off");
            None
        }
        Ok(Err(Failure::Faulted(fault))) => {
            telemetry::report("sending a file", &fault);
            None
        }
        Err(error) => {
            telemetry::report("sending a file", &error);
            None
        }
    }
}
