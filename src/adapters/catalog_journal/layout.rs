//! The bytes of the journal: segment header, frame, record. Pure; does no I/O.
//!
//! All numbers are little-endian. Segment: header, then frames. Frame: magic,
//! body length, number of records, CRC-32 of the body, CRC-32 of these 16 bytes;
//! body: records, each behind its length. Record: see `Entry::encode`.

use sha2::{Digest as _, Sha256};

use super::bodies::Body;
use super::disk;
use crate::domain::history::RESTORE_GAP_EVENTS;
use crate::domain::moment::Moment;
use crate::domain::record::Change;
use crate::ports::failure::Fault;

/// First bytes of every segment; the last one is the version of the format.
const SEGMENT_MAGIC: [u8; 8] = *b"PKJRNL\0\x01";
/// First bytes of every snapshot; the last one is the version of the format.
const SNAPSHOT_MAGIC: [u8; 8] = *b"PKSNAP\0\x01";
/// First bytes of the end of a snapshot.
const SNAPSHOT_END_MAGIC: [u8; 8] = *b"PKSNAPED";
/// First bytes of every frame.
pub(super) const FRAME_MAGIC: [u8; 4] = *b"PKFR";
/// Magic 8, first sequence 8, first event 8, last moment 8, hash 32, CRC-32 4.
pub(super) const SEGMENT_HEADER_BYTES: usize = 68;
/// Magic 4, body length 4, records 4, CRC-32 of the body 4, CRC-32 of the header 4.
pub(super) const FRAME_HEADER_BYTES: usize = 20;
/// Version 1, sequence 8, moment 8, first event 8, events 4, hash 32: the event body follows.
pub(super) const RECORD_HEAD_BYTES: u64 = 61;
/// Form 1, CRC-32 4, length of the key id 2, length of the body 4.
pub(super) const BODY_HEAD_BYTES: usize = 11;

const RECORD_VERSION: u8 = 1;
/// The body is plain.
pub(super) const BODY_PLAIN: u8 = 0;
/// The body holds groups of events, each sealed under a key of its own; they name their keys themselves.
pub(super) const BODY_SEALED: u8 = 1;
const NO_MOMENT: u64 = u64::MAX;
const TAG_REMOVE: u8 = 0;
const TAG_PUT: u8 = 1;

/// Where the chain of records stands: what the next record has to continue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Chain {
    /// Sequence of the next record, from 1.
    pub(super) next_sequence: u64,
    /// Number of the next event, from 1.
    pub(super) next_event: u64,
    /// Moment of the last record.
    pub(super) last_moment: Option<Moment>,
    /// SHA-256 of the last record; zeros before the first.
    pub(super) hash: [u8; 32],
}

impl Chain {
    /// Before the first record.
    pub(super) const START: Self = Self { next_sequence: 1, next_event: 1, last_moment: None, hash: [0; 32] };

    /// The number that the first of these events gets. After a restore numbers skip ahead: those that were given
    /// out in the time that is lost must not mean anything else now.
    pub(super) const fn first_event(&self, body: &Body) -> u64 {
        if body.skips_ahead { self.next_event.saturating_add(RESTORE_GAP_EVENTS) } else { self.next_event }
    }

    /// After one more record.
    pub(super) fn advance(&mut self, entry: &Entry, record: &[u8]) {
        self.next_sequence = entry.sequence + 1;
        self.next_event = entry.first_event + entry.body.marks.len() as u64;
        self.last_moment = Some(entry.at);
        self.hash = Sha256::digest(record).into();
    }

    /// The header of a segment that goes on from here.
    pub(super) fn to_segment_header(&self) -> Vec<u8> {
        self.to_header(SEGMENT_MAGIC)
    }

    /// The header of a snapshot of this position.
    pub(super) fn to_snapshot_header(&self) -> Vec<u8> {
        self.to_header(SNAPSHOT_MAGIC)
    }

    /// Where the segment with this header goes on; `None` when the header is damaged or of another version.
    pub(super) fn from_segment_header(bytes: &[u8]) -> Option<Self> {
        Self::from_header(bytes, SEGMENT_MAGIC)
    }

    /// The position of the snapshot with this header; `None` when it is damaged or of another version.
    pub(super) fn from_snapshot_header(bytes: &[u8]) -> Option<Self> {
        Self::from_header(bytes, SNAPSHOT_MAGIC)
    }

    fn to_header(&self, magic: [u8; 8]) -> Vec<u8> {
        let mut bytes = magic.to_vec();
        bytes.extend(self.next_sequence.to_le_bytes());
        bytes.extend(self.next_event.to_le_bytes());
        bytes.extend(self.last_moment.map_or(NO_MOMENT, Moment::millis).to_le_bytes());
        bytes.extend(self.hash);
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        bytes
    }

