//! Keys on a folder (0700): the master identity, the identities of each
//! organisation sealed to it, one small file per shred key and body key sealed to
//! it, and the lists of those that were destroyed. Keeps no catalog and judges no rights.

mod bodies;
mod derived;
mod files;
mod masters;
mod recipients;
mod rotation;
mod signing;

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use age::secrecy::ExposeSecret;
use age::x25519::{Identity, Recipient};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

pub use masters::{MasterSource, Passphrase};

use crate::domain::bodies::BodySlot;
use crate::domain::moment::Moment;
use crate::domain::names::OrganisationCode;
use crate::domain::refusal::Refusal;
use crate::domain::retention::ShredSlot;
use crate::ports::bodies::{BodyBinding, OpenedBody};
use crate::ports::failure::{Failure, Fault};
use crate::ports::keyring::{FileKey, HeaderBinding, JudgedRecipient, KeyFact, Keyring, Rewrapped};
use crate::sealing::owner::OwnerKey;
use crate::sealing::shred::SHRED_KEY_BYTES;
use crate::sealing::ssh_signature::SigningKey;
use crate::sealing::{SealingError, header, shred};
use masters::{Masters, identities_in, text_of};

/// The master identity.
const MASTER: &str = "master.age";

/// Identities of organisations.
const ORGANISATIONS: &str = "organisations";

/// Shred keys.
const SHRED: &str = "shred";

/// Names of the shred keys that were destroyed, one per line.
const DESTROYED: &str = ".destroyed";

/// Keys of event bodies.
const BODIES: &str = "bodies";

/// So many opened identities and shred keys are kept in memory.
const MOST_KEPT: usize = 4_096;

type ShredKey = Zeroizing<[u8; SHRED_KEY_BYTES]>;

/// What opens the headers of one organisation, the newest first; it is never empty.
#[derive(Clone)]
struct Owner(Arc<Vec<(Identity, OwnerKey)>>);

impl Owner {
    fn new(identities: Vec<Identity>) -> Result<Self, Fault> {
        let with_key = |identity: Identity| {
            let key = OwnerKey::of_identity(identity.to_string().expose_secret());
            Ok((identity, key.map_err(|error| Fault::from_error("derive the key of an organisation", error))?))
        };
        Ok(Self(Arc::new(identities.into_iter().map(with_key).collect::<Result<_, Fault>>()?)))
    }

    fn newest(&self) -> Result<&(Identity, OwnerKey), Fault> {
        self.0.first().ok_or_else(|| Fault::new("use the identity of an organisation: there is none"))
    }

    /// The file key of a header, and whether it was made for the newest identity.
    fn open(&self, header: &[u8]) -> Result<(FileKey, bool), SealingError> {
        for (place, (identity, own)) in self.0.iter().enumerate() {
            // headers of earlier versions have the X25519 stanza alone
            let opened = match header::open(header, own) {
                Err(SealingError::NoMatchingIdentity) => header::open(header, identity),
                opened => opened,
            };
            match opened {
                Err(SealingError::NoMatchingIdentity) => {}
                opened => return opened.map(|key| (FileKey::new(*key), place == 0)),
            }
        }
        Err(SealingError::NoMatchingIdentity)
    }
}

/// A keyring in a folder of its own.
pub struct KeyringFolder {
    folder: PathBuf,
    masters: Masters,
    random: SystemRandom,
    organisations: Mutex<HashMap<OrganisationCode, Owner>>,
    slots: Mutex<HashMap<ShredSlot, ShredKey>>,
    destroyed: Mutex<BTreeSet<ShredSlot>>,
    body_keys: Mutex<HashMap<BodySlot, ShredKey>>,
    bodies_destroyed: Mutex<BTreeSet<BodySlot>>,
    deriving: Mutex<Option<Zeroizing<[u8; 32]>>>,
    signing: Mutex<Option<Arc<SigningKey>>>,
}

impl KeyringFolder {
    /// Makes the master identity in a new keyring.
    ///
    /// # Errors
    /// `WrongState` when there is one already; a fault that names the path.
    pub fn create(folder: &Path) -> Result<(), Failure> {
        for path in [folder.to_owned(), folder.join(ORGANISATIONS), folder.join(SHRED), folder.join(BODIES)] {
            files::make_folder(&path)?;
        }
        let path = folder.join(MASTER);
        let nothing_there = path.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
        if !nothing_there {
            return Err(Refusal::WrongState(format!("{} exists already; nothing was changed", path.display())).into());
        }
        files::write_durably(&path, text_of(&[Identity::generate()]).as_bytes())
    }

