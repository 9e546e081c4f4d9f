//! The payload of an age file: a 16-byte nonce, then STREAM over chunks of
//! 64 KiB, each sealed with ChaCha20-Poly1305. Whoever reads or writes the
//! bytes is not known here.

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};

use super::SealingError;
use super::derive::derive;

/// Plaintext bytes of a full chunk.
pub const CHUNK_BYTES: usize = 64 * 1024;

/// Bytes that a chunk grows by.
pub const TAG_BYTES: usize = 16;

/// Bytes of a full sealed chunk.
pub const SEALED_CHUNK_BYTES: usize = CHUNK_BYTES + TAG_BYTES;

/// Bytes of the nonce before the first chunk.
pub const NONCE_BYTES: usize = 16;

/// Where a payload of a known size has its chunks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layout {
    plain_bytes: u64,
}

impl Layout {
    /// The layout of a plaintext of this size.
    #[must_use]
    pub const fn of_plain(plain_bytes: u64) -> Self {
        Self { plain_bytes }
    }

    /// The layout of a sealed payload of this size, nonce included.
    ///
    /// # Errors
    /// `NotAuthentic` for a size that no payload has.
    pub const fn of_sealed(sealed_bytes: u64) -> Result<Self, SealingError> {
        let Some(chunks) = sealed_bytes.checked_sub(NONCE_BYTES as u64) else {
            return Err(SealingError::NotAuthentic);
        };
        let full = chunks / SEALED_CHUNK_BYTES as u64;
        let rest = chunks % SEALED_CHUNK_BYTES as u64;
        let is_empty_file = full == 0 && rest == TAG_BYTES as u64;
        // Only an empty file has an empty last chunk.
        if (rest == 0 && full > 0) || rest > TAG_BYTES as u64 || is_empty_file {
            let last = rest.saturating_sub(TAG_BYTES as u64);
            return Ok(Self { plain_bytes: full * CHUNK_BYTES as u64 + last });
        }
        Err(SealingError::NotAuthentic)
    }

    /// Size of the plaintext.
    #[must_use]
    pub const fn plain_bytes(self) -> u64 {
        self.plain_bytes
    }

    /// How many chunks there are; an empty file has one.
    #[must_use]
    pub const fn chunks(self) -> u64 {
        if self.plain_bytes == 0 { 1 } else { self.plain_bytes.div_ceil(CHUNK_BYTES as u64) }
    }

    /// Size of the sealed payload, nonce included.
    #[must_use]
    pub const fn sealed_bytes(self) -> u64 {
        NONCE_BYTES as u64 + self.plain_bytes + self.chunks() * TAG_BYTES as u64
    }

    /// Offset of a chunk in the sealed payload, and its sealed size.
    #[must_use]
    pub fn place_of(self, chunk: u64) -> (u64, usize) {
        let offset = NONCE_BYTES as u64 + chunk * SEALED_CHUNK_BYTES as u64;
        let left = self.sealed_bytes().saturating_sub(offset);
        (offset, usize::try_from(left).unwrap_or(usize::MAX).min(SEALED_CHUNK_BYTES))
    }

    /// Whether a chunk is the last one.
    #[must_use]
    pub const fn is_last(self, chunk: u64) -> bool {
        chunk + 1 == self.chunks()
    }
}

/// The key of one payload: seals and opens its chunks.
pub struct PayloadKey {
    key: LessSafeKey,
}

impl PayloadKey {
    /// Derives the payload key from the file key and the payload's nonce.
    ///
    /// # Errors
    /// `Library` when the derivation fails.
    pub fn new(file_key: &[u8; 16], nonce: &[u8; NONCE_BYTES]) -> Result<Self, SealingError> {
        let key = derive(file_key, nonce, &[b"payload"])?;
        let key = UnboundKey::new(&CHACHA20_POLY1305, key.as_slice()).map_err(|_| SealingError::Library)?;
        Ok(Self { key: LessSafeKey::new(key) })
    }

