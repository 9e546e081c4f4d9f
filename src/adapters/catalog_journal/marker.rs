//! Two small files beside the index: the lock that keeps other processes out,
//! and the marker that says the catalog was closed in order, and where.
#![expect(clippy::disallowed_methods, reason = "this adapter is the disk")]

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::files::sync_folder;
use super::segments::Place;
use crate::ports::failure::Fault;

const MARKER: &str = "closed";
const LOCK: &str = "lock";
/// The marker and the lock hold a few numbers: anything longer is no such file.
const MOST_BYTES: u64 = 256;

/// Keeps the folder for this process while it lives.
pub(super) struct FolderLock {
    file: File,
}

impl Drop for FolderLock {
    /// Said in so many words: a child process that is just being started holds a copy of the file for a
    /// moment, and closing this one alone would leave the folder taken until then.
    fn drop(&mut self) {
        if let Err(error) = self.file.unlock() {
            tracing::warn!(%error, "the lock of the catalog could not be let go");
        }
    }
}

impl FolderLock {
    /// Takes the folder; a fault names the process that has it.
    pub(super) fn take(folder: &Path) -> Result<Self, Fault> {
        let path = folder.join(LOCK);
        let doing = || format!("lock the catalog {}", folder.display());
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|error| Fault::from_error(doing(), error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                let owner = match file.take(MOST_BYTES).read_to_string(&mut owner) {
                    Ok(_) if !owner.trim().is_empty() => format!("process {}", owner.trim()),
                    _ => "another process".to_owned(),
                };
                return Err(Fault::new(format!("{}: already in use by {owner}", doing())));
            }
            Err(TryLockError::Error(error)) => return Err(Fault::from_error(doing(), error)),
        }
        let mut sign = || -> io::Result<()> {
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(std::process::id().to_string().as_bytes())
        };
        sign().map_err(|error| Fault::from_error(doing(), error))?;
        Ok(Self { file })
    }
}

/// Sequence and place at which the catalog was closed in order, if it was.
pub(super) fn read(folder: &Path) -> Result<Option<(u64, Place)>, Fault> {
    let path = folder.join(MARKER);
    let mut text = String::new();
    match File::open(&path).and_then(|file| file.take(MOST_BYTES).read_to_string(&mut text)) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Fault::from_error(format!("read {}", path.display()), error)),
    }
    let mut words = text.split_whitespace();
    let mut number = || words.next().and_then(|word| word.parse::<u64>().ok());
    let (Some(1), Some(sequence), Some(segment), Some(offset)) = (number(), number(), number(), number()) else {
        return Ok(None);
    };
    Ok(Some((sequence, Place { segment, offset })))
}

/// Says that the catalog was closed in order. Durable on return.
pub(super) fn write(folder: &Path, sequence: u64, end: Place) -> Result<(), Fault> {
    let (path, new) = (folder.join(MARKER), folder.join("closed.new"));
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        write!(file, "1 {sequence} {} {}", end.segment, end.offset)?;
        file.sync_all()?;
        fs::rename(&new, &path)?;
        sync_folder(folder)
    };
    write().map_err(|error| Fault::from_error(format!("write {}", path.display()), error))
}

/// From now on the catalog is in use. Durable on return.
pub(super) fn remove(folder: &Path) -> Result<(), Fault> {
    let path = folder.join(MARKER);
    match fs::remove_file(&path).and_then(|()| sync_folder(folder)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Fault::from_error(format!("remove {}", path.display()), error))
        }
        _ => Ok(()),
    }
}
