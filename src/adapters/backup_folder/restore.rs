//! Puts the files of a backup into a new home: catalog, payloads, keys, shred
//! keys. The configuration is handed out: a home with it is whole.
#![expect(clippy::disallowed_methods, reason = "this adapter is the disk")]

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use age::x25519::Identity;
use zeroize::Zeroizing;

use super::create::{fits_shred_keys, manifest_of};
use super::disk;
use super::verify::write_plain;
use super::{CONFIG, HOME_CATALOG, HOME_VAULT, KEYS, MORTAL, SHRED_KEYS, VAULT, archive};
use crate::domain::moment::Moment;
use crate::ports::failure::{Failure, Fault};

/// What was put back.
pub struct Restored {
    /// Which run of the backup it was.
    pub run: u64,
    /// When that was.
    pub made_at: Moment,
    /// The last decision in it.
    pub sequence: u64,
    /// The last event in it.
    pub last_event: u64,
    /// Payloads that were put back.
    pub payloads: usize,
    /// Shred keys that were put back.
    pub shred_keys: usize,
    /// Payloads that the backup does not hold, or not whole.
    pub missing: Vec<String>,
    /// Uploads that were not finished then; their bytes are not in the backup.
    pub unfinished_uploads: usize,
    /// The configuration, to be written last.
    pub config: Zeroizing<Vec<u8>>,
}

/// Puts the backup in `target` into `home`, whose folders are there. `shred_keys` is a bundle that is newer than
/// the one in the backup.
///
/// # Errors
/// The backup is damaged in its catalog or keys, or the disk fails: the home is not whole then, and to be removed.
pub fn restore(
    target: &Path,
    home: &Path,
    identity: &Identity,
    shred_keys: Option<&Path>,
) -> Result<Restored, Failure> {
    let manifest = manifest_of(target)?;
    let keys = disk::open_sealed(&target.join(&manifest.keys.path), identity, |plain| archive::unpack(plain))?;
    let mut config = None;
    for file in keys {
        if file.name == CONFIG {
            config = Some(file.bytes);
        } else {
            put(home, &file)?;
        }
    }
    let config = config.ok_or_else(|| Fault::new(format!("restore {}: {CONFIG} is not in it", target.display())))?;
    let own = target.join(SHRED_KEYS);
    if shred_keys.is_none() && !fits_shred_keys(target, &manifest, disk::measure(&own)?.ok_or_else(|| gone(&own))?)? {
        return Err(Fault::new(format!("{} was changed or damaged", own.display())).into());
    }
    let shred = disk::open_sealed(shred_keys.unwrap_or(&own), identity, |plain| archive::unpack(plain))?;
    let prefixes = MORTAL.map(|folder| format!("{KEYS}/{folder}/"));
    let mut living = 0;
    for file in shred.iter().filter(|file| prefixes.iter().any(|prefix| file.name.starts_with(prefix))) {
        put(home, file)?;
        living += usize::from(!file.name.ends_with(".destroyed"));
    }
    for file in &manifest.catalog {
        let path = home.join(HOME_CATALOG).join(&file.path);
        make_folder_of(&path)?;
        disk::write(&path, 0o600, |sink| write_plain(target, file, identity, sink).map_err(io::Error::other))?;
    }
    let mut missing = manifest.left_out.missing.clone();
    let mut payloads = 0;
    for item in &manifest.payloads {
        let Some(name) = item.path.strip_prefix(VAULT) else { continue };
        let path = home.join(HOME_VAULT).join(name.trim_start_matches('/'));
        make_folder_of(&path)?;
        let source = target.join(&item.path);
        let mut file = match File::open(&source) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                missing.push(name.trim_start_matches('/').to_owned());
                continue;
            }
            opened => opened.map_err(|error| disk::fault("open", &source, error))?,
        };
        let measured = disk::write_unfinished(&path, 0o600, |sink| disk::pour(&mut file, sink))?;
        if item.fits(measured) {
            disk::settle(&path)?;
            payloads += 1;
        } else {
            let aside = disk::unfinished(&path);
            fs::remove_file(&aside).map_err(|error| disk::failure("remove", &aside, error))?;
            missing.push(name.trim_start_matches('/').to_owned());
        }
    }
    sync_all(home)?;
    Ok(Restored {
        run: manifest.run,
        made_at: Moment::from_millis(manifest.made_at),
        sequence: manifest.sequence,
        last_event: manifest.last_event,
        payloads,
        shred_keys: living,
        missing,
        unfinished_uploads: manifest.left_out.unfinished_uploads,
        config,
    })
}

fn gone(path: &Path) -> Fault {
    Fault::new(format!("{} is not there", path.display()))
}

fn put(home: &Path, file: &archive::Packed) -> Result<(), Failure> {
    let path = home.join(&file.name);
    make_folder_of(&path)?;
    disk::write(&path, 0o600, |sink| sink.write_all(&file.bytes))?;
    let mode = fs::set_permissions(&path, fs::Permissions::from_mode(file.mode));
    mode.map_err(|error| disk::failure("set the mode of", &path, error))
}

fn make_folder_of(path: &Path) -> Result<(), Failure> {
    match path.parent() {
        Some(folder) if !folder.is_dir() => disk::make_folder(folder),
        _ => Ok(()),
    }
}

/// Every folder of a home becomes durable with the names in it.
fn sync_all(folder: &Path) -> Result<(), Failure> {
    for name in disk::names(folder)? {
        let path = folder.join(name);
        if path.is_dir() {
            sync_all(&path)?;
        }
    }
    disk::sync_folder(folder)
}
