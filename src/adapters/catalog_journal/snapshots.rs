//! The folder of snapshots: which of them can be started from, how the next is
//! built out of the one before and the closed segments after it, and the thread
//! that does so. Takes no lock: closed segments and snapshots never change.
#![expect(clippy::disallowed_methods, reason = "this adapter is the disk")]

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use super::compaction::Pins;
use super::files::{DiskFiles, SegmentFiles as _, sync_folder};
use super::index::{contents, lies_before};
use super::layout::Chain;
use super::segments::{Segment, segment_path, segments_in};
use super::snapshot::{Pair, SnapshotReader, SnapshotWriter, Unfit};
use crate::ports::failure::Fault;

/// So many are kept: the newest, and one to fall back on.
pub(super) const KEPT: usize = 2;
/// What changed since the snapshot before is held in memory up to about so many bytes and one segment.
const MOST_CHANGED_BYTES: usize = 32 * 1024 * 1024;
/// The least share that the system gives.
const NICENESS: i32 = 19;

/// Where snapshots lie, and the journal that they are of.
#[derive(Debug)]
pub(super) struct Snapshots {
    folder: PathBuf,
    journal: PathBuf,
    /// One is due when closed segments of so many bytes came after the last.
    after_bytes: u64,
    /// This much of the disk is left free.
    reserve_bytes: u64,
    /// Old ones stay while somebody copies the catalog.
    pins: Pins,
}

/// What the segments after a snapshot leave of the keys they touch; `None`: removed.
type Changed = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

