//! The removal of the journal's oldest segments: which of them can go, that both snapshots
//! still stand in for them, and whether what is missing at a start is accounted for by the record.
//! Decides nothing about periods.
#![expect(clippy::disallowed_methods, reason = "this adapter is the disk")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::disk;
use super::files::sync_folder;
use super::layout::{Chain, Entry};
use super::segments::{Segment, segment_path, segments_in};
use super::snapshot::SnapshotReader;
use super::snapshots::{KEPT, Snapshots};
use crate::domain::compaction::HistoryCut;
use crate::domain::digest::Digest;
use crate::domain::moment::Moment;
use crate::domain::record::Row as _;
use crate::ports::catalog::CatalogView;
use crate::ports::failure::Fault;

/// Who copies the catalog's files, and needs them all to stay.
#[derive(Clone, Debug, Default)]
pub(super) struct Pins(Arc<Mutex<usize>>);

/// While it lives, no file of the catalog is removed.
pub(super) struct Pinned(Pins);

impl Pins {
    /// From now on every file stays.
    pub(super) fn pin(&self) -> Pinned {
        *self.count() += 1;
        Pinned(self.clone())
    }

    /// Keeps others from pinning while it is held; `None` when somebody does.
    pub(super) fn none_held(&self) -> Option<MutexGuard<'_, usize>> {
        Some(self.count()).filter(|count| **count == 0)
    }

    fn count(&self) -> MutexGuard<'_, usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        *self.0.count() -= 1;
    }
}

/// Finds and removes what is over. One round at a time; nobody else removes segments.
pub(super) struct Compaction {
    journal: PathBuf,
    snapshots: Snapshots,
    pins: Pins,
    /// The newest moment in closed segments that were read, so that none is read at every look.
    newest: Mutex<BTreeMap<u64, Moment>>,
    /// The snapshots that were read in full, for the removal that follows.
    verified: Mutex<Vec<u64>>,
}

impl Compaction {
    /// Of the catalog in `folder`.
    pub(super) fn at(folder: &Path, pins: Pins) -> Self {
        Self {
            journal: folder.join("journal"),
            snapshots: Snapshots::at(folder),
            pins,
            newest: Mutex::default(),
            verified: Mutex::default(),
        }
    }

    /// The oldest closed segments, `most` of them at most, of which every record is over and which lie before the
    /// older of the kept snapshots; both of these were read in full then.
    pub(super) fn find(&self, is_over: &dyn Fn(Moment) -> bool, most: usize) -> Result<Option<HistoryCut>, Fault> {
        let Some(older) = self.snapshots.newest_first()?.get(KEPT - 1).copied() else { return Ok(None) };
        if self.pins.none_held().is_none() {
            return Ok(None);
        }
        let numbers = segments_in(&self.journal)?;
        let mut last: Option<Chain> = None;
        let mut bytes = 0;
        for (number, next) in numbers.iter().zip(numbers.iter().skip(1)).take(most) {
            let following = self.header(*next)?;
            let may_be_over = *next <= older && following.last_moment.is_some_and(is_over);
            if !may_be_over || !is_over(self.newest_in(*number, &following)?) {
                break;
            }
            bytes += Segment::open(&self.journal, *number)?.bytes();
            last = Some(following);
        }
        let (Some(last), Some(first)) = (last, numbers.first()) else { return Ok(None) };
        let first = self.header(*first)?;
        self.verify_snapshots()?;
        Ok(last.last_moment.map(|last_at| HistoryCut {
            from_sequence: first.next_sequence,
            from_event: first.next_event,
            next_sequence: last.next_sequence,
            next_event: last.next_event,
            hash: Digest::new(last.hash),
            last_at,
            bytes,
        }))
    }

    /// Removes the segments before the cut on record, the oldest first. Returns how many; none while somebody
    /// copies them. Cut off anywhere, the next call goes on.
    pub(super) fn remove(&self, cut: &HistoryCut) -> Result<usize, Fault> {
        let mut numbers = segments_in(&self.journal)?;
        numbers.retain(|number| *number < cut.next_sequence);
        if numbers.is_empty() {
            return Ok(0);
        }
        let kept = self.header(cut.next_sequence)?;
        if !continues(&kept, cut) {
            let segment = Segment::open(&self.journal, cut.next_sequence)?;
            return Err(segment.damage(0, "it does not continue what is to be removed before it"));
        }
        let known = std::mem::take(&mut *self.verified.lock().unwrap_or_else(PoisonError::into_inner));
        if self.kept()? != known {
            self.verify_snapshots()?;
        }
        let Some(_none) = self.pins.none_held() else { return Ok(0) };
        for number in &numbers {
            let path = segment_path(&self.journal, *number);
            // each for itself, so that whatever a power cut leaves has no gap
            fs::remove_file(&path)
                .and_then(|()| sync_folder(&self.journal))
                .map_err(|error| Fault::from_error(format!("remove the journal segment {}", path.display()), error))?;
            tracing::info!(segment = %path.display(), "a segment of the journal was removed: its period is over");
            self.newest.lock().unwrap_or_else(PoisonError::into_inner).remove(number);
        }
        Ok(numbers.len())
    }

    fn header(&self, number: u64) -> Result<Chain, Fault> {
        let segment = Segment::open(&self.journal, number)?;
        segment.header()?.ok_or_else(|| segment.damage(0, "no segment header"))
    }

