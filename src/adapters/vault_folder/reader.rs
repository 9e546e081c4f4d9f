//! Random access to payloads: opened chunk by chunk, with the last chunks kept
//! for sequential readers of small pieces.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroizing;

use crate::domain::ids::PayloadId;
use crate::ports::failure::Fault;
use crate::ports::keyring::FileKey;
use crate::ports::vault::PayloadReader;
use crate::sealing::SealingError;
use crate::sealing::stream::{CHUNK_BYTES, Layout, NONCE_BYTES, PayloadKey, SEALED_CHUNK_BYTES};

/// Opened chunks that one reader keeps: clients read ahead by several requests in any order.
const CHUNKS_KEPT: usize = 4;

type Chunk = Arc<Zeroizing<Vec<u8>>>;

/// Reads the plaintext.
pub(super) struct PlainReader {
    id: PayloadId,
    file: File,
    layout: Layout,
    key: PayloadKey,
    kept: Mutex<Vec<(u64, Chunk)>>,
}

impl PlainReader {
    pub(super) fn new(
        id: PayloadId,
        file: File,
        layout: Layout,
        key: &FileKey,
        nonce: &[u8; NONCE_BYTES],
    ) -> Result<Self, SealingError> {
        let reader = Self { id, file, layout, key: PayloadKey::new(key.expose(), nonce)?, kept: Mutex::default() };
        Ok(reader)
    }

    fn fault(&self, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Fault {
        Fault::from_error(format!("read payload {}", self.id), error)
    }

    fn sealed_chunk<'a>(&self, number: u64, buffer: &'a mut [u8]) -> Result<&'a mut [u8], Fault> {
        let (offset, length) = self.layout.place_of(number);
        let sealed = buffer.get_mut(..length).ok_or_else(|| self.fault("a chunk is too long"))?;
        self.file.read_exact_at(sealed, offset).map_err(|error| self.fault(error))?;
        Ok(sealed)
    }

    /// A chunk from those kept, or opened and kept now.
    fn chunk(&self, number: u64, sealed: &mut [u8]) -> Result<Chunk, Fault> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, chunk)) = kept.iter().find(|(at, _)| *at == number) {
            return Ok(Arc::clone(chunk));
        }
        let sealed = self.sealed_chunk(number, sealed)?;
        let is_last = self.layout.is_last(number);
        let plain = self.key.open_chunk(number, is_last, sealed).map_err(|error| self.fault(error))?;
        let chunk: Chunk = Arc::new(Zeroizing::new(plain.to_vec()));
        if kept.len() >= CHUNKS_KEPT {
            kept.remove(0);
        }
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
        let mut sealed = vec![0; SEALED_CHUNK_BYTES];
        let mut done = 0;
        while done < wanted {
            let position = offset + done as u64;
            let number = position / CHUNK_BYTES as u64;
            let within = usize::try_from(position % CHUNK_BYTES as u64).unwrap_or(0);
            let rest = into.get_mut(done..wanted).unwrap_or_default();
            let (_, sealed_length) = self.layout.place_of(number);
            let plain_length = sealed_length.saturating_sub(SEALED_CHUNK_BYTES - CHUNK_BYTES);
            // A whole chunk goes straight to the caller: one copy less.
            if within == 0 && rest.len() >= plain_length {
                let text = self.sealed_chunk(number, &mut sealed)?;
                let to = rest.get_mut(..plain_length).unwrap_or_default();
                let is_last = self.layout.is_last(number);
                self.key.open_chunk_into(number, is_last, text, to).map_err(|error| self.fault(error))?;
                done += plain_length;
                continue;
            }
            let chunk = self.chunk(number, &mut sealed)?;
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
        // An empty file has one empty chunk: it proves that nothing was cut.
        if self.size_bytes() == 0 {
            self.chunk(0, &mut sealed)?;
        }
        Ok(wanted)
    }
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
