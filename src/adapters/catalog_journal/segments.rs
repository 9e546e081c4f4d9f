//! Reading the journal: its segments in order, frames with their CRC, records
//! with their chain. Tells a torn last frame from damage. Changes nothing.
#![expect(clippy::disallowed_methods, reason = "this adapter is the disk")]

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::bodies::Opener;
use super::layout::{
    BODY_HEAD_BYTES, Chain, Entry, FRAME_HEADER_BYTES, FRAME_MAGIC, FrameHead, RECORD_HEAD_BYTES, SEGMENT_HEADER_BYTES,
    body_bytes, body_in, records_of, sequence_in,
};
use crate::domain::history::Event;
use crate::ports::failure::Fault;

/// A place in the journal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Place {
    /// First sequence of the segment, its name.
    pub(super) segment: u64,
    /// Byte in it.
    pub(super) offset: u64,
}

/// How reading a segment ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// At the end of the file.
    Whole,
    /// In a last frame that was not written to its end.
    Torn,
}

/// Takes a record, the place of its event body, and where the chain stands after it.
pub(super) type Chained<'a> = dyn FnMut(Entry, Place, &Chain) -> Result<(), Fault> + 'a;

/// The path of a segment.
pub(super) fn segment_path(folder: &Path, segment: u64) -> PathBuf {
    folder.join(format!("{segment:020}.seg"))
}

