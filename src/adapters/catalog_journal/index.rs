//! The index: sled, holding nothing that the journal cannot rebuild. Records
//! by key, events by number, organisation and delivery, and a tally of them. Syncs
//! nothing of its own while it runs: what a power cut leaves of it is thrown away.
#![expect(clippy::disallowed_methods, reason = "this adapter is the disk")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::num::NonZero;
use std::ops::{Bound, Range};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use super::bodies::Mark;
use super::disk;
use super::layout::Entry;
use super::segments::Place;
use super::tally::Tally;
use crate::domain::history::HistoryQuery;
use crate::domain::ids::DeliveryId;
use crate::domain::moment::Moment;
use crate::domain::names::OrganisationCode;
use crate::domain::record::{Key, Record};
use crate::ports::catalog::CatalogView;
use crate::ports::failure::Fault;

/// Version of the keys and values below; another one means: rebuild.
const FORMAT: u8 = 2;
const META: &[u8] = b"m";
const RECORDS: u8 = b'r';
const BY_NUMBER: u8 = b'e';
const BY_ORGANISATION: u8 = b'o';
const BY_DELIVERY: u8 = b'd';

/// sled gives its lock back a little after it was dropped: so often is it asked again.
const MOST_OPEN_TRIES: u32 = 100;
const OPEN_PAUSE: Duration = Duration::from_millis(20);

/// Most threads that count what it holds.
const MOST_COUNTING: usize = 8;

/// Where the event body of a record lies, and what is needed to choose it unread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct EventSpot {
    /// Place of the body.
    pub(super) place: Place,
    /// Number of the first event in it.
    pub(super) first_event: u64,
    /// When it was decided.
    pub(super) at: Moment,
}

/// The index.
pub(super) struct Index {
    tree: sled::Db,
    folder: PathBuf,
    /// Of all pairs but the mark; written with the mark, changed by one thread alone.
    tally: Mutex<Tally>,
}

/// What records leave in the index: the last value of every key they touch, in key order; `None`: removed.
pub(super) type Contents = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

impl Index {
    /// Opens or makes the index in `folder`.
    pub(super) fn open(folder: &Path, cache_bytes: u64) -> Result<Self, Fault> {
        let config = sled::Config::new()
            .path(folder)
            .cache_capacity(cache_bytes)
            .use_compression(false)
            .flush_every_ms(None)
            .mode(sled::Mode::HighThroughput);
        let mut tries = 1;
        loop {
            match config.open() {
                Ok(tree) => {
                    let index = Self { tree, folder: folder.to_owned(), tally: Mutex::default() };
                    if let Some((_, tally)) = index.read_mark()? {
                        index.set_tally(tally);
                    }
                    return Ok(index);
                }
                Err(sled::Error::Io(error)) if is_locked(&error) && tries < MOST_OPEN_TRIES => {
                    tries += 1;
                    thread::sleep(OPEN_PAUSE);
                }
                Err(error) => {
                    return Err(Fault::from_error(format!("open the index {}", folder.display()), error));
                }
            }
        }
    }

    /// The sequence of the last record that was applied; `None` when this is no index of this format.
    pub(super) fn applied(&self) -> Result<Option<u64>, Fault> {
        Ok(self.read_mark()?.map(|(sequence, _)| sequence))
    }

    fn read_mark(&self) -> Result<Option<(u64, Tally)>, Fault> {
        Ok(self.get(META)?.and_then(|mark| {
            let (format, rest) = mark.split_first()?;
            let (sequence, tally) = rest.split_first_chunk::<8>()?;
            (*format == FORMAT).then_some((u64::from_be_bytes(*sequence), Tally::from_bytes(tally)?))
        }))
    }

