//! What each request asks of the shelf: from a parsed request to work, and from
//! work to its outcome. Knows nothing of order, windows or bytes on the wire.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::handles::{self, Handles, Listing, Opened};
use super::paths::normalise;
use super::shelf::{Attributes, OpenMode, OpenedFile, Shelf, ShelfError, ShelfErrorKind, error};
use super::wire::{Fields, MAX_DATA_BYTES, Request, SentAttributes};

/// Entries asked of a folder at a time.
const PAGE_ENTRIES: usize = 512;

/// Work for a shelf.
pub enum Work {
    /// The outcome is known already.
    Known(Done),
    /// Open a file.
    OpenFile(String, OpenMode),
    /// Open a folder.
    OpenFolder(String),
    /// Read.
    Read(Arc<dyn OpenedFile>, u64, usize),
    /// Write.
    Write(Arc<dyn OpenedFile>, u64, Bytes),
    /// Attributes through a handle.
    Fstat(Arc<dyn OpenedFile>),
    /// Set attributes through a handle.
    Fsetstat(Arc<dyn OpenedFile>, SentAttributes),
    /// Close.
    Close(Opened),
    /// Next page of a folder.
    List(Arc<Mutex<Listing>>),
    /// Attributes of a path.
    Stat(String),
    /// Set attributes of a path.
    Setstat(String, SentAttributes),
    /// Remove a file.
    Remove(String),
    /// Make a folder.
    MakeFolder(String),
    /// Remove a folder.
    RemoveFolder(String),
    /// Rename; whether an existing target is replaced.
    Rename(String, String, bool),
}

/// The outcome of work.
pub enum Done {
    /// A handle to give out, or why not.
    Opened(Result<Opened, ShelfError>),
    /// Bytes read.
    Data {
        /// From where.
        file: Arc<dyn OpenedFile>,
        /// At which offset.
        offset: u64,
        /// The bytes, never none.
        bytes: Bytes,
    },
    /// Entries stand ready in the listing.
    Names {
        /// The listing.
        listing: Arc<Mutex<Listing>>,
    },
    /// One path.
    Path(String),
    /// Attributes.
    Attributes(Attributes),
    /// Done.
    Ok,
    /// End of file or folder.
    Eof,
    /// The answer to `limits@openssh.com`.
    Limits,
    /// Ids without names.
    NoNames {
        /// How many users were asked.
        users: usize,
        /// How many groups were asked.
        groups: usize,
    },
    /// Refused or failed.
    Refused(ShelfError),
}

impl Work {
    /// Whether it may add a handle.
    pub fn opens(&self) -> bool {
        matches!(self, Self::OpenFile(..) | Self::OpenFolder(_) | Self::Known(Done::Opened(_)))
    }

    /// Whether doing it waits for nothing.
    pub fn is_at_hand(&self) -> bool {
        match self {
            Self::Known(_) => true,
            Self::Fstat(file) | Self::Close(Opened::File { file, .. }) => file.is_at_hand(),
            _ => false,
        }
    }

    /// Does it; may block.
    pub fn run(self, shelf: &dyn Shelf) -> Done {
        match self {
            Self::Known(done) => done,
            Self::OpenFile(path, mode) => Done::Opened(shelf.open_file(&path, mode).map(|file| Opened::File {
                file,
                read: mode.read,
                write: mode.write,
            })),
            Self::OpenFolder(path) => Done::Opened(
                shelf
                    .open_folder(&path)
                    .map(|cursor| Opened::Folder(Arc::new(Mutex::new(Listing { cursor, rest: VecDeque::new() })))),
            ),
            Self::Read(file, offset, length) => match file.read(offset, length) {
                Ok(bytes) if bytes.is_empty() => Done::Eof,
                Ok(bytes) => Done::Data { file, offset, bytes },
                Err(refusal) => Done::Refused(refusal),
            },
            Self::Write(file, offset, data) => plain(file.write(offset, &data)),
            Self::Fstat(file) => shown(file.attributes()),
            Self::Fsetstat(file, sent) => plain(file.set_attributes(sent.size, sent.mtime_seconds)),
            Self::Close(Opened::File { file, .. }) => plain(file.close()),
            Self::Close(Opened::Folder(_)) => Done::Ok,
            Self::List(listing) => list(listing),
            Self::Stat(path) => shown(shelf.stat(&path)),
            Self::Setstat(path, sent) => plain(shelf.set_attributes(&path, sent.size, sent.mtime_seconds)),
            Self::Remove(path) => plain(shelf.remove(&path)),
            Self::MakeFolder(path) => plain(shelf.make_folder(&path)),
            Self::RemoveFolder(path) => plain(shelf.remove_folder(&path)),
            Self::Rename(from, to, overwrite) => plain(shelf.rename(&from, &to, overwrite)),
        }
    }
}

fn plain(result: Result<(), ShelfError>) -> Done {
    result.map_or_else(Done::Refused, |()| Done::Ok)
}

fn shown(result: Result<Attributes, ShelfError>) -> Done {
    result.map_or_else(Done::Refused, Done::Attributes)
}

fn list(listing: Arc<Mutex<Listing>>) -> Done {
    let mut open = listing.lock().unwrap_or_else(PoisonError::into_inner);
    if open.rest.is_empty() {
        match open.cursor.next(PAGE_ENTRIES) {
            Ok(page) => open.rest.extend(page),
            Err(refusal) => return Done::Refused(refusal),
        }
    }
    let ended = open.rest.is_empty();
    drop(open);
    if ended { Done::Eof } else { Done::Names { listing } }
}

