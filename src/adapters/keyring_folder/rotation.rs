//! New keys in the place of old ones while the keyring is in use: the master,
//! and the identities of organisations. Each file is whole at every moment, and
//! what an older key opened stays open until nothing needs that key.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use age::x25519::Identity;

use super::derived::DERIVING;
use super::{
    KeyringFolder, MASTER, ORGANISATIONS, Owner, SHRED_KEY_BYTES, bound, files, identities_in, locked, text_of,
};
use crate::domain::moment::Moment;
use crate::domain::names::OrganisationCode;
use crate::ports::failure::{Failure, Fault};
use crate::ports::keyring::{KeyFact, Keyring, Rewrapped};
use crate::sealing::body::BODY_KEY_BYTES;

/// Ending of the file of an organisation's identities.
const IDENTITIES: &str = ".age";

/// Ending of the mark that an organisation has older identities beside the newest.
const ROTATING: &str = ".rotating";

impl KeyringFolder {
    /// Seals to the newest master what is under an older one.
    pub(super) fn rewrap_all(&self) -> Result<Rewrapped, Failure> {
        let mut done = Rewrapped::default();
        let folder = self.folder.join(ORGANISATIONS);
        // Listed under the lock: what was being made for the older master is there by then.
        let names = {
            let _kept = locked(&self.organisations);
            files::names(&folder)?
        };
        for name in names.iter().filter(|name| name.ends_with(IDENTITIES)) {
            let _kept = locked(&self.organisations);
            done.organisations += usize::from(self.rewrap(&folder.join(name))?);
        }
        {
            let _kept = locked(&self.deriving);
            let path = self.folder.join(DERIVING);
            if files::exists(&path)? {
                done.organisations += usize::from(self.rewrap(&path)?);
            }
        }
        {
            let _kept = locked(&self.signing);
            let path = self.path_of_signing();
            if files::exists(&path)? {
                done.organisations += usize::from(self.rewrap(&path)?);
            }
        }
        let slots = {
            let _kept = locked(&self.slots);
            self.living_slots()?
        };
        for slot in slots {
            // Held: a key that is being destroyed must not come back.
            let _kept = locked(&self.slots);
            let path = self.path_of_slot(&slot);
            if !locked(&self.destroyed).contains(&slot) && files::exists(&path)? {
                done.shred_keys += usize::from(self.rewrap(&path)?);
            }
        }
        let slots = {
            let _kept = locked(&self.body_keys);
            self.living_bodies()?
        };
        for slot in slots {
            let _kept = locked(&self.body_keys);
            let path = self.path_of_body(slot);
            if !locked(&self.bodies_destroyed).contains(&slot) && files::exists(&path)? {
                done.body_keys += usize::from(self.rewrap(&path)?);
            }
        }
        Ok(done)
    }

    /// Whether it was under an older master and is under the newest now, read back from the disk.
    fn rewrap(&self, path: &Path) -> Result<bool, Failure> {
        let (secret, is_current) = self.masters.open_file(path)?;
        if is_current {
            return Ok(false);
        }
        let made_at = files::changed_at(path)?;
        files::replace_durably(path, &self.masters.seal(&secret)?)?;
        files::set_changed_at(path, made_at)?;
        let (again, is_current) = self.masters.open_file(path)?;
        if !is_current || *again != *secret {
            return Err(
                Fault::new(format!("seal {} to the new master: it reads back otherwise", path.display())).into()
            );
        }
        Ok(true)
    }

    pub(super) fn forget_masters(&self) -> Result<(), Failure> {
        // Read back once more, all of it, before the older master goes.
        let left = self.rewrap_all()?;
        if left != Rewrapped::default() {
            let count = left.organisations + left.shred_keys + left.body_keys;
            return Err(Fault::new(format!("forget the older master: {count} keys were still under it")).into());
        }
        self.masters.forget_older()
    }

    fn mark_of(&self, organisation: &OrganisationCode) -> PathBuf {
        self.folder.join(ORGANISATIONS).join(format!("{organisation}{ROTATING}"))
    }

    pub(super) fn begin_identity(&self, organisation: &OrganisationCode, now: Moment) -> Result<(), Failure> {
        self.ensure_organisation(organisation)?;
        let path = self.path_of_organisation(organisation);
        let mut kept = locked(&self.organisations);
        let (secret, _) = self.masters.open_file(&path)?;
        let before = identities_in(&secret, &path)?;
        if before.len() > 1 {
            return Ok(());
        }
        // The mark first: identities that nobody knows to be older would never go.
        files::write_durably(&self.mark_of(organisation), format!("{}\n", now.millis()).as_bytes())?;
        let mut identities = vec![Identity::generate()];
        identities.extend(before);
        self.write_identities(organisation, &identities)?;
        bound(&mut kept);
        kept.insert(organisation.clone(), Owner::new(identities)?);
        Ok(())
    }

