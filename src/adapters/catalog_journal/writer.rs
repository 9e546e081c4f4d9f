//! The one writer: runs the rules of a batch one after another on the index
//! plus the batch's own overlay, writes one frame, applies it, acknowledges.
//! After any failure of a write it refuses for good; reads go on.

use std::cmp::Ordering::{Equal, Greater, Less};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, PoisonError};

use super::applied::{Applied, Promise};
use super::bodies::{Body, Slots};
use super::disk::decode;
use super::index::contents;
use super::journal::{Journal, Stopped};
use super::layout::{Chain, Entry, FRAME_HEADER_BYTES, RECORD_HEAD_BYTES, frame, to_disk};
use super::queue::{Job, Queue, Reply, Working};
use super::segments::Place;
use super::{JournalSettings, Shared};
use crate::domain::bodies::{BodyKey, BodySlot};
use crate::domain::decision::Decision;
use crate::domain::record::{Change, Key, Record};
use crate::domain::refusal::Refusal;
use crate::ports::bodies::BodySeal;
use crate::ports::catalog::{CatalogView, Committed};
use crate::ports::failure::{Failure, Fault};

/// The writer, in its own thread.
pub(super) struct Writer {
    pub(super) shared: Arc<Shared>,
    pub(super) journal: Journal,
    pub(super) chain: Chain,
    /// Where it is said what the index must hold.
    pub(super) applied: Applied,
    pub(super) settings: JournalSettings,
    /// Rung when a segment is closed.
    pub(super) bell: Option<SyncSender<()>>,
    /// Seals the events of people; without it they are written plain.
    pub(super) seal: Option<Arc<dyn BodySeal>>,
    /// Body keys that are known to be on record.
    pub(super) noted: BTreeSet<BodySlot>,
}

/// Decisions that wait to be written as one frame.
struct Batch {
    chain: Chain,
    overlay: Overlay,
    bytes: usize,
    ready: Vec<Prepared>,
}

struct Prepared {
    entry: Entry,
    record: Vec<u8>,
    /// Where the journal stands once this is written.
    chain: Chain,
    concerns_access: bool,
    reply: Reply,
}

type Overlay = BTreeMap<Key, Option<Record>>;

enum Stop {
    Full,
    Failed,
}

impl Stop {
    fn failure(&self) -> Failure {
        match self {
            Self::Full => Refusal::NoSpace.into(),
            Self::Failed => {
                Fault::new("write the catalog: an earlier write failed, nothing is written until a restart").into()
            }
        }
    }
}

impl Writer {
    /// Works until the queue is closed and empty. Returns the journal's end unless writing had to stop.
    pub(super) fn run(mut self, queue: &Queue) -> Option<(u64, Place)> {
        let _working = Working::begin(queue);
        let mut stop = None;
        while let Some(jobs) = queue.take(self.settings.batch_jobs) {
            if stop.is_none() && !self.is_short_of_space() {
                stop = self.write_batch(jobs);
                continue;
            }
            let why = || stop.as_ref().map_or_else(|| Refusal::NoSpace.into(), Stop::failure);
            jobs.into_iter().for_each(|job| job.reply.answer(Err(why())));
        }
        match stop {
            None => Some((self.chain.next_sequence - 1, self.journal.end())),
            Some(_) => None,
        }
    }

    fn is_short_of_space(&self) -> bool {
        if self.settings.reserve_bytes == 0 {
            return false;
        }
        match self.journal.free_bytes() {
            Ok(free) => free < self.settings.reserve_bytes,
            Err(error) => {
                tracing::error!(%error, "the free space of the catalog cannot be read: nothing is written");
                true
            }
        }
    }

    fn write_batch(&mut self, jobs: Vec<Job>) -> Option<Stop> {
        let mut batch =
            Batch { chain: self.chain.clone(), overlay: Overlay::new(), bytes: FRAME_HEADER_BYTES, ready: Vec::new() };
        let most = self.settings.max_frame_bytes.min(self.settings.batch_bytes);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let mut jobs = jobs.into_iter();
        while let Some(job) = jobs.next() {
            let Some(prepared) = self.prepare(&mut batch, job) else { continue };
            let size = prepared.record.len() + 4;
            if !batch.ready.is_empty() && batch.bytes + size > most {
                // It does not fit beside the others, but it was decided on their state: they go first.
                if let Some(stop) = self.commit(std::mem::take(&mut batch.ready)) {
                    prepared.reply.answer(Err(stop.failure()));
                    jobs.for_each(|job| job.reply.answer(Err(stop.failure())));
                    return Some(stop);
                }
                batch.bytes = FRAME_HEADER_BYTES;
            }
            batch.bytes += size;
            batch.ready.push(prepared);
        }
        self.commit(batch.ready)
    }