    /// The newest moment of a closed segment; moments are not always in order.
    fn newest_in(&self, number: u64, following: &Chain) -> Result<Moment, Fault> {
        if let Some(known) = self.newest.lock().unwrap_or_else(PoisonError::into_inner).get(&number) {
            return Ok(*known);
        }
        let segment = Segment::open(&self.journal, number)?;
        let mut chain = self.header(number)?;
        let mut newest = Moment::from_millis(0);
        segment.scan(&mut chain, false, &mut |entry, _| {
            newest = newest.max(entry.at);
            Ok(())
        })?;
        if chain != *following {
            return Err(segment.damage(segment.bytes(), "the next segment does not continue it"));
        }
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).insert(number, newest);
        Ok(newest)
    }

    fn kept(&self) -> Result<Vec<u64>, Fault> {
        let mut kept = self.snapshots.newest_first()?;
        kept.truncate(KEPT);
        Ok(kept)
    }

    /// Reads both kept snapshots to their end.
    fn verify_snapshots(&self) -> Result<(), Fault> {
        // none of them is replaced while it is read
        let _pinned = self.pins.pin();
        let kept = self.kept()?;
        if kept.len() < KEPT {
            return Err(Fault::new("remove segments of the journal: there are not two snapshots any more"));
        }
        for number in &kept {
            let read = self.snapshots.read(*number, None).and_then(SnapshotReader::sum);
            if let Err(fault) = read {
                self.snapshots.reject(*number, &fault);
                return Err(Fault::from_error("keep the journal as it is", fault));
            }
        }
        *self.verified.lock().unwrap_or_else(PoisonError::into_inner) = kept;
        Ok(())
    }
}

/// The cut on record.
pub(super) fn recorded(view: &dyn CatalogView) -> Result<Option<HistoryCut>, Fault> {
    view.row::<HistoryCut>(&HistoryCut::key_of())
}

/// The cut that a record puts, if it does.
pub(super) fn cut_in(entry: &Entry) -> Result<Option<HistoryCut>, Fault> {
    let key = HistoryCut::key_of();
    let put = entry.changes.iter().rev().find(|(changed, _)| changed.as_slice() == key.as_bytes());
    let Some(value) = put.and_then(|(_, value)| value.as_ref()) else { return Ok(None) };
    Ok(HistoryCut::from_record(disk::decode(HistoryCut::KIND, value)?))
}

/// Holds the beginning of a journal against the cut on record. `first`: the header of its oldest segment, at `path`.
pub(super) fn account(first: &Chain, path: &Path, cut: Option<&HistoryCut>) -> Result<(), Fault> {
    let missing = |from: u64| {
        Fault::new(format!(
            "ALARM: the journal begins with {}: decisions {from} to {} are missing, and their removal is not on record; \
             restore them from a backup",
            path.display(),
            first.next_sequence.saturating_sub(1)
        ))
    };
    match cut {
        _ if *first == Chain::START => Ok(()),
        None => Err(missing(Chain::START.next_sequence)),
        Some(cut) if first.next_sequence > cut.next_sequence => Err(missing(cut.next_sequence)),
        Some(cut) if first.next_sequence == cut.next_sequence && !continues(first, cut) => Err(Fault::new(format!(
            "ALARM: the journal segment {} does not continue what was removed before it; restore it from a backup",
            path.display()
        ))),
        // of what is to be removed, a part is there still
        Some(_) => Ok(()),
    }
}

/// As `account`, of the journal in `folder`.
pub(super) fn account_in(folder: &Path, cut: Option<&HistoryCut>) -> Result<(), Fault> {
    let Some(number) = segments_in(folder)?.first().copied() else { return Ok(()) };
    let segment = Segment::open(folder, number)?;
    let first = segment.header()?.ok_or_else(|| segment.damage(0, "no segment header"))?;
    account(&first, segment.path(), cut)
}

/// A fault unless the journal in `folder` goes back to its beginning: says whether what is missing was removed on
/// record, and what to do. The record is looked for in what is left.
pub(super) fn whole(folder: &Path) -> Result<(), Fault> {
    let numbers = segments_in(folder)?;
    let Some(first) = numbers.first().filter(|first| **first != Chain::START.next_sequence) else { return Ok(()) };
    let opened = Segment::open(folder, *first)?;
    let first = opened.header()?.ok_or_else(|| opened.damage(0, "no segment header"))?;
    let mut chain = first.clone();
    let mut cut = None;
    for number in &numbers {
        let segment = Segment::open(folder, *number)?;
        if segment.header()?.as_ref() != Some(&chain) {
            return Err(segment.damage(0, "the segment does not continue the one before"));
        }
        segment.scan(&mut chain, true, &mut |entry, _| {
            cut = cut_in(&entry)?.or(cut.take());
            Ok(())
        })?;
    }
    account(&first, opened.path(), cut.as_ref())?;
    Err(Fault::new(format!(
        "ALARM: no snapshot of the catalog can be used, and the journal alone cannot rebuild it any more: decisions 1 \
         to {} were removed with their period, as the record says; restore the home from a backup, or, if a snapshot \
         only could not be read, start again when the disk reads it",
        first.next_sequence.saturating_sub(1)
    )))
}

fn continues(kept: &Chain, cut: &HistoryCut) -> bool {
    let says = (cut.next_sequence, cut.next_event, cut.hash);
    (kept.next_sequence, kept.next_event, Digest::new(kept.hash)) == says
}
