//! Extents that are closed: read at random, opened chunk by chunk. What a crash left is cut
//! here to what opens.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;

use super::growing::Ground;
use super::names::Name;
use crate::ports::failure::{Failure, Fault};
use crate::sealing::stream::{CHUNK_BYTES, NONCE_BYTES, PayloadKey, SEALED_CHUNK_BYTES, TAG_BYTES};

/// Largest sealed header that is read: those of organisations have some hundreds of bytes.
const MAX_HEADER_BYTES: u64 = 64 * 1024;

/// An extent that never grows again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Closed {
    pub(super) number: u64,
    pub(super) start: u64,
    /// Plaintext bytes.
    pub(super) length: u64,
    /// Whether its last chunk is sealed as the last; else all chunks are full.
    pub(super) is_whole: bool,
}

impl Closed {
    pub(super) const fn name(self) -> Name {
        let Self { number, start, length, is_whole } = self;
        if is_whole { Name::Whole { number, start, length } } else { Name::Cut { number, start, length } }
    }

    /// The closed extent of this name.
    pub(super) const fn of_name(name: Name) -> Option<Self> {
        match name {
            Name::Whole { number, start, length } => Some(Self { number, start, length, is_whole: true }),
            Name::Cut { number, start, length } => Some(Self { number, start, length, is_whole: false }),
            Name::Growing { .. } | Name::Header { .. } | Name::Truncate { .. } => None,
        }
    }
}

/// A closed extent with its key at hand.
pub(super) struct SealedExtent {
    pub(super) closed: Closed,
    file: File,
    key: PayloadKey,
    kept: Option<(u64, Vec<u8>)>,
}

impl SealedExtent {
    /// Opens its header and its file. A key that is gone is `Refusal::Gone`.
    pub(super) fn open(ground: &Ground, closed: Closed) -> Result<Self, Failure> {
        let file = File::open(ground.path_of(closed.name())).map_err(|error| ground.fault("open an extent", error))?;
        let key = key_of(ground, closed.number, closed.start, &file)?;
        Ok(Self { closed, file, key, kept: None })
    }

    /// Appends what lies at `offset` to `into`: at most `length` bytes, and not beyond the chunk.
    pub(super) fn read(
        &mut self,
        ground: &Ground,
        offset: u64,
        length: usize,
        into: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        let (chunk, at) = place_in_chunks(offset.saturating_sub(self.closed.start));
        if self.kept.as_ref().is_none_or(|(kept, _)| *kept != chunk) {
            let left = self.closed.length.saturating_sub(chunk * CHUNK_BYTES as u64);
            let plain_bytes = usize::try_from(left).unwrap_or(usize::MAX).min(CHUNK_BYTES);
            let is_last = self.closed.is_whole && left <= CHUNK_BYTES as u64;
            let plain = open_chunk(&self.file, &self.key, chunk, plain_bytes, is_last);
            self.kept = Some((chunk, plain.map_err(|error| ground.fault("read an extent", error))?));
        }
        if let Some((_, plain)) = &self.kept {
            into.extend_from_slice(plain.get(at..).map_or(&[], |rest| rest.get(..length).unwrap_or(rest)));
        }
        Ok(())
    }
}

/// The sealed header of an extent.
pub(super) fn header_of(ground: &Ground, number: u64, start: u64) -> Result<Vec<u8>, Fault> {
    let path = ground.path_of(Name::Header { number, start });
    let failed = |error| ground.fault("read a header", error);
    if fs::metadata(&path).map_err(failed)?.len() > MAX_HEADER_BYTES {
        return Err(ground.fault("read a header", "it is larger than any header"));
    }
    fs::read(&path).map_err(failed)
}

fn key_of(ground: &Ground, number: u64, start: u64, file: &File) -> Result<PayloadKey, Failure> {
    let file_key = ground.keys.open(&header_of(ground, number, start)?)?;
    let mut nonce = [0; NONCE_BYTES];
    file.read_exact_at(&mut nonce, 0).map_err(|error| ground.fault("read an extent", error))?;
    Ok(PayloadKey::new(file_key.expose(), &nonce).map_err(|error| ground.fault("open an extent", error))?)
}

/// Closes an extent that a crash left, at the first chunk that does not open; `None` when not one does.
/// Every chunk is opened once: after a power cut, the size of a file says nothing of what is in it.
pub(super) fn recover(ground: &Ground, number: u64, start: u64) -> Result<Option<Closed>, Failure> {
    let name = Name::Growing { number, start };
    let opened = OpenOptions::new().read(true).write(true).open(ground.path_of(name));
    let file = opened.map_err(|error| ground.fault("open an extent", error))?;
    let bytes = file.metadata().map_err(|error| ground.fault("look at an extent", error))?.len();
    let mut closed = Closed { number, start, length: 0, is_whole: false };
    if bytes > NONCE_BYTES as u64 {
        let key = key_of(ground, number, start, &file)?;
        while !closed.is_whole {
            let (chunk, _) = place_in_chunks(closed.length);
            let left = bytes.saturating_sub(NONCE_BYTES as u64 + chunk * SEALED_CHUNK_BYTES as u64);
            let plain_bytes =
                usize::try_from(left).unwrap_or(usize::MAX).min(SEALED_CHUNK_BYTES).saturating_sub(TAG_BYTES);
            if plain_bytes == 0 {
                break;
            }
            let opens = |is_last| match open_chunk(&file, &key, chunk, plain_bytes, is_last) {
                Ok(_) => Ok(true),
                Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(false),
                // A disk that does not read says nothing of what arrived.
                Err(error) => Err(ground.fault("read an extent", error)),
            };
            if plain_bytes < CHUNK_BYTES || !opens(false)? {
                if !opens(true)? {
                    break;
                }
                closed.is_whole = true;
            }
            closed.length += plain_bytes as u64;
        }
    }
    if closed.length == 0 {
        ground.discard(name);
        ground.discard(Name::Header { number, start });
        return Ok(None);
    }
    let chunks = closed.length.div_ceil(CHUNK_BYTES as u64);
    let sealed_bytes = NONCE_BYTES as u64 + closed.length + chunks * TAG_BYTES as u64;
    let failed = |error| ground.failure("cut an extent", error);
    file.set_len(sealed_bytes).and_then(|()| file.sync_all()).map_err(failed)?;
    fs::rename(ground.path_of(name), ground.path_of(closed.name())).map_err(failed)?;
    Ok(Some(closed))
}

/// How much of an extent that a crash left is there by its size: full chunks.
pub(super) fn full_chunks_of(sealed_bytes: u64) -> u64 {
    sealed_bytes.saturating_sub(NONCE_BYTES as u64) / SEALED_CHUNK_BYTES as u64 * CHUNK_BYTES as u64
}

/// Reads and opens one chunk. One that does not open is `InvalidData`.
pub(super) fn open_chunk(
    file: &File,
    key: &PayloadKey,
    chunk: u64,
    plain_bytes: usize,
    is_last: bool,
) -> io::Result<Vec<u8>> {
    let mut sealed = vec![0; plain_bytes + TAG_BYTES];
    file.read_exact_at(&mut sealed, NONCE_BYTES as u64 + chunk * SEALED_CHUNK_BYTES as u64)?;
    key.open_chunk(chunk, is_last, &mut sealed).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    sealed.truncate(plain_bytes);
    Ok(sealed)
}

/// The chunk in which an offset lies, and where in it.
pub(super) fn place_in_chunks(offset: u64) -> (u64, usize) {
    (offset / CHUNK_BYTES as u64, usize::try_from(offset % CHUNK_BYTES as u64).unwrap_or(0))
}