/// Turns a request into work; `room` says whether another handle may be opened.
pub fn plan(request: Request, handles: &mut Handles, room: bool) -> Work {
    try_plan(request, handles, room).unwrap_or_else(|refusal| Work::Known(Done::Refused(refusal)))
}

fn try_plan(request: Request, handles: &mut Handles, room: bool) -> Result<Work, ShelfError> {
    Ok(match request {
        Request::Open { .. } | Request::Opendir { .. } if !room => {
            return Err(error(ShelfErrorKind::Failure, "too many open handles: close some first"));
        }
        Request::Open { path, flags, .. } => Work::OpenFile(normalise(&path)?, mode(flags)),
        Request::Opendir { path } => Work::OpenFolder(normalise(&path)?),
        Request::Read { handle, offset, length } => match opened(handles, &handle)? {
            Opened::File { file, read: true, .. } => Work::Read(file, offset, (length as usize).min(MAX_DATA_BYTES)),
            _ => return Err(error(ShelfErrorKind::PermissionDenied, "this handle is not open for reading")),
        },
        Request::Write { handle, offset, data } => match opened(handles, &handle)? {
            Opened::File { file, write: true, .. } => Work::Write(file, offset, data),
            _ => return Err(error(ShelfErrorKind::PermissionDenied, "this handle is not open for writing")),
        },
        Request::Close { handle } => match handles::number(&handle).and_then(|number| handles.remove(number)) {
            Some(opened) => Work::Close(opened),
            None => return Err(no_handle()),
        },
        Request::Fstat { handle } => Work::Fstat(file(handles, &handle)?),
        Request::Fsetstat { handle, attributes } => Work::Fsetstat(file(handles, &handle)?, attributes),
        Request::Readdir { handle } => match opened(handles, &handle)? {
            Opened::Folder(listing) => Work::List(listing),
            Opened::File { .. } => return Err(error(ShelfErrorKind::Failure, "this handle is not a folder")),
        },
        Request::Lstat { path } | Request::Stat { path } => Work::Stat(normalise(&path)?),
        Request::Setstat { path, attributes } => Work::Setstat(normalise(&path)?, attributes),
        Request::Remove { path } => Work::Remove(normalise(&path)?),
        Request::Mkdir { path, .. } => Work::MakeFolder(normalise(&path)?),
        Request::Rmdir { path } => Work::RemoveFolder(normalise(&path)?),
        Request::Realpath { path } => Work::Known(Done::Path(normalise(&path)?)),
        Request::Rename { from, to } => Work::Rename(normalise(&from)?, normalise(&to)?, false),
        Request::Readlink { .. } | Request::Symlink { .. } => {
            return Err(error(ShelfErrorKind::Unsupported, "there are no links here"));
        }
        Request::Extended { name, body } => return extended(&name, Fields(body), handles),
        Request::Unknown { .. } => return Err(error(ShelfErrorKind::Unsupported, "not a request of SFTP version 3")),
        Request::Malformed => return Err(error(ShelfErrorKind::BadMessage, "the request is malformed")),
    })
}

fn extended(name: &[u8], mut body: Fields, handles: &mut Handles) -> Result<Work, ShelfError> {
    let malformed = || error(ShelfErrorKind::BadMessage, "the extended request is malformed");
    Ok(match name {
        b"limits@openssh.com" => Work::Known(Done::Limits),
        b"posix-rename@openssh.com" => {
            let from = body.string().ok_or_else(malformed)?;
            let to = body.string().ok_or_else(malformed)?;
            Work::Rename(normalise(&from)?, normalise(&to)?, true)
        }
        b"fsync@openssh.com" => {
            file(handles, &body.string().ok_or_else(malformed)?)?;
            Work::Known(Done::Ok)
        }
        b"lsetstat@openssh.com" => {
            let path = body.string().ok_or_else(malformed)?;
            Work::Setstat(normalise(&path)?, body.attributes().ok_or_else(malformed)?)
        }
        b"expand-path@openssh.com" => {
            let path = body.string().ok_or_else(malformed)?;
            let plain = path.strip_prefix(b"~").unwrap_or(&path);
            Work::Known(Done::Path(normalise(plain)?))
        }
        b"home-directory" => Work::Known(Done::Path("/".to_owned())),
        b"users-groups-by-id@openssh.com" => {
            let users = body.string().ok_or_else(malformed)?.len() / 4;
            let groups = body.string().ok_or_else(malformed)?.len() / 4;
            Work::Known(Done::NoNames { users, groups })
        }
        _ => return Err(error(ShelfErrorKind::Unsupported, "this extension is not served here")),
    })
}

fn opened(handles: &mut Handles, handle: &[u8]) -> Result<Opened, ShelfError> {
    let slot = handles::number(handle).and_then(|number| handles.slot(number)).ok_or_else(no_handle)?;
    Ok(slot.opened.clone())
}

fn file(handles: &mut Handles, handle: &[u8]) -> Result<Arc<dyn OpenedFile>, ShelfError> {
    match opened(handles, handle)? {
        Opened::File { file, .. } => Ok(file),
        Opened::Folder(_) => Err(error(ShelfErrorKind::Failure, "this handle is not a file")),
    }
}

fn no_handle() -> ShelfError {
    error(ShelfErrorKind::Failure, "no such handle")
}

fn mode(flags: u32) -> OpenMode {
    OpenMode {
        read: flags & 0x01 != 0,
        write: flags & 0x02 != 0,
        append: flags & 0x04 != 0,
        create: flags & 0x08 != 0,
        truncate: flags & 0x10 != 0,
        exclusive: flags & 0x20 != 0,
    }
}