    /// Whether the master of a keyring can be used. Changes nothing: a server may be writing there.
    ///
    /// # Errors
    /// As `open`.
    pub fn judge(folder: &Path, master: &MasterSource) -> Result<(), Failure> {
        files::refuse_open_to_others(folder)?;
        Masters::open(master)?;
        Ok(())
    }

    /// Opens a keyring to look at what it opens. Removes nothing and completes nothing.
    ///
    /// # Errors
    /// As `open`.
    pub fn look(folder: PathBuf, master: &MasterSource) -> Result<Self, Failure> {
        files::refuse_open_to_others(&folder)?;
        Self::opened(folder, master)
    }

    /// Opens a keyring, and removes what an unfinished writing left: for one process at a time.
    ///
    /// # Errors
    /// A fault that names the path: missing, open to others (run `chmod 600`), or no age identity.
    pub fn open(folder: PathBuf, master: &MasterSource) -> Result<Self, Failure> {
        files::refuse_open_to_others(&folder)?;
        if let Some(own) = master.file.parent().filter(|_| !master.is_credential) {
            files::sweep_named(own, &master.file)?;
        }
        for path in [folder.join(ORGANISATIONS), folder.join(SHRED), folder.join(BODIES)] {
            files::make_folder(&path)?;
        }
        let keyring = Self::opened(folder, master)?;
        keyring.finish_destructions()?;
        Ok(keyring)
    }

    fn opened(folder: PathBuf, master: &MasterSource) -> Result<Self, Failure> {
        let masters = Masters::open(master)?;
        // A line that was cut off names no slot: its destruction did not begin and is asked for again.
        let listed = files::read_list(&folder.join(SHRED).join(DESTROYED))?;
        let destroyed = listed.lines().filter_map(|line| ShredSlot::parse(line).ok()).collect();
        let listed = files::read_list(&folder.join(BODIES).join(DESTROYED))?;
        let bodies_destroyed = listed.lines().filter_map(|line| BodySlot::parse(line).ok()).collect();
        Ok(Self {
            folder,
            masters,
            random: SystemRandom::new(),
            organisations: Mutex::default(),
            slots: Mutex::default(),
            destroyed: Mutex::new(destroyed),
            body_keys: Mutex::default(),
            bodies_destroyed: Mutex::new(bodies_destroyed),
            deriving: Mutex::default(),
            signing: Mutex::default(),
        })
    }

    /// A destruction that was cut off after it was listed is completed.
    fn finish_destructions(&self) -> Result<(), Failure> {
        let destroyed = locked(&self.destroyed).clone();
        for slot in &destroyed {
            files::destroy(&self.path_of_slot(slot))?;
        }
        self.finish_body_destructions()?;
        files::sweep_temporaries(&self.folder.join(SHRED))?;
        files::sweep_temporaries(&self.folder.join(ORGANISATIONS))?;
        Ok(())
    }

    fn path_of_slot(&self, slot: &ShredSlot) -> PathBuf {
        self.folder.join(SHRED).join(slot.to_string())
    }

    fn path_of_organisation(&self, organisation: &OrganisationCode) -> PathBuf {
        self.folder.join(ORGANISATIONS).join(format!("{organisation}.age"))
    }

    fn fill(&self, into: &mut [u8]) -> Result<(), Fault> {
        self.random.fill(into).map_err(|_| Fault::new("make a key: the system gives no randomness"))
    }

    fn owner(&self, organisation: &OrganisationCode) -> Result<Owner, Failure> {
        let mut kept = locked(&self.organisations);
        if let Some(owner) = kept.get(organisation) {
            return Ok(owner.clone());
        }
        let owner = Owner::new(self.read_identities(&self.path_of_organisation(organisation))?)?;
        bound(&mut kept);
        kept.insert(organisation.clone(), owner.clone());
        Ok(owner)
    }

    fn read_identities(&self, path: &Path) -> Result<Vec<Identity>, Fault> {
        identities_in(&self.masters.open_file(path)?.0, path)
    }

