//! How a backup touches the disk: bounded copies with their digests, sealed and
//! opened streams, files that are whole or not there. Knows no manifest.
#![expect(clippy::disallowed_methods, reason = "this adapter is the disk")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use age::x25519::{Identity, Recipient};
use age::{Decryptor, Encryptor};
use aws_lc_rs::digest::{Context, SHA256};

use crate::domain::digest::Digest;
use crate::domain::refusal::Refusal;
use crate::ports::failure::{Failure, Fault};

/// So much is in memory of what is copied.
const STEP_BYTES: usize = 256 * 1024;

/// Ending of what is being written.
pub(super) const UNFINISHED: &str = ".tmp";

/// Size and digest of a file as it lies there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Measured {
    pub(super) bytes: u64,
    pub(super) sha256: Digest,
}

/// Counts and hashes what goes through.
pub(super) struct Meter<T> {
    inner: T,
    context: Context,
    bytes: u64,
}

impl<T> Meter<T> {
    pub(super) fn new(inner: T) -> Self {
        Self { inner, context: Context::new(&SHA256), bytes: 0 }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    pub(super) fn end(self) -> (T, Measured) {
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(self.context.finish().as_ref());
        (self.inner, Measured { bytes: self.bytes, sha256: Digest::new(sha256) })
    }
}

impl<W: Write> Write for Meter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.take(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<R: Read> Read for Meter<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.take(into.get(..count).unwrap_or_default());
        Ok(count)
    }
}

pub(super) fn fault(doing: &str, path: &Path, error: io::Error) -> Fault {
    Fault::from_error(format!("{doing} {}", path.display()), error)
}

/// A full disk is said by its name.
pub(super) fn failure(doing: &str, path: &Path, error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            let why = format!("the disk is full: {doing} {}; what was there before stays as it was", path.display());
            Refusal::TooMuch(why).into()
        }
        _ => fault(doing, path, error).into(),
    }
}

/// Reads all of a small file.
pub(super) fn read_bounded(path: &Path, most: u64) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes));
    read.map_err(|error| fault("read", path, error))?;
    if bytes.len() as u64 > most {
        return Err(Fault::new(format!("read {}: it has more than {most} bytes", path.display())));
    }
    Ok(bytes)
}

/// Makes a folder, 0700, with those above it.
pub(super) fn make_folder(path: &Path) -> Result<(), Failure> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| failure("make the folder", path, error))
}

pub(super) fn sync_folder(path: &Path) -> Result<(), Failure> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(|error| failure("sync", path, error))
}

/// Names in a folder, sorted; none when it is not there.
pub(super) fn names(folder: &Path) -> Result<Vec<String>, Fault> {
    let failed = |error| fault("list", folder, error);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry.map_err(failed)?.file_name().into_string());
    }
    names.sort();
    Ok(names)
}

pub(super) fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(UNFINISHED);
    PathBuf::from(name)
}

/// Writes a file through `fill`, durable, under its unfinished name; `settle` gives it its own.
pub(super) fn write_unfinished(
    path: &Path,
    mode: u32,
    fill: impl FnOnce(&mut Meter<File>) -> io::Result<()>,
) -> Result<Measured, Failure> {
    let aside = unfinished(path);
    let write = || {
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&aside)?;
        let mut meter = Meter::new(file);
        fill(&mut meter)?;
        let (file, measured) = meter.end();
        file.sync_all()?;
        Ok(measured)
    };
    write().map_err(|error| failure("write", path, error))
}

/// Gives an unfinished file its name; the caller syncs the folder.
pub(super) fn settle(path: &Path) -> Result<(), Failure> {
    fs::rename(unfinished(path), path).map_err(|error| failure("write", path, error))
}

/// As `write_unfinished` and `settle`.
pub(super) fn write(
    path: &Path,
    mode: u32,
    fill: impl FnOnce(&mut Meter<File>) -> io::Result<()>,
) -> Result<Measured, Failure> {
    let measured = write_unfinished(path, mode, fill)?;
    settle(path)?;
    Ok(measured)
}

/// Everything of `source` into `sink`, in bounded memory.
pub(super) fn pour(source: &mut dyn Read, sink: &mut dyn Write) -> io::Result<()> {
    let mut step = vec![0; STEP_BYTES];
    loop {
        match source.read(&mut step) {
            Ok(0) => return Ok(()),
            Ok(count) => sink.write_all(step.get(..count).unwrap_or_default())?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Seals everything of `source` to `recipient` as one age file.
pub(super) fn seal(recipient: &Recipient, source: &mut dyn Read, sink: &mut Meter<File>) -> io::Result<()> {
    let to: [&dyn age::Recipient; 1] = [recipient];
    let encryptor = Encryptor::with_recipients(to.into_iter()).map_err(io::Error::other)?;
    let mut sealed = encryptor.wrap_output(sink)?;
    pour(source, &mut sealed)?;
    sealed.finish()?;
    Ok(())
}

/// Opens a sealed file and gives its plaintext to `take`.
pub(super) fn open_sealed<T>(
    path: &Path,
    identity: &Identity,
    take: impl FnOnce(&mut dyn Read) -> io::Result<T>,
) -> Result<T, Fault> {
    let file = File::open(path).map_err(|error| fault("open", path, error))?;
    let failed = |error: age::DecryptError| Fault::from_error(format!("open the seal of {}", path.display()), error);
    let decryptor = Decryptor::new_buffered(io::BufReader::new(file)).map_err(failed)?;
    let keys: [&dyn age::Identity; 1] = [identity];
    let mut plain = decryptor.decrypt(keys.into_iter()).map_err(failed)?;
    let taken = take(&mut plain).map_err(|error| fault("read the sealed", path, error))?;
    Ok(taken)
}

/// A file to read; `None` when it is not there.
pub(super) fn open(path: &Path) -> Result<Option<File>, Fault> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(fault("open", path, error)),
    }
}

/// Size and digest of a file; `None` when it is not there.
pub(super) fn measure(path: &Path) -> Result<Option<Measured>, Fault> {
    let mut meter = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => Meter::new(opened.map_err(|error| fault("open", path, error))?),
    };
    pour(&mut meter, &mut io::sink()).map_err(|error| fault("read", path, error))?;
    Ok(Some(meter.end().1))
}

/// Size of a file; `None` when it is not there.
pub(super) fn size(path: &Path) -> Result<Option<u64>, Fault> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(metadata.len())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(fault("look at", path, error)),
    }
}
