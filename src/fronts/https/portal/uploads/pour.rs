//! Bytes of a form on their way into the drop-box: sealed as they come, in pieces, with the session and the right
//! looked at on the way. What does not arrive whole is thrown away, also when the connection ends.
#![expect(clippy::disallowed_methods, reason = "a front may time its own connections")]

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Frame, Incoming};
use multer::Field;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use crate::domain::ids::UploadId;
use crate::domain::names::{ProductCode, UploadName};
use crate::domain::refusal::Refusal;
use crate::fronts::https::portal::{Ask, Member};
use crate::fronts::offload;
use crate::operations::{Caller, Failure, Operations, Receiving, UploadMode};

/// So much is written at once, and is what one upload holds in memory beside what the transport read.
const PIECE_BYTES: usize = 512 * 1024;

/// It is asked so often whether it still may, however little comes (J6: five seconds).
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// The parser holds at most so much that it cannot make anything of: heads of parts and what stands before the first.
const MOST_UNREAD_BYTES: usize = 1024 * 1024;

/// What is there of a name is begun anew: a form cannot go on with it. What was received stays as it is.
const ANEW: UploadMode = UploadMode { append: false, create: true, truncate: true, exclusive: false };

/// Why a file did not come in.
#[derive(Debug)]
pub(super) enum Why {
    /// No token, no form, or in another order than ours.
    NotAForm,
    NoProduct,
    NoFile,
    /// The form has more files than may come at once.
    TooMany,
    Name,
    /// A name of what is not finished, or of a marker.
    TemporaryName,
    /// Another name than that of the file that is replaced.
    OtherName,
    TooLarge,
    TooFull,
    /// What is to be replaced cannot be any more.
    Late,
    /// It could not be opened.
    Open(Failure),
    /// It was refused while it came in, or when it was whole.
    Coming(Failure),
    /// It ended before its end.
    Ended,
    TooSlow,
    SignedOut,
}

/// Frames of a body one by one: the parser would take as many as there are before it looks at any.
pub(in crate::fronts::https::portal) struct Paced {
    incoming: Incoming,
    has_given: bool,
    unread_bytes: Arc<AtomicUsize>,
}

impl Paced {
    /// The body, and how much of it the parser has not made anything of yet: who got something sets it to zero.
    pub(in crate::fronts::https::portal) fn new(incoming: Incoming) -> (Self, Arc<AtomicUsize>) {
        let unread_bytes = Arc::new(AtomicUsize::new(0));
        (Self { incoming, has_given: false, unread_bytes: Arc::clone(&unread_bytes) }, unread_bytes)
    }
}

impl Body for Paced {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.has_given {
            self.has_given = false;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let polled = Pin::new(&mut self.incoming).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            self.has_given = true;
            let length = frame.data_ref().map_or(0, Bytes::len);
            if self.unread_bytes.fetch_add(length, Ordering::AcqRel) > MOST_UNREAD_BYTES {
                return Poll::Ready(Some(Err(std::io::Error::other("a part without an end"))));
            }
        }
        polled.map(|frame| frame.map(|frame| frame.map_err(std::io::Error::other)))
    }
}

/// What everything on its way needs.
pub(super) struct Way {
    pub(super) ask: Arc<Ask>,
    pub(super) member: Arc<Member>,
    /// Held by everything that still runs.
    pub(super) alive: mpsc::Sender<()>,
    pub(super) unread_bytes: Arc<AtomicUsize>,
}

impl Way {
    fn operations(&self) -> Arc<Operations> {
        Arc::clone(&self.ask.site.operations)
    }

    /// How long nothing may come.
    pub(super) fn patience(&self) -> Duration {
        self.ask.site.config.https.request_timeout
    }

    /// Opens a name in the drop-box.
    pub(super) async fn open(&self, product: &ProductCode, name: &UploadName) -> Result<Coming, Why> {
        let (operations, caller) = (self.operations(), self.member.visit.caller.clone());
        let (product, name, alive) = (product.clone(), name.clone(), self.alive.clone());
        // made where it is opened: whoever asked may be gone by then
        let opened = offload(move || {
            // what was begun at another door may have been announced with another size: it goes
            if let Ok(there) = operations.upload_entry(&caller, &product, &name) {
                operations.discard_upload(&caller, there.upload.id)?;
            }
            let receiving = Arc::new(operations.open_upload(&caller, &product, &name, ANEW)?);
            Ok(Coming { operations, caller, receiving: Some(receiving), _alive: alive })
        });
        let coming = opened.await.map_err(Why::Open)?;
        match &coming.receiving {
            Some(receiving) if receiving.is_marker() => Err(Why::TemporaryName),
            _ => Ok(coming),
        }
    }

    /// Writes all of a field.
    pub(super) async fn pour(&self, field: &mut Field<'_>, coming: &Coming) -> Result<(), Why> {
        let (mut piece, mut offset, mut looked) = (BytesMut::with_capacity(PIECE_BYTES), 0, Instant::now());
        while let Some(chunk) = self.next_chunk(field, Some(coming)).await? {
            piece.extend_from_slice(&chunk);
            // writing asks
            if piece.len() >= PIECE_BYTES || looked.elapsed() >= LOOK_AGAIN {
                offset = self.write(coming, offset, piece.split().freeze()).await?;
                looked = Instant::now();
            }
        }
        self.write(coming, offset, piece.freeze()).await?;
        Ok(())
    }

