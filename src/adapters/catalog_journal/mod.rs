//! The catalog on disk: an append-only journal that is the truth, and sled as
//! its index that can always be rebuilt. `layout` holds the bytes, `journal`
//! the writing, `segments` the reading, `writer` the group commit. Knows no rules.
#![expect(clippy::disallowed_methods, reason = "this adapter is the disk")]

mod applied;
mod bodies;
mod compaction;
mod deep;
mod disk;
mod files;
#[cfg(test)]
mod golden;
mod index;
mod journal;
mod later;
mod layout;
mod marker;
mod queue;
mod rebuild;
mod segments;
mod snapshot;
mod snapshots;
mod standing;
mod survivor;
mod tally;
mod writer;

use std::collections::BTreeSet;
use std::fmt;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{self, JoinHandle};

pub use deep::DeepLook;
pub use files::{DiskFiles, SegmentFile, SegmentFiles};
pub use standing::Audit;

use crate::domain::bodies::BodyKey;
use crate::domain::compaction::HistoryCut;
use crate::domain::delivery::Delivery;
use crate::domain::history::{Event, HistoryLine, HistoryQuery};
use crate::domain::moment::Moment;
use crate::ports::bodies::BodySeal;
use crate::ports::catalog::{Catalog, CatalogView, Committed, Rule, Standing, Then};
use crate::ports::failure::{Failure, Fault};
use applied::{Applied, Promise};
use bodies::Opener;
use compaction::{Compaction, Pins};
use index::Index;
use journal::Journal;
use later::Later;
use layout::Chain;
use marker::FolderLock;
use queue::{Awaiting, Job, Queue, Reply};
use rebuild::Opening;
use segments::{Place, Segment};
use snapshots::{SnapshotThread, Snapshots};
use writer::Writer;

const NO_MOMENT: u64 = u64::MAX;

/// Bounds of the journal and its index.
#[derive(Clone, Debug)]
pub struct JournalSettings {
    /// A segment that has so many bytes is followed by a new one.
    pub segment_bytes: u64,
    /// Memory for the index, in bytes.
    pub index_cache_bytes: u64,
    /// Largest frame, and so about the largest decision, in bytes.
    pub max_frame_bytes: u64,
    /// With less free space than this on its disk, nothing is written.
    pub reserve_bytes: u64,
    /// So many rules may wait; further ones wait to be queued.
    pub queue_jobs: usize,
    /// Most rules that are written as one frame.
    pub batch_jobs: usize,
    /// No rule is added to a frame that has so many bytes.
    pub batch_bytes: u64,
    /// A snapshot is made when closed segments of so many bytes came after the last.
    pub snapshot_after_bytes: u64,
}

impl Default for JournalSettings {
    fn default() -> Self {
        Self {
            segment_bytes: 64 * 1024 * 1024,
            index_cache_bytes: 32 * 1024 * 1024,
            max_frame_bytes: 64 * 1024 * 1024,
            reserve_bytes: 256 * 1024 * 1024,
            queue_jobs: 1_024,
            batch_jobs: 256,
            batch_bytes: 1024 * 1024,
            snapshot_after_bytes: 256 * 1024 * 1024,
        }
    }
}

/// The catalog on disk. Dropping it waits for the last batch and closes the index in order.
/// `decide` must not be called from within `consult` or a rule: it would wait for itself.
pub struct CatalogJournal {
    shared: Option<Arc<Shared>>,
    queue: Arc<Queue>,
    later: Arc<Later>,
    writer: Option<JoinHandle<Option<(u64, Place)>>>,
    snapshots: SnapshotThread,
    folder: PathBuf,
    seal: Option<Arc<dyn BodySeal>>,
    compaction: Compaction,
    pins: Pins,
    was_repaired: bool,
    _lock: FolderLock,
}

/// What writer and readers share.
struct Shared {
    index: Index,
    /// Held for writing while a batch is applied, for reading while somebody looks.
    gate: RwLock<()>,
    version: AtomicU64,
    last_moment: AtomicU64,
    last_event: AtomicU64,
    /// The end of the last decision that was acknowledged.
    end: Mutex<(Chain, Place)>,
    /// A decision was applied in part only: nobody may see that.
    is_torn: AtomicBool,
}