/// The first sequences of the segments in a folder, in order.
pub(super) fn segments_in(folder: &Path) -> Result<Vec<u64>, Fault> {
    let doing = || format!("list the journal {}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| Fault::from_error(doing(), error))? {
        let name = entry.map_err(|error| Fault::from_error(doing(), error))?.file_name();
        if let Some(number) = name.to_str().and_then(|name| name.strip_suffix(".seg")) {
            let number = number.parse().map_err(|error| Fault::from_error(doing(), error))?;
            found.push(number);
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// One open segment.
pub(super) struct Segment {
    number: u64,
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl Segment {
    /// Opens a segment for reading.
    pub(super) fn open(folder: &Path, number: u64) -> Result<Self, Fault> {
        let path = segment_path(folder, number);
        let doing = || format!("open the journal segment {}", path.display());
        let file = File::open(&path).map_err(|error| Fault::from_error(doing(), error))?;
        Self::from_file(&path, number, file)
    }

    /// A segment in a file that is open; `path` is what faults name.
    pub(super) fn from_file(path: &Path, number: u64, file: File) -> Result<Self, Fault> {
        let metadata = file.metadata();
        let bytes = metadata.map_err(|error| Fault::from_error(format!("look at {}", path.display()), error))?.len();
        Ok(Self { number, path: path.to_owned(), file, bytes })
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Its size now.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Where its header says that it goes on; `None` when the header is damaged.
    pub(super) fn header(&self) -> Result<Option<Chain>, Fault> {
        let bytes = self.read(0, self.bytes.min(SEGMENT_HEADER_BYTES as u64))?;
        Ok(Chain::from_segment_header(&bytes).filter(|chain| chain.next_sequence == self.number))
    }

    /// Reads all frames. `chain` moves on, `found` gets each record with the place of its event body.
    /// Returns where the good frames end. A torn end is a fault unless `may_be_torn`.
    pub(super) fn scan(
        &self,
        chain: &mut Chain,
        may_be_torn: bool,
        found: &mut dyn FnMut(Entry, Place) -> Result<(), Fault>,
    ) -> Result<(u64, End), Fault> {
        self.scan_chained(chain, may_be_torn, &mut |entry, place, _| found(entry, place))
    }

    /// As `scan`; `found` also gets where the chain stands after the record.
    pub(super) fn scan_chained(
        &self,
        chain: &mut Chain,
        may_be_torn: bool,
        found: &mut Chained<'_>,
    ) -> Result<(u64, End), Fault> {
        let mut offset = SEGMENT_HEADER_BYTES as u64;
        while offset < self.bytes {
            let head = self.read(offset, (self.bytes - offset).min(FRAME_HEADER_BYTES as u64))?;
            let body_at = offset + FRAME_HEADER_BYTES as u64;
            let Some(head) = FrameHead::decode(&head) else {
                return self.judge(offset, offset + 1, may_be_torn, "no frame header");
            };
            let end = body_at + head.body_bytes as u64;
            if end > self.bytes {
                return self.judge(offset, body_at, may_be_torn, "the frame is cut off");
            }
            let body = self.read(body_at, head.body_bytes as u64)?;
            if crc32fast::hash(&body) != head.body_crc {
                // Bytes after it were written when this frame was durable: then it is damaged, not torn.
                let may_be_torn = may_be_torn && end == self.bytes;
                return self.judge(offset, body_at, may_be_torn, "the CRC of the frame does not fit");
            }
            self.take_records(offset, &head, &body, chain, found)?;
            offset = end;
        }
        Ok((offset, End::Whole))
    }

    fn take_records(
        &self,
        offset: u64,
        head: &FrameHead,
        body: &[u8],
        chain: &mut Chain,
        found: &mut Chained<'_>,
    ) -> Result<(), Fault> {
        let records = records_of(body)
            .filter(|records| records.len() as u64 == u64::from(head.records))
            .ok_or_else(|| self.damage(offset, "its records do not fill the frame"))?;
        for (at, bytes) in records {
            let offset = offset + FRAME_HEADER_BYTES as u64 + at;
            let (entry, previous) = Entry::decode(bytes).map_err(|why| self.damage(offset, &why))?;
            let continues = entry.sequence == chain.next_sequence
                && entry.first_event == chain.first_event(&entry.body)
                && previous == chain.hash;
            if !continues {
                return Err(self.damage(offset, "the record does not continue the one before"));
            }
            chain.advance(&entry, bytes);
            found(entry, Place { segment: self.number, offset: offset + RECORD_HEAD_BYTES }, chain)?;
        }
        Ok(())
    }

    /// A bad frame is torn only when it may be and no good frame follows it.
    fn judge(&self, offset: u64, search_from: u64, may_be_torn: bool, why: &str) -> Result<(u64, End), Fault> {
        if may_be_torn && !self.has_frame_after(search_from)? {
            return Ok((offset, End::Torn));
        }
        Err(self.damage(offset, why))
    }

    fn has_frame_after(&self, from: u64) -> Result<bool, Fault> {
        let rest = self.read(from.min(self.bytes), self.bytes.saturating_sub(from))?;
        Ok(rest.windows(FRAME_MAGIC.len()).enumerate().filter(|(_, bytes)| *bytes == FRAME_MAGIC).any(|(at, _)| {
            let frame = rest.get(at..).unwrap_or_default();
            FrameHead::decode(frame).is_some_and(|head| {
                let body = frame.get(FRAME_HEADER_BYTES..).and_then(|rest| rest.get(..head.body_bytes));
                body.is_some_and(|body| crc32fast::hash(body) == head.body_crc)
            })
        }))
    }

    /// The events whose body lies at `offset`, opened by `opener`.
    pub(super) fn events_at(&self, offset: u64, opener: &Opener<'_>) -> Result<Vec<Event>, Fault> {
        let record_at = offset.saturating_sub(RECORD_HEAD_BYTES);
        let head = self.read(record_at, RECORD_HEAD_BYTES + BODY_HEAD_BYTES as u64)?;
        let body_head = usize::try_from(RECORD_HEAD_BYTES).ok().and_then(|from| head.get(from..));
        let length = body_head.and_then(body_bytes);
        let (Some(length), Some(sequence)) = (length, sequence_in(&head)) else {
            return Err(self.damage(offset, "no event body"));
        };
        let length = length as u64;
        if offset.saturating_add(length) > self.bytes {
            return Err(self.damage(offset, "the event body is cut off"));
        }
        let body = self.read(offset, length)?;
        let (form, body) = body_in(&body).map_err(|why| self.damage(offset, &why))?;
        opener.events(form, body, sequence).map_err(|fault| {
            Fault::from_error(format!("read the events at byte {offset} of {}", self.path.display()), fault)
        })
    }

    /// The bytes from `offset` on, at most to the end of the file as it was opened.
    pub(super) fn read(&self, offset: u64, count: u64) -> Result<Vec<u8>, Fault> {
        let doing = || format!("read the journal segment {} at byte {offset}", self.path.display());
        let count = usize::try_from(count).map_err(|error| Fault::from_error(doing(), error))?;
        let mut bytes = vec![0; count];
        self.file.read_exact_at(&mut bytes, offset).map_err(|error| Fault::from_error(doing(), error))?;
        Ok(bytes)
    }

    /// The alarm: names segment and byte.
    pub(super) fn damage(&self, offset: u64, why: &str) -> Fault {
        Fault::new(format!(
            "ALARM: the journal segment {} is damaged at byte {offset}: {why}; restore it from a backup",
            self.path.display()
        ))
    }
}