    fn shred_key(&self, slot: &ShredSlot) -> Result<ShredKey, Failure> {
        let mut kept = locked(&self.slots);
        if let Some(key) = kept.get(slot) {
            return Ok(key.clone());
        }
        let path = self.path_of_slot(slot);
        if locked(&self.destroyed).contains(slot) || !files::exists(&path)? {
            return Err(Refusal::Gone(Some(slot.closes_at())).into());
        }
        let key = self.read_shred_key(&path)?;
        bound(&mut kept);
        kept.insert(slot.clone(), key.clone());
        Ok(key)
    }

    fn read_shred_key(&self, path: &Path) -> Result<ShredKey, Fault> {
        let (secret, _) = self.masters.open_file(path)?;
        let key = <[u8; SHRED_KEY_BYTES]>::try_from(secret.as_slice())
            .map_err(|error| Fault::from_error(format!("read the shred key {}", path.display()), error))?;
        Ok(Zeroizing::new(key))
    }
}

impl Keyring for KeyringFolder {
    fn new_file_key(&self) -> FileKey {
        let mut key = Zeroizing::new([0; 16]);
        #[expect(clippy::panic, reason = "without randomness no key may ever be made")]
        if self.fill(key.as_mut_slice()).is_err() {
            panic!("the operating system gives no randomness");
        }
        FileKey::new(*key)
    }

    fn ensure_organisation(&self, organisation: &OrganisationCode) -> Result<(), Failure> {
        let path = self.path_of_organisation(organisation);
        // Held while making: two publications must not make two identities.
        let mut kept = locked(&self.organisations);
        if kept.contains_key(organisation) || files::exists(&path)? {
            return Ok(());
        }
        let identities = vec![Identity::generate()];
        files::write_durably(&path, &self.masters.seal(text_of(&identities).as_bytes())?)?;
        let owner = Owner::new(identities)?;
        bound(&mut kept);
        kept.insert(organisation.clone(), owner);
        Ok(())
    }

    fn header_for_organisation(&self, organisation: &OrganisationCode, key: &FileKey) -> Result<Vec<u8>, Failure> {
        let owner = self.owner(organisation)?;
        let (identity, own) = owner.newest()?;
        let recipient: Recipient = identity.to_public();
        let header = header::build(&[own, &recipient], key.expose());
        Ok(header.map_err(|error| Fault::from_error(format!("wrap a key to {organisation}"), error))?)
    }

    fn header_for_recipients(&self, lines: &[String], key: &FileKey) -> Result<Vec<u8>, Failure> {
        let parsed: Vec<_> = lines.iter().map(|line| recipients::parse(line)).collect::<Result<_, _>>()?;
        let borrowed: Vec<&dyn age::Recipient> = parsed.iter().map(AsRef::as_ref).collect();
        let header = header::build(&borrowed, key.expose());
        Ok(header.map_err(|error| Fault::from_error("wrap a key to recipient keys", error))?)
    }

    fn judge_recipient(&self, line: &str) -> Result<JudgedRecipient, Failure> {
        recipients::judge(line)
    }

    fn open_header(&self, organisation: &OrganisationCode, header: &[u8]) -> Result<FileKey, Failure> {
        let owner = self.owner(organisation)?;
        let opened = owner.open(header).map(|(key, _)| key);
        Ok(opened.map_err(|error| Fault::from_error(format!("open a header of {organisation}"), error))?)
    }

    fn ensure_slot(&self, slot: &ShredSlot) -> Result<(), Failure> {
        let mut kept = locked(&self.slots);
        if kept.contains_key(slot) {
            return Ok(());
        }
        if locked(&self.destroyed).contains(slot) {
            return Err(Fault::new(format!("make the shred key {slot}: it was destroyed")).into());
        }
        let path = self.path_of_slot(slot);
        if !files::exists(&path)? {
            let mut key = Zeroizing::new([0; SHRED_KEY_BYTES]);
            self.fill(key.as_mut_slice())?;
            files::write_durably(&path, &self.masters.seal(key.as_slice())?)?;
        }
        // Read back from the disk: a key that cannot be read must never seal anything.
        let key = self.read_shred_key(&path)?;
        bound(&mut kept);
        kept.insert(slot.clone(), key);
        Ok(())
    }