    /// Seals a chunk in place; `buffer` grows by the tag. Each number is sealed once per key.
    ///
    /// # Errors
    /// `Library` when sealing fails.
    pub fn seal_chunk(&self, number: u64, is_last: bool, buffer: &mut Vec<u8>) -> Result<(), SealingError> {
        self.key
            .seal_in_place_append_tag(chunk_nonce(number, is_last), Aad::empty(), buffer)
            .map_err(|_| SealingError::Library)
    }

    /// Opens a chunk in place; the plaintext is the beginning of `buffer`.
    ///
    /// # Errors
    /// `NotAuthentic` when number, position, key or bytes do not fit; `buffer` then holds nothing useful.
    pub fn open_chunk<'a>(
        &self,
        number: u64,
        is_last: bool,
        buffer: &'a mut [u8],
    ) -> Result<&'a mut [u8], SealingError> {
        self.key
            .open_in_place(chunk_nonce(number, is_last), Aad::empty(), buffer)
            .map_err(|_| SealingError::NotAuthentic)
    }

    /// Opens a chunk into `plain`, which has exactly its plaintext size.
    ///
    /// # Errors
    /// As `open_chunk`; `plain` then holds nothing useful.
    pub fn open_chunk_into(
        &self,
        number: u64,
        is_last: bool,
        sealed: &[u8],
        plain: &mut [u8],
    ) -> Result<(), SealingError> {
        let (text, tag) = sealed.split_at_checked(plain.len()).ok_or(SealingError::NotAuthentic)?;
        if tag.len() != TAG_BYTES {
            return Err(SealingError::NotAuthentic);
        }
        self.key
            .open_separate_gather(chunk_nonce(number, is_last), Aad::empty(), text, tag, plain)
            .map_err(|_| SealingError::NotAuthentic)
    }
}

/// 11 bytes of big-endian counter, then 1 for the last chunk.
fn chunk_nonce(number: u64, is_last: bool) -> Nonce {
    let mut nonce = [0; 12];
    for (to, from) in nonce.iter_mut().skip(3).zip(number.to_be_bytes()) {
        *to = from;
    }
    if let Some(flag) = nonce.last_mut() {
        *flag = u8::from(is_last);
    }
    Nonce::assume_unique_for_key(nonce)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_read_back() {
        for plain in [0, 1, 65_535, 65_536, 65_537, 131_071, 131_072, 131_073, 5 << 30] {
            let layout = Layout::of_plain(plain);
            assert_eq!(Layout::of_sealed(layout.sealed_bytes()), Ok(layout), "{plain}");
        }
        for sealed in [0, 15, 16, 31, 32 + 65_552 - 16 + 16, 16 + 65_552 + 1, 16 + 65_552 + 16] {
            let outcome = Layout::of_sealed(sealed);
            assert!(outcome.is_err() || outcome.map(|l| l.sealed_bytes()) == Ok(sealed), "{sealed}");
        }
        assert_eq!(Layout::of_sealed(16 + 65_552 + 16), Err(SealingError::NotAuthentic));
        assert_eq!(Layout::of_sealed(31), Err(SealingError::NotAuthentic));
    }

    #[test]
    fn a_chunk_opens_only_at_its_place() {
        let key = PayloadKey::new(&[7; 16], &[9; 16]).unwrap();
        let mut sealed = b"some text".to_vec();
        key.seal_chunk(3, false, &mut sealed).unwrap();
        for (number, is_last) in [(2, false), (3, true), (4, false)] {
            assert!(key.open_chunk(number, is_last, &mut sealed.clone()).is_err());
        }
        let mut plain = [0; 9];
        key.open_chunk_into(3, false, &sealed, &mut plain).unwrap();
        assert_eq!(&plain, b"some text");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            if let Some(byte) = changed.get_mut(at) {
                *byte ^= 1;
            }
            assert!(key.open_chunk(3, false, &mut changed).is_err(), "byte {at}");
        }
    }
}
