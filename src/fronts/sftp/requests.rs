//! The protocol core: takes bytes, gives jobs to run and answers to send. A state
//! machine without threads or sockets; what drives it decides where jobs run.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::digests::CheckBounds;
use super::handles::{self, Handles, Listing, Opened};
use super::jobs::{self, Done, Work, plan};
use super::paths::MAX_PATH_BYTES;
use super::replies;
use super::request_names::{Extension, request_name};
use super::shelf::{OpenedFile, Shelf};
use super::wire::{Assembler, Fields, MAX_DATA_BYTES, MAX_PACKET_BYTES, Packet, Request, WireFault};

/// Most requests that may wait; a client that sends more without reading is cut.
const MAX_WAITING: usize = 262_144;
/// Bytes one waiting request is counted for beside its packet.
const WAITING_OVERHEAD_BYTES: usize = 160;

/// Data up to so many bytes goes with its head in one piece, and so in one SSH packet of 32 KiB at most: a
/// packet costs more than the copy. More would need another packet anyway.
const MOST_JOINED_BYTES: usize = 32 * 1024 - 64;

/// Bounds of one conversation.
#[derive(Clone, Copy, Debug)]
pub struct CoreLimits {
    /// Most open handles.
    pub max_handles: usize,
    /// Most requests running at once.
    pub window_requests: usize,
    /// Most bytes read or answered but not yet with the transport, and most waiting to be written.
    pub window_bytes: usize,
    /// Most bytes read for the digests of one `check-file` request.
    pub check_file_bytes: u64,
}

/// Why a conversation cannot go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Broken {
    /// The bytes are not SFTP.
    Wire(WireFault),
    /// A request before INIT, or INIT twice.
    OutOfOrder,
    /// More waits than the bounds allow.
    Overrun,
    /// It has ended already.
    Ended,
}

/// Bytes on their way to the transport, and reads that reached it.
#[derive(Default)]
pub struct Flow {
    outstanding_bytes: AtomicUsize,
    sent: Mutex<Vec<SentRead>>,
}

struct SentRead {
    file: Arc<dyn OpenedFile>,
    offset: u64,
    length: usize,
}

impl Flow {
    /// Bytes answered that the transport has not yet taken.
    pub fn outstanding_bytes(&self) -> usize {
        self.outstanding_bytes.load(Ordering::Acquire)
    }

    fn report_taken(&self) {
        let sent = std::mem::take(&mut *self.sent.lock().unwrap_or_else(PoisonError::into_inner));
        for read in sent {
            read.file.taken(read.offset, read.length);
        }
    }
}

/// Answer bytes that tell the flow when the transport drops them, having sent them.
struct Parcel {
    bytes: Bytes,
    flow: Arc<Flow>,
    read: Option<SentRead>,
}

impl AsRef<[u8]> for Parcel {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        self.flow.outstanding_bytes.fetch_sub(self.bytes.len(), Ordering::AcqRel);
        if let Some(read) = self.read.take() {
            self.flow.sent.lock().unwrap_or_else(PoisonError::into_inner).push(read);
        }
    }
}

/// What a request must not run beside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lane {
    /// Anything may run beside it.
    Free,
    /// Runs beside other shared ones of the handle.
    Shared(u64),
    /// Runs alone on its handle.
    Exclusive(u64),
    /// Runs alone.
    Barrier,
}

struct Waiting {
    id: u32,
    request: Request,
    lane: Lane,
    bytes: usize,
}

/// A job to run, on any thread; its outcome goes to [`Core::finish`].
pub struct Job {
    id: u32,
    turn: u64,
    lane: Lane,
    reserved: usize,
    /// The request's name, which the shelf must admit.
    name: Option<&'static str>,
    work: Work,
}

/// A job that has run.
pub struct Finished {
    id: u32,
    turn: u64,
    lane: Lane,
    reserved: usize,
    done: Done,
}

impl Finished {
    /// For an outcome that nobody waits for: a file opened too late is abandoned.
    pub fn abandon(self) {
        if let Done::Opened(Ok(Opened::File { file, .. })) = self.done {
            file.abandon();
        }
    }
}

