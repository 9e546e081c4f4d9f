//! Backups in a folder: the catalog's files in sealed pieces, payloads as they
//! lie in the vault, keys and configuration in one sealed archive, shred keys in
//! another, and a manifest that is switched last. Knows no catalog and no rights.

mod archive;
mod create;
mod disk;
mod manifest;
mod restore;
mod verify;

pub use create::{BackupJob, BackupReport, PayloadToCopy, create};
pub use restore::{Restored, restore};
pub use verify::{FollowChain, Verified, verify};

use std::io::Read;
use std::path::Path;
use std::str::FromStr;

use age::x25519::{Identity, Recipient};
use zeroize::Zeroizing;

use crate::domain::ids::PayloadId;
use crate::domain::refusal::Refusal;
use crate::ports::failure::{Failure, Fault};

/// Says that a folder is a backup of ours: written before anything else.
const MARKER: &str = "postkluis-backup";
const MARKER_TEXT: &str = "A backup of a Postkluis home. The manifest names what belongs to it; do not change it.\n";
/// Held while a backup is made.
const LOCK: &str = "lock";
/// The living shred keys and body keys: one file, replaced by each run.
const SHRED_KEYS: &str = "shred-keys.age";
/// Digests that the shred keys may have while the manifest is about to be switched.
const SHRED_DIGESTS: &str = "shred-keys.sha256";
/// The catalog's files below a backup, and below a home.
const CATALOG: &str = "catalog";
const HOME_CATALOG: &str = "data/catalog";
/// Payloads below a backup, and below a home.
const VAULT: &str = "vault";
const HOME_VAULT: &str = "data/vault";
const KEYS: &str = "keys";
/// Folders of keys that are destroyed one day: shred keys and keys of event bodies. Only the bundle holds them.
const MORTAL: [&str; 2] = ["shred", "bodies"];
/// The configuration, in the archive of keys and in a home.
const CONFIG: &str = "postkluis.toml";
/// An identity file is short.
const MOST_IDENTITY_BYTES: u64 = 64 * 1024;

/// The public key that a backup is sealed to.
///
/// # Errors
/// `BadRequest`: the text is no age X25519 public key.
pub fn recipient(text: &str) -> Result<Recipient, Failure> {
    Recipient::from_str(text).map_err(|why| {
        let what = format!("storage.backup_recipient {text} is no age public key: {why}; make one with `age-keygen`");
        Refusal::BadRequest(what).into()
    })
}

/// The identity in a file as `age-keygen` writes it.
///
/// # Errors
/// A fault that names the file.
pub fn read_identity(path: &Path) -> Result<Identity, Failure> {
    let text = Zeroizing::new(disk::read_bounded(path, MOST_IDENTITY_BYTES)?);
    let text = std::str::from_utf8(&text)
        .map_err(|error| Fault::from_error(format!("read the identity {}", path.display()), error))?;
    let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    let parsed = line.ok_or("it holds no key").and_then(Identity::from_str);
    Ok(parsed.map_err(|why| Fault::new(format!("read the identity {}: {why}", path.display())))?)
}

/// Whether a folder is a backup.
///
/// # Errors
/// `WrongState` when it is none.
pub fn refuse_foreign(folder: &Path) -> Result<(), Failure> {
    create::manifest_of(folder).map(|_| ())
}

/// The copy of a payload in a backup, if it has one: sealed, as it lies in a vault.
///
/// # Errors
/// A fault that names the file.
pub fn payload(folder: &Path, id: PayloadId) -> Result<Option<Box<dyn Read>>, Fault> {
    let name = id.to_string();
    let (first, _) = name.split_at(2);
    let file = disk::open(&folder.join(VAULT).join(first).join(&name))?;
    Ok(file.map(|file| Box::new(file) as Box<dyn Read>))
}

/// A refusal over a folder that is no backup, or not this one.
fn not_fit(why: String) -> Failure {
    Refusal::WrongState(why).into()
}
