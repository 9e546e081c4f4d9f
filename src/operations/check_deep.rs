//! The deep look at vault and keys: every payload on record is read to its end and held against its
//! digest, every header is opened. Changes nothing; needs no running server.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};

use super::back_up::all;
use super::documents::document_key;
use super::uploads::payload_binding;
use super::{Failure, Fault, Keyring, Secrets};
use crate::domain::delivery::{Delivery, Payload, SealedHeader};
use crate::domain::digest::Digest;
use crate::domain::ids::{DeliveryId, PayloadId};
use crate::domain::names::OrganisationCode;
use crate::domain::product_document::ProductDocument;
use crate::domain::record::{DoomedPayload, SlotRecord};
use crate::domain::refusal::Refusal;
use crate::domain::retention::ShredSlot;
use crate::domain::upload::{Upload, UploadHeader};
use crate::ports::catalog::CatalogView;
use crate::ports::keyring::HeaderBinding;
use crate::ports::vault::Vault;

/// Bytes that are read at once.
const PIECE_BYTES: usize = 1 << 20;

/// What the look at vault and keys found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct VaultLook {
    /// Payloads that are what was stored.
    pub payloads: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Headers that open.
    pub headers: u64,
    /// Documents of products that open and are what was added.
    pub documents: u64,
    /// Headers whose shred key was destroyed, as the record says.
    pub shredded: u64,
    /// Files in the vault that no row names.
    pub unknown: Vec<PayloadId>,
    /// What is damaged or missing, and what to do.
    pub damage: Vec<String>,
}

/// Reads all of it. `read` is told how many bytes were read, as they are.
///
/// # Errors
/// A fault of the catalog. What cannot be read in vault or keyring is damage, not an error.
pub fn look_at_vault(
    view: &dyn CatalogView,
    vault: &dyn Vault,
    keyring: &dyn Keyring,
    secrets: Option<&dyn Secrets>,
    read: &mut dyn FnMut(u64),
) -> Result<VaultLook, Failure> {
    let mut look = VaultLook::default();
    let doomed: BTreeSet<PayloadId> =
        all(view, |row: &DoomedPayload| DoomedPayload::key_of(row.payload), |row| row.payload)?.into_iter().collect();
    let mut unknown: BTreeSet<PayloadId> = vault.inventory()?.into_iter().collect();
    for payload in all(view, |row: &Payload| Payload::key_of(row.id), |row| row)? {
        unknown.remove(&payload.id);
        match held_against_record(vault, &payload, read) {
            Ok(()) => {
                look.payloads += 1;
                look.bytes += payload.sealed_bytes;
            }
            // it is to be removed, and may be gone already
            Err(_) if doomed.contains(&payload.id) => {}
            Err(fault) => look.damage.push(format!("payload {}: {fault}; put it back from a backup", payload.id)),
        }
    }
    look.unknown = unknown.into_iter().collect();
    for header in all(view, |row: &SealedHeader| SealedHeader::key_of(row.payload, row.delivery), |row| row)? {
        let binding = HeaderBinding { payload: header.payload, delivery: header.delivery };
        let delivery = view.row::<Delivery>(&Delivery::key_of(header.delivery))?;
        let owner = delivery.filter(|delivery| !delivery.end_to_end).map(|delivery| delivery.organisation);
        let of = format!("the header of delivery {} for payload {}", header.delivery, header.payload);
        look.header(view, keyring, (&header.slot, binding, &header.sealed), owner.as_ref(), &of)?;
    }
    for header in all(view, |row: &UploadHeader| UploadHeader::key_of(row.upload), |row| row)? {
        let upload = view.row::<Upload>(&Upload::key_of(header.upload))?;
        let binding = payload_binding(header.upload, header.payload);
        let (owner, of) = (upload.map(|upload| upload.organisation), format!("the header of upload {}", header.upload));
        look.header(view, keyring, (&header.slot, binding, &header.sealed), owner.as_ref(), &of)?;
    }
    for row in all(view, |row: &ProductDocument| ProductDocument::key_of(&row.product, &row.name), |row| row)? {
        let of = format!("the document {} of {}", row.name, row.product);
        match (secrets, view.find(&Payload::key_of(row.payload))?) {
            (_, None) => look.damage.push(format!("{of}: its payload is in no record; add it again")),
            (None, _) => {
                look.damage
                    .push(format!("{of} does not open: keys/deriving.age is not there; put keys back from a backup"));
            }
            (Some(secrets), Some(_)) => match opens(vault, secrets, &row) {
                Ok(()) => look.documents += 1,
                // what lies in the vault was told of already
                Err(fault) => look.damage.push(format!("{of} does not open: {fault}; put keys back from a backup")),
            },
        }
    }
    // keys that no header on record needs yet, or any more, too
    let probe = HeaderBinding { payload: PayloadId::from_bytes([0; 16]), delivery: DeliveryId::from_bytes([0; 16]) };
    for slot in keyring.living_slots()? {
        if let Err(failure) = keyring.seal_header(&slot, probe, b"probe") {
            look.damage.push(format!("the shred key {slot} does not open: {failure}; put keys back from a backup"));
        }
    }
    Ok(look)
}