    fn from_header(bytes: &[u8], magic: [u8; 8]) -> Option<Self> {
        let (content, crc) = bytes.split_last_chunk::<4>()?;
        if crc32fast::hash(content) != u32::from_le_bytes(*crc) {
            return None;
        }
        let mut cursor = Cursor(content);
        if cursor.array::<8>()? != magic {
            return None;
        }
        let next_sequence = cursor.u64()?;
        let next_event = cursor.u64()?;
        let last_moment = Some(cursor.u64()?).filter(|millis| *millis != NO_MOMENT).map(Moment::from_millis);
        Some(Self { next_sequence, next_event, last_moment, hash: cursor.array()? })
    }
}

/// The end of a snapshot: magic, number of pairs, SHA-256 of all bytes before it, CRC-32 of these.
pub(super) fn snapshot_end(count: u64, digest: &[u8; 32]) -> Vec<u8> {
    let mut bytes = SNAPSHOT_END_MAGIC.to_vec();
    bytes.extend(count.to_le_bytes());
    bytes.extend(digest);
    bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    bytes
}

/// Count and digest in the end of a snapshot; `None` when it is none.
pub(super) fn snapshot_end_says(bytes: &[u8]) -> Option<(u64, [u8; 32])> {
    let (content, crc) = bytes.split_last_chunk::<4>()?;
    let mut cursor = Cursor(content);
    let is_end = cursor.array::<8>()? == SNAPSHOT_END_MAGIC && crc32fast::hash(content) == u32::from_le_bytes(*crc);
    is_end.then_some((cursor.u64()?, cursor.array()?))
}

/// A key, and its value unless it is removed.
pub(super) type StoredChange = (Vec<u8>, Option<Vec<u8>>);

/// One record: a decision as it lies in the journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    /// Its sequence.
    pub(super) sequence: u64,
    /// When it was decided.
    pub(super) at: Moment,
    /// Number of its first event.
    pub(super) first_event: u64,
    /// Its events.
    pub(super) body: Body,
    /// Its changes, in order.
    pub(super) changes: Vec<StoredChange>,
}

/// Changes of a decision in their disk form.
pub(super) fn to_disk(changes: &[Change]) -> Result<Vec<StoredChange>, Fault> {
    changes
        .iter()
        .map(|change| match change {
            Change::Put(record) => Ok((record.key().as_bytes().to_vec(), Some(disk::encode(record)?))),
            Change::Remove(key) => Ok((key.as_bytes().to_vec(), None)),
        })
        .collect()
}

impl Entry {
    /// The record: version, sequence, moment, first event, number of events, hash of the record
    /// before, event body, changes. The event body is: form, CRC-32, key id (empty: form 1 names its
    /// keys within), bytes (the CRC is over all of it but itself), so that history reads need little else.
    pub(super) fn encode(&self, previous: &[u8; 32]) -> Result<Vec<u8>, Fault> {
        let (form, body) = (self.body.form, &self.body.bytes);
        let mut bytes = vec![RECORD_VERSION];
        bytes.extend(self.sequence.to_le_bytes());
        bytes.extend(self.at.millis().to_le_bytes());
        bytes.extend(self.first_event.to_le_bytes());
        bytes.extend(length(self.body.marks.len())?);
        bytes.extend(previous);
        bytes.push(form);
        let rest = [0_u16.to_le_bytes().as_slice(), &length(body.len())?, body].concat();
        bytes.extend(body_crc(form, &rest).to_le_bytes());
        bytes.extend(rest);
        bytes.extend(length(self.changes.len())?);
        for (key, value) in &self.changes {
            bytes.push(if value.is_some() { TAG_PUT } else { TAG_REMOVE });
            let key_bytes = u16::try_from(key.len())
                .map_err(|error| Fault::from_error("write the journal: a key is too long", error))?;
            bytes.extend(key_bytes.to_le_bytes());
            bytes.extend(key);
            if let Some(value) = value {
                bytes.extend(length(value.len())?);
                bytes.extend(value);
            }
        }
        Ok(bytes)
    }

    /// Reads a record, with the hash of the record before. `Err` says what is wrong.
    pub(super) fn decode(bytes: &[u8]) -> Result<(Self, [u8; 32]), String> {
        let short = || "it is too short".to_owned();
        let mut cursor = Cursor(bytes);
        let version = cursor.u8().ok_or_else(short)?;
        if version != RECORD_VERSION {
            return Err(format!("its version {version} is unknown"));
        }
        let sequence = cursor.u64().ok_or_else(short)?;
        let at = Moment::from_millis(cursor.u64().ok_or_else(short)?);
        let first_event = cursor.u64().ok_or_else(short)?;
        let event_count = cursor.u32().ok_or_else(short)?;
        let previous = cursor.array().ok_or_else(short)?;
        let body = cursor.take(body_bytes(cursor.0).ok_or_else(short)?).ok_or_else(short)?;
        let (form, body) = body_in(body)?;
        let body = Body::read(form, body)?;
        if body.marks.len() as u64 != u64::from(event_count) {
            return Err("it has another number of events than it says".to_owned());
        }
        let mut changes = Vec::new();
        for _ in 0..cursor.u32().ok_or_else(short)? {
            let tag = cursor.u8().ok_or_else(short)?;
            let key_bytes = cursor.u16().ok_or_else(short)?;
            let key = cursor.take(usize::from(key_bytes)).ok_or_else(short)?.to_vec();
            let value = match tag {
                TAG_REMOVE => None,
                TAG_PUT => Some(cursor.counted().ok_or_else(short)?.to_vec()),
                _ => return Err(format!("a change has the unknown tag {tag}")),
            };
            changes.push((key, value));
        }
        if !cursor.0.is_empty() {
            return Err("it is too long".to_owned());
        }
        Ok((Self { sequence, at, first_event, body, changes }, previous))
    }
}

