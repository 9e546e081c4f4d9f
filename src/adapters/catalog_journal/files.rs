//! How the journal touches the disk when it writes: few calls behind a trait,
//! so that tests can make each of them fail. Knows nothing of frames.
#![expect(clippy::disallowed_methods, reason = "this adapter is the disk")]

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// A segment that is being written.
pub trait SegmentFile: Send {
    /// Writes at the end, all of it.
    ///
    /// # Errors
    /// Part of it may be in the file.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// `fdatasync`: what was appended is durable on return.
    ///
    /// # Errors
    /// Nothing is known of what was appended; never try again.
    fn sync(&mut self) -> io::Result<()>;

    /// Cuts the file to `length_bytes` and makes that durable.
    ///
    /// # Errors
    /// The length is unknown.
    fn truncate(&mut self, length_bytes: u64) -> io::Result<()>;
}

/// Where segments are made and opened for writing.
pub trait SegmentFiles: Send {
    /// Makes a segment that must not exist, mode 0600.
    ///
    /// # Errors
    /// As the file system says.
    fn create(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>>;

    /// Opens a segment to write on at its end.
    ///
    /// # Errors
    /// As the file system says.
    fn reopen(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>>;

    /// Bytes that the file system of `folder` has left for this process.
    ///
    /// # Errors
    /// As the file system says.
    fn free_bytes(&self, folder: &Path) -> io::Result<u64>;
}

/// The files of the machine.
#[derive(Clone, Copy, Debug)]
pub struct DiskFiles;

impl SegmentFiles for DiskFiles {
    fn create(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        let file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(path)?;
        Ok(Box::new(file))
    }

    fn reopen(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        Ok(Box::new(OpenOptions::new().append(true).open(path)?))
    }

    fn free_bytes(&self, folder: &Path) -> io::Result<u64> {
        let space = rustix::fs::statvfs(folder)?;
        Ok(space.f_bavail.saturating_mul(space.f_frsize))
    }
}

impl SegmentFile for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn truncate(&mut self, length_bytes: u64) -> io::Result<()> {
        self.set_len(length_bytes)?;
        self.sync_all()
    }
}

/// Makes the entries of a folder durable.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