impl VaultLook {
    /// Opens one header: under its shred key, and for its organisation unless it is end to end.
    fn header(
        &mut self,
        view: &dyn CatalogView,
        keyring: &dyn Keyring,
        (slot, binding, sealed): (&ShredSlot, HeaderBinding, &[u8]),
        owner: Option<&OrganisationCode>,
        of: &str,
    ) -> Result<(), Failure> {
        let opened = keyring.unseal_header(slot, binding, sealed).and_then(|header| match owner {
            Some(owner) => keyring.open_header(owner, &header).map(|_| ()),
            None => Ok(()),
        });
        match opened {
            Ok(()) => self.headers += 1,
            Err(Failure::Refused(Refusal::Gone(_))) => {
                let row = view.row::<SlotRecord>(&SlotRecord::key_of(slot))?;
                if row.is_some_and(|row| row.destroyed_at.is_some()) {
                    self.shredded += 1;
                } else {
                    self.damage.push(format!(
                        "{of}: its shred key {slot} is not there, and no record says that it was destroyed; put it back \
                         from a backup"
                    ));
                }
            }
            Err(failure) => {
                self.damage.push(format!("{of} does not open: {failure}; put keys or catalog back from a backup"))
            }
        }
        Ok(())
    }
}

/// Reads a document to its end under its own key: a fault unless it is what was added.
fn opens(vault: &dyn Vault, secrets: &dyn Secrets, row: &ProductDocument) -> Result<(), Failure> {
    let reader = vault.open(row.payload, &document_key(secrets, row.payload)?)?;
    let (mut hash, mut at) = (Sha256::new(), 0);
    while at < row.size_bytes {
        let piece = reader.read_vec(at, PIECE_BYTES)?;
        if piece.is_empty() {
            break;
        }
        hash.update(&piece);
        at += piece.len() as u64;
    }
    if at == row.size_bytes && reader.size_bytes() == at && Digest::new(hash.finalize().into()) == row.sha256 {
        Ok(())
    } else {
        Err(Fault::new("its content is not what was added").into())
    }
}

/// Reads a payload to its end: a fault unless it has the size and the SHA-256 of what was stored.
pub(super) fn held_against_record(
    vault: &dyn Vault,
    payload: &Payload,
    read: &mut dyn FnMut(u64),
) -> Result<(), Fault> {
    let told = |failure: Failure| Fault::new(failure.to_string());
    let reader = vault.open_sealed(payload.id, Vec::new()).map_err(told)?;
    if reader.size_bytes() != payload.sealed_bytes {
        return Err(Fault::new(format!("it has {} bytes, {} were stored", reader.size_bytes(), payload.sealed_bytes)));
    }
    let (mut hash, mut at) = (Sha256::new(), 0);
    while at < payload.sealed_bytes {
        let piece = reader.read_vec(at, PIECE_BYTES)?;
        if piece.is_empty() {
            return Err(Fault::new(format!("it ends at byte {at}")));
        }
        hash.update(&piece);
        at += piece.len() as u64;
        read(piece.len() as u64);
    }
    if Digest::new(hash.finalize().into()) == payload.sealed_sha256 {
        Ok(())
    } else {
        Err(Fault::new("its SHA-256 is not that of what was stored"))
    }
}
