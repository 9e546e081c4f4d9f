//! From the connection into an upload: pieces of bounded size are sealed off the async threads while the next one
//! comes in. Whatever ends it early, what arrived is kept and nothing is complete.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use super::digests::{Checksum, Hash};
use crate::domain::history::Channel;
use crate::fronts::https::Site;
use crate::fronts::https::reply::{BAD_REQUEST, Reply, TOO_LARGE, TOO_SLOW};
use crate::operations::{Failure, Fault, Receiving};

/// So much is gathered before it is sealed: 256 KiB. One upload holds two of these in memory at most.
const PIECE_BYTES: usize = 256 * 1024;

/// So many frames are gathered at most, however small they are.
const MOST_FRAMES: usize = 64;

/// What came is sealed, and the right to go on looked at, so often at least, however slowly it comes (J6).
const GLANCE: Duration = Duration::from_secs(1);

/// An upload that is open for one request. Gone without `into_inner`, it is interrupted: what arrived is kept.
pub(super) struct Held {
    upload: Option<Arc<Receiving>>,
    /// The server waits for what is still put on record.
    alive: mpsc::Sender<()>,
}

impl Held {
    /// Holds an open upload.
    pub(super) fn new(upload: Receiving, alive: mpsc::Sender<()>) -> Self {
        Self { upload: Some(Arc::new(upload)), alive }
    }

    /// Ends it as `end` says, off the async threads.
    pub(super) async fn end(
        mut self,
        end: impl FnOnce(&Receiving) -> Result<(), Failure> + Send + 'static,
    ) -> Result<(), Failure> {
        let Some(upload) = self.upload.take() else { return Ok(()) };
        let alive = self.alive.clone();
        crate::fronts::offload(move || {
            let ended = end(&upload);
            // what `end` left open is interrupted
            let abandoned = upload.abandon();
            drop(alive);
            ended.and(abandoned)
        })
        .await
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(upload) = self.upload.take() else { return };
        let alive = self.alive.clone();
        // the request is gone: nobody waits for this but the end of the server
        tokio::task::spawn_blocking(move || {
            if let Err(failure) = upload.abandon() {
                tracing::warn!(%failure, upload = %upload.id(), "an interrupted upload could not be put on record");
            }
            drop(alive);
        });
    }
}

/// Why not all of the content was taken.
pub(super) enum Broken {
    /// It ended before its end, or a part of it did not come in time.
    Cut(Box<Reply>),
    /// It is more than may come.
    TooMuch,
    /// It may not go on.
    Failed(Failure),
}

impl Broken {
    /// What is answered.
    pub(super) fn into_reply(self) -> Box<Reply> {
        match self {
            Self::Cut(reply) => reply,
            Self::TooMuch => Box::new(Reply::problem(TOO_LARGE, "more bytes came than may come here")),
            Self::Failed(failure) => super::failed(&failure),
        }
    }
}

/// Where content goes.
struct Sink {
    /// Nowhere: it is looked at only.
    upload: Option<Arc<Receiving>>,
    offset: u64,
    hash: Option<Hash>,
}

impl Sink {
    fn take(&mut self, pieces: Vec<Bytes>) -> Result<(), Failure> {
        for piece in pieces {
            if let Some(hash) = &mut self.hash {
                hash.update(&piece);
            }
            if let Some(upload) = &self.upload {
                upload.write(self.offset, &piece)?;
            }
            self.offset = self.offset.saturating_add(piece.len() as u64);
        }
        // also when nothing came
        self.upload.as_ref().map_or(Ok(()), |upload| upload.view().map(|_| ()))
    }
}

/// What was taken of a request.
pub(super) struct Taken {
    /// Where it ends.
    pub(super) end: u64,
    /// Whether it is what its checksum says.
    pub(super) is_as_said: bool,
}

