//! One name of the drop-box that is open: what may still be done with it is asked at every call.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::super::intake::Reception;
use super::super::{Caller, Failure, Operations, locked};
use super::browse::UploadView;
use super::live::{Live, Phase, Shown};
use super::{refuse_quarantined, upload_of};
use crate::domain::digest::Digest;
use crate::domain::history::Who;
use crate::domain::ids::UploadId;
use crate::domain::moment::Moment;
use crate::domain::names::{ProductCode, UploadName};
use crate::domain::refusal::{Refusal, What};
use crate::domain::upload::{Upload, UploadState};
use crate::ports::vault::PayloadReader;

/// An open name of the drop-box. Dropping it without `close` is the same as `abandon`.
pub struct Receiving {
    operations: Arc<Operations>,
    caller: Caller,
    id: UploadId,
    product: ProductCode,
    name: UploadName,
    until: Moment,
    what: Use,
    checked_version: AtomicU64,
    /// A refused write is on record; the next ones need not be.
    is_refusal_recorded: AtomicBool,
    /// A write was refused or failed: many clients close all the same, and what they closed is not whole.
    is_spoilt: AtomicBool,
    /// From where a write was refused. What is behind it is refused too: clients send many writes at once, and
    /// some look at the answer to the last of them only.
    refused_from: AtomicU64,
    has_ended: AtomicBool,
}

/// What it was opened for.
pub(super) enum Use {
    /// Writing, and reading what was written.
    Write { live: Arc<Live>, append: Option<Mutex<Append>> },
    /// To say that the upload is whole: an empty marker beside it.
    Mark,
    /// Reading; what is read is opened with the first read.
    Read(Mutex<Option<Body>>),
}

/// Writing at the end, whatever offset is asked for (draft-ietf-secsh-filexfer-02 §6.3). Clients that resume so ask
/// for the offset that they take for the end: where it is not, something would be missing or there twice, and the
/// write is refused. Others count from zero, with each call or once.
#[derive(Default)]
pub(super) struct Append {
    /// The end when a client began to count from zero.
    base: u64,
    /// It was open in another connection, whose last writes may have come after this client looked at the size.
    is_taken_over: bool,
}

impl Append {
    /// Appending to an upload; whether it was open in another connection.
    pub(super) fn new(is_taken_over: bool) -> Mutex<Self> {
        Mutex::new(Self { base: 0, is_taken_over })
    }

    /// Whether a write that asks for `offset` belongs at `end`.
    fn takes(&mut self, offset: u64, end: u64) -> bool {
        if offset == 0 && !self.is_taken_over {
            self.base = end;
        }
        self.base.checked_add(offset) == Some(end)
    }
}

/// What is read.
pub(super) enum Body {
    /// An unfinished upload; whether it was opened for this handle alone.
    Part { live: Arc<Live>, is_own: bool },
    /// A received one.
    Whole(Arc<dyn PayloadReader>),
}

impl Body {
    fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>, Failure> {
        match self {
            Self::Part { live, .. } => {
                let left = usize::try_from(live.size_bytes().saturating_sub(offset)).unwrap_or(usize::MAX);
                if left == 0 { Ok(Vec::new()) } else { live.file.read(offset, length.min(left)) }
            }
            Self::Whole(reader) => Ok(reader.read_vec(offset, length)?),
        }
    }
}

impl Receiving {
    /// An opening that was judged when the catalog had this version.
    pub(super) fn new(operations: &Arc<Operations>, caller: &Caller, upload: Upload, what: Use, version: u64) -> Self {
        Self {
            operations: Arc::clone(operations),
            caller: caller.clone(),
            id: upload.id,
            product: upload.product,
            name: upload.name,
            until: upload.unfinished_until,
            what,
            checked_version: AtomicU64::new(version),
            is_refusal_recorded: AtomicBool::new(false),
            is_spoilt: AtomicBool::new(false),
            refused_from: AtomicU64::new(u64::MAX),
            has_ended: AtomicBool::new(false),
        }
    }

    /// The product that it is for.
    #[must_use]
    pub const fn product(&self) -> &ProductCode {
        &self.product
    }