/// How many bytes the event body has that begins with these (at least `BODY_HEAD_BYTES`).
pub(super) fn body_bytes(head: &[u8]) -> Option<usize> {
    let mut cursor = Cursor(head);
    cursor.take(5)?;
    let key_id = usize::from(cursor.u16()?);
    let body = usize::try_from(cursor.u32()?).ok()?;
    BODY_HEAD_BYTES.checked_add(key_id)?.checked_add(body)
}

/// The sequence in the head of a record (at least 9 bytes).
pub(super) fn sequence_in(head: &[u8]) -> Option<u64> {
    let mut cursor = Cursor(head);
    cursor.u8()?;
    cursor.u64()
}

/// The form of an event body that is complete with its head, and what it holds. `Err` says what is wrong.
pub(super) fn body_in(bytes: &[u8]) -> Result<(u8, &[u8]), String> {
    let short = || "its event body is too short".to_owned();
    let mut cursor = Cursor(bytes);
    let form = cursor.u8().ok_or_else(short)?;
    let crc = cursor.u32().ok_or_else(short)?;
    if body_crc(form, cursor.0) != crc {
        return Err("the CRC of its event body does not fit".to_owned());
    }
    let key_id = cursor.u16().ok_or_else(short)?;
    let body_length = cursor.u32().ok_or_else(short)?;
    cursor.take(usize::from(key_id)).ok_or_else(short)?;
    let body = cursor.take(usize::try_from(body_length).unwrap_or(usize::MAX)).ok_or_else(short)?;
    Ok((form, body))
}

fn body_crc(form: u8, rest: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&[form]);
    crc.update(rest);
    crc.finalize()
}

/// What a frame header says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct FrameHead {
    /// Bytes of the body.
    pub(super) body_bytes: usize,
    /// Records in it.
    pub(super) records: u32,
    /// CRC-32 of the body.
    pub(super) body_crc: u32,
}

impl FrameHead {
    /// Reads a header; `None` when it is damaged.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (content, crc) = bytes.get(..FRAME_HEADER_BYTES)?.split_last_chunk::<4>()?;
        let mut cursor = Cursor(content);
        if cursor.array::<4>()? != FRAME_MAGIC || crc32fast::hash(content) != u32::from_le_bytes(*crc) {
            return None;
        }
        let body_bytes = usize::try_from(cursor.u32()?).ok()?;
        Some(Self { body_bytes, records: cursor.u32()?, body_crc: cursor.u32()? })
    }
}

/// The frame of these records.
pub(super) fn frame(records: &[Vec<u8>]) -> Result<Vec<u8>, Fault> {
    let mut body = Vec::with_capacity(records.iter().map(|record| record.len() + 4).sum());
    for record in records {
        body.extend(length(record.len())?);
        body.extend(record);
    }
    let mut bytes = FRAME_MAGIC.to_vec();
    bytes.extend(length(body.len())?);
    bytes.extend(length(records.len())?);
    bytes.extend(crc32fast::hash(&body).to_le_bytes());
    bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    bytes.extend(body);
    Ok(bytes)
}

/// The records of a frame's body, each with its offset in the body; `None` when lengths do not fit.
pub(super) fn records_of(body: &[u8]) -> Option<Vec<(u64, &[u8])>> {
    let mut cursor = Cursor(body);
    let mut records = Vec::new();
    while !cursor.0.is_empty() {
        let offset = (body.len() - cursor.0.len()) as u64 + 4;
        records.push((offset, cursor.counted()?));
    }
    Some(records)
}

fn length(count: usize) -> Result<[u8; 4], Fault> {
    u32::try_from(count)
        .map(u32::to_le_bytes)
        .map_err(|error| Fault::from_error("write the journal: a part of a record is too long", error))
}

/// Takes values from the front of bytes.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(u8::from_le_bytes)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn counted(&mut self) -> Option<&'a [u8]> {
        let count = usize::try_from(self.u32()?).ok()?;
        self.take(count)
    }
}
