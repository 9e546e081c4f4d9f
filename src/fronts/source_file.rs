//! A regular file on disk as the source of a publication. Follows no symbolic
//! link and notices when the file changes while it is read.
#![expect(clippy::disallowed_methods, reason = "an offered file is a file on disk")]

use std::fs::{File, Metadata, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::domain::refusal::Refusal;
use crate::operations::{Failure, Fault, Source};

/// An offered file, as it was when first seen.
pub struct FileSource {
    path: PathBuf,
    seen: Seen,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Seen {
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl FileSource {
    /// Looks at a file.
    ///
    /// # Errors
    /// `BadRequest` when it is missing, unreadable, a link or no regular file; the text says which.
    pub fn open(path: &Path) -> Result<Arc<Self>, Failure> {
        let file = open_no_follow(path).map_err(|error| unreadable(path, &error))?;
        let metadata = file.metadata().map_err(|error| unreadable(path, &error))?;
        if !metadata.is_file() {
            let name = shown(path);
            return Err(Refusal::BadRequest(format!("{name} is not a regular file")).into());
        }
        Ok(Arc::new(Self { path: path.to_owned(), seen: Seen::of(&metadata) }))
    }
}

/// Makes the bytes of a regular file durable. What is missing, a link or no regular file is left as it is.
///
/// # Errors
/// The disk could not take them.
pub fn make_durable(path: &Path) -> std::io::Result<()> {
    let Ok(file) = open_no_follow(path) else { return Ok(()) };
    if file.metadata()?.is_file() { file.sync_all() } else { Ok(()) }
}

impl Source for FileSource {
    fn open(&self) -> Result<Box<dyn Read + Send>, Fault> {
        let file = open_no_follow(&self.path)
            .map_err(|error| Fault::from_error(format!("open {}", self.path.display()), error))?;
        // A file that grows is read one byte past the size first seen, not to an end that may never come.
        Ok(Box::new(file.take(self.seen.size.saturating_add(1))))
    }

    fn size_bytes(&self) -> u64 {
        self.seen.size
    }

    fn verify_unchanged(&self) -> Result<(), Failure> {
        let metadata = std::fs::symlink_metadata(&self.path).map(|metadata| Seen::of(&metadata));
        match metadata {
            Ok(seen) if seen == self.seen => Ok(()),
            _ => Err(Refusal::Changed(shown(&self.path)).into()),
        }
    }
}

impl Seen {
    fn of(metadata: &Metadata) -> Self {
        Self { inode: metadata.ino(), size: metadata.len(), modified: (metadata.mtime(), metadata.mtime_nsec()) }
    }
}

fn open_no_follow(path: &Path) -> std::io::Result<File> {
    // O_NONBLOCK: opening a named pipe must not wait for a writer.
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    OpenOptions::new().read(true).custom_flags(i32::try_from(flags.bits()).unwrap_or_default()).open(path)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    let name = shown(path);
    let why = if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
        "is a symbolic link; offer the file itself".to_owned()
    } else {
        format!("cannot be read: {error}")
    };
    Refusal::BadRequest(format!("{name} {why}")).into()
}

fn shown(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.chars().take(200).map(|c| if c.is_control() { '?' } else { c }).collect()
}