    /// The id of the upload.
    #[must_use]
    pub const fn id(&self) -> UploadId {
        self.id
    }

    /// The upload as it is now.
    ///
    /// # Errors
    /// `Blocked`, `Ended` or `NotFound` when the caller may no longer deliver.
    pub fn view(&self) -> Result<UploadView, Failure> {
        self.check_right()?;
        self.operations.view_upload(self.id)
    }

    /// Whether it is an empty marker, of which nothing is kept.
    #[must_use]
    pub const fn is_marker(&self) -> bool {
        matches!(self.what, Use::Mark)
    }

    /// Writes `data` at `offset`, or at the end when it was opened for appending; `offset` is then the end or counts
    /// from zero. Sealed, not synced.
    ///
    /// # Errors
    /// As `view`; `TooMuch` beyond a bound, `NoSpace` on a full disk: then nothing of `data` is kept;
    /// `WrongState` once another connection has opened it, its time is over, or it ends elsewhere than an appending
    /// client thinks.
    pub fn write(&self, offset: u64, data: &[u8]) -> Result<(), Failure> {
        self.changing(|live, append| {
            let end = live.file.size_bytes();
            if let Some(append) = append
                && !locked(append).takes(offset, end)
            {
                let why =
                    format!("{} ends at byte {end}, not at {offset}: look at its size and go on there", self.name);
                return Err(Refusal::WrongState(why).into());
            }
            let offset = append.map_or(offset, |_| end);
            if offset > self.refused_from.load(Ordering::Acquire) {
                let why = format!("a part of {} before this one was refused: send that first", self.name);
                return Err(Refusal::WrongState(why).into());
            }
            let end = offset.checked_add(data.len() as u64).ok_or_else(|| self.too_large());
            let written = end.and_then(|end| self.take_room(live, end)).and_then(|()| live.file.write(offset, data));
            if written.is_err() {
                self.refused_from.fetch_min(offset, Ordering::AcqRel);
                return written;
            }
            live.note_written(offset, data.len() as u64);
            Ok(())
        })
    }

    /// Makes it so long: shorter by cutting, longer by zeros.
    ///
    /// # Errors
    /// As `write`.
    pub fn set_size(&self, size_bytes: u64) -> Result<(), Failure> {
        self.changing(|live, _| {
            self.take_room(live, size_bytes)?;
            live.file.set_size(size_bytes)?;
            live.look_for_gap();
            Ok(())
        })
    }

    /// Sets the time of last change that is shown, in seconds since 1970.
    ///
    /// # Errors
    /// As `view`.
    pub fn set_mtime(&self, seconds: u32) -> Result<(), Failure> {
        self.check_right()?;
        match &self.what {
            Use::Write { live, .. } => {
                locked(&live.phase).check()?;
                locked(&live.shown).mtime_seconds = Some(seconds);
                Ok(())
            }
            Use::Mark => Ok(()),
            Use::Read(_) => Err(Refusal::NotAllowed("the file is open for reading only").into()),
        }
    }

    /// Up to `length` bytes from `offset`; none at or after the end.
    ///
    /// # Errors
    /// As `view`; a fault of the vault.
    pub fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>, Failure> {
        self.check_right()?;
        match &self.what {
            Use::Write { live, .. } => Body::Part { live: Arc::clone(live), is_own: false }.read(offset, length),
            Use::Mark => Ok(Vec::new()),
            Use::Read(body) => {
                let mut body = locked(body);
                if body.is_none() {
                    *body = Some(self.operations.open_body(self.id)?);
                }
                body.as_ref().map_or_else(|| Ok(Vec::new()), |body| body.read(offset, length))
            }
        }
    }

    /// Returns once all that was written is sealed and on the disk.
    ///
    /// # Errors
    /// As `view`; a fault of the vault.
    pub fn sync(&self) -> Result<(), Failure> {
        self.check_right()?;
        match &self.what {
            Use::Write { live, .. } => {
                let phase = locked(&live.phase);
                phase.check()?;
                live.file.sync()
            }
            Use::Mark | Use::Read(_) => Ok(()),
        }
    }

