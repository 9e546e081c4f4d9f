//! The keyring in memory. Its seals are toys that only behave: a header opens
//! for its organisation alone, a sealed one only while its slot's key lives.

use std::collections::BTreeMap;
use std::sync::Mutex;

use sha2::{Digest as _, Sha256};

use super::locked;
use crate::domain::bodies::BodySlot;
use crate::domain::ids::{DeliveryId, PayloadId};
use crate::domain::moment::Moment;
use crate::domain::names::OrganisationCode;
use crate::domain::refusal::Refusal;
use crate::domain::retention::ShredSlot;
use crate::ports::bodies::{BodyBinding, OpenedBody};
use crate::ports::failure::{Failure, Fault};
use crate::ports::keyring::{FileKey, HeaderBinding, JudgedRecipient, KeyFact, Keyring, Rewrapped};
use crate::ports::secrets::Secrets;
use crate::ports::signer::{Signer, VerifyingKey};
use crate::sealing::ssh_signature::SigningKey;

const KINDS: [(&str, &str); 3] = [("age1", "age-x25519"), ("ssh-ed25519 ", "ssh-ed25519"), ("ssh-rsa ", "ssh-rsa")];

/// The keyring in memory.
#[derive(Debug, Default)]
pub struct MemoryKeyring {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    keys_made: u64,
    is_master_rotating: bool,
    /// How often a new identity was made, and since when the older one is kept beside it.
    organisations: BTreeMap<OrganisationCode, (u32, Option<Moment>)>,
    /// Whether the slot's key still lives.
    slots: BTreeMap<ShredSlot, bool>,
    sealed: Vec<Sealed>,
    /// Whether the key of a body slot still lives.
    bodies: BTreeMap<BodySlot, bool>,
}

#[derive(Debug)]
struct Sealed {
    slot: ShredSlot,
    payload: PayloadId,
    delivery: DeliveryId,
    header: Vec<u8>,
}

impl MemoryKeyring {
    /// A keyring without organisations and slots.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Secrets for MemoryKeyring {
    fn derive(&self, purpose: &str, id: &[u8]) -> Result<[u8; 32], Failure> {
        let mut hash = Sha256::new();
        hash.update(purpose.as_bytes());
        hash.update(id);
        Ok(hash.finalize().into())
    }
}

/// The seed of every keyring in memory.
const SEED: [u8; 32] = [7; 32];

fn signing_key() -> Result<SigningKey, Failure> {
    SigningKey::from_seed(&SEED).map_err(|error| Fault::from_error("use the signing key", error).into())
}

impl Signer for MemoryKeyring {
    fn sign(&self, namespace: &str, message: &[u8]) -> Result<String, Failure> {
        Ok(signing_key()?.sign(namespace, message))
    }

    fn verifying_key(&self) -> Result<VerifyingKey, Failure> {
        let key = signing_key()?;
        Ok(VerifyingKey { line: key.public_line(), fingerprint: key.fingerprint() })
    }
}

impl Keyring for MemoryKeyring {
    fn new_file_key(&self) -> FileKey {
        let mut state = locked(&self.state);
        state.keys_made += 1;
        FileKey::new(u128::from(state.keys_made).to_be_bytes())
    }

    fn ensure_organisation(&self, organisation: &OrganisationCode) -> Result<(), Failure> {
        locked(&self.state).organisations.entry(organisation.clone()).or_default();
        Ok(())
    }

    fn header_for_organisation(&self, organisation: &OrganisationCode, key: &FileKey) -> Result<Vec<u8>, Failure> {
        match locked(&self.state).organisations.get(organisation) {
            Some((newest, _)) => Ok(header(&identity(organisation, *newest), key)),
            None => Err(Fault::new(format!("wrap a file key: {organisation} has no identity")).into()),
        }
    }

    fn header_for_recipients(&self, recipients: &[String], key: &FileKey) -> Result<Vec<u8>, Failure> {
        if recipients.is_empty() {
            return Err(Fault::new("wrap a file key: no recipients").into());
        }
        for line in recipients {
            self.judge_recipient(line)?;
        }
        Ok(header(&recipients.join("\n"), key))
    }

