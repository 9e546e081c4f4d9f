//! The deep look at a catalog that nobody has open: every byte of journal and snapshots, and the
//! index against what the journal says. Changes nothing but a scratch folder of its own.
#![expect(clippy::disallowed_methods, reason = "this adapter is the disk")]

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::bodies::Opener;
use super::compaction;
use super::disk;
use super::index::Index;
use super::layout::{Chain, Entry};
use super::marker::{self, FolderLock};
use super::rebuild::load;
use super::segments::{End, Place, Segment, segments_in};
use super::snapshots::Snapshots;
use crate::domain::bodies::{BodyKey, BodySlot};
use crate::domain::compaction::HistoryCut;
use crate::ports::bodies::BodySeal;
use crate::ports::catalog::CatalogView;
use crate::ports::failure::Fault;

/// Beside the index; removed when the look ends, and before the next one.
const SCRATCH: &str = "index.check";

/// Records are applied at once until they change so many keys, or are so many: one record of a large fan-out has
/// sixteen keys for each recipient.
const KEYS_AT_ONCE: usize = 20_000;
const RECORDS_AT_ONCE: usize = 1_000;

/// No more faults of one kind are told.
const MOST_TOLD: usize = 20;

/// What the deep look at a catalog found. What the journal says can be looked at while it lives.
pub struct DeepLook {
    /// Segments of the journal, records and events in them.
    pub segments: usize,
    /// What was removed before them, as the record says.
    pub cut: Option<HistoryCut>,
    /// Records.
    pub records: u64,
    /// Events.
    pub events: u64,
    /// The last frame was not written to its end; it was never acknowledged, and the next start cuts it off.
    pub torn_end: Option<String>,
    /// Each snapshot that is whole: its name, and how many pairs it holds.
    pub snapshots: Vec<(String, u64)>,
    /// How many pairs of the index were held against the journal; `None` when it was not closed in order: it will
    /// be built anew.
    pub index_pairs: Option<u64>,
    /// What is damaged: each fault names file and place, and what to do.
    pub damage: Vec<Fault>,
    view: Option<Index>,
    _scratch: Scratch,
    _lock: FolderLock,
}

/// A folder that goes with the look.
struct Scratch(PathBuf);

impl Scratch {
    fn make(folder: &Path) -> Result<Self, Fault> {
        let path = folder.join(SCRATCH);
        let scratch = Self(path.clone());
        scratch.clear()?;
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(|error| Fault::from_error(format!("make {}", path.display()), error))?;
        Ok(scratch)
    }

    fn clear(&self) -> Result<(), Fault> {
        match fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Fault::from_error(format!("remove {}", self.0.display()), error))
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(fault) = self.clear() {
            tracing::warn!(%fault, "what the check made aside is still there; the next one removes it");
        }
    }
}

impl DeepLook {
    /// Looks at the catalog in `folder`. With `seal` the bodies of events are opened too. `read` is told how many
    /// bytes were read, as they are.
    ///
    /// # Errors
    /// The catalog is in use, or there is no room to look. Damage is no error: it is in the result.
    pub fn at(
        folder: &Path,
        cache_bytes: u64,
        seal: Option<&dyn BodySeal>,
        read: &mut dyn FnMut(u64),
    ) -> Result<Self, Fault> {
        let lock = FolderLock::take(folder)?;
        let scratch = Scratch::make(folder)?;
        let mut look = Self {
            segments: 0,
            cut: None,
            records: 0,
            events: 0,
            torn_end: None,
            snapshots: Vec::new(),
            index_pairs: None,
            damage: Vec::new(),
            view: None,
            _scratch: scratch,
            _lock: lock,
        };
        let index = Index::open(&look.scratch("journal"), cache_bytes)?;
        let closed = marker::read(folder)?;
        let bodies = Bodies { seal, gone: RefCell::default(), damage: RefCell::default() };
        match look.journal(folder, &index, closed.map(|(_, end)| end), &bodies, read) {
            Ok(end) => {
                look.damage.extend(bodies.judged(&index)?);
                look.cut = compaction::recorded(&index)?;
                look.damage.extend(compaction::account_in(&folder.join("journal"), look.cut.as_ref()).err());
                if let Some(cut) = &look.cut {
                    index.forget_before(cut.next_event)?;
                }
                look.view = Some(index);
                look.snapshots(folder, &end, read)?;
                if closed.is_some_and(|(sequence, _)| sequence == end.next_sequence - 1) {
                    look.index(folder, cache_bytes)?;
                }
            }
            Err(fault) => look.damage.push(fault),
        }
        Ok(look)
    }

