//! The port to sealed payloads: written once, read at random, removed as a
//! whole. Knows keys only as opaque arguments and nothing of who may read.

use std::io::Read;
use std::sync::Arc;

use super::failure::{Failure, Fault};
use super::keyring::FileKey;
use crate::domain::delivery::Payload;
use crate::domain::digest::Digest;
use crate::domain::ids::PayloadId;
use crate::domain::moment::Span;

/// What was stored: sizes in bytes and digests of what went in and what lies on disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredPayload {
    /// Plaintext size.
    pub size_bytes: u64,
    /// SHA-256 of the plaintext.
    pub sha256: Digest,
    /// Size of the sealed payload (nonce and STREAM chunks), without any header.
    pub sealed_bytes: u64,
    /// SHA-256 of the sealed payload.
    pub sealed_sha256: Digest,
    /// SHA-256 of `prefix || sealed payload`, when a prefix was given.
    pub whole_sha256: Option<Digest>,
    /// CRC-32 of what is fetched of it: the plaintext, or `prefix || sealed payload`. Not of uploads.
    pub crc32: Option<u32>,
}

/// Where payloads lie. Every method is synchronous and safe to call from several threads.
pub trait Vault: Send + Sync {
    /// Seals everything that `source` yields under `key` (age STREAM, a fresh nonce) into the new payload `id`.
    /// On return it is whole and durable: temporary file, fsync, rename, fsync of the folder.
    /// On failure nothing is left under `id`.
    /// `prefix` is hashed (not stored) before the sealed bytes: the header of an end-to-end delivery.
    ///
    /// A full disk is `Refusal::NoSpace`; a read error of `source` is a fault that names it.
    fn store(
        &self,
        id: PayloadId,
        key: &FileKey,
        prefix: Option<&[u8]>,
        source: &mut dyn Read,
    ) -> Result<StoredPayload, Failure>;

    /// Puts a payload that is lost or damaged back: the sealed bytes that `copy` yields, if they have size and
    /// SHA-256 on record. Durable on return. On failure what lies there stays.
    fn put_back(&self, payload: &Payload, copy: &mut dyn Read) -> Result<(), Failure>;

    /// Opens a payload for random access to its plaintext.
    fn open(&self, id: PayloadId, key: &FileKey) -> Result<Arc<dyn PayloadReader>, Failure>;

    /// Opens a payload for random access to `header || sealed payload`, as an end-to-end recipient gets it.
    fn open_sealed(&self, id: PayloadId, header: Vec<u8>) -> Result<Arc<dyn PayloadReader>, Failure>;

    /// Whether the payload is there, and its sealed size.
    fn find(&self, id: PayloadId) -> Result<Option<u64>, Fault>;

    /// Unlinks a payload and fsyncs its folder. One that is not there is fine: idempotent.
    fn remove(&self, id: PayloadId) -> Result<(), Fault>;

    /// All payloads now in the vault.
    fn inventory(&self) -> Result<Vec<PayloadId>, Fault>;

    /// Deletes temporaries that a crash left. Returns how many.
    fn sweep_temporaries(&self) -> Result<usize, Fault>;

    /// Moves a payload that no row names out of the way (`.orphaned/`).
    fn set_aside(&self, id: PayloadId) -> Result<(), Fault>;

    /// Deletes what was set aside longer than `kept` ago. Returns how many.
    /// Asked only while the clock is trusted and nothing was repaired (I10).
    fn purge_set_aside(&self, kept: Span) -> Result<usize, Fault>;
}

/// Random access to the bytes of one file. Reads are safe from several threads at once.
pub trait PayloadReader: Send + Sync {
    /// Size in bytes of what can be read.
    fn size_bytes(&self) -> u64;

    /// Fills `into` from `offset`: never short before the end of the file. Returns the bytes read;
    /// 0 at or after the end. A chunk that fails its authentication is a fault and yields nothing.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<usize, Fault>;

    /// As `read_at`, of at most `length` bytes into memory of its own; implementations save the zeroing.
    fn read_vec(&self, offset: u64, length: usize) -> Result<Vec<u8>, Fault> {
        let left = usize::try_from(self.size_bytes().saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; length.min(left)];
        let count = self.read_at(offset, &mut bytes)?;
        bytes.truncate(count);
        Ok(bytes)
    }

    /// Exactly `length` bytes from `offset` out of what was opened before, if it is still at hand: without the
    /// disk, and without waiting.
    fn read_kept(&self, _offset: u64, _length: usize) -> Option<Vec<u8>> {
        None
    }
}
