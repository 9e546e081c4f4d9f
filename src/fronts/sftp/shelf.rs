//! What the SFTP protocol core needs to know of files: a small shelf of
//! folders and files. Knows nothing of SSH, packets, rights or sealing.

use std::sync::Arc;

use bytes::Bytes;

use super::{long_names, paths};

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

/// What a name stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A named pipe.
    Pipe,
    /// A socket.
    Socket,
    /// A character device.
    CharacterDevice,
    /// A block device.
    BlockDevice,
}

/// What is shown of a file or folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attributes {
    /// Folder, regular file, or what else there is.
    pub kind: FileKind,
    /// How many names it has; shown in long names only.
    pub links: u64,
    /// Plaintext size in bytes; 0 for folders of this server's own.
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

/// Attributes that a client sent, to be set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SentAttributes {
    /// Size in bytes, if given.
    pub size: Option<u64>,
    /// User and group id, if given.
    pub owner: Option<(u32, u32)>,
    /// Permission bits, if given.
    pub permissions: Option<u32>,
    /// Last access and last change in seconds since 1970, if given.
    pub times_seconds: Option<(u32, u32)>,
}

/// The file system that a path is on, as `statvfs@openssh.com` tells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the fields of statvfs(3), in its units and its order")]
pub struct Volume {
    pub block_bytes: u64,
    pub fragment_bytes: u64,
    pub blocks: u64,
    pub free_blocks: u64,
    pub available_blocks: u64,
    pub files: u64,
    pub free_files: u64,
    pub available_files: u64,
    pub id: u64,
    pub is_read_only: bool,
    pub ignores_setuid: bool,
    pub longest_name_bytes: u64,
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
    /// The permissions that a new file is to have.
    pub permissions: Option<u32>,
}

/// Extensions that a shelf must admit before they are announced and served.
pub const NOT_SERVED: [&str; 4] = ["statvfs", "fstatvfs", "hardlink", "copy-data"];