    fn judge_recipient(&self, line: &str) -> Result<JudgedRecipient, Failure> {
        let line = line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        let kind = KINDS.iter().find(|(start, _)| line.len() > start.len() && line.starts_with(start));
        let Some((_, kind)) = kind else {
            return Err(Refusal::BadRequest("not a recipient key: use age1…, ssh-ed25519 … or ssh-rsa …".into()).into());
        };
        let digest = Sha256::digest(line.as_bytes());
        let fingerprint = format!("SHA256:{}", data_encoding::BASE64_NOPAD.encode(&digest));
        Ok(JudgedRecipient { line, kind, fingerprint })
    }

    fn open_header(&self, organisation: &OrganisationCode, header: &[u8]) -> Result<FileKey, Failure> {
        let foreign = || Fault::new(format!("open a header: it was not made for {organisation}"));
        let (newest, older) = *locked(&self.state).organisations.get(organisation).ok_or_else(foreign)?;
        let (to, key) = header.split_last_chunk::<16>().ok_or_else(foreign)?;
        let is_for = |number: u32| to == address(&identity(organisation, number));
        if is_for(newest) || (older.is_some() && is_for(newest.saturating_sub(1))) {
            return Ok(FileKey::new(*key));
        }
        Err(foreign().into())
    }

    fn ensure_slot(&self, slot: &ShredSlot) -> Result<(), Failure> {
        if *locked(&self.state).slots.entry(slot.clone()).or_insert(true) {
            return Ok(());
        }
        Err(Fault::new(format!("make the shred key {slot}: it was destroyed")).into())
    }

    fn seal_header(&self, slot: &ShredSlot, binding: HeaderBinding, header: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut state = locked(&self.state);
        if state.slots.get(slot) != Some(&true) {
            return Err(Refusal::Gone(None).into());
        }
        let ticket = (state.sealed.len() as u64).to_be_bytes().to_vec();
        let HeaderBinding { payload, delivery } = binding;
        state.sealed.push(Sealed { slot: slot.clone(), payload, delivery, header: header.to_vec() });
        Ok(ticket)
    }

    fn unseal_header(&self, slot: &ShredSlot, binding: HeaderBinding, sealed: &[u8]) -> Result<Vec<u8>, Failure> {
        let state = locked(&self.state);
        if state.slots.get(slot) != Some(&true) {
            return Err(Refusal::Gone(None).into());
        }
        <[u8; 8]>::try_from(sealed)
            .ok()
            .and_then(|ticket| usize::try_from(u64::from_be_bytes(ticket)).ok())
            .and_then(|at| state.sealed.get(at))
            .filter(|sealed| sealed.slot == *slot)
            .filter(|sealed| sealed.payload == binding.payload && sealed.delivery == binding.delivery)
            .map(|sealed| sealed.header.clone())
            .ok_or_else(|| Fault::new(format!("unseal a header under {slot}: it is not what was sealed")).into())
    }

    fn destroy_slot(&self, slot: &ShredSlot) -> Result<(), Failure> {
        let mut state = locked(&self.state);
        state.slots.insert(slot.clone(), false);
        // What nobody can open any more is forgotten; the tickets of the others stay as they are.
        for sealed in state.sealed.iter_mut().filter(|sealed| sealed.slot == *slot) {
            sealed.header.clear();
        }
        Ok(())
    }

    fn living_slots(&self) -> Result<Vec<ShredSlot>, Fault> {
        Ok(locked(&self.state).slots.iter().filter(|(_, lives)| **lives).map(|(slot, _)| slot.clone()).collect())
    }

    fn ensure_body_key(&self, slot: BodySlot) -> Result<bool, Failure> {
        Ok(*locked(&self.state).bodies.entry(slot).or_insert(true))
    }