    /// Reads past a field of which nothing is kept; whether it ended within so many bytes.
    pub(super) async fn pass_over(&self, field: &mut Field<'_>, most_bytes: u64) -> bool {
        let mut passed = 0;
        while passed <= most_bytes {
            match self.next_chunk(field, None).await {
                Ok(Some(chunk)) => passed += chunk.len() as u64,
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
        false
    }

    async fn next_chunk(&self, field: &mut Field<'_>, coming: Option<&Coming>) -> Result<Option<Bytes>, Why> {
        let mut waited = Duration::ZERO;
        loop {
            match timeout(LOOK_AGAIN, field.chunk()).await {
                Ok(Ok(chunk)) => {
                    self.unread_bytes.store(0, Ordering::Release);
                    return Ok(chunk);
                }
                Ok(Err(_)) => return Err(Why::Ended),
                Err(_) => waited += LOOK_AGAIN,
            }
            if waited >= self.patience() {
                return Err(Why::TooSlow);
            }
            if let Some(receiving) = coming.and_then(|coming| coming.receiving.clone()) {
                let (ask, member) = (Arc::clone(&self.ask), Arc::clone(&self.member));
                let looked = offload(move || {
                    stay(&ask, &member)?;
                    receiving.view().map(|_| ())
                });
                looked.await.map_err(stopped)?;
            }
        }
    }

    async fn write(&self, coming: &Coming, offset: u64, piece: Bytes) -> Result<u64, Why> {
        let end = offset.saturating_add(piece.len() as u64);
        let Some(receiving) = coming.receiving.clone().filter(|_| end > offset) else { return Ok(offset) };
        let (ask, member) = (Arc::clone(&self.ask), Arc::clone(&self.member));
        let written = offload(move || {
            stay(&ask, &member)?;
            receiving.write(offset, &piece)
        });
        match written.await {
            Ok(()) => Ok(end),
            Err(Failure::Refused(Refusal::TooMuch(_))) if end > self.ask.site.config.uploads.max_file_bytes => {
                Err(Why::TooLarge)
            }
            Err(Failure::Refused(Refusal::TooMuch(_))) => Err(Why::TooFull),
            Err(failure) => Err(stopped(failure)),
        }
    }
}

/// Uses the session: who uploads for long stays signed in, and who was signed out uploads no further.
fn stay(ask: &Ask, member: &Member) -> Result<(), Failure> {
    let secret = member.guest.secret.as_deref().unwrap_or_default();
    ask.site.operations.visit(secret, &member.guest.visitor).map(|_| ())
}

fn stopped(failure: Failure) -> Why {
    match failure {
        Failure::Refused(Refusal::NotSignedIn) => Why::SignedOut,
        failure => Why::Coming(failure),
    }
}

/// A file on its way. Unless it became whole, what is there of it goes.
pub(super) struct Coming {
    operations: Arc<Operations>,
    caller: Caller,
    receiving: Option<Arc<Receiving>>,
    _alive: mpsc::Sender<()>,
}

impl Coming {
    /// It is whole.
    pub(super) async fn finish(mut self) -> Result<UploadId, Why> {
        let Some(receiving) = self.receiving.clone() else { return Err(Why::Ended) };
        let id = receiving.id();
        match offload(move || receiving.finish()).await {
            Ok(()) => {
                self.receiving = None;
                Ok(id)
            }
            Err(failure) => {
                self.throw_away().await;
                Err(Why::Coming(failure))
            }
        }
    }

    /// It is whole and takes the place of a received one, under its name.
    pub(super) async fn replace(
        mut self,
        product: &ProductCode,
        from: &UploadName,
        (replaced, name): (UploadId, &UploadName),
    ) -> Result<UploadId, Why> {
        let Some(receiving) = self.receiving.clone() else { return Err(Why::Ended) };
        let id = receiving.id();
        let (operations, caller) = (Arc::clone(&self.operations), self.caller.clone());
        let (product, from, name) = (product.clone(), from.clone(), name.clone());
        let renamed = offload(move || {
            receiving.close()?;
            operations.rename_upload(&caller, &product, &from, &name, true)?;
            // its name may have become free meanwhile: then nothing was in the way, and it goes by itself
            if operations.seen_upload(&caller, replaced).is_ok_and(|found| found.may_take_back) {
                operations.withdraw_upload(&caller, replaced)?;
            }
            Ok(())
        });
        match renamed.await {
            Ok(()) => {
                self.receiving = None;
                Ok(id)
            }
            Err(failure) => {
                self.throw_away().await;
                Err(match failure {
                    Failure::Refused(Refusal::WrongState(_)) => Why::Late,
                    failure => Why::Coming(failure),
                })
            }
        }
    }

    /// It is not; returns once nothing is left of it.
    pub(super) async fn throw_away(mut self) {
        let Some(receiving) = self.receiving.take() else { return };
        let (operations, caller) = (Arc::clone(&self.operations), self.caller.clone());
        let thrown = offload(move || {
            thrown_away(&operations, &caller, &receiving);
            Ok(())
        });
        if let Err(failure) = thrown.await {
            tracing::warn!(%failure, "an upload that did not arrive whole could not be removed");
        }
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        let Some(receiving) = self.receiving.take() else { return };
        let (operations, caller, alive) = (Arc::clone(&self.operations), self.caller.clone(), self._alive.clone());
        drop(tokio::task::spawn_blocking(move || {
            thrown_away(&operations, &caller, &receiving);
            drop(alive);
        }));
    }
}

fn thrown_away(operations: &Operations, caller: &Caller, receiving: &Receiving) {
    let gone = receiving.abandon().and_then(|()| operations.discard_upload(caller, receiving.id()));
    if let Err(failure) = gone {
        tracing::warn!(%failure, upload = %receiving.id(), "an upload that did not arrive whole could not be removed");
    }
}
