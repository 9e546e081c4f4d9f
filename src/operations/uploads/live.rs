//! The uploads that are open now, and the room that they take beyond what is on record.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::super::{Failure, locked};
use super::quota::{Full, Share, Shares};
use crate::domain::digest::Digest;
use crate::domain::ids::UploadId;
use crate::domain::moment::Moment;
use crate::domain::names::{LoginName, OrganisationCode, ProductCode};
use crate::domain::upload::Upload;
use crate::ports::unfinished::UnfinishedFile;

/// The uploads that are open now. One handle writes one upload.
#[derive(Default)]
pub(in crate::operations) struct LiveUploads {
    open: Mutex<HashMap<UploadId, Arc<Live>>>,
    /// Those that are being opened, closed, renamed or ended.
    busy: Mutex<HashSet<UploadId>>,
    freed: Condvar,
    rooms: Mutex<HashMap<Of, Arc<Room>>>,
}

/// Whose room it is.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Of {
    Account(LoginName),
    Folder(OrganisationCode, ProductCode),
}

/// One open upload.
pub(super) struct Live {
    /// Its bytes.
    pub(super) file: Arc<dyn UnfinishedFile>,
    /// Whether it may still be written. Held while a write, a close or a takeover is under way.
    pub(super) phase: Mutex<Phase>,
    /// What was set and written since it was opened.
    pub(super) shown: Mutex<Shown>,
    /// Up to where it has arrived without a gap: known without asking the file, which may be busy for long.
    arrived: AtomicU64,
    has_gap: AtomicBool,
    account: Arc<Room>,
    folder: Arc<Room>,
    /// What its digest must be when it is complete, as the client says.
    pub(super) expected: Mutex<Option<Digest>>,
    /// Its size as far as it was counted: on record, or as growth.
    counted: AtomicU64,
    growth: AtomicU64,
}

/// What is shown of an open upload and not yet on record.
#[derive(Clone, Copy)]
pub(super) struct Shown {
    pub(super) changed_at: Moment,
    pub(super) mtime_seconds: Option<u32>,
}

/// Whether an open upload may still be written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It may.
    Open {
        /// Something was created or written: a close of a final name completes it.
        touched: bool,
    },
    /// Not any more, and why.
    Over(&'static str),
}

/// What the uploads of one account or in one folder take, and may take.
#[derive(Default)]
struct Room {
    on_record: AtomicU64,
    most: AtomicU64,
    growing: AtomicU64,
}

impl Room {
    fn set(&self, share: Share) {
        self.on_record.store(share.used_bytes, Ordering::Release);
        self.most.store(share.most_bytes, Ordering::Release);
    }

    fn most(&self) -> u64 {
        self.most.load(Ordering::Acquire)
    }

    /// False, and nothing is taken, when it would hold more than it may.
    fn take(&self, more: u64) -> bool {
        let growing = self.growing.fetch_add(more, Ordering::AcqRel).saturating_add(more);
        let fits = self.on_record.load(Ordering::Acquire).saturating_add(growing) <= self.most();
        if !fits {
            self.give_back(more);
        }
        fits
    }

    fn give_back(&self, bytes: u64) {
        self.growing.fetch_sub(bytes, Ordering::AcqRel);
    }
}

