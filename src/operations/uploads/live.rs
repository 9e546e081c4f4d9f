//! The uploads that are open now, and the room that they take beyond what is on record.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::super::locked;
use crate::domain::digest::Digest;
use crate::domain::ids::UploadId;
use crate::domain::moment::Moment;
use crate::domain::names::LoginName;
use crate::domain::upload::Upload;
use crate::ports::unfinished::UnfinishedFile;

/// The uploads that are open now. One handle writes one upload.
#[derive(Default)]
pub(in crate::operations) struct LiveUploads {
    open: Mutex<HashMap<UploadId, Arc<Live>>>,
    /// Those that are being opened, closed, renamed or ended.
    busy: Mutex<HashSet<UploadId>>,
    freed: Condvar,
    rooms: Mutex<HashMap<LoginName, Arc<Room>>>,
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
    room: Arc<Room>,
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

/// What one account takes.
#[derive(Default)]
struct Room {
    on_record: AtomicU64,
    growing: AtomicU64,
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

    /// Notes that an upload is open; `on_record` is what its account takes by the record.
    pub(super) fn add(
        &self,
        upload: &Upload,
        on_record: u64,
        file: Arc<dyn UnfinishedFile>,
        touched: bool,
    ) -> Arc<Live> {
        let shown = Shown { changed_at: upload.changed_at, mtime_seconds: upload.mtime_seconds };
        let arrived = file.size_bytes();
        let room = Arc::clone(locked(&self.rooms).entry(upload.login.clone()).or_default());
        room.on_record.store(on_record, Ordering::Release);
        let live = Arc::new(Live {
            file,
            phase: Mutex::new(Phase::Open { touched }),
            shown: Mutex::new(shown),
            arrived: AtomicU64::new(arrived),
            has_gap: AtomicBool::new(false),
            room,
            expected: Mutex::default(),
            counted: AtomicU64::new(upload.size_bytes),
            growth: AtomicU64::new(0),
        });
        locked(&self.open).insert(upload.id, Arc::clone(&live));
        live
    }

    /// The upload is no longer open, and its account takes `on_record` by the record.
    pub(super) fn remove(&self, id: UploadId, live: &Arc<Live>, login: &LoginName, on_record: Option<u64>) {
        let mut open = locked(&self.open);
        if open.get(&id).is_some_and(|other| Arc::ptr_eq(other, live)) {
            open.remove(&id);
        }
        drop(open);
        live.room.growing.fetch_sub(live.growth.swap(0, Ordering::AcqRel), Ordering::AcqRel);
        if let Some(on_record) = on_record {
            live.room.on_record.store(on_record, Ordering::Release);
        }
        let mut rooms = locked(&self.rooms);
        // one in the table and one in `live`: nothing else of the account is open
        if rooms.get(login).is_some_and(|room| Arc::ptr_eq(room, &live.room) && Arc::strong_count(room) <= 2) {
            rooms.remove(login);
        }
    }

    /// Bytes that the open uploads of an account take beyond what is on record.
    pub(super) fn growing_bytes(&self, login: &LoginName) -> u64 {
        locked(&self.rooms).get(login).map_or(0, |room| room.growing.load(Ordering::Acquire))
    }
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

    /// Takes room for a size; false, and nothing is taken, when the account would take more than `most`.
    pub(super) fn take_room(&self, size_bytes: u64, most: u64) -> bool {
        let counted = self.counted.load(Ordering::Acquire);
        if size_bytes <= counted {
            return true;
        }
        let more = size_bytes - counted;
        let growing = self.room.growing.fetch_add(more, Ordering::AcqRel).saturating_add(more);
        if self.room.on_record.load(Ordering::Acquire).saturating_add(growing) > most {
            self.room.growing.fetch_sub(more, Ordering::AcqRel);
            return false;
        }
        self.counted.store(size_bytes, Ordering::Release);
        self.growth.fetch_add(more, Ordering::AcqRel);
        true
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