    /// What it holds, as it was kept up with each change.
    pub(super) fn tally(&self) -> Tally {
        *self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_tally(&self, tally: Tally) {
        *self.tally.lock().unwrap_or_else(PoisonError::into_inner) = tally;
    }

    /// Applies records and the sequence of the last of them, key by key: the caller keeps readers out. (A sled
    /// batch rolls its log buffer to disk each time, for nothing here.) After a fault, as after a kill, the index
    /// may hold a part of them.
    pub(super) fn apply(&self, entries: &[(Entry, Place)]) -> Result<(), Fault> {
        let Some((last, _)) = entries.last() else { return Ok(()) };
        self.put(contents(entries), last.sequence)
    }

    /// As `apply`, of what `contents` made of records up to `sequence`.
    pub(super) fn put(&self, contents: Contents, sequence: u64) -> Result<(), Fault> {
        let mut tally = self.tally();
        let put = contents.into_iter().try_for_each(|(key, value)| {
            let old = match &value {
                Some(value) => self.tree.insert(&key, value.as_slice())?,
                None => self.tree.remove(&key)?,
            };
            tally.change(&key, old.as_deref(), value.as_deref());
            Ok(())
        });
        put.map_err(|error| self.fault("apply to", error))?;
        self.mark(sequence, tally)
    }

    /// What the tally will be after `put`.
    pub(super) fn tally_after(&self, contents: &Contents) -> Result<Tally, Fault> {
        let mut tally = self.tally();
        for (key, value) in contents {
            tally.change(key, self.get(key)?.as_deref(), value.as_deref());
        }
        Ok(tally)
    }

    /// Puts a pair of a snapshot into a new index; `mark` follows when all are in.
    pub(super) fn load(&self, key: &[u8], value: &[u8]) -> Result<(), Fault> {
        self.tree.insert(key, value).map(drop).map_err(|error| self.fault("load", error))
    }

    /// Says that everything up to this record is in, and what that is.
    pub(super) fn mark(&self, sequence: u64, tally: Tally) -> Result<(), Fault> {
        let mark = [&[FORMAT], sequence.to_be_bytes().as_slice(), &tally.to_bytes()].concat();
        self.tree.insert(META, mark).map_err(|error| self.fault("mark", error))?;
        self.set_tally(tally);
        Ok(())
    }

    /// Reads every pair, on all processors, and counts anew what it holds.
    pub(super) fn count(&self) -> Result<Tally, Fault> {
        let bounds = bounds();
        let next = AtomicUsize::new(0);
        let work = || -> Result<Tally, Fault> {
            let mut tally = Tally::default();
            while let Some(from) = bounds.get(next.fetch_add(1, Ordering::Relaxed)) {
                let end = bounds.get(bounds.partition_point(|bound| bound <= from));
                tally.add_all(&self.count_between(from, end)?);
            }
            Ok(tally)
        };
        let threads = thread::available_parallelism().map_or(1, NonZero::get).min(MOST_COUNTING);
        let counted: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            threads.into_iter().map(ScopedJoinHandle::join).collect()
        });
        let mut tally = Tally::default();
        for part in counted {
            let panicked = |_| Fault::new(format!("read the index {}: it panicked", self.folder.display()));
            tally.add_all(&part.map_err(panicked)??);
        }
        Ok(tally)
    }

    /// Counts the pairs from one key to before another, but the mark.
    fn count_between(&self, from: &[u8], end: Option<&Vec<u8>>) -> Result<Tally, Fault> {
        let end = end.map_or(Bound::Unbounded, |end| Bound::Excluded(end.as_slice()));
        let mut tally = Tally::default();
        let mut last: Option<sled::IVec> = None;
        for item in self.tree.range::<&[u8], _>((Bound::Included(from), end)) {
            let (key, value) = item.map_err(|error| self.fault("read", error))?;
            if last.as_ref().is_some_and(|last| *last >= key) {
                return Err(Fault::new(format!("read the index {}: its keys are not in order", self.folder.display())));
            }
            if key != META {
                tally.add(&key, &value);
            }
            last = Some(key);
        }
        Ok(tally)
    }

    /// Forgets where the events before number `first` lay: the journal does not hold them any more, and nobody asks
    /// for them. For who has the index alone: nothing else changes it meanwhile. Cut off anywhere, it is done anew.
    pub(super) fn forget_before(&self, first: u64) -> Result<(), Fault> {
        let by_number = numbered(vec![BY_NUMBER], 0)..numbered(vec![BY_NUMBER], first);
        // these go last: while one is there, others may be
        if self.tree.range(by_number.clone()).next().is_none() {
            return Ok(());
        }
        let mut tally = self.tally();
        for kind in [BY_DELIVERY, BY_ORGANISATION] {
            let mut from = vec![kind];
            while let Some(found) = self.tree.range(from.clone()..vec![kind + 1]).next() {
                let (key, _) = found.map_err(|error| self.fault("read", error))?;
                // each key ends with the number of its event
                let prefix = key.get(..key.len().saturating_sub(8)).unwrap_or_default().to_vec();
                self.forget(numbered(prefix.clone(), 0)..numbered(prefix.clone(), first), &mut tally)?;
                from = [numbered(prefix, u64::MAX), vec![0]].concat();
            }
        }
        self.forget(by_number, &mut tally)?;
        let sequence = self.applied()?.unwrap_or_default();
        self.mark(sequence, tally)
    }

    fn forget(&self, range: Range<Vec<u8>>, tally: &mut Tally) -> Result<(), Fault> {
        for found in self.tree.range(range) {
            let (key, _) = found.map_err(|error| self.fault("read", error))?;
            let old = self.tree.remove(&key).map_err(|error| self.fault("forget events of", error))?;
            tally.change(&key, old.as_deref(), None);
        }
        Ok(())
    }

    /// The spots of the events that `query` may mean, in order, up to event number `newest`:
    /// the event's number and where it lies. Without a filter: the first event of each record.
    pub(super) fn spots(
        &self,
        query: &HistoryQuery,
        newest: u64,
    ) -> Result<impl Iterator<Item = Result<(u64, EventSpot), Fault>>, Fault> {
        let after = query.after.unwrap_or_default();
        let prefix = match (&query.delivery, &query.organisation) {
            (Some(delivery), _) => delivery_key(*delivery),
            (None, Some(organisation)) => organisation_key(organisation),
            (None, None) => vec![BY_NUMBER],
        };
        let mut from = after.saturating_add(1);
        if prefix == [BY_NUMBER] {
            // The record that holds the next event may have begun before it.
            let before = self
                .tree
                .get_lt(numbered(prefix.clone(), from.saturating_add(1)))
                .map_err(|error| self.fault("read", error))?;
            from = before.and_then(|(key, _)| number_in(&key, &prefix)).unwrap_or(from);
        }
        let range = numbered(prefix.clone(), from)..=numbered(prefix.clone(), newest);
        let folder = self.folder.clone();
        Ok(self.tree.range(range).map(move |item| {
            let doing = || format!("read the index {}", folder.display());
            let (key, value) = item.map_err(|error| Fault::from_error(doing(), error))?;
            let number = number_in(&key, &prefix).ok_or_else(|| Fault::new(doing()))?;
            let spot = EventSpot::decode(&value).ok_or_else(|| Fault::new(doing()))?;
            Ok((number, spot))
        }))
    }

    /// Records in key order as stored: `prefix`, after `after`.
    pub(super) fn range(
        &self,
        prefix: &Key,
        after: Option<&Key>,
    ) -> impl Iterator<Item = Result<(Key, Vec<u8>), Fault>> {
        let from = match after {
            // The least key after a key is that key with a zero byte.
            Some(after) if after >= prefix => [&[RECORDS], after.as_bytes(), &[0]].concat(),
            _ => [&[RECORDS], prefix.as_bytes()].concat(),
        };
        let prefix = [&[RECORDS], prefix.as_bytes()].concat();
        self.tree
            .range(from..)
            .take_while(move |item| item.as_ref().map_or(true, |(key, _)| key.starts_with(&prefix)))
            .map(|item| {
                let (key, value) = item.map_err(|error| self.fault("read", error))?;
                Ok((Key::from_bytes(key.get(1..).unwrap_or_default().to_vec()), value.to_vec()))
            })
    }

    /// Every pair but the mark, in key order.
    pub(super) fn pairs(&self) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), Fault>> {
        self.tree.iter().filter(|item| item.as_ref().map_or(true, |(key, _)| key != META)).map(|item| {
            let (key, value) = item.map_err(|error| self.fault("read", error))?;
            Ok((key.to_vec(), value.to_vec()))
        })
    }

    /// Hands what sled still holds back to the system: a kill right after does not lose it.
    pub(super) fn write_out(&self) -> Result<(), Fault> {
        self.tree.flush().map(drop).map_err(|error| self.fault("write out", error))
    }

    /// Writes everything out, closes the index and makes its files durable.
    pub(super) fn close(self) -> Result<(), Fault> {
        self.write_out()?;
        let Self { tree, folder, .. } = self;
        let doing = || format!("close the index {}", folder.display());
        drop(tree);
        sync_files(&folder).map_err(|error| Fault::from_error(doing(), error))
    }

    fn get(&self, key: &[u8]) -> Result<Option<sled::IVec>, Fault> {
        self.tree.get(key).map_err(|error| self.fault("read", error))
    }

    fn fault(&self, verb: &str, error: sled::Error) -> Fault {
        Fault::from_error(format!("{verb} the index {}", self.folder.display()), error)
    }
}

