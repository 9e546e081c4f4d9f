//! The keys of event bodies, one file per class and month: made, used and
//! destroyed as shred keys are. A key that is gone is told apart from one that is lost.

use std::path::PathBuf;

use zeroize::Zeroizing;

use super::{BODIES, DESTROYED, KeyringFolder, ShredKey, bound, files, locked};
use crate::domain::bodies::BodySlot;
use crate::domain::refusal::Refusal;
use crate::ports::bodies::{BodyBinding, OpenedBody};
use crate::ports::failure::{Failure, Fault};
use crate::sealing::body::{self, BODY_KEY_BYTES, BODY_NONCE_BYTES};

impl KeyringFolder {
    pub(super) fn path_of_body(&self, slot: BodySlot) -> PathBuf {
        self.folder.join(BODIES).join(slot.to_string())
    }

    /// A destruction that was cut off after it was listed is completed.
    pub(super) fn finish_body_destructions(&self) -> Result<(), Failure> {
        let destroyed = locked(&self.bodies_destroyed).clone();
        for slot in destroyed {
            files::destroy(&self.path_of_body(slot))?;
        }
        files::sweep_temporaries(&self.folder.join(BODIES))
    }

    pub(super) fn ensure_body(&self, slot: BodySlot) -> Result<bool, Failure> {
        let mut kept = locked(&self.body_keys);
        if kept.contains_key(&slot) {
            return Ok(true);
        }
        if locked(&self.bodies_destroyed).contains(&slot) {
            return Ok(false);
        }
        let path = self.path_of_body(slot);
        if !files::exists(&path)? {
            let mut key = Zeroizing::new([0; BODY_KEY_BYTES]);
            self.fill(key.as_mut_slice())?;
            files::write_durably(&path, &self.masters.seal(key.as_slice())?)?;
        }
        // Read back from the disk: a key that cannot be read must never seal anything.
        let key = self.read_shred_key(&path)?;
        bound(&mut kept);
        kept.insert(slot, key);
        Ok(true)
    }

    pub(super) fn seal_events(&self, slot: BodySlot, binding: BodyBinding, plain: &[u8]) -> Result<Vec<u8>, Failure> {
        let key = self.body_key(slot)?.ok_or(Refusal::Gone(None))?;
        let mut nonce = [0; BODY_NONCE_BYTES];
        self.fill(&mut nonce)?;
        let sealed = body::seal(&key, &binding.to_bytes(), nonce, plain);
        Ok(sealed.map_err(|error| Fault::from_error("seal events", error))?)
    }

    pub(super) fn open_events(&self, slot: BodySlot, binding: BodyBinding, sealed: &[u8]) -> Result<OpenedBody, Fault> {
        let Some(key) = self.body_key(slot)? else {
            let is_destroyed = locked(&self.bodies_destroyed).contains(&slot);
            return Ok(if is_destroyed { OpenedBody::Destroyed } else { OpenedBody::Missing });
        };
        let opened = body::open(&key, &binding.to_bytes(), sealed);
        let doing = || format!("open {binding} under {slot}");
        opened.map(OpenedBody::Plain).map_err(|error| Fault::from_error(doing(), error))
    }

    pub(super) fn destroy_body(&self, slot: BodySlot) -> Result<(), Failure> {
        // Held to the end: no body is sealed under a key that is going.
        let mut kept = locked(&self.body_keys);
        let mut destroyed = locked(&self.bodies_destroyed);
        kept.remove(&slot);
        if !destroyed.contains(&slot) {
            // Listed first: a destruction that is cut off is completed at the next start.
            files::append_line(&self.folder.join(BODIES).join(DESTROYED), &slot.to_string())?;
            destroyed.insert(slot);
        }
        files::destroy(&self.path_of_body(slot))
    }

    pub(super) fn living_bodies(&self) -> Result<Vec<BodySlot>, Fault> {
        let names = files::names(&self.folder.join(BODIES))?;
        let mut slots: Vec<BodySlot> = names.iter().filter_map(|name| BodySlot::parse(name).ok()).collect();
        slots.sort();
        Ok(slots)
    }

    /// The key of a slot; `None` when it is not there.
    fn body_key(&self, slot: BodySlot) -> Result<Option<ShredKey>, Fault> {
        let mut kept = locked(&self.body_keys);
        if let Some(key) = kept.get(&slot) {
            return Ok(Some(key.clone()));
        }
        let path = self.path_of_body(slot);
        if locked(&self.bodies_destroyed).contains(&slot) || !files::exists(&path)? {
            return Ok(None);
        }
        let key = self.read_shred_key(&path)?;
        bound(&mut kept);
        kept.insert(slot, key.clone());
        Ok(Some(key))
    }
}
