//! One opened file: reading it, and putting on record what left.
//!
//! The order (I8): before the first byte of an opening leaves, `fetch-started` is on record;
//! before its last byte leaves, `file-released`; `file-fetched` only once the transport took
//! every byte. What is on record may lag behind, never run ahead.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::browse::delivery_of;
use super::{Caller, Failure, Operations, locked};
use crate::domain::coverage::Coverage;
use crate::domain::decision::Decision;
use crate::domain::delivery::{Availability, Delivery, FileCoverage};
use crate::domain::digest::Digest;
use crate::domain::history::{About, Event, Happening};
use crate::domain::moment::Moment;
use crate::domain::names::FileName;
use crate::domain::refusal::Refusal;
use crate::domain::rights::{Act, Presence, permits};
use crate::ports::catalog::{Committed, Rule};
use crate::ports::vault::PayloadReader;

/// One opened file of a delivery. Reads may come from several threads. Dropping it
/// without `close` is the same as `abandon`.
pub struct Fetch(Arc<Inner>);

struct Inner {
    operations: Arc<Operations>,
    caller: Caller,
    delivery: Delivery,
    name: FileName,
    body: Body,
    sha256: Digest,
    checked_version: AtomicU64,
    is_counted: bool,
    state: Mutex<FetchState>,
    /// What is being put on record is there, or has failed.
    recorded: Condvar,
    /// Whether it is on record that digests of parts were asked.
    digests_recorded: Mutex<bool>,
}

/// How a file was opened.
#[derive(Clone, Copy)]
pub(super) struct Opening {
    /// The version of the catalog by which it was judged.
    pub(super) version: u64,
    /// Whether it counts as one that its account has open: files within an opened ZIP do not.
    pub(super) is_counted: bool,
}

/// What is read.
pub(super) enum Body {
    /// A sealed file, or header and payload of an end-to-end one.
    Sealed { reader: Arc<dyn PayloadReader>, number: u32, tracker: Arc<Tracker> },
    /// A packing slip or list of digests.
    Text(Vec<u8>),
}

#[derive(Default)]
struct FetchState {
    taken: Coverage,
    /// The end of an empty file was read: nothing more can be asked of it.
    saw_empty: bool,
    started: bool,
    released: bool,
    /// Something is being put on record: no other answer leaves before it is.
    recording: bool,
    /// How many reads wait for that.
    waiting: usize,
    ended: bool,
}

/// What must be on record before an answer leaves.
struct Due {
    events: Vec<Event>,
    starts: bool,
    releases: bool,
}

/// What left of one data file over all open handles; shared by them.
pub(super) struct Tracker {
    held: Mutex<Tracked>,
}

impl Tracker {
    pub(super) fn new(taken: Coverage) -> Self {
        Self { held: Mutex::new(Tracked { taken, answered: Coverage::default(), unsaved_bytes: 0 }) }
    }
}

#[derive(Default)]
struct Tracked {
    taken: Coverage,
    /// What was let go, taken or not: a client that was cut off may have more than it could confirm.
    answered: Coverage,
    unsaved_bytes: u64,
}

impl Fetch {
    /// An opening that was judged before.
    pub(super) fn new(
        operations: &Arc<Operations>,
        caller: &Caller,
        delivery: Delivery,
        name: FileName,
        body: Body,
        sha256: Digest,
        opening: Opening,
    ) -> Self {
        Self(Arc::new(Inner {
            operations: Arc::clone(operations),
            caller: caller.clone(),
            delivery,
            name,
            body,
            sha256,
            checked_version: AtomicU64::new(opening.version),
            is_counted: opening.is_counted,
            state: Mutex::default(),
            recorded: Condvar::new(),
            digests_recorded: Mutex::new(false),
        }))
    }

