//! The port to keys: organisation identities, file keys, header sealing and
//! the shred keys of expiry days. Knows nothing of the catalog or of rights.

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::failure::{Failure, Fault};
use crate::domain::ids::{DeliveryId, PayloadId};
use crate::domain::names::OrganisationCode;
use crate::domain::retention::ShredSlot;

/// The 16-byte age file key of one payload. Wiped when dropped, never shown.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct FileKey([u8; 16]);

impl FileKey {
    /// Takes over the 16 key bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The key bytes, for sealing and opening only.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 16] {
        &self.0
    }
}

impl core::fmt::Debug for FileKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("FileKey(…)")
    }
}

/// Which header a sealed header is: bound into its seal, so that headers cannot be swapped.
#[derive(Clone, Copy, Debug)]
pub struct HeaderBinding {
    /// The payload that the header opens.
    pub payload: PayloadId,
    /// The delivery that it was made for.
    pub delivery: DeliveryId,
}

/// Keys at rest. Every method is synchronous and safe to call from several threads.
pub trait Keyring: Send + Sync {
    /// A fresh random file key.
    fn new_file_key(&self) -> FileKey;

    /// Makes the identity of an organisation unless it is there. Durable on return.
    fn ensure_organisation(&self, organisation: &OrganisationCode) -> Result<(), Failure>;

    /// A complete age header (intro to MAC line) that wraps `key` to the organisation alone.
    fn header_for_organisation(&self, organisation: &OrganisationCode, key: &FileKey) -> Result<Vec<u8>, Failure>;

    /// A complete age header that wraps `key` to the given public keys
    /// (`age1…`, `ssh-ed25519 …`, `ssh-rsa …`), each on one line.
    fn header_for_recipients(&self, recipients: &[String], key: &FileKey) -> Result<Vec<u8>, Failure>;

    /// The canonical form and a fingerprint of one recipient key line, or the reason why it cannot be used.
    fn judge_recipient(&self, line: &str) -> Result<JudgedRecipient, Failure>;

    /// Opens a header that was made for the organisation. Checks the header's MAC.
    fn open_header(&self, organisation: &OrganisationCode, header: &[u8]) -> Result<FileKey, Failure>;

    /// Makes the shred key of a slot unless it is there: written, fsynced with its
    /// folder, read back. A slot that was destroyed is refused with a fault.
    fn ensure_slot(&self, slot: &ShredSlot) -> Result<(), Failure>;

    /// Seals a header under the key of `slot`, which must exist.
    fn seal_header(&self, slot: &ShredSlot, binding: HeaderBinding, header: &[u8]) -> Result<Vec<u8>, Failure>;

    /// Opens what `seal_header` made. Fails with `Refusal::Gone` once the slot's key is destroyed.
    fn unseal_header(&self, slot: &ShredSlot, binding: HeaderBinding, sealed: &[u8]) -> Result<Vec<u8>, Failure>;

    /// Destroys the key of a slot: overwritten, fsynced, unlinked, folder fsynced, dropped
    /// from memory. A slot that has no key any more is fine: idempotent.
    fn destroy_slot(&self, slot: &ShredSlot) -> Result<(), Failure>;

    /// The slots whose keys exist now, in order.
    fn living_slots(&self) -> Result<Vec<ShredSlot>, Fault>;
}

/// A recipient key that can be used for end-to-end deliveries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JudgedRecipient {
    /// The key on one line, without its comment.
    pub line: String,
    /// `age-x25519`, `ssh-ed25519` or `ssh-rsa`.
    pub kind: &'static str,
    /// SHA-256 over the canonical line, base64 without padding, as `SHA256:…`.
    pub fingerprint: String,
}