    fn seal_header(&self, slot: &ShredSlot, binding: HeaderBinding, header: &[u8]) -> Result<Vec<u8>, Failure> {
        let key = self.shred_key(slot)?;
        let mut nonce = [0; 12];
        self.fill(&mut nonce)?;
        let sealed = shred::seal(&key, binding.payload.as_bytes(), binding.delivery.as_bytes(), nonce, header);
        Ok(sealed.map_err(|error| Fault::from_error("seal a header", error))?)
    }

    fn unseal_header(&self, slot: &ShredSlot, binding: HeaderBinding, sealed: &[u8]) -> Result<Vec<u8>, Failure> {
        let key = self.shred_key(slot)?;
        let header = shred::open(&key, binding.payload.as_bytes(), binding.delivery.as_bytes(), sealed);
        let doing = || format!("open the sealed header of payload {}", binding.payload);
        Ok(header.map_err(|error| Fault::from_error(doing(), error))?)
    }

    fn destroy_slot(&self, slot: &ShredSlot) -> Result<(), Failure> {
        // Held to the end: no header is sealed under a key that is going.
        let mut kept = locked(&self.slots);
        let mut destroyed = locked(&self.destroyed);
        kept.remove(slot);
        if !destroyed.contains(slot) {
            // Listed first: a destruction that is cut off is completed at the next start.
            files::append_line(&self.folder.join(SHRED).join(DESTROYED), &slot.to_string())?;
            destroyed.insert(slot.clone());
        }
        files::destroy(&self.path_of_slot(slot))?;
        Ok(())
    }

    fn living_slots(&self) -> Result<Vec<ShredSlot>, Fault> {
        let mut slots: Vec<ShredSlot> =
            files::names(&self.folder.join(SHRED))?.iter().filter_map(|name| ShredSlot::parse(name).ok()).collect();
        slots.sort();
        Ok(slots)
    }

    fn ensure_body_key(&self, slot: BodySlot) -> Result<bool, Failure> {
        self.ensure_body(slot)
    }

    fn seal_body(&self, slot: BodySlot, binding: BodyBinding, plain: &[u8]) -> Result<Vec<u8>, Failure> {
        self.seal_events(slot, binding, plain)
    }

    fn open_body(&self, slot: BodySlot, binding: BodyBinding, sealed: &[u8]) -> Result<OpenedBody, Fault> {
        self.open_events(slot, binding, sealed)
    }

    fn destroy_body_key(&self, slot: BodySlot) -> Result<(), Failure> {
        self.destroy_body(slot)
    }

    fn living_body_keys(&self) -> Result<Vec<BodySlot>, Fault> {
        self.living_bodies()
    }

    fn is_body_key_destroyed(&self, slot: BodySlot) -> bool {
        locked(&self.bodies_destroyed).contains(&slot)
    }

    fn begin_master_rotation(&self) -> Result<(), Failure> {
        self.masters.begin()
    }

    fn is_master_rotating(&self) -> bool {
        self.masters.has_older()
    }

    fn rewrap_to_master(&self) -> Result<Rewrapped, Failure> {
        self.rewrap_all()
    }

    fn forget_older_masters(&self) -> Result<(), Failure> {
        self.forget_masters()
    }

    fn begin_organisation_rotation(&self, organisation: &OrganisationCode, now: Moment) -> Result<(), Failure> {
        self.begin_identity(organisation, now)
    }

    fn rotating_organisations(&self) -> Result<Vec<(OrganisationCode, Moment)>, Fault> {
        self.rotating()
    }

    fn rewrap_header(&self, organisation: &OrganisationCode, header: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
        let opened = self.owner(organisation)?.open(header);
        let (key, is_current) =
            opened.map_err(|error| Fault::from_error(format!("open a header of {organisation}"), error))?;
        if is_current { Ok(None) } else { self.header_for_organisation(organisation, &key).map(Some) }
    }

    fn forget_older_identities(&self, organisation: &OrganisationCode) -> Result<(), Failure> {
        self.forget_identities(organisation)
    }

    fn facts(&self) -> Result<Vec<KeyFact>, Fault> {
        self.key_facts()
    }
}

/// Memory is bounded; what is dropped is read again from the disk.
fn bound<K, V>(kept: &mut HashMap<K, V>) {
    if kept.len() >= MOST_KEPT {
        kept.clear();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod rotation_tests;
#[cfg(test)]
mod tests;