impl Job {
    /// Runs it where it is met, if that waits for nothing: `then` gets its outcome, now or from another
    /// thread. Else it is given back.
    pub fn run_at_hand<T>(self, shelf: &dyn Shelf, then: T) -> Option<Self>
    where
        T: FnOnce(Finished) + Clone + Send + 'static,
    {
        if self.work.is_at_hand(shelf) {
            then(self.run(shelf));
            return None;
        }
        let Work::Read(file, offset, length) = &self.work else { return Some(self) };
        if self.name.is_some_and(|name| shelf.admit(name).is_err()) {
            return Some(self);
        }
        let (id, turn, lane, reserved) = (self.id, self.turn, self.lane, self.reserved);
        let (from, offset, length) = (Arc::clone(file), *offset, *length);
        let outcome = Box::new(move |read| {
            let done = jobs::read_outcome(from, offset, read);
            then(Finished { id, turn, lane, reserved, done });
        });
        if file.read_at_hand(offset, length, outcome) { None } else { Some(self) }
    }

    /// Runs it; may block on the disk.
    pub fn run(self, shelf: &dyn Shelf) -> Finished {
        let Self { id, turn, lane, reserved, name, work } = self;
        let done = match name.map_or(Ok(()), |name| shelf.admit(name)) {
            Ok(()) => work.run(shelf),
            Err(refusal) => work.refuse(refusal),
        };
        Finished { id, turn, lane, reserved, done }
    }
}

/// One conversation over one channel.
pub struct Core {
    limits: CoreLimits,
    extensions: Vec<&'static Extension>,
    assembler: Assembler,
    greeted: bool,
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    handles: Handles,
    opening: usize,
    running: usize,
    reserved_bytes: usize,
    barrier: bool,
    /// The turn of the next job to be taken, and of the next answer to be sent.
    next_turn: u64,
    next_answer: u64,
    /// Answers that wait for their turn; they count as outstanding, so the window bounds them.
    early: BTreeMap<u64, Vec<Bytes>>,
    outgoing: VecDeque<Bytes>,
    outgoing_bytes: usize,
    flow: Arc<Flow>,
    check: CheckBounds,
}

impl Core {
    /// A conversation that has not yet begun, and the extensions that it will announce.
    pub fn new(limits: CoreLimits, extensions: Vec<&'static Extension>) -> Self {
        Self {
            limits,
            extensions,
            assembler: Assembler::default(),
            greeted: false,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            handles: Handles::default(),
            opening: 0,
            running: 0,
            reserved_bytes: 0,
            barrier: false,
            next_turn: 0,
            next_answer: 0,
            early: BTreeMap::new(),
            outgoing: VecDeque::new(),
            outgoing_bytes: 0,
            flow: Arc::new(Flow::default()),
            check: CheckBounds { most_bytes: limits.check_file_bytes, ended: Arc::new(AtomicBool::new(false)) },
        }
    }

    /// Takes bytes from the client.
    ///
    /// # Errors
    /// [`Broken`]: the channel must be closed.
    pub fn feed(&mut self, data: &[u8]) -> Result<(), Broken> {
        self.assembler.push(data);
        while let Some(packet) = self.assembler.take_packet().map_err(Broken::Wire)? {
            match packet {
                Packet::Init { .. } if self.greeted => return Err(Broken::OutOfOrder),
                Packet::Init { .. } => {
                    self.greeted = true;
                    let version = self.parcel(replies::version(&self.extensions), None);
                    self.send(vec![version]);
                }
                Packet::Request { .. } if !self.greeted => return Err(Broken::OutOfOrder),
                Packet::Request { id, request, packet_bytes } => self.enqueue(id, request, packet_bytes)?,
            }
        }
        Ok(())
    }

    fn enqueue(&mut self, id: u32, request: Request, packet_bytes: usize) -> Result<(), Broken> {
        // the client speaks again: what the transport has sent before is with it
        self.flow.report_taken();
        let bytes = WAITING_OVERHEAD_BYTES + packet_bytes;
        let most = 2 * self.limits.window_bytes + MAX_WAITING * WAITING_OVERHEAD_BYTES;
        if self.waiting.len() >= MAX_WAITING || self.waiting_bytes + bytes > most {
            return Err(Broken::Overrun);
        }
        self.waiting_bytes += bytes;
        let lane = lane(&request);
        self.waiting.push_back(Waiting { id, request, lane, bytes });
        Ok(())
    }

    /// Whether the client should be made to wait: more than the window is queued to be
    /// written and only the disk, not the client, is being waited for.
    pub fn is_full(&self) -> bool {
        self.waiting_bytes > self.limits.window_bytes && self.running > 0 && !self.client_is_slow()
    }