    /// Size in bytes of what can be read.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.0.size_bytes()
    }

    /// SHA-256 of the whole content.
    #[must_use]
    pub fn sha256(&self) -> Digest {
        self.0.sha256
    }

    /// The name it is shown under.
    #[must_use]
    pub fn name(&self) -> &FileName {
        &self.0.name
    }

    /// The delivery it belongs to, as it was when opened.
    #[must_use]
    pub fn delivery(&self) -> &Delivery {
        &self.0.delivery
    }

    /// Fills `into` from `offset`, never short before the end. On return what has to be on
    /// record before these bytes may leave is on record.
    ///
    /// # Errors
    /// `NotFound`, `Blocked`, `Ended` or `Gone` as soon as the right, account or delivery is no
    /// longer there; faults of catalog or vault. Then nothing may be sent.
    pub fn read(&self, offset: u64, into: &mut [u8]) -> Result<usize, Failure> {
        let inner = &self.0;
        inner.check_right()?;
        match &inner.body {
            Body::Text(text) => {
                let from = usize::try_from(offset).unwrap_or(usize::MAX).min(text.len());
                let rest = text.get(from..).unwrap_or_default();
                let length = rest.len().min(into.len());
                if let (Some(to), Some(bytes)) = (into.get_mut(..length), rest.get(..length)) {
                    to.copy_from_slice(bytes);
                }
                Ok(length)
            }
            Body::Sealed { reader, number, tracker } => {
                let length = reader.read_at(offset, into)?;
                inner.before_leaving(reader.as_ref(), *number, tracker, offset, length)?;
                Ok(length)
            }
        }
    }

    /// As `read`, of up to `length` bytes into memory of its own.
    ///
    /// # Errors
    /// As `read`.
    pub fn read_vec(&self, offset: u64, length: usize) -> Result<Vec<u8>, Failure> {
        let Body::Sealed { reader, number, tracker } = &self.0.body else {
            let left = usize::try_from(self.size_bytes().saturating_sub(offset)).unwrap_or(usize::MAX);
            let mut bytes = vec![0; length.min(left)];
            let count = self.read(offset, &mut bytes)?;
            bytes.truncate(count);
            return Ok(bytes);
        };
        self.0.check_right()?;
        let bytes = reader.read_vec(offset, length)?;
        self.0.before_leaving(reader.as_ref(), *number, tracker, offset, bytes.len())?;
        Ok(bytes)
    }

    /// As `read` of up to `length` bytes, for callers that may not wait: `then` gets the bytes, now, or on
    /// another thread once what must be on record is. False, and nothing is done, when the bytes are not at
    /// hand or another answer is being put on record.
    #[must_use = "what is not at hand must be read another way"]
    pub fn read_at_hand<T>(&self, offset: u64, length: usize, then: T) -> bool
    where
        T: FnOnce(Result<Vec<u8>, Failure>) + Send + 'static,
    {
        let inner = &self.0;
        let Body::Sealed { reader, number, tracker } = &inner.body else { return false };
        let left = usize::try_from(reader.size_bytes().saturating_sub(offset)).unwrap_or(usize::MAX);
        let length = length.min(left);
        let kept = if length == 0 { Some(Vec::new()) } else { reader.read_kept(offset, length) };
        let Some(bytes) = kept.filter(|_| inner.operations.is_at_hand()) else { return false };
        if let Err(failure) = inner.check_right() {
            then(Err(failure));
            return true;
        }
        let mut state = locked(&inner.state);
        if length == 0 {
            state.saw_empty |= reader.size_bytes() == 0;
            drop(state);
            then(Ok(bytes));
            return true;
        }
        if state.recording {
            return false;
        }
        match inner.due(&mut state, tracker, offset, length as u64) {
            None => {
                drop(state);
                then(Ok(bytes));
            }
            Some(due) => {
                state.recording = true;
                drop(state);
                let (rule, starts, releases) = inner.record_rule(*number, tracker, due);
                let inner = Arc::clone(inner);
                let recorded = move |outcome: Result<Committed, Failure>| {
                    inner.note_recorded(starts, releases, outcome.is_ok());
                    then(outcome.map(|_| bytes));
                };
                self.0.operations.catalog.decide_then(rule, Box::new(recorded));
            }
        }
        true
    }

    /// Whether it may still be read.
    ///
    /// # Errors
    /// As `read`, of the right, account or delivery.
    pub fn may_go_on(&self) -> Result<(), Failure> {
        self.0.check_right()
    }

    /// SHA-256 of the whole content for the recipient. Nothing is put on record: the packing slip has it too.
    ///
    /// # Errors
    /// As `read`, of the right, account or delivery.
    pub fn known_sha256(&self) -> Result<Digest, Failure> {
        self.0.check_right()?;
        Ok(self.0.sha256)
    }

    /// As `read_vec`, for digests of parts. That they were asked is on record before the first leaves, since
    /// the digest of a short part tells its bytes; the bytes count as neither released nor fetched.
    ///
    /// # Errors
    /// As `read`.
    pub fn read_for_digest(&self, offset: u64, length: usize) -> Result<Vec<u8>, Failure> {
        let Body::Sealed { reader, .. } = &self.0.body else { return self.read_vec(offset, length) };
        self.0.check_right()?;
        let bytes = reader.read_vec(offset, length)?;
        self.0.record_digests()?;
        Ok(bytes)
    }

    /// As `read_vec`, for the checksum of the whole file, which stays here: none of it leaves, nothing is put on
    /// record.
    ///
    /// # Errors
    /// As `read`.
    pub(super) fn read_for_checksum(&self, offset: u64, length: usize) -> Result<Vec<u8>, Failure> {
        self.0.check_right()?;
        match &self.0.body {
            Body::Sealed { reader, .. } => Ok(reader.read_vec(offset, length)?),
            Body::Text(_) => self.read_vec(offset, length),
        }
    }

    /// The transport took these bytes.
    ///
    /// # Errors
    /// A fault of the store; the bytes then count as not taken.
    pub fn taken(&self, offset: u64, length: usize) -> Result<(), Failure> {
        let inner = &self.0;
        let Body::Sealed { number, tracker, .. } = &inner.body else { return Ok(()) };
        let is_late = {
            let mut state = locked(&inner.state);
            state.taken.add(offset, length as u64);
            state.ended
        };
        let due = {
            let mut held = locked(&tracker.held);
            let new = held.taken.add(offset, length as u64);
            held.unsaved_bytes += new;
            // A client may close before the last answer was taken: that is recorded when it is.
            if is_late || held.unsaved_bytes >= inner.operations.settings.coverage_step_bytes {
                held.unsaved_bytes = 0;
                Some(held.taken.clone())
            } else {
                None
            }
        };
        match due {
            // durable within milliseconds; a session must not stand still for it
            Some(coverage) => {
                let rule = inner.progress_rule(*number, coverage, Vec::new());
                inner.operations.catalog.decide_later("save how far a fetch came", rule)
            }
            None => Ok(()),
        }
    }

    /// The client closed the file. What counts is what the transport had taken; it may still
    /// take the last answers afterwards.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn close(&self) -> Result<(), Failure> {
        self.0.end(true)
    }

    /// The connection ended with the file open. An empty file then counts as fetched only when
    /// its end had been read: some clients hang up before their last close is on the wire.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn abandon(&self) -> Result<(), Failure> {
        self.0.end(false)
    }
}

