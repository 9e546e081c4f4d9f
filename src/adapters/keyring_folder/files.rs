//! Key files: written durably, read with their permissions checked, destroyed
//! by overwriting. Knows nothing of what they hold.
#![expect(clippy::disallowed_methods, reason = "this adapter is the disk")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::SystemTime;

use zeroize::Zeroizing;

use crate::domain::refusal::Refusal;
use crate::ports::failure::{Failure, Fault};

/// No key file is larger.
const MOST_BYTES: u64 = 16 << 20;

/// Ending of a key file that is being written.
const UNFINISHED: &str = ".tmp";

fn failure(doing: &str, path: &Path, error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Refusal::NoSpace.into(),
        _ => fault(doing, path, error).into(),
    }
}

fn fault(doing: &str, path: &Path, error: io::Error) -> Fault {
    Fault::from_error(format!("{doing} {}", path.display()), error)
}

pub(super) fn make_folder(path: &Path) -> Result<(), Failure> {
    let make = || {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        sync_folder_of(path)
    };
    make().map_err(|error| failure("make", path, error))
}

/// Whether a file is there; one that cannot be looked at is a fault, never "not there".
pub(super) fn exists(path: &Path) -> Result<bool, Fault> {
    path.try_exists().map_err(|error| fault("look at", path, error))
}

/// Key files and folders that group or others can open are refused.
pub(super) fn refuse_open_to_others(path: &Path) -> Result<(), Fault> {
    let metadata = fs::metadata(path).map_err(|error| fault("look at", path, error))?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let (shown, right) = (path.display(), if metadata.is_dir() { "700" } else { "600" });
    Err(Fault::new(format!("{shown} is open to others (mode {mode:o}); run `chmod {right} {shown}`")))
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    let file = File::open(path).map_err(|error| fault("open", path, error))?;
    let length = file.metadata().map_err(|error| fault("look at", path, error))?.len().min(MOST_BYTES);
    // of its full size at once: growing would leave copies of a secret behind
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default() + 64);
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| fault("read", path, error))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Fault::new(format!("{} is too large for a key file", path.display())));
    }
    Ok(bytes)
}

pub(super) fn read_secret(path: &Path) -> Result<Zeroizing<String>, Fault> {
    let text = String::from_utf8(read(path)?).map_err(|_| Fault::new(format!("{} is not text", path.display())))?;
    Ok(Zeroizing::new(text))
}

/// As `read_secret`; a list that is not there is empty.
pub(super) fn read_list(path: &Path) -> Result<Zeroizing<String>, Fault> {
    if exists(path)? { read_secret(path) } else { Ok(Zeroizing::default()) }
}

/// Temporary, fsync, rename, fsync of the folder: whole or not there.
pub(super) fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(UNFINISHED);
    let unfinished = Path::new(&unfinished);
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(unfinished, path)?;
        sync_folder_of(path)
    };
    write().map_err(|error| failure("write", path, error))
}

/// As `write_durably`, and what the file held before is overwritten on the disk, unless it has another name too.
pub(super) fn replace_durably(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let before = match OpenOptions::new().write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        other => Some(other.map_err(|error| failure("open", path, error))?),
    };
    write_durably(path, bytes)?;
    let overwrite = |mut file: File| -> io::Result<()> {
        if file.metadata()?.nlink() == 0 {
            write_zeros(&mut file)?;
        }
        Ok(())
    };
    before.map_or(Ok(()), |file| overwrite(file).map_err(|error| failure("overwrite", path, error)))
}

fn write_zeros(file: &mut File) -> io::Result<()> {
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX).min(1 << 20);
    file.write_all(&vec![0; length])?;
    file.sync_all()
}

/// Appends a line durably; a line that an earlier crash cut off stays a line of its own.
pub(super) fn append_line(path: &Path, line: &str) -> Result<(), Failure> {
    let append = || -> io::Result<()> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
        let mut last = *b"\n";
        if let Some(at) = file.metadata()?.len().checked_sub(1) {
            file.read_exact_at(&mut last, at)?;
        }
        let before = if last == *b"\n" { "" } else { "\n" };
        file.write_all(format!("{before}{line}\n").as_bytes())?;
        file.sync_all()?;
        sync_folder_of(path)
    };
    append().map_err(|error| failure("write", path, error))
}

/// Overwrites, syncs, unlinks, syncs the folder. A file that is not there is fine.
pub(super) fn destroy(path: &Path) -> Result<(), Failure> {
    let destroy = || -> io::Result<()> {
        let mut file = match OpenOptions::new().write(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other?,
        };
        write_zeros(&mut file)?;
        fs::remove_file(path)?;
        sync_folder_of(path)
    };
    destroy().map_err(|error| failure("destroy", path, error))
}

pub(super) fn sweep_temporaries(folder: &Path) -> Result<(), Failure> {
    for name in names(folder)? {
        if name.ends_with(UNFINISHED) {
            destroy(&folder.join(name))?;
        }
    }
    Ok(())
}

/// What an unfinished writing of one file left.
pub(super) fn sweep_named(folder: &Path, path: &Path) -> Result<(), Failure> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(UNFINISHED);
    destroy(&folder.join(name))
}

/// When a file was last written: when its key was made, because sealing it anew keeps the time.
pub(super) fn changed_at(path: &Path) -> Result<SystemTime, Fault> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).map_err(|error| fault("look at", path, error))
}

pub(super) fn set_changed_at(path: &Path, at: SystemTime) -> Result<(), Fault> {
    let set = || File::open(path)?.set_modified(at);
    set().map_err(|error| fault("set the time of", path, error))
}

pub(super) fn names(folder: &Path) -> Result<Vec<String>, Fault> {
    let failed = |error| fault("list", folder, error);
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        names.extend(entry.map_err(failed)?.file_name().into_string());
    }
    Ok(names)
}

fn sync_folder_of(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}