    /// Runs a rule; answers at once when it refuses, panics or decides too much.
    fn prepare(&mut self, batch: &mut Batch, job: Job) -> Option<Prepared> {
        let view = OverlaidView { shared: &self.shared, overlay: &batch.overlay };
        let rule = job.rule;
        let decided = catch_unwind(AssertUnwindSafe(|| rule(&view)))
            .unwrap_or_else(|_| Err(Fault::new("run a rule of the catalog: it panicked").into()));
        let encoded = decided.and_then(|decision| {
            let (body, slots) = self.body_of(&batch.chain, &decision)?;
            let decision = noting(decision, &slots, &self.noted, &view)?;
            let (entry, record) = self.encode(&batch.chain, &decision, body)?;
            Ok((decision, entry, record, slots))
        });
        match encoded {
            Ok((decision, entry, record, slots)) => {
                self.noted.extend(slots.into_iter().map(|(slot, _)| slot));
                for change in decision.changes() {
                    match change {
                        Change::Put(record) => batch.overlay.insert(record.key(), Some(record.clone())),
                        Change::Remove(key) => batch.overlay.insert(key.clone(), None),
                    };
                }
                batch.chain.advance(&entry, &record);
                let (chain, concerns_access) = (batch.chain.clone(), decision.concerns_access());
                Some(Prepared { entry, record, chain, concerns_access, reply: job.reply })
            }
            Err(failure) => {
                job.reply.answer(Err(failure));
                None
            }
        }
    }

    fn body_of(&self, chain: &Chain, decision: &Decision) -> Result<(Body, Slots), Failure> {
        let events = decision.events().to_vec();
        let (body, mut slots) = match &self.seal {
            Some(seal) => Body::sealed(&events, chain.next_sequence, decision.at(), seal.as_ref())?,
            None => (Body::plain(&events)?, Slots::new()),
        };
        slots.extend_from_slice(decision.slots());
        Ok((body, slots))
    }

    fn encode(&self, chain: &Chain, decision: &Decision, body: Body) -> Result<(Entry, Vec<u8>), Failure> {
        let entry = Entry {
            sequence: chain.next_sequence,
            at: decision.at(),
            first_event: chain.first_event(&body),
            body,
            changes: to_disk(decision.changes())?,
        };
        let record = entry.encode(&chain.hash)?;
        let (size, most) = ((record.len() + 4 + FRAME_HEADER_BYTES) as u64, self.settings.max_frame_bytes);
        if size > most {
            return Err(Fault::new(format!(
                "write the journal: one decision has {size} bytes, a frame holds at most {most} (storage.max_frame_bytes)"
            ))
            .into());
        }
        Ok((entry, record))
    }

    /// Writes the frame, applies it, acknowledges. The whole batch holds or fails.
    fn commit(&mut self, ready: Vec<Prepared>) -> Option<Stop> {
        let chain = ready.last().map(|last| last.chain.clone())?;
        let mut records = Vec::with_capacity(ready.len());
        let mut waiting = Vec::with_capacity(ready.len());
        let mut entries = Vec::with_capacity(ready.len());
        let concerns_access = ready.iter().any(|prepared| prepared.concerns_access);
        for prepared in ready {
            waiting.push((prepared.reply, prepared.entry.first_event));
            records.push(prepared.record);
            entries.push(prepared.entry);
        }
        let written = self.write(&records);
        let outcome = written.and_then(|frame_at| {
            let mut offset = frame_at.offset + FRAME_HEADER_BYTES as u64;
            let mut placed = Vec::with_capacity(entries.len());
            for (entry, record) in entries.into_iter().zip(&records) {
                let place = Place { segment: frame_at.segment, offset: offset + 4 + RECORD_HEAD_BYTES };
                placed.push((entry, place));
                offset += 4 + record.len() as u64;
            }
            self.apply(&placed, chain, concerns_access)
        });
        match outcome {
            Ok(()) => {
                for (reply, first_event) in waiting {
                    reply.answer(Ok(Committed { first_event }));
                }
                None
            }
            Err(stopped) => Some(refuse(stopped, waiting.into_iter().map(|(reply, _)| reply))),
        }
    }

