//! The vault on a folder: one file per sealed payload, `<aa>/<id>` by the first
//! byte of its id. Written once: temporary, fsync, rename, fsync of the folder.
//! Knows no rights and keeps no keys.
#![expect(clippy::disallowed_methods, reason = "this adapter is the disk")]

mod put_back;
mod reader;
mod unfinished;
mod writer;

pub use unfinished::UnfinishedFolder;

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

use crate::domain::delivery::Payload;
use crate::domain::ids::PayloadId;
use crate::domain::moment::Span;
use crate::domain::refusal::Refusal;
use crate::ports::failure::{Failure, Fault};
use crate::ports::keyring::FileKey;
use crate::ports::vault::{PayloadReader, StoredPayload, Vault};
use crate::sealing::stream::{Layout, NONCE_BYTES, PayloadKey};

/// Unfinished payloads.
const TEMPORARY: &str = "tmp";

/// Payloads that no row names.
const ORPHANED: &str = ".orphaned";

/// A vault in a folder of its own.
pub struct VaultFolder {
    folder: PathBuf,
    reserve_bytes: u64,
    random: SystemRandom,
}

/// Held while a folder of payloads is made: one for all that put payloads into the same vault.
static MAKING_FOLDER: Mutex<()> = Mutex::new(());

impl VaultFolder {
    /// Opens or makes the vault. Refuses to store when less than `reserve_bytes` of disk are free.
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub fn open(folder: PathBuf, reserve_bytes: u64) -> Result<Self, Failure> {
        for path in [folder.clone(), folder.join(TEMPORARY), folder.join(ORPHANED)] {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&path)
                .map_err(|error| Fault::from_error(format!("make the vault folder {}", path.display()), error))?;
        }
        // Also for folders that a run before made and did not live to sync.
        for path in [Some(folder.as_path()), folder.parent().filter(|path| !path.as_os_str().is_empty())] {
            let Some(path) = path else { continue };
            sync_folder(path).map_err(|error| Fault::from_error(format!("sync {}", path.display()), error))?;
        }
        Ok(Self { folder, reserve_bytes, random: SystemRandom::new() })
    }

    fn path_of(&self, id: PayloadId) -> PathBuf {
        let name = id.to_string();
        let (first, _) = name.split_at(2);
        self.folder.join(first).join(&name)
    }

    fn temporary_of(&self, id: PayloadId) -> PathBuf {
        self.folder.join(TEMPORARY).join(id.to_string())
    }

    fn check_reserve(&self) -> Result<(), Failure> {
        let disk = rustix::fs::statvfs(&self.folder)
            .map_err(|error| Fault::from_error(format!("look at the disk of {}", self.folder.display()), error))?;
        if disk.f_bavail.saturating_mul(disk.f_frsize) < self.reserve_bytes {
            return Err(Refusal::NoSpace.into());
        }
        Ok(())
    }

    /// A payload is written once: one that is there stays as it is.
    fn refuse_present(&self, id: PayloadId) -> Result<(), Failure> {
        match self.find(id)? {
            Some(_) => Err(Fault::new(format!("store payload {id}: it is there already")).into()),
            None => Ok(()),
        }
    }

    /// Makes a finished temporary appear under its id, durably; or leaves nothing under the id.
    fn settle(&self, id: PayloadId) -> io::Result<()> {
        let path = self.path_of(id);
        let folder = path.parent().unwrap_or(&self.folder);
        self.make_durable(folder)?;
        fs::rename(self.temporary_of(id), &path)?;
        let synced = sync_folder(folder);
        if synced.is_err() {
            discard(id, &path);
        }
        synced
    }

    /// Held until it is synced: a payload never lies in a folder that a power cut can still take.
    fn make_durable(&self, folder: &Path) -> io::Result<()> {
        let _making = MAKING_FOLDER.lock().unwrap_or_else(PoisonError::into_inner);
        if folder.is_dir() {
            return Ok(());
        }
        fs::DirBuilder::new().mode(0o700).create(folder)?;
        let synced = sync_folder(&self.folder);
        if synced.is_err() {
            // The next one must not take it for synced.
            fs::remove_dir(folder)?;
        }
        synced
    }

    fn open_payload(&self, id: PayloadId) -> Result<(File, u64), Failure> {
        let path = self.path_of(id);
        let file = File::open(&path).map_err(|error| Fault::from_error(format!("open payload {id}"), error))?;
        let size = file.metadata().map_err(|error| Fault::from_error(format!("look at payload {id}"), error))?.len();
        Ok((file, size))
    }
}