impl Shared {
    fn new(index: Index, chain: &Chain, end: Place) -> Self {
        let shared = Self {
            index,
            gate: RwLock::new(()),
            version: AtomicU64::new(0),
            last_moment: AtomicU64::new(NO_MOMENT),
            last_event: AtomicU64::new(0),
            end: Mutex::new((chain.clone(), end)),
            is_torn: AtomicBool::new(false),
        };
        shared.remember(chain, end, true);
        shared
    }

    fn remember(&self, chain: &Chain, end: Place, concerns_access: bool) {
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = (chain.clone(), end);
        self.last_moment.store(chain.last_moment.map_or(NO_MOMENT, Moment::millis), Ordering::Release);
        self.last_event.store(chain.next_event - 1, Ordering::Release);
        if concerns_access {
            self.version.store(chain.next_sequence - 1, Ordering::Release);
        }
    }
}

impl fmt::Debug for CatalogJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CatalogJournal").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl CatalogJournal {
    /// Opens or makes the catalog in `folder`: cuts a torn last frame, and rebuilds the index, from the newest
    /// snapshot that is whole and the journal after it, unless it was closed in order at the journal's very end, or
    /// was left by a process that was killed and, read in full, is found to hold just what it must. (What a power
    /// cut leaves is not looked at: sled may have lost anything of it.)
    ///
    /// # Errors
    /// The folder is in use; the journal is damaged anywhere but in its last frame (the fault
    /// begins with `ALARM` and names segment and byte); the disk fails.
    pub fn open(folder: &Path, settings: JournalSettings) -> Result<Self, Fault> {
        Self::open_on(folder, settings, Box::new(DiskFiles))
    }

    /// As `open`, with the events of people sealed under keys that can be destroyed. A catalog that was opened
    /// otherwise writes them plain, and reads none that are sealed. `keys` is called when the folder is locked.
    ///
    /// # Errors
    /// As `open`; what `keys` fails with.
    pub fn open_sealing(
        folder: &Path,
        settings: JournalSettings,
        keys: impl FnOnce() -> Result<Arc<dyn BodySeal>, Failure>,
    ) -> Result<Self, Failure> {
        Self::open_with(folder, settings, Box::new(DiskFiles), || keys().map(Some))
    }

    /// As `open`, writing segments through `files`.
    ///
    /// # Errors
    /// As `open`.
    pub fn open_on(folder: &Path, settings: JournalSettings, files: Box<dyn SegmentFiles>) -> Result<Self, Fault> {
        Self::open_with(folder, settings, files, || Ok(None)).map_err(|failure| match failure {
            Failure::Faulted(fault) => fault,
            Failure::Refused(refusal) => Fault::new(refusal.to_string()),
        })
    }

    fn open_with(
        folder: &Path,
        settings: JournalSettings,
        files: Box<dyn SegmentFiles>,
        keys: impl FnOnce() -> Result<Option<Arc<dyn BodySeal>>, Failure>,
    ) -> Result<Self, Failure> {
        let journal_folder = folder.join("journal");
        let doing = || format!("open the catalog {}", folder.display());
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&journal_folder)
            .map_err(|error| Fault::from_error(doing(), error))?;
        let lock = FolderLock::take(folder)?;
        files::sync_folder(folder).map_err(|error| Fault::from_error(doing(), error))?;
        let seal = keys()?;
        let closed = marker::read(folder)?;
        let checked = journal::check(&journal_folder, closed.map(|(_, end)| end), files.as_ref())?;
        let is_new = checked.chain == Chain::START && !checked.was_cut;
        marker::remove(folder)?;
        let closed_at = closed.filter(|(_, end)| *end == checked.end).map(|(sequence, _)| sequence);
        let pins = Pins::default();
        let snapshots = Snapshots::open(folder, settings.snapshot_after_bytes, settings.reserve_bytes, pins.clone())?;
        let opening =
            Opening { folder, checked: &checked, snapshots: &snapshots, cache_bytes: settings.index_cache_bytes };
        let (index, was_rebuilt) = opening.index(closed_at)?;
        let cut = compaction::recorded(&index)?;
        compaction::account_in(&journal_folder, cut.as_ref())?;
        if let Some(cut) = cut {
            // before anything else may change the index
            index.forget_before(cut.next_event)?;
        }
        let was_repaired = !is_new && (checked.was_cut || was_rebuilt);

        let shared = Arc::new(Shared::new(index, &checked.chain, checked.end));
        let last = Promise {
            sequence: checked.chain.next_sequence - 1,
            hash: checked.chain.hash,
            tally: shared.index.tally(),
        };
        let applied = Applied::begin(folder, &last)?;
        let journal = Journal::open(&journal_folder, checked.end, settings.segment_bytes, files)?;
        let queue = Arc::new(Queue::new(settings.queue_jobs));
        let jobs = Arc::clone(&queue);
        let snapshots = SnapshotThread::start(snapshots)?;
        let bell = snapshots.bell();
        let writer = Writer {
            shared: Arc::clone(&shared),
            journal,
            chain: checked.chain,
            applied,
            settings,
            bell,
            seal: seal.clone(),
            noted: BTreeSet::new(),
        };
        let writer = thread::Builder::new()
            .name("catalog".to_owned())
            .spawn(move || writer.run(&jobs))
            .map_err(|error| Fault::from_error("start the catalog's writer", error))?;
        Ok(Self {
            shared: Some(shared),
            queue,
            later: Arc::default(),
            writer: Some(writer),
            snapshots,
            folder: folder.to_owned(),
            seal,
            compaction: Compaction::at(folder, pins.clone()),
            pins,
            was_repaired,
            _lock: lock,
        })
    }

    fn shared(&self) -> Result<&Shared, Fault> {
        let shared = self.shared.as_deref().ok_or_else(|| Fault::new("read the catalog: it is closed"))?;
        if shared.is_torn.load(Ordering::Acquire) {
            return Err(Fault::new("read the catalog: a change of its index failed; restart to rebuild it"));
        }
        Ok(shared)
    }

    fn close(&mut self) -> Result<(), Fault> {
        self.queue.close();
        if self.queue.is_writer() {
            return Err(Fault::new("close the catalog on its own thread: it cannot wait for its own end"));
        }
        let ended = self.writer.take().and_then(|writer| writer.join().ok()).flatten();
        let shared = self.shared.take().and_then(Arc::into_inner);
        // Without an end in order there is no marker, and the next start rebuilds.
        let closed = match (ended, shared) {
            (Some((sequence, end)), Some(shared)) => {
                shared.index.close().and_then(|()| marker::write(&self.folder, sequence, end))
            }
            _ => Ok(()),
        };
        // Last, and in any case before the lock goes: whoever is killed while this is waited for was closed in order
        // already, and the next to open removes what is half written.
        self.snapshots.close();
        closed
    }
}