impl Inner {
    fn size_bytes(&self) -> u64 {
        match &self.body {
            Body::Sealed { reader, .. } => reader.size_bytes(),
            Body::Text(text) => text.len() as u64,
        }
    }

    fn end(&self, was_closed: bool) -> Result<(), Failure> {
        let mut state = locked(&self.state);
        if std::mem::replace(&mut state.ended, true) {
            return Ok(());
        }
        if self.is_counted {
            self.operations.uncount_open(&self.caller);
        }
        let Body::Sealed { number, tracker, reader } = &self.body else { return Ok(()) };
        let own = state.taken.clone();
        let was_empty_read = reader.size_bytes() == 0 && (was_closed || state.saw_empty);
        if !state.started && !was_empty_read {
            return Ok(());
        }
        let coverage = {
            let mut held = locked(&tracker.held);
            held.taken.merge(&own);
            held.unsaved_bytes = 0;
            held.taken.clone()
        };
        if !coverage.covers(reader.size_bytes()) {
            self.operations.keep_tracker(tracker);
        }
        let ended = self.event(Happening::FetchEnded).with_bytes(own.bytes());
        // Nobody waits for it: that the last bytes left is on record already (I8), and what a crash
        // loses of the rest is understated. The next decision's sync makes both durable.
        let rule = self.progress_rule(*number, coverage, vec![ended]);
        self.operations.catalog.decide_later("put the end of a fetch on record", rule)
    }