    /// Says what the digest of the whole file must be: it is not completed with another.
    pub fn expect(&self, sha256: Digest) {
        if let Use::Write { live, .. } = &self.what {
            *locked(&live.expected) = Some(sha256);
        }
    }

    /// The client closed it. A final name that was created or written is complete: on return it is durable and on
    /// record as received. A temporary name stays unfinished, and so does what a write was refused of.
    ///
    /// # Errors
    /// `WrongState` when something in it never arrived, and it stays unfinished; as `write`.
    pub fn close(&self) -> Result<(), Failure> {
        self.end(Reception::Closed)
    }

    /// As `close`, where the client said that nothing comes after that: it is not waited for.
    ///
    /// # Errors
    /// As `close`.
    pub fn finish(&self) -> Result<(), Failure> {
        self.end(Reception::Declared)
    }

    fn end(&self, reception: Reception) -> Result<(), Failure> {
        if self.has_ended.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        match &self.what {
            Use::Read(body) => {
                self.operations.close_body(self.id, locked(body).take());
                Ok(())
            }
            Use::Mark => {
                self.check_right()?;
                self.operations.complete_marked(&self.caller, self.id)
            }
            Use::Write { live, .. } => self.close_written(live, reception),
        }
    }

    /// The connection ended with it open: nothing is complete. What arrived without a gap stays, to be resumed.
    ///
    /// # Errors
    /// A fault of the store: the size on record is then that of before, until the next start.
    pub fn abandon(&self) -> Result<(), Failure> {
        if self.has_ended.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        match &self.what {
            Use::Read(body) => self.operations.close_body(self.id, locked(body).take()),
            Use::Mark => {}
            Use::Write { live, .. } => {
                let _turn = self.operations.uploads.turn(self.id);
                self.operations.pause(self.who(), self.id, live, INTERRUPTED)?;
            }
        }
        Ok(())
    }

    fn close_written(&self, live: &Arc<Live>, reception: Reception) -> Result<(), Failure> {
        let operations = &self.operations;
        let _turn = operations.uploads.turn(self.id);
        let touched = match *locked(&live.phase) {
            Phase::Over(why) => return Err(Refusal::WrongState(why.to_owned()).into()),
            Phase::Open { touched } => touched,
        };
        if let Err(failure) = self.check_right() {
            operations.pause(self.who(), self.id, live, INTERRUPTED)?;
            return Err(failure);
        }
        let upload = operations.catalog.look(|view| upload_of(view, self.id))?;
        if self.is_spoilt.load(Ordering::Acquire) {
            operations.pause(self.who(), self.id, live, "closed after a write was refused")?;
            let why = format!("a part of {} was refused: the file stays unfinished", upload.name);
            return Err(Refusal::WrongState(why).into());
        }
        let is_declared = reception == Reception::Declared;
        let taking = if is_declared { operations.taking(&self.caller, &upload) } else { Ok(None) };
        let taking = match taking {
            Ok(taking) => taking,
            Err(failure) => {
                operations.pause(self.who(), self.id, live, "could not be completed")?;
                return Err(failure);
            }
        };
        if (touched || is_declared) && (taking.is_some() || !upload.name.is_temporary()) {
            let replaced = taking.as_ref().and_then(|taking| taking.replaced);
            operations.complete(&self.caller, &upload, live, (reception, taking))?;
            return replaced.map_or(Ok(()), |replaced| operations.end_replaced(replaced));
        }
        let gap = live.file.first_gap();
        operations.pause(self.who(), self.id, live, "closed under a temporary name or without a change")?;
        gap.map_or(Ok(()), |gap| Err(super::complete::missing(&upload.name, gap)))
    }

    fn who(&self) -> Who {
        self.caller.who()
    }