impl Drop for CatalogJournal {
    fn drop(&mut self) {
        if let Err(fault) = self.close() {
            tracing::warn!(%fault, "the catalog was not closed in order; the next start rebuilds its index");
        }
    }
}

fn writer_ended() -> Fault {
    Fault::new("write the catalog: its writer has ended")
}

impl Catalog for CatalogJournal {
    fn decide(&self, rule: Rule) -> Result<Committed, Failure> {
        if self.queue.is_writer() {
            return Err(Fault::new("decide on the catalog's own thread: it would wait for itself").into());
        }
        let (told, outcome) = sync_channel(1);
        // who does not wait any more needs no answer
        self.decide_then(rule, Box::new(move |outcome| drop(told.try_send(outcome))));
        outcome.recv().map_err(|_| writer_ended().with_outcome_unknown())?
    }

    fn decide_then(&self, rule: Rule, then: Then) {
        // a closed queue drops the job, which tells `then`
        self.queue.push(Job { rule, reply: Reply::Awaited(Awaiting::new(then)) });
    }

    fn decide_later(&self, doing: &'static str, rule: Rule) -> Result<(), Failure> {
        let reply = Reply::Logged(Arc::clone(&self.later).begin(doing));
        if self.queue.push(Job { rule, reply }) { Ok(()) } else { Err(writer_ended().into()) }
    }

    fn settle(&self) -> Result<(), Fault> {
        if self.later.is_empty() || self.queue.is_writer() {
            return Ok(());
        }
        self.queue.hurry();
        self.later.wait()
    }

    fn consult(&self, look: &mut dyn FnMut(&dyn CatalogView)) {
        if let Some(shared) = &self.shared {
            let _still = shared.gate.read().unwrap_or_else(PoisonError::into_inner);
            if !shared.is_torn.load(Ordering::Acquire) {
                look(&shared.index);
            }
        }
    }

    fn is_at_hand(&self) -> bool {
        self.shared.as_ref().is_some_and(|shared| shared.gate.try_read().is_ok())
    }

    fn version(&self) -> u64 {
        self.shared.as_ref().map_or(0, |shared| shared.version.load(Ordering::Acquire))
    }