impl Snapshots {
    /// Snapshots of the catalog in `folder`; makes theirs and removes what was left half written.
    pub(super) fn open(folder: &Path, after_bytes: u64, reserve_bytes: u64, pins: Pins) -> Result<Self, Fault> {
        let own = folder.join("snapshots");
        let making = |error| Fault::from_error(format!("open the snapshots {}", own.display()), error);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&own).map_err(making)?;
        for entry in fs::read_dir(&own).map_err(making)? {
            let path = entry.map_err(making)?.path();
            if path.extension().is_some_and(|ending| ending == "new") {
                fs::remove_file(path).map_err(making)?;
            }
        }
        Ok(Self { folder: own, journal: folder.join("journal"), after_bytes, reserve_bytes, pins })
    }

    /// As they lie, to be looked at only: none is made.
    pub(super) fn at(folder: &Path) -> Self {
        let (folder, journal) = (folder.join("snapshots"), folder.join("journal"));
        Self { folder, journal, after_bytes: u64::MAX, reserve_bytes: 0, pins: Pins::default() }
    }

    /// Whether there is a folder of them.
    pub(super) fn is_there(&self) -> bool {
        self.folder.is_dir()
    }

    /// The name of the file of a snapshot.
    pub(super) fn name_of(&self, number: u64) -> String {
        self.path(number).file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Its size; 0 when that cannot be told.
    pub(super) fn bytes_of(&self, number: u64) -> u64 {
        fs::metadata(self.path(number)).map_or(0, |found| found.len())
    }

    /// The snapshots by the sequence with which the journal goes on after them, newest first.
    pub(super) fn newest_first(&self) -> Result<Vec<u64>, Fault> {
        let doing = || format!("list the snapshots {}", self.folder.display());
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(|error| Fault::from_error(doing(), error))? {
            let name = entry.map_err(|error| Fault::from_error(doing(), error))?.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(".snap")).map(str::parse);
            if let Some(Ok(number)) = number {
                found.push(number);
            }
        }
        found.sort_unstable_by(|left: &u64, right| right.cmp(left));
        Ok(found)
    }

    /// Opens the snapshot `number`; a fault unless it is of this journal as far as its header tells, and a
    /// segment begins where it ends or the journal (`end`, when known) ends there.
    pub(super) fn read(&self, number: u64, end: Option<&Chain>) -> Result<SnapshotReader, Fault> {
        let reader = SnapshotReader::open(&self.path(number))?;
        if reader.chain().next_sequence != number {
            return Err(self.foreign(number, "its name is not its position"));
        }
        if end == Some(reader.chain()) {
            return Ok(reader);
        }
        let follows = segment_path(&self.journal, number).try_exists();
        if !follows
            .map_err(|error| Fault::from_error(format!("look at the journal {}", self.journal.display()), error))?
        {
            return Err(self.foreign(number, "no segment of the journal begins where it ends"));
        }
        if Segment::open(&self.journal, number)?.header()?.as_ref() != Some(reader.chain()) {
            return Err(self.foreign(number, "it is not of this journal"));
        }
        Ok(reader)
    }

    /// Says that a snapshot cannot be used. One that is damaged is taken out of the way so that it counts no more;
    /// one that could not be read stays: the disk may give it the next time.
    pub(super) fn reject(&self, number: u64, fault: &Fault) {
        if !fault.is_caused_by::<Unfit>() {
            tracing::error!(
                %fault,
                "ALARM: a snapshot of the catalog could not be read; it stays, and the one before it or the whole \
                 journal is used now"
            );
            return;
        }
        let (path, aside) = (self.path(number), self.folder.join(format!("{number:020}.rejected")));
        tracing::error!(
            %fault, kept = %aside.display(),
            "ALARM: a snapshot of the catalog cannot be used; the one before it or the whole journal is"
        );
        if let Err(error) = fs::rename(&path, &aside).and_then(|()| sync_folder(&self.folder)) {
            tracing::error!(%error, snapshot = %path.display(), "a snapshot that cannot be used could not be set aside");
        }
    }

    fn foreign(&self, number: u64, why: &str) -> Fault {
        let doing = format!("the snapshot {} cannot be used", self.path(number).display());
        Fault::from_error(doing, Unfit(why.to_owned()))
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number:020}.snap"))
    }

    /// Whether the closed segments after the newest snapshot are enough for another one.
    fn due(&self) -> Result<bool, Fault> {
        let newest = self.newest_first()?.first().copied().unwrap_or_default();
        let mut bytes = 0;
        for number in self.closed()?.into_iter().filter(|number| *number >= newest) {
            bytes += Segment::open(&self.journal, number)?.bytes();
        }
        Ok(bytes > 0 && bytes >= self.after_bytes)
    }

    /// Makes one if it is due; whether it did. A failure is logged: the journal holds everything.
    fn make_if_due(&self) -> bool {
        let made = self.due().and_then(|is_due| if is_due { self.make().map(|()| true) } else { Ok(false) });
        made.unwrap_or_else(|fault| {
            tracing::error!(%fault, "no snapshot of the catalog was made; the journal still holds everything");
            false
        })
    }

    /// A segment is closed when another one follows.
    fn closed(&self) -> Result<Vec<u64>, Fault> {
        let mut segments = segments_in(&self.journal)?;
        segments.pop();
        Ok(segments)
    }

    /// Makes the next snapshot: what the newest one holds, changed by the closed segments after it, or by as
    /// many of these as fit in memory. It gets its name only when it was read back and found right.
    fn make(&self) -> Result<(), Fault> {
        let mut base = None;
        for number in self.newest_first()? {
            match self.read(number, None) {
                Ok(reader) => {
                    base = Some((number, reader));
                    break;
                }
                Err(fault) if fault.is_caused_by::<Unfit>() => self.reject(number, &fault),
                // made from an older one, it would push out what may be whole
                Err(fault) => return Err(fault),
            }
        }
        let (base_number, base) = base.map_or((None, None), |(number, reader)| (Some(number), Some(reader)));
        let mut chain = base.as_ref().map_or(Chain::START, |base| base.chain().clone());
        let oldest = segments_in(&self.journal)?.first().copied().unwrap_or_default();
        if base.is_none() && oldest > chain.next_sequence {
            return Err(Fault::new(
                "ALARM: no snapshot of the catalog can be used, and the journal alone cannot rebuild it any more; make \
                 sure that there is a whole backup, and stop the server in order",
            ));
        }
        let changed = self.changed_since(&mut chain)?;
        if base.as_ref().is_some_and(|base| *base.chain() == chain) || chain == Chain::START {
            return Ok(());
        }
        self.check_room(base_number, &changed)?;
        let (new, path) =
            (self.folder.join(format!("{:020}.new", chain.next_sequence)), self.path(chain.next_sequence));
        let written = self.write(&new, &chain, base, changed, oldest);
        let written = match (written, base_number) {
            (Err(Flaw::Base(fault)), Some(number)) => {
                self.reject(number, &fault);
                Err(fault)
            }
            (Err(Flaw::Base(fault) | Flaw::Own(fault)), _) => Err(fault),
            (Ok(()), _) => Ok(()),
        };
        if let Err(fault) = written {
            // nothing of value: the next attempt overwrites it, and the next start removes it
            drop(fs::remove_file(&new));
            return Err(fault);
        }
        let named = fs::rename(&new, &path).and_then(|()| sync_folder(&self.folder));
        named.map_err(|error| Fault::from_error(format!("name the snapshot {}", path.display()), error))?;
        tracing::info!(snapshot = %path.display(), "a snapshot of the catalog was made and read back");
        self.remove_old()
    }

    /// What the closed segments from `chain` on change; `chain` moves to where that ends.
    fn changed_since(&self, chain: &mut Chain) -> Result<Changed, Fault> {
        let mut changed = Changed::new();
        let mut bytes = 0;
        let from = chain.next_sequence;
        for number in self.closed()?.into_iter().filter(|number| *number >= from) {
            if bytes >= MOST_CHANGED_BYTES {
                break;
            }
            let segment = Segment::open(&self.journal, number)?;
            if segment.header()?.as_ref() != Some(&*chain) {
                return Err(segment.damage(0, "the segment does not continue the one before"));
            }
            segment.scan(chain, false, &mut |entry, place| {
                for (key, value) in contents(&[(entry, place)]) {
                    bytes += key.len() + value.as_ref().map_or(0, Vec::len);
                    changed.insert(key, value);
                }
                Ok(())
            })?;
        }
        Ok(changed)
    }

    fn check_room(&self, base: Option<u64>, changed: &Changed) -> Result<(), Fault> {
        let doing = || format!("make a snapshot in {}", self.folder.display());
        let free = DiskFiles.free_bytes(&self.folder).map_err(|error| Fault::from_error(doing(), error))?;
        let before = base.and_then(|number| fs::metadata(self.path(number)).ok()).map_or(0, |found| found.len());
        let more: usize = changed.iter().map(|(key, value)| key.len() + value.as_ref().map_or(0, Vec::len) + 8).sum();
        let wanted = before.saturating_add(more as u64);
        if self.reserve_bytes > 0 && free < self.reserve_bytes.saturating_add(wanted) {
            return Err(Fault::new(format!(
                "{}: {free} bytes are free, it needs {wanted} beyond storage.reserve_bytes; free some space",
                doing()
            )));
        }
        Ok(())
    }

    /// Writes the snapshot to `new`, without places in segments before `oldest`, makes it durable and reads it back.
    fn write(
        &self,
        new: &Path,
        chain: &Chain,
        base: Option<SnapshotReader>,
        changed: Changed,
        oldest: u64,
    ) -> Result<(), Flaw> {
        let mut writer = SnapshotWriter::begin(new, chain).map_err(Flaw::Own)?;
        merge(base, changed, &mut |key, value| {
            if lies_before(key, value, oldest) { Ok(()) } else { writer.add(key, value) }
        })?;
        let wanted = writer.finish().map_err(Flaw::Own)?;
        let read = SnapshotReader::open(new).and_then(SnapshotReader::sum).map_err(Flaw::Own)?;
        if read != wanted {
            let why = "it reads back as something else than was written";
            return Err(Flaw::Own(Fault::new(format!("ALARM: the snapshot {}: {why}", new.display()))));
        }
        Ok(())
    }

    fn remove_old(&self) -> Result<(), Fault> {
        let Some(_none) = self.pins.none_held() else { return Ok(()) };
        let removing =
            |error: io::Error| Fault::from_error(format!("remove an old snapshot of {}", self.folder.display()), error);
        for number in self.newest_first()?.into_iter().skip(KEPT) {
            fs::remove_file(self.path(number)).map_err(removing)?;
        }
        sync_folder(&self.folder).map_err(removing)
    }
}

