//! The port to keys: organisation identities, file keys, header sealing,
//! the shred keys of expiry days and the keys of event bodies. Knows nothing of the catalog or of rights.

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::bodies::{BodyBinding, OpenedBody};
use super::failure::{Failure, Fault};
use crate::domain::bodies::BodySlot;
use crate::domain::ids::{DeliveryId, PayloadId};
use crate::domain::moment::Moment;
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

    /// Makes the key of a body slot unless it is there, as `ensure_slot`. False when it was destroyed: nothing is
    /// made then.
    fn ensure_body_key(&self, slot: BodySlot) -> Result<bool, Failure>;

    /// Seals the events of one body under the key of `slot`, which must exist.
    fn seal_body(&self, slot: BodySlot, binding: BodyBinding, plain: &[u8]) -> Result<Vec<u8>, Failure>;

    /// Opens what `seal_body` made, or says what became of its key.
    fn open_body(&self, slot: BodySlot, binding: BodyBinding, sealed: &[u8]) -> Result<OpenedBody, Fault>;

    /// Destroys the key of a body slot, as `destroy_slot`.
    fn destroy_body_key(&self, slot: BodySlot) -> Result<(), Failure>;

    /// The body slots whose keys exist now, in order.
    fn living_body_keys(&self) -> Result<Vec<BodySlot>, Fault>;

    /// Whether the key of a body slot was destroyed here.
    fn is_body_key_destroyed(&self, slot: BodySlot) -> bool;

    /// Puts a new master before the present one, durably; from now on keys are sealed to it, and both are accepted.
    /// Nothing happens while a rotation is under way.
    fn begin_master_rotation(&self) -> Result<(), Failure>;

    /// Whether older masters are accepted beside the newest.
    fn is_master_rotating(&self) -> bool;

    /// Seals every key that is under an older master to the newest, each read back. Keys stay usable meanwhile.
    fn rewrap_to_master(&self) -> Result<Rewrapped, Failure>;

    /// Destroys the older masters. Refused with a fault while any key is under one of them.
    fn forget_older_masters(&self) -> Result<(), Failure>;

    /// Makes a new identity for the headers of an organisation from now on; the older ones still open theirs.
    /// Nothing happens while a rotation of this organisation is under way.
    fn begin_organisation_rotation(&self, organisation: &OrganisationCode, now: Moment) -> Result<(), Failure>;

    /// Organisations that have older identities beside the newest, and since when.
    fn rotating_organisations(&self) -> Result<Vec<(OrganisationCode, Moment)>, Fault>;

    /// The header made anew for the newest identity of the organisation, unless it is for that one already.
    fn rewrap_header(&self, organisation: &OrganisationCode, header: &[u8]) -> Result<Option<Vec<u8>>, Failure>;

    /// Destroys the older identities of an organisation: what was made for them opens no more.
    fn forget_older_identities(&self, organisation: &OrganisationCode) -> Result<(), Failure>;

    /// What there is of keys, without any secret.
    fn facts(&self) -> Result<Vec<KeyFact>, Fault>;
}

/// How many keys were sealed to a new master.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rewrapped {
    /// Files with the identities of one organisation.
    pub organisations: usize,
    /// Shred keys.
    pub shred_keys: usize,
    /// Keys of event bodies.
    pub body_keys: usize,
}

/// One key, or several alike, for a report: never a secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyFact {
    /// What it is for, such as `organisation identity`.
    pub kind: String,
    /// Which one; empty when several are counted.
    pub name: String,
    /// How many.
    pub count: usize,
    /// Algorithm and size.
    pub algorithm: String,
    /// Since when, if known.
    pub since: Option<Moment>,
    /// Until when, if it has an end.
    pub until: Option<Moment>,
    /// Where and how it is kept.
    pub note: String,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_key_is_not_shown() {
        let shown = format!("{:?} {:#?}", FileKey::new([171; 16]), Some(FileKey::new([171; 16])));
        assert!(!shown.contains("171") && !shown.to_lowercase().contains("ab"), "{shown}");
    }
}