/// Folders and files as one signed-in account sees them. All calls are
/// synchronous and may block on the disk: the protocol core runs them off the
/// session loop, several at a time. Paths are as [`Shelf::resolve`] made them: absolute,
/// normalised (`/a/b`), UTF-8, without `.`, `..`, NUL or empty parts.
///
/// What a shelf need not have is refused unless it says otherwise: every change, links,
/// and the extensions in [`NOT_SERVED`].
pub trait Shelf: Send + Sync + 'static {
    /// Whether a request may be made at all, by its name as `sftp-server -Q requests` has
    /// it. Asked before each; an extension that is not admitted is not announced.
    fn admit(&self, request: &str) -> Result<(), ShelfError> {
        if NOT_SERVED.contains(&request) {
            return Err(error(ShelfErrorKind::Unsupported, "this extension is not served here"));
        }
        Ok(())
    }

    /// Makes a client's path into the form that the other calls get.
    fn resolve(&self, raw: &[u8]) -> Result<String, ShelfError> {
        paths::normalise(raw)
    }

    /// The answer to REALPATH.
    fn real_path(&self, path: &str) -> Result<String, ShelfError> {
        Ok(path.to_owned())
    }

    /// The answer to `expand-path@openssh.com`: as REALPATH, where `~` stands for home.
    fn expand_path(&self, raw: &[u8]) -> Result<String, ShelfError> {
        self.real_path(&self.resolve(raw.strip_prefix(b"~").unwrap_or(raw))?)
    }

    /// Where a user's home is.
    fn home_folder(&self, _user: &[u8]) -> Result<String, ShelfError> {
        Ok("/".to_owned())
    }

    /// The name of a user id; without one, long names show the number.
    fn user_name(&self, _id: u32) -> Option<String> {
        None
    }

    /// The name of a group id.
    fn group_name(&self, _id: u32) -> Option<String> {
        None
    }

    /// Whether names are looked up and files opened for reading out of memory, so that it may be done where the
    /// request is met, without going to another thread and back.
    fn looks_up_at_hand(&self) -> bool {
        false
    }

    /// Attributes of a path; those of its target, if it is a link.
    fn stat(&self, path: &str) -> Result<Attributes, ShelfError>;

    /// Attributes of a path; its own, if it is a link.
    fn link_stat(&self, path: &str) -> Result<Attributes, ShelfError> {
        self.stat(path)
    }

    /// What a link points to, as it stands there.
    fn read_link(&self, _path: &str) -> Result<String, ShelfError> {
        refuse_link()
    }

    /// Makes a symbolic link at `path`; `target` is as the client wrote it.
    fn make_link(&self, _target: &str, _path: &str) -> Result<(), ShelfError> {
        refuse_link()
    }

    /// Gives a file another name.
    fn make_hard_link(&self, _from: &str, _to: &str) -> Result<(), ShelfError> {
        refuse_link()
    }

    /// The file system of a path.
    fn volume(&self, _path: &str) -> Result<Volume, ShelfError> {
        Err(no_volume())
    }

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

    /// Sets attributes of a path; of its target, if it is a link.
    fn set_attributes(&self, path: &str, _sent: &SentAttributes) -> Result<(), ShelfError> {
        refuse_write(path)
    }

    /// Sets attributes of a path; its own, if it is a link.
    fn set_link_attributes(&self, path: &str, sent: &SentAttributes) -> Result<(), ShelfError> {
        self.set_attributes(path, sent)
    }

    /// Makes a folder.
    fn make_folder(&self, path: &str, _permissions: Option<u32>) -> Result<(), ShelfError> {
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

fn refuse_link<T>() -> Result<T, ShelfError> {
    Err(error(ShelfErrorKind::Unsupported, "there are no links here"))
}

fn no_volume() -> ShelfError {
    error(ShelfErrorKind::Unsupported, "the file system is not shown here")
}

/// A listing in progress.
pub trait FolderCursor: Send {
    /// The next entries, at most `limit`; empty at the end.
    fn next(&mut self, limit: usize) -> Result<Vec<Entry>, ShelfError>;

    /// The line that `ls -l` would show of an entry.
    fn long_name(&self, entry: &Entry) -> String {
        long_names::plain(entry)
    }
}

/// Takes the bytes of a read, or why there are none.
pub type ReadThen = Box<dyn FnOnce(Result<Bytes, ShelfError>) + Send>;

/// An open file. Reads and writes may come from several threads at once.
pub trait OpenedFile: Send + Sync {
    /// Current attributes.
    fn attributes(&self) -> Result<Attributes, ShelfError>;

    /// Whether `attributes` and `close` never wait for a disk: they are then served where they are met,
    /// without going to another thread and back.
    fn is_at_hand(&self) -> bool {
        false
    }

    /// As `read`, if the bytes are at hand: `then` gets them, now, or on another thread once what must be on
    /// record is. False, and nothing is done, if they are not. Never waits.
    fn read_at_hand(&self, _offset: u64, _length: usize, _then: ReadThen) -> bool {
        false
    }

    /// Up to `length` bytes from `offset`: never short before the end of the file; empty at or after it.
    fn read(&self, offset: u64, length: usize) -> Result<Bytes, ShelfError>;

    /// SHA-256 of the whole content, if it is known without reading; refused where a read would be.
    fn sha256(&self) -> Result<Option<[u8; 32]>, ShelfError> {
        Ok(None)
    }

    /// As `read`, for a digest: the bytes themselves do not leave, so they are not what was read of the file.
    fn read_for_digest(&self, offset: u64, length: usize) -> Result<Bytes, ShelfError> {
        self.read(offset, length)
    }

    /// The answer with these bytes was handed to the transport, and the client has since
    /// asked for more or closed the file: it was taken. May come late or not at all.
    fn taken(&self, _offset: u64, _length: usize) {}

    /// Writes bytes at an offset.
    fn write(&self, _offset: u64, _data: &[u8]) -> Result<(), ShelfError> {
        refuse_write("")
    }

    /// Sets attributes through the handle.
    fn set_attributes(&self, _sent: &SentAttributes) -> Result<(), ShelfError> {
        refuse_write("")
    }

    /// Returns once what was written is on the disk. Read-only files always are.
    fn sync(&self) -> Result<(), ShelfError> {
        Ok(())
    }

    /// The file system it is on.
    fn volume(&self) -> Result<Volume, ShelfError> {
        Err(no_volume())
    }

    /// Something that two handles of one file have in common, if the shelf knows it.
    fn identity(&self) -> Option<(u64, u64)> {
        None
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