/// What went wrong when a snapshot was made.
enum Flaw {
    /// The snapshot it is made from is damaged.
    Base(Fault),
    /// Anything else.
    Own(Fault),
}

/// Takes a key and its value.
type Put<'a> = dyn FnMut(&[u8], &[u8]) -> Result<(), Fault> + 'a;

/// What `base` holds with `changed` over it, in key order.
fn merge(mut base: Option<SnapshotReader>, changed: Changed, put: &mut Put<'_>) -> Result<(), Flaw> {
    let mut next_of_base =
        || -> Result<Option<Pair>, Flaw> { base.as_mut().map_or(Ok(None), |base| base.next().map_err(Flaw::Base)) };
    let mut under = next_of_base()?;
    for (key, value) in changed {
        while let Some((below, kept)) = under.take_if(|(below, _)| *below < key) {
            put(&below, &kept).map_err(Flaw::Own)?;
            under = next_of_base()?;
        }
        if under.take_if(|(below, _)| *below == key).is_some() {
            under = next_of_base()?;
        }
        if let Some(value) = value {
            put(&key, &value).map_err(Flaw::Own)?;
        }
    }
    while let Some((below, kept)) = under {
        put(&below, &kept).map_err(Flaw::Own)?;
        under = next_of_base()?;
    }
    Ok(())
}

/// The thread that makes snapshots, while the catalog is open.
pub(super) struct SnapshotThread {
    is_closing: Arc<AtomicBool>,
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl SnapshotThread {
    /// Starts it; it looks at once whether one is due, and again after each `wake`.
    pub(super) fn start(snapshots: Snapshots) -> Result<Self, Fault> {
        let is_closing = Arc::<AtomicBool>::default();
        let closing = Arc::clone(&is_closing);
        let (wake, woken) = sync_channel(1);
        let thread = thread::Builder::new()
            .name("snapshots".to_owned())
            .spawn(move || work(&snapshots, &closing, &woken))
            .map_err(|error| Fault::from_error("start the thread of the snapshots", error))?;
        Ok(Self { is_closing, wake: Some(wake), thread: Some(thread) })
    }

    /// For the writer: to be told when a segment was closed.
    pub(super) fn bell(&self) -> Option<SyncSender<()>> {
        self.wake.clone()
    }

    /// Waits until the snapshot that is being made, or due, is there. The writer must have ended.
    pub(super) fn close(&mut self) {
        self.is_closing.store(true, Ordering::Release);
        drop(self.wake.take());
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread of the snapshots had failed");
        }
    }
}

fn work(snapshots: &Snapshots, is_closing: &AtomicBool, woken: &Receiver<()>) {
    // on Linux this concerns the calling thread alone
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "snapshots are made with the share of everything else");
    }
    loop {
        while snapshots.make_if_due() && !is_closing.load(Ordering::Acquire) {}
        if woken.recv().is_err() {
            // at the end one more, if it is due, and no second one: whoever stops the server waits for it
            snapshots.make_if_due();
            return;
        }
    }
}