impl CatalogView for Index {
    fn find(&self, key: &Key) -> Result<Option<Record>, Fault> {
        let value = self.get(&[&[RECORDS], key.as_bytes()].concat())?;
        value.map(|value| disk::decode(key.kind(), &value)).transpose()
    }

    fn list(&self, prefix: &Key, after: Option<&Key>, limit: usize) -> Result<Vec<Record>, Fault> {
        self.range(prefix, after)
            .take(limit)
            .map(|item| item.and_then(|(key, value)| disk::decode(key.kind(), &value)))
            .collect()
    }
}

impl EventSpot {
    fn encode(&self) -> Vec<u8> {
        let numbers = [self.place.segment, self.place.offset, self.first_event, self.at.millis()];
        numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut numbers = bytes.chunks_exact(8).map(|chunk| chunk.try_into().map_or(0, u64::from_be_bytes));
        let place = Place { segment: numbers.next()?, offset: numbers.next()? };
        Some(Self { place, first_event: numbers.next()?, at: Moment::from_millis(numbers.next()?) })
    }
}

/// What these records leave in the index.
pub(super) fn contents(entries: &[(Entry, Place)]) -> Contents {
    let mut contents = Contents::new();
    for (entry, place) in entries {
        for (key, value) in &entry.changes {
            contents.insert([&[RECORDS], key.as_slice()].concat(), value.clone());
        }
        let spot = EventSpot { place: *place, first_event: entry.first_event, at: entry.at }.encode();
        contents.insert(numbered(vec![BY_NUMBER], entry.first_event), Some(spot.clone()));
        for (number, mark) in (entry.first_event..).zip(&entry.body.marks) {
            for key in keys_of(mark) {
                contents.insert(numbered(key, number), Some(spot.clone()));
            }
        }
    }
    contents
}