    pub(super) fn rotating(&self) -> Result<Vec<(OrganisationCode, Moment)>, Fault> {
        let mut found = Vec::new();
        for name in files::names(&self.folder.join(ORGANISATIONS))? {
            let code = name.strip_suffix(ROTATING).and_then(|code| OrganisationCode::parse(code).ok());
            let Some(code) = code else { continue };
            let path = self.mark_of(&code);
            let text = files::read_secret(&path)?;
            let since = text.trim().parse().map_err(|_| Fault::new(format!("read the time in {}", path.display())))?;
            found.push((code, Moment::from_millis(since)));
        }
        found.sort();
        Ok(found)
    }

    pub(super) fn forget_identities(&self, organisation: &OrganisationCode) -> Result<(), Failure> {
        let path = self.path_of_organisation(organisation);
        let mut kept = locked(&self.organisations);
        let mut identities = self.read_identities(&path)?;
        if identities.len() > 1 {
            identities.truncate(1);
            self.write_identities(organisation, &identities)?;
            bound(&mut kept);
            kept.insert(organisation.clone(), Owner::new(identities)?);
        }
        files::destroy(&self.mark_of(organisation))
    }

    /// Writes and reads back.
    fn write_identities(&self, organisation: &OrganisationCode, identities: &[Identity]) -> Result<(), Failure> {
        let path = self.path_of_organisation(organisation);
        let text = text_of(identities);
        files::replace_durably(&path, &self.masters.seal(text.as_bytes())?)?;
        let (again, _) = self.masters.open_file(&path)?;
        if again.as_slice() != text.as_bytes() {
            return Err(Fault::new(format!("write {}: it reads back otherwise", path.display())).into());
        }
        Ok(())
    }

    pub(super) fn key_facts(&self) -> Result<Vec<KeyFact>, Fault> {
        let x25519 = "X25519, 256 bits (age)";
        let since = |path: &Path| files::changed_at(path).map(moment_of);
        let mut facts = Vec::new();
        for (place, public) in self.masters.public().into_iter().enumerate() {
            facts.push(KeyFact {
                kind: "master".to_owned(),
                name: public,
                count: 1,
                algorithm: x25519.to_owned(),
                since: since(self.masters.file())?,
                until: None,
                note: match place {
                    0 => self.masters.kept_as().to_owned(),
                    _ => "older; goes when no key is under it".to_owned(),
                },
            });
        }
        let folder = self.folder.join(ORGANISATIONS);
        let rotating = self.rotating()?;
        let mut names = files::names(&folder)?;
        names.sort();
        for name in &names {
            let Some(code) = name.strip_suffix(IDENTITIES) else { continue };
            let is_rotating = rotating.iter().any(|(organisation, _)| organisation.as_str() == code);
            let path = folder.join(name);
            facts.push(KeyFact {
                kind: "organisation identity".to_owned(),
                name: code.to_owned(),
                count: self.read_identities(&path)?.len(),
                algorithm: format!("{x25519}; AES-256-GCM derived from it"),
                since: since(&path)?,
                until: None,
                note: if is_rotating { "being rotated" } else { "sealed to the master" }.to_owned(),
            });
        }
        for slot in self.living_slots()? {
            facts.push(KeyFact {
                kind: "shred key".to_owned(),
                name: slot.to_string(),
                count: 1,
                algorithm: format!(
                    "{} bits; AES-256-GCM under HKDF-SHA-256 of it for each header",
                    SHRED_KEY_BYTES * 8
                ),
                since: since(&self.path_of_slot(&slot))?,
                until: Some(slot.closes_at()),
                note: "sealed to the master".to_owned(),
            });
        }
        for slot in self.living_bodies()? {
            facts.push(KeyFact {
                kind: "event body key".to_owned(),
                name: slot.to_string(),
                count: 1,
                algorithm: format!("{} bits; AES-256-GCM under HKDF-SHA-256 of it for each body", BODY_KEY_BYTES * 8),
                since: since(&self.path_of_body(slot))?,
                until: None,
                note: format!("sealed to the master; goes a period after {}", slot.month_text()),
            });
        }
        facts.extend(self.signing_fact()?);
        Ok(facts)
    }

    /// The file of the master in a keyring's own folder.
    #[must_use]
    pub fn master_in(folder: &Path) -> PathBuf {
        folder.join(MASTER)
    }
}

pub(super) fn moment_of(time: SystemTime) -> Option<Moment> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    u64::try_from(since.as_millis()).ok().map(Moment::from_millis)
}