    fn write(&mut self, records: &[Vec<u8>]) -> Result<Place, Stopped> {
        let frame = frame(records).map_err(|fault| Stopped::Unknown(std::io::Error::other(fault)))?;
        let before = self.journal.end().segment;
        self.journal.make_room(&self.chain)?;
        let place = self.journal.end();
        if let Some(bell) = self.bell.as_ref().filter(|_| place.segment != before) {
            // one that is rung already needs no second time
            let _ = bell.try_send(());
        }
        self.journal.append(&frame)?;
        Ok(place)
    }

    fn apply(&mut self, placed: &[(Entry, Place)], chain: Chain, concerns_access: bool) -> Result<(), Stopped> {
        let unknown = |fault: Fault| Stopped::Unknown(std::io::Error::other(fault));
        let index = &self.shared.index;
        let sequence = chain.next_sequence - 1;
        let contents = contents(placed);
        // Before the index changes: a kill may leave any part of these changes in it.
        let tally = index.tally_after(&contents).map_err(unknown)?;
        self.applied.promise(&Promise { sequence, hash: chain.hash, tally });
        let _alone = self.shared.gate.write().unwrap_or_else(PoisonError::into_inner);
        let put = index.put(contents, sequence).and_then(|()| {
            let is_kept = index.tally() == tally;
            is_kept.then_some(()).ok_or_else(|| Fault::new("apply to the index: it held something else than it read"))
        });
        if let Err(fault) = put {
            self.shared.is_torn.store(true, Ordering::Release);
            return Err(unknown(fault));
        }
        self.shared.remember(&chain, self.journal.end(), concerns_access);
        self.chain = chain;
        Ok(())
    }
}

/// The decision, with a row for each body key that is not on record yet: so that its end can be found, and its loss.
fn noting(
    mut decision: Decision,
    slots: &Slots,
    noted: &BTreeSet<BodySlot>,
    view: &dyn CatalogView,
) -> Result<Decision, Fault> {
    for (slot, closes_at) in slots.iter().filter(|(slot, _)| !noted.contains(slot)) {
        if view.find(&BodyKey::key_of(*slot))?.is_none() {
            decision = decision.put(BodyKey { slot: *slot, closes_at: *closes_at, destroyed_at: None });
        }
    }
    Ok(decision)
}

fn refuse(stopped: Stopped, waiting: impl Iterator<Item = Reply>) -> Stop {
    match stopped {
        Stopped::Full => {
            tracing::error!("the disk of the catalog is full: nothing is written until a restart");
            waiting.for_each(|reply| reply.answer(Err(Refusal::NoSpace.into())));
            Stop::Full
        }
        Stopped::Unknown(error) => {
            tracing::error!(%error, "writing the catalog failed: nothing is written until a restart");
            for reply in waiting {
                let fault = Fault::new(format!("write the catalog: {error}")).with_outcome_unknown();
                reply.answer(Err(fault.into()));
            }
            Stop::Failed
        }
    }
}

/// The index with the decisions of the running batch over it.
struct OverlaidView<'a> {
    shared: &'a Shared,
    overlay: &'a Overlay,
}

impl CatalogView for OverlaidView<'_> {
    fn find(&self, key: &Key) -> Result<Option<Record>, Fault> {
        match self.overlay.get(key) {
            Some(record) => Ok(record.clone()),
            None => self.shared.index.find(key),
        }
    }

    fn list(&self, prefix: &Key, after: Option<&Key>, limit: usize) -> Result<Vec<Record>, Fault> {
        let mut over = self
            .overlay
            .range(prefix..)
            .take_while(|(key, _)| key.as_bytes().starts_with(prefix.as_bytes()))
            .filter(|(key, _)| after.is_none_or(|after| *key > after))
            .peekable();
        let mut under = self.shared.index.range(prefix, after).peekable();
        let mut listed = Vec::new();
        while listed.len() < limit {
            let order = match (over.peek(), under.peek()) {
                (None, None) => break,
                (Some(_), None) => Less,
                (None, Some(_)) | (Some(_), Some(Err(_))) => Greater,
                (Some((own, _)), Some(Ok((stored, _)))) => (*own).cmp(stored),
            };
            if order == Greater {
                if let Some(item) = under.next() {
                    let (key, value) = item?;
                    listed.push(decode(key.kind(), &value)?);
                }
                continue;
            }
            if order == Equal {
                drop(under.next());
            }
            if let Some((_, Some(record))) = over.next() {
                listed.push(record.clone());
            }
        }
        Ok(listed)
    }
}