    fn client_is_slow(&self) -> bool {
        self.flow.outstanding_bytes() + self.reserved_bytes + MAX_DATA_BYTES > self.limits.window_bytes
    }

    /// The next job that may run now, in the order the client asked.
    pub fn take_job(&mut self) -> Option<Job> {
        let head = self.waiting.front()?;
        if self.barrier || self.running >= self.limits.window_requests.max(1) {
            return None;
        }
        let used = self.flow.outstanding_bytes() + self.reserved_bytes;
        let reserved = answer_bytes(&head.request);
        if used > 0 && used + reserved > self.limits.window_bytes {
            return None;
        }
        let lane = head.lane;
        match lane {
            Lane::Free => {}
            Lane::Barrier if self.running > 0 => return None,
            Lane::Barrier => self.barrier = true,
            Lane::Shared(number) => {
                if let Some(slot) = self.handles.slot(number) {
                    if slot.exclusive {
                        return None;
                    }
                    slot.shared += 1;
                }
            }
            Lane::Exclusive(number) => {
                if let Some(slot) = self.handles.slot(number) {
                    if slot.exclusive || slot.shared > 0 {
                        return None;
                    }
                    slot.exclusive = true;
                }
            }
        }
        let Waiting { id, request, bytes, .. } = self.waiting.pop_front()?;
        self.waiting_bytes -= bytes;
        self.running += 1;
        self.reserved_bytes += reserved;
        let room = self.handles.count() + self.opening < self.limits.max_handles;
        let name = request_name(&request);
        let work = plan(request, &mut self.handles, room, &self.check);
        if work.opens() {
            self.opening += 1;
        }
        let turn = self.next_turn;
        self.next_turn += 1;
        Some(Job { id, turn, lane, reserved, name, work })
    }

    /// Takes a job's outcome: its lane is free again and its answer is queued, in the order in
    /// which the client asked. OpenSSH's client, killed while it gets a file, would otherwise
    /// leave a hole before the end of its part and resume behind it.
    pub fn finish(&mut self, finished: Finished) {
        let Finished { id, turn, lane, reserved, done } = finished;
        self.running -= 1;
        self.reserved_bytes -= reserved;
        match lane {
            Lane::Free => {}
            Lane::Barrier => self.barrier = false,
            Lane::Shared(number) => {
                if let Some(slot) = self.handles.slot(number) {
                    slot.shared = slot.shared.saturating_sub(1);
                }
            }
            Lane::Exclusive(number) => {
                if let Some(slot) = self.handles.slot(number) {
                    slot.exclusive = false;
                }
            }
        }
        let answer = self.answer(id, done);
        self.early.insert(turn, answer);
        while let Some(answer) = self.early.remove(&self.next_answer) {
            self.send(answer);
            self.next_answer += 1;
        }
    }

    fn answer(&mut self, id: u32, done: Done) -> Vec<Bytes> {
        let packet = match done {
            Done::Opened(result) => {
                self.opening -= 1;
                match result {
                    Ok(opened) => {
                        let number = self.handles.add(opened);
                        replies::handle(id, &number.to_be_bytes())
                    }
                    Err(error) => replies::refused(id, &error),
                }
            }
            Done::Data { file, offset, bytes } => {
                let read = SentRead { file, offset, length: bytes.len() };
                if bytes.len() <= MOST_JOINED_BYTES {
                    return vec![self.parcel(replies::data(id, &bytes), Some(read))];
                }
                let head = replies::data_head(id, bytes.len());
                return vec![self.parcel(head, None), self.parcel(bytes, Some(read))];
            }
            Done::Names { listing } => {
                let mut listing = listing.lock().unwrap_or_else(PoisonError::into_inner);
                let Listing { cursor, rest } = &mut *listing;
                replies::names(id, rest, |entry| cursor.long_name(entry))
            }
            Done::Path(path) => replies::path(id, &path),
            Done::Attributes(shown) => replies::attributes(id, &shown),
            Done::Ok => replies::done(id),
            Done::Eof => replies::status(id, replies::EOF, "End of file"),
            Done::Limits => replies::limits(id, self.limits.max_handles),
            Done::IdNames { users, groups } => replies::id_names(id, &users, &groups),
            Done::Volume(shown) => replies::volume(id, &shown),
            Done::Digests(checked) => replies::digests(id, &checked),
            Done::Refused(error) => replies::refused(id, &error),
        };
        vec![self.parcel(packet, None)]
    }