    fn last_moment(&self) -> Option<Moment> {
        let millis = self.shared.as_ref()?.last_moment.load(Ordering::Acquire);
        (millis != NO_MOMENT).then(|| Moment::from_millis(millis))
    }

    fn history(&self, query: &HistoryQuery) -> Result<Vec<HistoryLine>, Fault> {
        let shared = self.shared()?;
        let newest = shared.last_event.load(Ordering::Acquire);
        let journal_folder = self.folder.join("journal");
        let is_filtered = query.organisation.is_some() || query.delivery.is_some();
        let view: &dyn CatalogView = &shared.index;
        let on_record = |slot| view.row::<BodyKey>(&BodyKey::key_of(slot));
        let opener = Opener { seal: self.seal.as_deref(), on_record: &on_record };
        let mut lines = Vec::new();
        let mut query = query.clone();
        if let Some(cut) = compaction::recorded(&shared.index)? {
            if query.limit > 0 && is_before(view, &cut, &query)? {
                lines.push(cut.line());
            }
            query.after = query.after.max(Some(cut.next_event.saturating_sub(1)));
        }
        let query = &query;
        let mut segment: Option<(u64, Segment)> = None;
        let mut body = None;
        for item in shared.index.spots(query, newest)? {
            if lines.len() >= query.limit {
                break;
            }
            let (number, spot) = item?;
            if query.since.is_some_and(|since| spot.at < since) {
                continue;
            }
            let open = match segment.take() {
                // Opened anew when it has grown since.
                Some((at, open)) if at == spot.place.segment && spot.place.offset < open.bytes() => open,
                _ => Segment::open(&journal_folder, spot.place.segment)?,
            };
            if body.as_ref().is_none_or(|(place, _)| *place != spot.place) {
                body = Some((spot.place, open.events_at(spot.place.offset, &opener)?));
            }
            segment = Some((spot.place.segment, open));
            let events = body.as_ref().map(|(_, events)| events.as_slice()).unwrap_or_default();
            for (sequence, event) in (spot.first_event..).zip(events) {
                let is_meant =
                    if is_filtered { sequence == number } else { sequence > query.after.unwrap_or_default() };
                if is_meant && concerns(query, event) && lines.len() < query.limit {
                    lines.push(HistoryLine { sequence, at: spot.at, event: event.clone() });
                }
            }
        }
        Ok(lines)
    }

    fn standing(&self) -> Result<Option<Standing>, Fault> {
        let (chain, end) = self.shared()?.end.lock().unwrap_or_else(PoisonError::into_inner).clone();
        standing::standing(&self.folder, &chain, end).map(Some)
    }

    fn removable(&self, is_over: &dyn Fn(Moment) -> bool, most_files: usize) -> Result<Option<HistoryCut>, Fault> {
        self.shared()?;
        self.compaction.find(is_over, most_files)
    }

    fn remove_before_cut(&self) -> Result<usize, Fault> {
        let shared = self.shared()?;
        let Some(cut) = compaction::recorded(&shared.index)? else { return Ok(0) };
        // the index forgets where they lay at the next start; nobody asks for what is before the cut
        self.compaction.remove(&cut)
    }

    fn hold_files(&self) -> Box<dyn Send> {
        Box::new(self.pins.pin())
    }

    fn was_repaired(&self) -> bool {
        self.was_repaired
    }
}

/// Whether events that were removed may be meant.
fn is_before(view: &dyn CatalogView, cut: &HistoryCut, query: &HistoryQuery) -> Result<bool, Fault> {
    let is_asked = query.after.unwrap_or_default() < cut.next_event.saturating_sub(1)
        && query.since.is_none_or(|since| since <= cut.last_at);
    match query.delivery.filter(|_| is_asked) {
        None => Ok(is_asked),
        // one that was published later lost nothing
        Some(id) => {
            let delivery = view.row::<Delivery>(&Delivery::key_of(id))?;
            Ok(delivery.is_none_or(|delivery| delivery.published_at <= cut.last_at))
        }
    }
}

/// A delivery's events are found by delivery alone: the organisation is held against each of them.
fn concerns(query: &HistoryQuery, event: &Event) -> bool {
    query.organisation.as_ref().is_none_or(|organisation| {
        event.about.organisation.as_ref() == Some(organisation) || event.who.organisation.as_ref() == Some(organisation)
    })
}
