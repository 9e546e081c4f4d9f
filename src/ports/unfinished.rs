//! The port to files that are still being uploaded: written in any order, resumed after a
//! break, sealed at every moment. Knows keys only through its caller, and nothing of who writes.

use std::sync::Arc;

use super::failure::{Failure, Fault};
use super::keyring::FileKey;
use super::vault::StoredPayload;
use crate::domain::ids::{PayloadId, UploadId};

/// Where the keys of an upload's extents come from; the catalog's side decides under which shred key they lie.
/// May be called from any thread, while a write waits for it.
pub trait ExtentKeys: Send + Sync {
    /// A fresh file key, and the sealed header that opens to it again. Each is used for one extent.
    fn fresh(&self) -> Result<(FileKey, Vec<u8>), Failure>;

    /// The file key in a sealed header. `Refusal::Gone` once its shred key is destroyed.
    fn open(&self, sealed_header: &[u8]) -> Result<FileKey, Failure>;
}

/// Bounds of one upload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnfinishedLimits {
    /// Largest size in bytes.
    pub max_bytes: u64,
    /// Most extents.
    pub max_extents: usize,
    /// Bytes that came early and wait in memory for those before them.
    pub max_early_bytes: usize,
}

/// How a finished upload was stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finished {
    /// What lies in the vault under its new payload id.
    pub stored: StoredPayload,
    /// The sealed header of the extent that became the payload as it was; `None` when the extents were
    /// sealed anew under the key that `finish` was given.
    pub sealed_header: Option<Vec<u8>>,
}

/// Files that are being uploaded. Every method is synchronous and safe to call from several threads.
pub trait Unfinished: Send + Sync {
    /// Begins an upload; durable on return. A full disk is `Refusal::NoSpace`.
    fn begin(
        &self,
        id: UploadId,
        keys: Arc<dyn ExtentKeys>,
        limits: UnfinishedLimits,
    ) -> Result<Arc<dyn UnfinishedFile>, Failure>;

    /// Opens an upload that was begun before, also by an earlier process: its size is what really arrived,
    /// without gaps. A chunk that was torn by a crash is cut off.
    fn resume(
        &self,
        id: UploadId,
        keys: Arc<dyn ExtentKeys>,
        limits: UnfinishedLimits,
    ) -> Result<Arc<dyn UnfinishedFile>, Failure>;

    /// Its size in bytes without opening it for writing; `None` when there is none.
    fn size_bytes(&self, id: UploadId) -> Result<Option<u64>, Fault>;

    /// Removes an upload with all its extents. One that is not there is fine: idempotent.
    fn remove(&self, id: UploadId) -> Result<(), Fault>;

    /// All uploads that lie here.
    fn inventory(&self) -> Result<Vec<UploadId>, Fault>;
}

/// One file that is being uploaded. At most one is open per upload.
pub trait UnfinishedFile: Send + Sync {
    /// Size in bytes as a reader sees it now: up to the highest byte written or set.
    fn size_bytes(&self) -> u64;

    /// Writes `data` at `offset`: sealed at once but for the last part of a chunk, in memory. Not yet synced.
    /// `Refusal::TooMuch` beyond the limits, `Refusal::NoSpace` on a full disk; then nothing of it is kept.
    fn write(&self, offset: u64, data: &[u8]) -> Result<(), Failure>;

    /// Makes the file so long: shorter by cutting, longer by zeros.
    fn set_size(&self, size_bytes: u64) -> Result<(), Failure>;

    /// Up to `length` bytes from `offset`, never short before the end of what is there without a gap.
    fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>, Failure>;

    /// Returns once all that was written is sealed and on the disk.
    fn sync(&self) -> Result<(), Failure>;

    /// The first range, start and end, that was never written although bytes behind it were.
    fn first_gap(&self) -> Option<(u64, u64)>;

    /// The connection is gone: what has no gap before it is sealed and kept, the rest is forgotten.
    fn abandon(&self);

    /// Makes of it the payload `payload` in the vault, whole and durable on return; refused while there is a gap.
    /// One extent from the first byte to the last becomes the payload as it is; else all are sealed anew under
    /// `key`. The extents stay until `Unfinished::remove`: called again after a crash, it does the same again.
    fn finish(&self, payload: PayloadId, key: &FileKey) -> Result<Finished, Failure>;
}