    fn before_leaving(
        &self,
        reader: &dyn PayloadReader,
        number: u32,
        tracker: &Tracker,
        offset: u64,
        length: usize,
    ) -> Result<(), Failure> {
        if length > 0 {
            return self.before_answer(number, tracker, offset, length as u64);
        }
        if reader.size_bytes() == 0 {
            locked(&self.state).saw_empty = true;
        }
        Ok(())
    }

    /// Puts on record what must be there before `length` bytes from `offset` leave (I8).
    fn before_answer(&self, number: u32, tracker: &Tracker, offset: u64, length: u64) -> Result<(), Failure> {
        let mut state = self.not_recording();
        let Some(due) = self.due(&mut state, tracker, offset, length) else { return Ok(()) };
        state.recording = true;
        drop(state);
        let (rule, starts, releases) = self.record_rule(number, tracker, due);
        let outcome = self.operations.catalog.decide(rule);
        self.note_recorded(starts, releases, outcome.is_ok());
        outcome.map(|_| ())
    }

    /// The state once nothing is being put on record; the catalog answers in bounded time.
    fn not_recording(&self) -> MutexGuard<'_, FetchState> {
        let mut state = locked(&self.state);
        state.waiting += 1;
        let mut state =
            self.recorded.wait_while(state, |state| state.recording).unwrap_or_else(PoisonError::into_inner);
        state.waiting -= 1;
        state
    }

    /// What must be on record before these bytes leave and is not yet.
    fn due(&self, state: &mut FetchState, tracker: &Tracker, offset: u64, length: u64) -> Option<Due> {
        let size = self.size_bytes();
        let starts = !state.started;
        let releases = {
            let mut held = locked(&tracker.held);
            held.answered.add(offset, length);
            !state.released
                && (held.answered.covers(size) || {
                    let mut union = held.taken.clone();
                    union.merge(&held.answered);
                    union.covers(size)
                })
        };
        let mut events = Vec::new();
        if starts {
            events.push(self.event(Happening::FetchStarted));
        }
        if releases {
            events.push(self.event(Happening::FileReleased).with_bytes(size));
        }
        // said before it is on record: an end in between is then recorded too
        state.started = true;
        (!events.is_empty()).then_some(Due { events, starts, releases })
    }

    fn record_rule(&self, number: u32, tracker: &Tracker, due: Due) -> (Rule, bool, bool) {
        let coverage = locked(&tracker.held).taken.clone();
        (self.progress_rule(number, coverage, due.events), due.starts, due.releases)
    }

    /// Puts on record, once per opening, that digests of parts were asked.
    fn record_digests(&self) -> Result<(), Failure> {
        // held meanwhile: no other digest leaves before it is on record
        let mut recorded = locked(&self.digests_recorded);
        if !*recorded {
            let decision = Decision::new(self.operations.now(), self.event(Happening::DigestsAsked));
            self.operations.catalog.decide(Box::new(move |_| Ok(decision.leaving_access_as_it_is())))?;
            *recorded = true;
        }
        Ok(())
    }

    /// What was to be put on record is there, or is not and will be asked for again.
    fn note_recorded(&self, starts: bool, releases: bool, is_recorded: bool) {
        let mut state = locked(&self.state);
        state.recording = false;
        if is_recorded {
            state.released |= releases;
        } else if starts {
            state.started = false;
        }
        let is_waited_for = state.waiting > 0;
        drop(state);
        if is_waited_for {
            self.recorded.notify_all();
        }
    }

    fn event(&self, what: Happening) -> Event {
        let about = About {
            organisation: Some(self.delivery.organisation.clone()),
            login: Some(self.caller.login.clone()),
            product: Some(self.delivery.product.clone()),
            publication: Some(self.delivery.publication),
            delivery: Some(self.delivery.id),
            file: Some(self.name.clone()),
        };
        Event::new(what, self.caller.who(), about)
    }

    /// Checks the right again whenever anything has changed, and the window always.
    fn check_right(&self) -> Result<(), Failure> {
        let operations = &self.operations;
        let now = operations.now();
        if now >= self.delivery.available_until.after(operations.settings.open_grace) {
            // Extended meanwhile? Then the version has changed and the check below knows.
            self.checked_version.store(u64::MAX, Ordering::Relaxed);
        }
        let version = operations.catalog.version();
        if self.checked_version.load(Ordering::Relaxed) == version {
            return Ok(());
        }
        operations.catalog.look(|view| {
            let delivery = delivery_of(view, self.delivery.id)?;
            let mut case = operations.known_case(view, &self.caller, &delivery.organisation, &delivery.product, now)?;
            if !may_go_on(&delivery, now, operations.settings.open_grace) {
                case.presence = Presence::Gone;
            }
            permits(Act::Fetch, case).map_err(|refusal| match refusal {
                Refusal::Gone(_) => Refusal::Gone(Some(delivery.gone_since())).into(),
                other => other.into(),
            })
        })?;
        self.checked_version.store(version, Ordering::Relaxed);
        Ok(())
    }

    /// Keeps coverage with events; progress follows from it.
    fn progress_rule(&self, number: u32, taken: Coverage, mut events: Vec<Event>) -> Rule {
        let id = self.delivery.id;
        let size = self.size_bytes();
        let now = self.operations.now();
        let fetched = self.event(Happening::FileFetched).with_bytes(size);
        let saved = self.event(Happening::FetchStarted);
        Box::new(move |view| {
            let mut delivery = delivery_of(view, id)?;
            let row = view.row::<FileCoverage>(&FileCoverage::key_of(id, number))?;
            let is_new = row.is_none();
            let mut row = row.unwrap_or(FileCoverage {
                delivery: id,
                number,
                coverage: Coverage::default(),
                released_at: None,
                fetched_at: None,
            });
            row.coverage.merge(&taken);
            if row.released_at.is_none() && events.iter().any(|event| event.what == Happening::FileReleased) {
                row.released_at = Some(now);
            }
            let mut progressed = false;
            if delivery.progress.started_at.is_none() {
                delivery.progress.started_at = Some(now);
                progressed = true;
            }
            let done = row.coverage.covers(size) && (size > 0 || !events.is_empty());
            if done && row.fetched_at.is_none() {
                row.fetched_at = Some(now);
                delivery.progress.files_fetched += 1;
                if delivery.progress.files_fetched == delivery.file_count {
                    delivery.progress.fetched_at = Some(now);
                }
                events.insert(0, fetched);
                progressed = true;
            }
            let mut events = events.into_iter();
            // A checkpoint of coverage alone is recorded as progress of a fetch that had started.
            let first = events.next().unwrap_or_else(|| saved.with_note("progress saved"));
            let mut decision = events.fold(Decision::new(now, first), Decision::and);
            if is_new || !row.coverage.ranges().is_empty() {
                decision = decision.put(row);
            }
            if progressed {
                decision = decision.put(delivery);
            }
            Ok(decision.leaving_access_as_it_is())
        })
    }
}

fn may_go_on(delivery: &Delivery, now: Moment, open_grace: crate::domain::moment::Span) -> bool {
    match delivery.availability {
        Availability::Available | Availability::Held { .. } | Availability::Expired { .. } => {
            now < delivery.available_until.after(open_grace)
        }
        Availability::Withdrawn { .. } | Availability::Replaced { .. } | Availability::Shredded { .. } => false,
    }
}

impl Drop for Fetch {
    fn drop(&mut self) {
        if self.0.end(false).is_err() {
            // What was not recorded is understated, which is the safe side (I8).
        }
    }
}
