//! What the SFTP protocol core needs to know of files: a small shelf of
//! folders and files. Knows nothing of SSH, packets, rights or sealing.

use std::sync::Arc;

use bytes::Bytes;

/// Error codes of SFTP version 3 (draft-ietf-secsh-filexfer-02 §7) that a shelf can answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ShelfErrorKind {
    /// `SSH_FX_NO_SUCH_FILE`: not there, or not to be known.
    NoSuchFile,
    /// `SSH_FX_PERMISSION_DENIED`.
    PermissionDenied,
    /// `SSH_FX_FAILURE`: everything else, with its text.
    Failure,
    /// `SSH_FX_BAD_MESSAGE`: the request itself is wrong.
    BadMessage,
    /// `SSH_FX_OP_UNSUPPORTED`.
    Unsupported,
    /// `SSH_FX_CONNECTION_LOST`: the session has been cut (block, interruption).
    ConnectionLost,
}

/// A refused or failed request, with a sentence fit for the user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShelfError {
    /// The status code.
    pub kind: ShelfErrorKind,
    /// What is wrong and what to do; reveals nothing that the user may not know.
    pub message: String,
}

/// What is shown of a file or folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attributes {
    /// Folder or regular file.
    pub is_folder: bool,
    /// Plaintext size in bytes; 0 for folders.
    pub size_bytes: u64,
    /// Permission bits, such as `0o440`.
    pub permissions: u32,
    /// User id shown.
    pub uid: u32,
    /// Group id shown.
    pub gid: u32,
    /// Last access, seconds since 1970.
    pub atime_seconds: u32,
    /// Last change, seconds since 1970.
    pub mtime_seconds: u32,
}

/// One name in a folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Name without slashes.
    pub name: String,
    /// What is shown of it.
    pub attributes: Attributes,
}

/// How a file is opened (`pflags` of SSH_FXP_OPEN).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OpenMode {
    /// `SSH_FXF_READ`.
    pub read: bool,
    /// `SSH_FXF_WRITE`.
    pub write: bool,
    /// `SSH_FXF_APPEND`.
    pub append: bool,
    /// `SSH_FXF_CREAT`.
    pub create: bool,
    /// `SSH_FXF_TRUNC`.
    pub truncate: bool,
    /// `SSH_FXF_EXCL`.
    pub exclusive: bool,
}

/// Folders and files as one signed-in account sees them. All calls are
/// synchronous and may block on the disk: the protocol core runs them off the
/// session loop, several at a time. Paths are absolute, normalised (`/a/b`), UTF-8,
/// and hold no `.`, `..`, NUL or empty parts.
pub trait Shelf: Send + Sync + 'static {
    /// Attributes of a path.
    fn stat(&self, path: &str) -> Result<Attributes, ShelfError>;

    /// Opens a folder for listing. The list is a snapshot taken page by page in name order.
    fn open_folder(&self, path: &str) -> Result<Box<dyn FolderCursor>, ShelfError>;

    /// Opens a file.
    fn open_file(&self, path: &str, mode: OpenMode) -> Result<Arc<dyn OpenedFile>, ShelfError>;

    /// Removes a file (in the outbox: signs it off). Read-only shelves refuse.
    fn remove(&self, path: &str) -> Result<(), ShelfError> {
        refuse_write(path)
    }

    /// Renames a file; `overwrite` for `posix-rename@openssh.com`.
    fn rename(&self, from: &str, _to: &str, _overwrite: bool) -> Result<(), ShelfError> {
        refuse_write(from)
    }

    /// Sets attributes of a path. Accepted without effect unless the shelf keeps them.
    fn set_attributes(&self, path: &str, _size: Option<u64>, _mtime_seconds: Option<u32>) -> Result<(), ShelfError> {
        refuse_write(path)
    }

    /// Makes a folder.
    fn make_folder(&self, path: &str) -> Result<(), ShelfError> {
        refuse_write(path)
    }

    /// Removes a folder.
    fn remove_folder(&self, path: &str) -> Result<(), ShelfError> {
        refuse_write(path)
    }
}

fn refuse_write(_path: &str) -> Result<(), ShelfError> {
    Err(ShelfError { kind: ShelfErrorKind::PermissionDenied, message: "this folder is read-only".to_owned() })
}

/// A listing in progress.
pub trait FolderCursor: Send {
    /// The next entries, at most `limit`; empty at the end.
    fn next(&mut self, limit: usize) -> Result<Vec<Entry>, ShelfError>;
}

/// An open file. Reads and writes may come from several threads at once.
pub trait OpenedFile: Send + Sync {
    /// Current attributes.
    fn attributes(&self) -> Result<Attributes, ShelfError>;

    /// Whether `attributes` and `close` never wait for a disk: they are then served where they are met,
    /// without going to another thread and back.
    fn is_at_hand(&self) -> bool {
        false
    }

    /// Up to `length` bytes from `offset`: never short before the end of the file; empty at or after it.
    fn read(&self, offset: u64, length: usize) -> Result<Bytes, ShelfError>;

    /// The answer with these bytes was handed to the transport, and the client has since
    /// asked for more or closed the file: it was taken. May come late or not at all.
    fn taken(&self, _offset: u64, _length: usize) {}

    /// Writes bytes at an offset.
    fn write(&self, _offset: u64, _data: &[u8]) -> Result<(), ShelfError> {
        refuse_write("")
    }

    /// Sets attributes through the handle.
    fn set_attributes(&self, _size: Option<u64>, _mtime_seconds: Option<u32>) -> Result<(), ShelfError> {
        refuse_write("")
    }

    /// The client closed the handle. Every range that had reached the transport was
    /// reported by `taken` before; what was read but not reported did not reach it in
    /// time and must not be counted.
    fn close(&self) -> Result<(), ShelfError>;

    /// The connection ended with the handle open: what was not `taken` is uncertain.
    fn abandon(&self);
}

/// An error of this front's own making.
pub fn error(kind: ShelfErrorKind, message: &str) -> ShelfError {
    ShelfError { kind, message: message.to_owned() }
}