    fn seal_body(&self, slot: BodySlot, binding: BodyBinding, plain: &[u8]) -> Result<Vec<u8>, Failure> {
        if locked(&self.state).bodies.get(&slot) != Some(&true) {
            return Err(Refusal::Gone(None).into());
        }
        // Nothing of the plain bytes shows, and any other slot or binding gives other ones.
        Ok(masked(slot, binding, plain))
    }

    fn open_body(&self, slot: BodySlot, binding: BodyBinding, sealed: &[u8]) -> Result<OpenedBody, Fault> {
        Ok(match locked(&self.state).bodies.get(&slot) {
            Some(true) => OpenedBody::Plain(masked(slot, binding, sealed)),
            Some(false) => OpenedBody::Destroyed,
            None => OpenedBody::Missing,
        })
    }

    fn destroy_body_key(&self, slot: BodySlot) -> Result<(), Failure> {
        locked(&self.state).bodies.insert(slot, false);
        Ok(())
    }

    fn living_body_keys(&self) -> Result<Vec<BodySlot>, Fault> {
        Ok(locked(&self.state).bodies.iter().filter(|(_, lives)| **lives).map(|(slot, _)| *slot).collect())
    }

    fn is_body_key_destroyed(&self, slot: BodySlot) -> bool {
        locked(&self.state).bodies.get(&slot) == Some(&false)
    }

    fn begin_master_rotation(&self) -> Result<(), Failure> {
        locked(&self.state).is_master_rotating = true;
        Ok(())
    }

    fn is_master_rotating(&self) -> bool {
        locked(&self.state).is_master_rotating
    }

    fn rewrap_to_master(&self) -> Result<Rewrapped, Failure> {
        let state = locked(&self.state);
        let shred_keys = state.slots.values().filter(|lives| **lives).count();
        let body_keys = state.bodies.values().filter(|lives| **lives).count();
        Ok(Rewrapped { organisations: state.organisations.len(), shred_keys, body_keys })
    }

    fn forget_older_masters(&self) -> Result<(), Failure> {
        locked(&self.state).is_master_rotating = false;
        Ok(())
    }

    fn begin_organisation_rotation(&self, organisation: &OrganisationCode, now: Moment) -> Result<(), Failure> {
        let mut state = locked(&self.state);
        let (newest, older) = state.organisations.entry(organisation.clone()).or_default();
        if older.is_none() {
            *newest += 1;
            *older = Some(now);
        }
        Ok(())
    }

    fn rotating_organisations(&self) -> Result<Vec<(OrganisationCode, Moment)>, Fault> {
        let state = locked(&self.state);
        Ok(state.organisations.iter().filter_map(|(code, (_, older))| Some((code.clone(), (*older)?))).collect())
    }

    fn rewrap_header(&self, organisation: &OrganisationCode, header: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
        let key = self.open_header(organisation, header)?;
        Ok(Some(self.header_for_organisation(organisation, &key)?).filter(|fresh| fresh != header))
    }

    fn forget_older_identities(&self, organisation: &OrganisationCode) -> Result<(), Failure> {
        if let Some((_, older)) = locked(&self.state).organisations.get_mut(organisation) {
            *older = None;
        }
        Ok(())
    }

    fn facts(&self) -> Result<Vec<KeyFact>, Fault> {
        Ok(Vec::new())
    }
}

/// A toy: the same again gives the bytes back.
fn masked(slot: BodySlot, binding: BodyBinding, bytes: &[u8]) -> Vec<u8> {
    let mut mask = Sha256::digest([slot.to_string().as_bytes(), &binding.to_bytes()].concat());
    let mut masked = Vec::with_capacity(bytes.len());
    for piece in bytes.chunks(mask.len()) {
        masked.extend(piece.iter().zip(mask).map(|(byte, mask)| byte ^ mask));
        mask = Sha256::digest(mask);
    }
    masked
}

fn identity(organisation: &OrganisationCode, number: u32) -> String {
    format!("{organisation} {number}")
}

fn address(to: &str) -> Vec<u8> {
    format!("toy header for {to}\n").into_bytes()
}

fn header(to: &str, key: &FileKey) -> Vec<u8> {
    let mut header = address(to);
    header.extend_from_slice(key.expose());
    header
}