    /// Runs a change while nobody ends the upload. What is refused for a bound is put on record, once.
    fn changing(
        &self,
        change: impl FnOnce(&Live, Option<&Mutex<Append>>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.check_right()?;
        let (live, append) = match &self.what {
            Use::Write { live, append } => (live, append.as_ref()),
            Use::Mark => {
                return Err(
                    Refusal::WrongState(format!("a marker is empty: {} is not taken as data", self.name)).into()
                );
            }
            Use::Read(_) => return Err(Refusal::NotAllowed("the file is open for reading only").into()),
        };
        let now = self.operations.now();
        let mut phase = locked(&live.phase);
        phase.check()?;
        if now >= self.until {
            let why = format!("the time to finish {} is over: upload it anew", self.name);
            return Err(Refusal::WrongState(why).into());
        }
        let outcome = change(live, append);
        if outcome.is_err() {
            self.is_spoilt.store(true, Ordering::Release);
        }
        match &outcome {
            Ok(()) => {
                *phase = Phase::Open { touched: true };
                *locked(&live.shown) = Shown { changed_at: now, mtime_seconds: None };
            }
            Err(Failure::Refused(refusal)) => {
                if !self.is_refusal_recorded.swap(true, Ordering::Relaxed) {
                    self.operations.record_refused_upload(&self.caller, &self.product, self.name.as_str(), refusal);
                }
            }
            Err(Failure::Faulted(_)) => {}
        }
        outcome
    }

    fn take_room(&self, live: &Live, size_bytes: u64) -> Result<(), Failure> {
        let settings = &self.operations.settings.uploads;
        if size_bytes > settings.max_file_bytes {
            return Err(self.too_large());
        }
        live.take_room(size_bytes).map_err(|full| full.refusal(&self.product, &self.name).into())
    }

    fn too_large(&self) -> Failure {
        let most = self.operations.settings.uploads.max_file_bytes;
        Refusal::TooMuch(format!("an upload may have {most} bytes: {} is larger", self.name)).into()
    }

    /// Checks the right again whenever anything about access has changed.
    fn check_right(&self) -> Result<(), Failure> {
        let operations = &self.operations;
        let version = operations.catalog.version();
        if self.checked_version.load(Ordering::Relaxed) == version {
            return Ok(());
        }
        let now = operations.now();
        operations.catalog.look(|view| {
            operations.may_deliver(view, &self.caller, &self.product, now)?;
            match self.what {
                // somebody else's, while it is read
                Use::Read(_) => refuse_quarantined(view, &upload_of(view, self.id)?, now),
                Use::Write { .. } | Use::Mark => Ok(()),
            }
        })?;
        self.checked_version.store(version, Ordering::Relaxed);
        Ok(())
    }
}

const INTERRUPTED: &str = "interrupted";

impl core::fmt::Debug for Receiving {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Receiving").field("id", &self.id).field("name", &self.name).finish_non_exhaustive()
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        if self.abandon().is_err() {
            // What was not recorded is understated; the next start finds the size that arrived.
        }
    }
}

impl Operations {
    /// Opens what a reader reads: the payload of a received upload, or the parts of an unfinished one.
    fn open_body(&self, id: UploadId) -> Result<Body, Failure> {
        let _turn = self.uploads.turn(id);
        let upload = self.catalog.look(|view| upload_of(view, id))?;
        match &upload.state {
            UploadState::Received { .. } => Ok(Body::Whole(self.open_received(&upload)?)),
            UploadState::Unfinished => {
                if let Some(live) = self.uploads.find(id) {
                    return Ok(Body::Part { live, is_own: false });
                }
                let file = self.unfinished.resume(id, self.part_keys(&upload), self.settings.uploads.limits())?;
                let live = self.uploads.add(&upload, || self.recorded_shares(&upload), file, false)?;
                Ok(Body::Part { live, is_own: true })
            }
            UploadState::Removed { .. } | UploadState::Expired { .. } => Err(Refusal::NotFound(What::File).into()),
        }
    }

    fn close_body(&self, id: UploadId, body: Option<Body>) {
        let Some(Body::Part { live, is_own: true }) = body else { return };
        let _turn = self.uploads.turn(id);
        if live.end("it was open for reading only")
            && let Ok(upload) = self.catalog.look(|view| upload_of(view, id))
        {
            self.uploads.remove(&upload, &live, || None);
        }
    }
}