    fn parcel(&self, bytes: Bytes, read: Option<SentRead>) -> Bytes {
        self.flow.outstanding_bytes.fetch_add(bytes.len(), Ordering::AcqRel);
        Bytes::from_owner(Parcel { bytes, flow: Arc::clone(&self.flow), read })
    }

    fn send(&mut self, answer: Vec<Bytes>) {
        self.outgoing_bytes += answer.iter().map(Bytes::len).sum::<usize>();
        self.outgoing.extend(answer);
    }

    /// The next bytes to send; they count as sent when they are dropped.
    pub fn take_outgoing(&mut self) -> Option<Bytes> {
        let bytes = self.outgoing.pop_front()?;
        self.outgoing_bytes -= bytes.len();
        Some(bytes)
    }

    /// Whether all that was taken to be sent has reached the transport: what is sent now cannot overtake it.
    pub fn has_nothing_under_way(&self) -> bool {
        self.flow.outstanding_bytes() == self.outgoing_bytes
    }

    /// Whether answers are to be sent.
    pub fn has_outgoing(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Whether requests wait that nothing but room for their answers may keep from running.
    pub fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether nothing waits, runs or is to be sent.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.running == 0 && self.outgoing.is_empty() && self.flow.outstanding_bytes() == 0
    }

    /// Whether any handle is open.
    pub fn has_open_handles(&self) -> bool {
        self.handles.count() > 0
    }

    /// Ends the conversation: nothing more is answered, and the files still open are
    /// returned for [`OpenedFile::abandon`].
    pub fn end(&mut self) -> Vec<Arc<dyn OpenedFile>> {
        self.check.ended.store(true, Ordering::Release);
        self.waiting.clear();
        self.early.clear();
        self.outgoing.clear();
        self.outgoing_bytes = 0;
        let files = self.handles.drain().into_iter();
        files
            .filter_map(|opened| match opened {
                Opened::File { file, .. } => Some(file),
                Opened::Folder(_) => None,
            })
            .collect()
    }
}

/// The most that the answer to a request can take.
fn answer_bytes(request: &Request) -> usize {
    // the path twice, one slash longer than it was written, and what stands around it
    const PATH_BYTES: usize = 2 * (MAX_PATH_BYTES + 1) + 64;
    const SMALL_BYTES: usize = 512;
    match request {
        Request::Read { length, .. } => (*length as usize).min(MAX_DATA_BYTES),
        Request::Readdir { .. } => replies::NAMES_BUDGET_BYTES,
        Request::Realpath { .. } | Request::Readlink { .. } => PATH_BYTES,
        Request::Extended { name, body } => match &name[..] {
            b"expand-path@openssh.com" | b"home-directory" => PATH_BYTES,
            b"users-groups-by-id@openssh.com" => MAX_PACKET_BYTES,
            // a block size of 0 asks for one digest
            b"check-file" | b"check-file-handle" | b"check-file-name" if !body.ends_with(&[0; 4]) => MAX_PACKET_BYTES,
            _ => SMALL_BYTES,
        },
        _ => SMALL_BYTES,
    }
}

fn lane(request: &Request) -> Lane {
    let on = |handle: &Bytes, make: fn(u64) -> Lane| handles::number(handle).map_or(Lane::Free, make);
    match request {
        Request::Read { handle, .. } | Request::Fstat { handle } => on(handle, Lane::Shared),
        Request::Extended { name, body } if matches!(&name[..], b"check-file" | b"check-file-handle") => {
            // beside reads: what is hashed may be long
            Fields(body.clone()).string().map_or(Lane::Free, |handle| on(&handle, Lane::Shared))
        }
        Request::Write { handle, .. }
        | Request::Fsetstat { handle, .. }
        | Request::Readdir { handle }
        | Request::Close { handle } => on(handle, Lane::Exclusive),
        Request::Open { .. }
        | Request::Setstat { .. }
        | Request::Remove { .. }
        | Request::Mkdir { .. }
        | Request::Rmdir { .. }
        | Request::Rename { .. }
        | Request::Symlink { .. }
        | Request::Extended { .. } => Lane::Barrier,
        Request::Lstat { .. }
        | Request::Stat { .. }
        | Request::Opendir { .. }
        | Request::Realpath { .. }
        | Request::Readlink { .. }
        | Request::Unknown { .. }
        | Request::Malformed => Lane::Free,
    }
}