    /// The state that the journal leads to; `None` when the journal is damaged.
    #[must_use]
    pub fn view(&self) -> Option<&dyn CatalogView> {
        self.view.as_ref().map(|index| index as &dyn CatalogView)
    }

    fn scratch(&self, name: &str) -> PathBuf {
        self._scratch.0.join(name)
    }

    /// Reads the whole journal into the index; returns where it ends.
    fn journal(
        &mut self,
        folder: &Path,
        index: &Index,
        known_end: Option<Place>,
        bodies: &Bodies<'_>,
        read: &mut dyn FnMut(u64),
    ) -> Result<Chain, Fault> {
        let journal = folder.join("journal");
        let numbers = segments_in(&journal)?;
        let (mut chain, base) = begun(folder, &journal, numbers.first().copied(), index)?;
        let mut end = None;
        for (at, number) in numbers.iter().enumerate() {
            let segment = Segment::open(&journal, *number)?;
            if segment.header()?.as_ref() != Some(&chain) {
                return Err(segment.damage(0, "the segment does not continue the one before"));
            }
            let is_last = at + 1 == numbers.len();
            let mut waiting = Vec::new();
            let (mut records, mut events, mut keys) = (0, 0, 0);
            let (offset, ended) = segment.scan(&mut chain, is_last, &mut |entry, place| {
                records += 1;
                events += entry.body.marks.len() as u64;
                decode_all(&segment, &entry, place)?;
                bodies.open(&entry, &segment, place);
                if entry.sequence < base {
                    return Ok(());
                }
                keys += entry.changes.len();
                waiting.push((entry, place));
                if keys >= KEYS_AT_ONCE || waiting.len() >= RECORDS_AT_ONCE {
                    index.apply(&std::mem::take(&mut waiting))?;
                    keys = 0;
                }
                Ok(())
            })?;
            index.apply(&waiting)?;
            self.segments += 1;
            self.records += records;
            self.events += events;
            if ended == End::Torn {
                self.torn_end = Some(format!("{} from byte {offset} on", segment.path().display()));
            }
            end = Some((Place { segment: *number, offset }, segment));
            read(end.as_ref().map_or(0, |(_, segment)| segment.bytes()));
        }
        match (end, known_end) {
            (Some((place, segment)), Some(known)) if place < known => {
                Err(segment.damage(place.offset, "records that were durable are missing from here on"))
            }
            (None, Some(_)) => {
                Err(Fault::new(format!("ALARM: the journal {} is empty; restore it from a backup", journal.display())))
            }
            _ => Ok(chain),
        }
    }

    fn snapshots(&mut self, folder: &Path, end: &Chain, read: &mut dyn FnMut(u64)) -> Result<(), Fault> {
        let snapshots = Snapshots::at(folder);
        if !snapshots.is_there() {
            return Ok(());
        }
        for number in snapshots.newest_first()? {
            let whole = snapshots.read(number, Some(end)).and_then(super::snapshot::SnapshotReader::sum);
            match whole {
                Ok(sum) => self.snapshots.push((snapshots.name_of(number), sum.count)),
                Err(fault) => self.damage.push(fault),
            }
            read(snapshots.bytes_of(number));
        }
        Ok(())
    }