impl LiveUploads {
    /// Opens, closes and renames of one upload run one after the other: waits until it is its turn.
    pub(in crate::operations) fn turn(&self, id: UploadId) -> Turn<'_> {
        let busy = locked(&self.busy);
        let mut busy = self.freed.wait_while(busy, |busy| busy.contains(&id)).unwrap_or_else(PoisonError::into_inner);
        busy.insert(id);
        Turn { uploads: self, id }
    }

    pub(super) fn find(&self, id: UploadId) -> Option<Arc<Live>> {
        locked(&self.open).get(&id).map(Arc::clone)
    }

    /// Notes that an upload is open; `recorded` looks what its account and its folder take by the record, while nobody
    /// else does: an older look must not overwrite a newer one.
    pub(super) fn add(
        &self,
        upload: &Upload,
        recorded: impl FnOnce() -> Result<Shares, Failure>,
        file: Arc<dyn UnfinishedFile>,
        touched: bool,
    ) -> Result<Arc<Live>, Failure> {
        let shown = Shown { changed_at: upload.changed_at, mtime_seconds: upload.mtime_seconds };
        let arrived = file.size_bytes();
        let mut rooms = locked(&self.rooms);
        let recorded = recorded()?;
        let [account, folder] = rooms_of(upload).map(|of| Arc::clone(rooms.entry(of).or_default()));
        account.set(recorded.account);
        folder.set(recorded.folder);
        drop(rooms);
        let live = Arc::new(Live {
            file,
            phase: Mutex::new(Phase::Open { touched }),
            shown: Mutex::new(shown),
            arrived: AtomicU64::new(arrived),
            has_gap: AtomicBool::new(false),
            account,
            folder,
            expected: Mutex::default(),
            counted: AtomicU64::new(upload.size_bytes),
            growth: AtomicU64::new(0),
        });
        locked(&self.open).insert(upload.id, Arc::clone(&live));
        Ok(live)
    }

    /// The upload is no longer open; `recorded` as in `add`, where the record changed.
    pub(super) fn remove(&self, upload: &Upload, live: &Arc<Live>, recorded: impl FnOnce() -> Option<Shares>) {
        let mut open = locked(&self.open);
        if open.get(&upload.id).is_some_and(|other| Arc::ptr_eq(other, live)) {
            open.remove(&upload.id);
        }
        drop(open);
        let mut rooms = locked(&self.rooms);
        if let Some(recorded) = recorded() {
            live.account.set(recorded.account);
            live.folder.set(recorded.folder);
        }
        let growth = live.growth.swap(0, Ordering::AcqRel);
        for (of, room) in rooms_of(upload).into_iter().zip([&live.account, &live.folder]) {
            room.give_back(growth);
            // one in the table and one in `live`: nothing else there is open
            if rooms.get(&of).is_some_and(|other| Arc::ptr_eq(other, room) && Arc::strong_count(other) <= 2) {
                rooms.remove(&of);
            }
        }
    }

    /// Bytes that the open uploads of an account take beyond what is on record.
    pub(super) fn growing_bytes(&self, login: &LoginName) -> u64 {
        self.growing(&Of::Account(login.clone()))
    }

    /// The same of all open uploads of an organisation for a product.
    pub(super) fn growing_in_folder(&self, organisation: &OrganisationCode, product: &ProductCode) -> u64 {
        self.growing(&Of::Folder(organisation.clone(), product.clone()))
    }

    fn growing(&self, of: &Of) -> u64 {
        locked(&self.rooms).get(of).map_or(0, |room| room.growing.load(Ordering::Acquire))
    }
}

fn rooms_of(upload: &Upload) -> [Of; 2] {
    [Of::Account(upload.login.clone()), Of::Folder(upload.organisation.clone(), upload.product.clone())]
}

/// The time in which nobody else opens, closes or renames an upload.
pub(in crate::operations) struct Turn<'a> {
    uploads: &'a LiveUploads,
    id: UploadId,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        locked(&self.uploads.busy).remove(&self.id);
        self.uploads.freed.notify_all();
    }
}

impl Live {
    /// Size as a reader may rely on it: up to the first byte that has not arrived. Never waits.
    pub(super) fn size_bytes(&self) -> u64 {
        self.arrived.load(Ordering::Acquire)
    }

    /// Bytes were written. The caller of this holds the phase.
    pub(super) fn note_written(&self, offset: u64, length: u64) {
        let arrived = self.arrived.load(Ordering::Acquire);
        if offset <= arrived && !self.has_gap.load(Ordering::Acquire) {
            self.arrived.store(arrived.max(offset.saturating_add(length)), Ordering::Release);
        } else {
            self.look_for_gap();
        }
    }

    /// It was cut, lengthened or written out of order. The caller of this holds the phase.
    pub(super) fn look_for_gap(&self) {
        let gap = self.file.first_gap();
        self.has_gap.store(gap.is_some(), Ordering::Release);
        self.arrived.store(gap.map_or_else(|| self.file.size_bytes(), |(start, _)| start), Ordering::Release);
    }

    /// Takes room for a size in both rooms, or in none.
    pub(super) fn take_room(&self, size_bytes: u64) -> Result<(), Full> {
        let counted = self.counted.load(Ordering::Acquire);
        if size_bytes <= counted {
            return Ok(());
        }
        let more = size_bytes - counted;
        if !self.account.take(more) {
            return Err(Full::Account(self.account.most()));
        }
        if !self.folder.take(more) {
            self.account.give_back(more);
            return Err(Full::Folder(self.folder.most()));
        }
        self.counted.store(size_bytes, Ordering::Release);
        self.growth.fetch_add(more, Ordering::AcqRel);
        Ok(())
    }

    /// Ends writing if the end is at this byte; where it is. What is being written meanwhile counts first.
    pub(super) fn end_at(&self, offset: u64, why: &'static str) -> u64 {
        let mut phase = locked(&self.phase);
        if self.size_bytes() == offset && !matches!(*phase, Phase::Over(_)) {
            *phase = Phase::Over(why);
            self.file.abandon();
        }
        self.size_bytes()
    }

    /// Ends writing; what has arrived without a gap is kept. False when it had ended already.
    pub(super) fn end(&self, why: &'static str) -> bool {
        let mut phase = locked(&self.phase);
        if matches!(*phase, Phase::Over(_)) {
            return false;
        }
        *phase = Phase::Over(why);
        self.file.abandon();
        true
    }
}