/// Takes the content of a request in from `start`, at most to `most`. Without an upload it is merely looked at.
pub(super) async fn take_in(
    site: &Site,
    channel: Channel,
    incoming: &mut Incoming,
    held: Option<&Held>,
    (start, most): (u64, u64),
    checksum: Option<&Checksum>,
) -> Result<Taken, Broken> {
    let upload = held.and_then(|held| held.upload.clone());
    let mut sink = Some(Sink { upload, offset: start, hash: checksum.map(Checksum::begin) });
    let mut working: Option<JoinHandle<(Sink, Result<(), Failure>)>> = None;
    let (mut came, mut silent) = (start, Duration::ZERO);
    let broken = loop {
        let (pieces, end) = gather(incoming, &mut came, most, &mut silent, site.config.https.request_timeout).await;
        if let Some(work) = working.take() {
            match finished(work).await {
                Ok(back) => sink = Some(back),
                Err(failure) => break Some(Broken::Failed(failure)),
            }
        }
        match site.operations.closure(channel) {
            Ok(None) => {}
            Ok(Some(closure)) => break Some(Broken::Failed(closure.refusal().into())),
            Err(failure) => break Some(Broken::Failed(failure)),
        }
        if let Some(mut to) = sink.take() {
            working = Some(tokio::task::spawn_blocking(move || {
                let taken = to.take(pieces);
                (to, taken)
            }));
        }
        match end {
            End::More => {}
            End::Whole => break None,
            End::Broken(broken) => break Some(broken),
        }
    };
    if let Some(work) = working.take() {
        // what came before a break is kept too
        sink = Some(finished(work).await.map_err(Broken::Failed)?);
    }
    match (broken, sink) {
        (Some(broken), _) => Err(broken),
        (None, Some(sink)) => {
            let is_as_said = match (checksum, sink.hash) {
                (Some(checksum), Some(hash)) => checksum.is(hash),
                _ => true,
            };
            Ok(Taken { end: sink.offset, is_as_said })
        }
        (None, None) => Err(Broken::Failed(Fault::new("take in a participant file: its pieces are lost").into())),
    }
}

async fn finished(work: JoinHandle<(Sink, Result<(), Failure>)>) -> Result<Sink, Failure> {
    match work.await {
        Ok((sink, Ok(()))) => Ok(sink),
        Ok((_, Err(failure))) => Err(failure),
        Err(error) => Err(Fault::from_error("take in a participant file", error).into()),
    }
}

/// How a piece ended.
pub(super) enum End {
    /// There may be more.
    More,
    /// The content is whole.
    Whole,
    /// There is no more, and it is not whole.
    Broken(Broken),
}

/// The next piece: as much as comes within a glance, up to its size.
pub(super) async fn gather(
    incoming: &mut Incoming,
    came: &mut u64,
    most: u64,
    silent: &mut Duration,
    patience: Duration,
) -> (Vec<Bytes>, End) {
    // while nobody listens, nobody is silent
    let (until, mut since) = (Instant::now() + GLANCE.min(patience), Instant::now());
    let (mut pieces, mut size) = (Vec::new(), 0);
    for _ in 0..MOST_FRAMES {
        match timeout_at(until, incoming.frame()).await {
            Err(_) => break,
            Ok(None) => return (pieces, End::Whole),
            Ok(Some(Err(_))) => {
                let reply = Reply::problem(BAD_REQUEST, "the content ended early; what came is kept");
                return (pieces, End::Broken(Broken::Cut(Box::new(reply))));
            }
            Ok(Some(Ok(frame))) => {
                // an empty frame is no sign of life
                let Some(bytes) = frame.into_data().ok().filter(|bytes| !bytes.is_empty()) else { continue };
                (*silent, since) = (Duration::ZERO, Instant::now());
                *came = came.saturating_add(bytes.len() as u64);
                if *came > most {
                    return (pieces, End::Broken(Broken::TooMuch));
                }
                size += bytes.len();
                pieces.push(bytes);
                if size >= PIECE_BYTES {
                    break;
                }
            }
        }
    }
    *silent = silent.saturating_add(since.elapsed());
    if *silent >= patience {
        let reply = Reply::problem(TOO_SLOW, "the content did not come in time; what came is kept");
        return (pieces, End::Broken(Broken::Cut(Box::new(reply))));
    }
    (pieces, End::More)
}