    /// Holds a copy of the index against what the journal says: opening the index itself would change it.
    fn index(&mut self, folder: &Path, cache_bytes: u64) -> Result<(), Fault> {
        let (own, copy) = (folder.join("index"), self.scratch("copy"));
        let damaged = |why: String| {
            Fault::new(format!("the index {} {why}; remove it: the next start builds it anew", own.display()))
        };
        copy_folder(&own, &copy).map_err(|error| Fault::from_error(format!("copy {}", own.display()), error))?;
        let opened = match Index::open(&copy, cache_bytes) {
            Ok(opened) => opened,
            Err(fault) => {
                self.damage.push(damaged(format!("does not open: {fault}")));
                return Ok(());
            }
        };
        let Some(wanted) = &self.view else { return Ok(()) };
        if let Some(cut) = &self.cut {
            opened.forget_before(cut.next_event)?;
        }
        let (mut left, mut right) = (wanted.pairs(), opened.pairs());
        let (mut compared, mut differing) = (0, 0);
        let (mut one, mut other) = (left.next().transpose()?, right.next().transpose());
        let fault = loop {
            let found = match other {
                Ok(found) => found,
                Err(fault) => break Some(damaged(format!("cannot be read: {fault}"))),
            };
            match (&one, &found) {
                (None, None) => break None,
                (Some(pair), Some(found)) if pair == found => {}
                _ => differing += 1,
            }
            if differing > 0 {
                break Some(damaged(format!("differs from the journal after {compared} pairs")));
            }
            compared += 1;
            one = left.next().transpose()?;
            other = right.next().transpose();
        };
        drop(right);
        self.index_pairs = Some(compared);
        self.damage.extend(fault);
        self.damage.truncate(MOST_TOLD);
        Ok(())
    }
}

/// Where the chain begins, and the first sequence that is to be applied: all of them, or, when the beginning was
/// removed, those after the oldest snapshot that is whole; that is in the index then.
fn begun(folder: &Path, journal: &Path, first: Option<u64>, index: &Index) -> Result<(Chain, u64), Fault> {
    let start = Chain::START.next_sequence;
    let Some(first) = first.filter(|first| *first != start) else { return Ok((Chain::START, start)) };
    let segment = Segment::open(journal, first)?;
    let chain = segment.header()?.ok_or_else(|| segment.damage(0, "no segment header"))?;
    let snapshots = Snapshots::at(folder);
    let kept = if snapshots.is_there() { snapshots.newest_first()? } else { Vec::new() };
    for number in kept.into_iter().rev().filter(|number| *number >= first) {
        // read to its end before anything of it is taken
        if snapshots.read(number, None).and_then(super::snapshot::SnapshotReader::sum).is_ok() {
            load(index, snapshots.read(number, None)?)?;
            return Ok((chain, number));
        }
    }
    compaction::whole(journal)?;
    Ok((Chain::START, start))
}

/// Bodies of events that are opened on the way.
struct Bodies<'a> {
    seal: Option<&'a dyn BodySeal>,
    /// Keys that are not there: whether their destruction is on record is asked at the end.
    gone: RefCell<BTreeSet<BodySlot>>,
    damage: RefCell<Vec<Fault>>,
}

impl Bodies<'_> {
    fn open(&self, entry: &Entry, segment: &Segment, place: Place) {
        if self.seal.is_none() || self.damage.borrow().len() >= MOST_TOLD {
            return;
        }
        let on_record = |slot: BodySlot| {
            self.gone.borrow_mut().insert(slot);
            Ok(Some(BodyKey { slot, closes_at: entry.at, destroyed_at: Some(entry.at) }))
        };
        let opener = Opener { seal: self.seal, on_record: &on_record };
        if let Err(fault) = opener.events(entry.body.form, &entry.body.bytes, entry.sequence) {
            self.damage.borrow_mut().push(segment.damage(place.offset, &fault.to_string()));
        }
    }

    /// What does not open, and keys that are lost.
    fn judged(self, view: &dyn CatalogView) -> Result<Vec<Fault>, Fault> {
        let mut damage = self.damage.into_inner();
        for slot in self.gone.into_inner() {
            let row = view.row::<BodyKey>(&BodyKey::key_of(slot))?;
            if row.is_none_or(|row| row.destroyed_at.is_none()) {
                damage.push(Fault::new(format!(
                    "the key keys/bodies/{slot} is missing and its destruction is not on record; restore it from the \
                     newest shred-keys.age"
                )));
            }
        }
        Ok(damage)
    }
}

/// Every change of a record reads as what it says it is.
fn decode_all(segment: &Segment, entry: &Entry, place: Place) -> Result<(), Fault> {
    for (key, value) in &entry.changes {
        if let (Some(value), Some(kind)) = (value, key.first()) {
            disk::decode(*kind, value).map_err(|fault| segment.damage(place.offset, &fault.to_string()))?;
        }
    }
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::DirBuilder::new().mode(0o700).create(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