impl Vault for VaultFolder {
    fn store(
        &self,
        id: PayloadId,
        key: &FileKey,
        prefix: Option<&[u8]>,
        source: &mut dyn Read,
    ) -> Result<StoredPayload, Failure> {
        self.check_reserve()?;
        let mut nonce = [0; NONCE_BYTES];
        self.random.fill(&mut nonce).map_err(|_| Fault::new("seal a payload: the system gives no randomness"))?;
        let temporary = self.temporary_of(id);
        // Made new, it also keeps a second writer of this id away until it is gone.
        let file = writer::create(&temporary)?;
        let outcome = self.refuse_present(id).and_then(|()| {
            let stored = writer::write(file, key, nonce, prefix, source, &|| self.check_reserve())?;
            self.settle(id).map_err(|error| writer::disk_failure(format!("settle payload {id}"), error))?;
            Ok(stored)
        });
        if outcome.is_err() {
            discard(id, &temporary);
        }
        outcome
    }

    fn put_back(&self, payload: &Payload, copy: &mut dyn Read) -> Result<(), Failure> {
        self.replace(payload, copy)
    }

    fn open(&self, id: PayloadId, key: &FileKey) -> Result<Arc<dyn PayloadReader>, Failure> {
        let (file, size) = self.open_payload(id)?;
        let broken = |error| Fault::from_error(format!("open payload {id}"), error);
        let layout = Layout::of_sealed(size).map_err(broken)?;
        let mut nonce = [0; NONCE_BYTES];
        file.read_exact_at(&mut nonce, 0).map_err(|error| Fault::from_error(format!("read payload {id}"), error))?;
        let payload_key = PayloadKey::new(key.expose(), &nonce).map_err(broken)?;
        Ok(Arc::new(reader::PlainReader::open(id, file, layout, payload_key)?))
    }

    fn open_sealed(&self, id: PayloadId, header: Vec<u8>) -> Result<Arc<dyn PayloadReader>, Failure> {
        let (file, size) = self.open_payload(id)?;
        Ok(Arc::new(reader::SealedReader::new(id, file, size, header)))
    }

    fn find(&self, id: PayloadId) -> Result<Option<u64>, Fault> {
        match fs::symlink_metadata(self.path_of(id)) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Fault::from_error(format!("look at payload {id}"), error)),
        }
    }

    fn remove(&self, id: PayloadId) -> Result<(), Fault> {
        let path = self.path_of(id);
        let failed = |error| Fault::from_error(format!("remove payload {id}"), error);
        match fs::remove_file(&path) {
            Ok(()) => sync_folder(path.parent().unwrap_or(&self.folder)).map_err(failed),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    fn inventory(&self) -> Result<Vec<PayloadId>, Fault> {
        let failed = |error| Fault::from_error(format!("list the vault {}", self.folder.display()), error);
        let mut found = Vec::new();
        for folder in fs::read_dir(&self.folder).map_err(failed)? {
            let folder = folder.map_err(failed)?;
            let name = folder.file_name();
            let is_fan = name.len() == 2 && name.to_string_lossy().bytes().all(|byte| byte.is_ascii_hexdigit());
            if !is_fan {
                continue;
            }
            for payload in fs::read_dir(folder.path()).map_err(failed)? {
                let name = payload.map_err(failed)?.file_name();
                match PayloadId::parse(&name.to_string_lossy()) {
                    Ok(id) => found.push(id),
                    Err(_) => tracing::warn!(folder = %folder.path().display(), "a file in the vault is no payload"),
                }
            }
        }
        Ok(found)
    }

    fn sweep_temporaries(&self) -> Result<usize, Fault> {
        let folder = self.folder.join(TEMPORARY);
        let failed = |error| Fault::from_error(format!("sweep {}", folder.display()), error);
        let mut swept = 0;
        for entry in fs::read_dir(&folder).map_err(failed)? {
            fs::remove_file(entry.map_err(failed)?.path()).map_err(failed)?;
            swept += 1;
        }
        Ok(swept)
    }

    fn set_aside(&self, id: PayloadId) -> Result<(), Fault> {
        let failed = |error| Fault::from_error(format!("set payload {id} aside"), error);
        let (path, aside) = (self.path_of(id), self.folder.join(ORPHANED));
        // Its seven days begin now: the rename keeps the old time of change.
        File::open(&path).and_then(|file| file.set_modified(SystemTime::now())).map_err(failed)?;
        fs::rename(&path, aside.join(id.to_string())).map_err(failed)?;
        sync_folder(&aside).map_err(failed)?;
        sync_folder(path.parent().unwrap_or(&self.folder)).map_err(failed)
    }

    fn purge_set_aside(&self, kept: Span) -> Result<usize, Fault> {
        let folder = self.folder.join(ORPHANED);
        let failed = |error| Fault::from_error(format!("look through {}", folder.display()), error);
        let kept = Duration::from_millis(kept.millis());
        let mut purged = 0;
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let changed = entry.metadata().and_then(|metadata| metadata.modified()).map_err(failed)?;
            if SystemTime::now().duration_since(changed).is_ok_and(|age| age > kept) {
                fs::remove_file(entry.path()).map_err(failed)?;
                purged += 1;
            }
        }
        Ok(purged)
    }
}

/// What cannot be removed now is swept or set aside at the next start; the first error counts.
fn discard(id: PayloadId, path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, payload = %id, "an unfinished payload could not be removed");
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests;
