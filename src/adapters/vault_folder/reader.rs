//! Random access to payloads: opened chunk by chunk, with the last chunks kept
//! for sequential readers of small pieces.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::ids::PayloadId;
use crate::ports::failure::Fault;
use crate::ports::vault::PayloadReader;
use crate::sealing::stream::{CHUNK_BYTES, Layout, PayloadKey, TAG_BYTES};

/// Opened chunks that one reader keeps: clients read ahead by several requests in any order.
const CHUNKS_KEPT: usize = 4;

type Chunk = Arc<Vec<u8>>;

/// Reads the plaintext.
pub(super) struct PlainReader {
    id: PayloadId,
    file: File,
    layout: Layout,
    key: PayloadKey,
    kept: Mutex<Vec<(u64, Chunk)>>,
}

impl PlainReader {
    /// Opens the last chunk at once: only that proves the size (age.md, payload).
    pub(super) fn open(id: PayloadId, file: File, layout: Layout, key: PayloadKey) -> Result<Self, Fault> {
        let reader = Self { id, file, layout, key, kept: Mutex::default() };
        reader.chunk(layout.chunks().saturating_sub(1))?;
        Ok(reader)
    }

    fn fault(&self, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Fault {
        Fault::from_error(format!("read payload {}", self.id), error)
    }

    /// Reads a sealed chunk into `buffer`, which then has its size.
    fn read_sealed(&self, number: u64, buffer: &mut Vec<u8>) -> Result<(), Fault> {
        let (offset, length) = self.layout.place_of(number);
        buffer.resize(length, 0);
        self.file.read_exact_at(buffer, offset).map_err(|error| self.fault(error))
    }

    /// A chunk from those kept, or opened and kept now.
    fn chunk(&self, number: u64) -> Result<Chunk, Fault> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, chunk)) = kept.iter().find(|(at, _)| *at == number) {
            return Ok(Arc::clone(chunk));
        }
        let oldest = (kept.len() >= CHUNKS_KEPT).then(|| kept.remove(0));
        // The memory of the oldest serves again, unless someone still reads from it.
        let mut buffer = oldest.and_then(|(_, chunk)| Arc::into_inner(chunk)).unwrap_or_default();
        self.read_sealed(number, &mut buffer)?;
        let plain = self.key.open_chunk(number, self.layout.is_last(number), &mut buffer);
        let plain_length = plain.map_err(|error| self.fault(error))?.len();
        buffer.truncate(plain_length);
        let chunk = Arc::new(buffer);
        kept.push((number, Arc::clone(&chunk)));
        Ok(chunk)
    }
}

impl PayloadReader for PlainReader {
    fn size_bytes(&self) -> u64 {
        self.layout.plain_bytes()
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<usize, Fault> {
        let left = self.size_bytes().saturating_sub(offset);
        let wanted = into.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let mut sealed = Vec::new();
        let mut done = 0;
        while done < wanted {
            let position = offset + done as u64;
            let (number, within) = place_in_chunks(position);
            let rest = into.get_mut(done..wanted).unwrap_or_default();
            let (_, sealed_length) = self.layout.place_of(number);
            let plain_length = sealed_length.saturating_sub(TAG_BYTES);
            // A whole chunk goes straight to the caller: one copy less.
            if within == 0 && rest.len() >= plain_length {
                self.read_sealed(number, &mut sealed)?;
                let to = rest.get_mut(..plain_length).unwrap_or_default();
                let is_last = self.layout.is_last(number);
                self.key.open_chunk_into(number, is_last, &sealed, to).map_err(|error| self.fault(error))?;
                done += plain_length;
                continue;
            }
            let chunk = self.chunk(number)?;
            let from = chunk.get(within..).unwrap_or_default();
            let length = from.len().min(rest.len());
            if length == 0 {
                return Err(self.fault("a chunk is shorter than its place"));
            }
            if let (Some(to), Some(from)) = (rest.get_mut(..length), from.get(..length)) {
                to.copy_from_slice(from);
            }
            done += length;
        }
        Ok(wanted)
    }

    fn read_vec(&self, offset: u64, length: usize) -> Result<Vec<u8>, Fault> {
        let left = usize::try_from(self.size_bytes().saturating_sub(offset)).unwrap_or(usize::MAX);
        let (number, within) = place_in_chunks(offset);
        let length = length.min(left);
        if length == 0 || length == CHUNK_BYTES || within + length > CHUNK_BYTES {
            let mut bytes = vec![0; length];
            self.read_at(offset, &mut bytes)?;
            return Ok(bytes);
        }
        let chunk = self.chunk(number)?;
        let bytes = chunk.get(within..).and_then(|rest| rest.get(..length));
        Ok(bytes.ok_or_else(|| self.fault("a chunk is shorter than its place"))?.to_vec())
    }

    /// Within one chunk only: larger reads go straight to the caller.
    fn read_kept(&self, offset: u64, length: usize) -> Option<Vec<u8>> {
        let (number, within) = place_in_chunks(offset);
        let kept = self.kept.try_lock().ok()?;
        let (_, chunk) = kept.iter().find(|(at, _)| *at == number)?;
        chunk.get(within..)?.get(..length).map(<[u8]>::to_vec)
    }
}

/// The chunk in which an offset lies, and where in it.
fn place_in_chunks(offset: u64) -> (u64, usize) {
    (offset / CHUNK_BYTES as u64, usize::try_from(offset % CHUNK_BYTES as u64).unwrap_or(0))
}

/// Reads `header || payload`, as an end-to-end recipient gets it.
pub(super) struct SealedReader {
    id: PayloadId,
    file: File,
    payload_bytes: u64,
    header: Vec<u8>,
}

impl SealedReader {
    pub(super) const fn new(id: PayloadId, file: File, payload_bytes: u64, header: Vec<u8>) -> Self {
        Self { id, file, payload_bytes, header }
    }
}

impl PayloadReader for SealedReader {
    fn size_bytes(&self) -> u64 {
        self.payload_bytes.saturating_add(self.header.len() as u64)
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<usize, Fault> {
        let left = self.size_bytes().saturating_sub(offset);
        let wanted = into.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let into = into.get_mut(..wanted).unwrap_or_default();
        let from_header = self.header.get(usize::try_from(offset).unwrap_or(usize::MAX)..).unwrap_or_default();
        let in_header = from_header.len().min(wanted);
        let (first, rest) = into.split_at_mut_checked(in_header).unwrap_or_default();
        if let Some(from) = from_header.get(..in_header) {
            first.copy_from_slice(from);
        }
        let payload_offset = (offset + in_header as u64).saturating_sub(self.header.len() as u64);
        self.file
            .read_exact_at(rest, payload_offset)
            .map_err(|error: io::Error| Fault::from_error(format!("read payload {}", self.id), error))?;
        Ok(wanted)
    }
}