/// Whether a pair is the place of an event in a segment before this one.
pub(super) fn lies_before(key: &[u8], value: &[u8], segment: u64) -> bool {
    let is_place = matches!(key.first(), Some(&BY_NUMBER | &BY_ORGANISATION | &BY_DELIVERY));
    is_place && EventSpot::decode(value).is_some_and(|spot| spot.place.segment < segment)
}

/// An event concerns the organisation that it is about and the one that acted.
fn keys_of(mark: &Mark) -> impl Iterator<Item = Vec<u8>> {
    let about = mark.about.as_ref().map(organisation_key);
    let who = mark.who.as_ref().map(organisation_key);
    let delivery = mark.delivery.map(delivery_key);
    [about, who, delivery].into_iter().flatten()
}

fn organisation_key(organisation: &OrganisationCode) -> Vec<u8> {
    [&[BY_ORGANISATION], organisation.as_str().as_bytes(), &[0]].concat()
}

fn delivery_key(delivery: DeliveryId) -> Vec<u8> {
    [&[BY_DELIVERY], delivery.as_bytes().as_slice()].concat()
}

fn numbered(mut key: Vec<u8>, number: u64) -> Vec<u8> {
    key.extend(number.to_be_bytes());
    key
}

/// Where parts of the index begin that are counted each for itself: all keys lie in one of them.
fn bounds() -> Vec<Vec<u8>> {
    let firsts = (0..=u8::MAX).map(|first| vec![first]);
    let kinds = (0..=u8::MAX).map(|kind| vec![RECORDS, kind]);
    let mut bounds: Vec<Vec<u8>> = firsts.chain(kinds).chain([Vec::new()]).collect();
    bounds.sort_unstable();
    bounds
}

fn number_in(key: &[u8], prefix: &[u8]) -> Option<u64> {
    key.strip_prefix(prefix)?.try_into().ok().map(u64::from_be_bytes)
}

fn is_locked(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::WouldBlock || error.to_string().contains("could not acquire lock")
}

fn sync_files(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_files(&entry.path())?;
        } else {
            File::open(entry.path())?.sync_all()?;
        }
    }
    File::open(folder)?.sync_all()
}
