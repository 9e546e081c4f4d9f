//! What each request asks of the shelf: from a parsed request to work, and from
//! work to its outcome. Knows nothing of order, windows or bytes on the wire.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::digests::{self, CheckBounds, CheckOrder, Checked};
use super::handles::{self, Handles, Listing, Opened};
use super::shelf::{
    Attributes, OpenMode, OpenedFile, SentAttributes, Shelf, ShelfError, ShelfErrorKind, Volume, error,
};
use super::wire::{Fields, MAX_DATA_BYTES, MAX_PACKET_BYTES, Request};

/// Entries asked of a folder at a time.
const PAGE_ENTRIES: usize = 512;

/// Work for a shelf; paths are as the client wrote them.
pub enum Work {
    /// The outcome is known already.
    Known(Done),
    /// Open a file.
    OpenFile(Bytes, OpenMode),
    /// Open a folder.
    OpenFolder(Bytes),
    /// Read.
    Read(Arc<dyn OpenedFile>, u64, usize),
    /// Write.
    Write(Arc<dyn OpenedFile>, u64, Bytes),
    /// Attributes through a handle.
    Fstat(Arc<dyn OpenedFile>),
    /// Set attributes through a handle.
    Fsetstat(Arc<dyn OpenedFile>, SentAttributes),
    /// Wait for the disk.
    Sync(Arc<dyn OpenedFile>),
    /// The file system of an open file.
    VolumeOf(Arc<dyn OpenedFile>),
    /// Close.
    Close(Opened),
    /// Next page of a folder.
    List(Arc<Mutex<Listing>>),
    /// Attributes of a path.
    Stat(Bytes),
    /// Attributes of a path that may be a link.
    LinkStat(Bytes),
    /// Set attributes of a path.
    Setstat(Bytes, SentAttributes),
    /// Set attributes of a path that may be a link.
    LinkSetstat(Bytes, SentAttributes),
    /// Remove a file.
    Remove(Bytes),
    /// Make a folder with these permissions.
    MakeFolder(Bytes, Option<u32>),
    /// Remove a folder.
    RemoveFolder(Bytes),
    /// Rename; whether an existing target is replaced.
    Rename(Bytes, Bytes, bool),
    /// Make a path absolute and plain.
    RealPath(Bytes),
    /// The same, where `~` stands for home.
    ExpandPath(Bytes),
    /// Where a user's home is.
    HomeFolder(Bytes),
    /// What a link points to.
    ReadLink(Bytes),
    /// Make a link to the first at the second.
    MakeLink(Bytes, Bytes),
    /// Give the first another name.
    MakeHardLink(Bytes, Bytes),
    /// The file system of a path.
    Volume(Bytes),
    /// Names of users and groups, whose ids stand one after the other.
    IdNames(Bytes, Bytes),
    /// Copy from one open file to another.
    Copy(CopyOrder),
    /// Digests of an open file.
    Check(Arc<dyn OpenedFile>, CheckOrder),
    /// Digests of a file by its path.
    CheckPath(Bytes, CheckOrder),
}

/// What `copy-data` asks.
pub struct CopyOrder {
    from: Arc<dyn OpenedFile>,
    offset: u64,
    /// How much; 0 for all to the end.
    length: u64,
    to: Arc<dyn OpenedFile>,
    to_offset: u64,
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
    /// A file system.
    Volume(Volume),
    /// Done.
    Ok,
    /// End of file or folder.
    Eof,
    /// The answer to `limits@openssh.com`.
    Limits,
    /// The names of ids, empty where there is none.
    IdNames {
        /// Users in the order asked.
        users: Vec<String>,
        /// Groups in the order asked.
        groups: Vec<String>,
    },
    /// Digests of parts of a file.
    Digests(Checked),
    /// Refused or failed.
    Refused(ShelfError),
}

impl Work {
    /// Whether it may add a handle.
    pub fn opens(&self) -> bool {
        matches!(self, Self::OpenFile(..) | Self::OpenFolder(_) | Self::Known(Done::Opened(_)))
    }

    /// Whether doing it waits for nothing.
    pub fn is_at_hand(&self, shelf: &dyn Shelf) -> bool {
        match self {
            Self::Known(_) | Self::Close(Opened::Folder(_)) => true,
            Self::OpenFile(_, mode) => shelf.looks_up_at_hand() && !mode.write && !mode.create,
            Self::Stat(_) | Self::LinkStat(_) | Self::RealPath(_) => shelf.looks_up_at_hand(),
            Self::Fstat(file) | Self::Close(Opened::File { file, .. }) => file.is_at_hand(),
            _ => false,
        }
    }

    /// The outcome if it must not be done.
    pub fn refuse(&self, refusal: ShelfError) -> Done {
        if self.opens() { Done::Opened(Err(refusal)) } else { Done::Refused(refusal) }
    }

    /// Does it; may block.
    pub fn run(self, shelf: &dyn Shelf) -> Done {
        let opens = self.opens();
        self.attempt(shelf).unwrap_or_else(|refusal| match opens {
            true => Done::Opened(Err(refusal)),
            false => Done::Refused(refusal),
        })
    }

    fn attempt(self, shelf: &dyn Shelf) -> Result<Done, ShelfError> {
        let at = |raw: Bytes| shelf.resolve(&raw);
        match self {
            Self::Known(done) => return Ok(done),
            Self::OpenFile(path, mode) => {
                let file = shelf.open_file(&at(path)?, mode)?;
                return Ok(Done::Opened(Ok(Opened::File { file, read: mode.read, write: mode.write })));
            }
            Self::OpenFolder(path) => {
                let listing = Listing { cursor: shelf.open_folder(&at(path)?)?, rest: VecDeque::new() };
                return Ok(Done::Opened(Ok(Opened::Folder(Arc::new(Mutex::new(listing))))));
            }
            Self::Read(file, offset, length) => {
                let read = file.read(offset, length);
                return Ok(read_outcome(file, offset, read));
            }
            Self::List(listing) => return list(listing),
            Self::Fstat(file) => return file.attributes().map(Done::Attributes),
            Self::Stat(path) => return shelf.stat(&at(path)?).map(Done::Attributes),
            Self::LinkStat(path) => return shelf.link_stat(&at(path)?).map(Done::Attributes),
            Self::RealPath(path) => return shelf.real_path(&at(path)?).map(Done::Path),
            Self::ExpandPath(path) => return shelf.expand_path(&path).map(Done::Path),
            Self::HomeFolder(user) => return shelf.home_folder(&user).map(Done::Path),
            Self::ReadLink(path) => return shelf.read_link(&at(path)?).map(Done::Path),
            Self::Volume(path) => return shelf.volume(&at(path)?).map(Done::Volume),
            Self::VolumeOf(file) => return file.volume().map(Done::Volume),
            Self::IdNames(users, groups) => return id_names(shelf, &users, &groups),
            Self::Copy(order) => return copy(&order),
            Self::Check(file, order) => return digests::check(&order, file.as_ref()),
            Self::CheckPath(path, order) => {
                let file = shelf.open_file(&at(path)?, OpenMode { read: true, ..OpenMode::default() })?;
                let checked = digests::check(&order, file.as_ref());
                file.abandon();
                return checked;
            }
            Self::Write(file, offset, data) => file.write(offset, &data)?,
            Self::Fsetstat(file, sent) => file.set_attributes(&sent)?,
            Self::Sync(file) => file.sync()?,
            Self::Close(Opened::File { file, .. }) => file.close()?,
            Self::Close(Opened::Folder(_)) => {}
            Self::Setstat(path, sent) => shelf.set_attributes(&at(path)?, &sent)?,
            Self::LinkSetstat(path, sent) => shelf.set_link_attributes(&at(path)?, &sent)?,
            Self::Remove(path) => shelf.remove(&at(path)?)?,
            Self::MakeFolder(path, permissions) => shelf.make_folder(&at(path)?, permissions)?,
            Self::RemoveFolder(path) => shelf.remove_folder(&at(path)?)?,
            Self::Rename(from, to, overwrite) => shelf.rename(&at(from)?, &at(to)?, overwrite)?,
            Self::MakeLink(target, path) => shelf.make_link(text(&target)?, &at(path)?)?,
            Self::MakeHardLink(from, to) => shelf.make_hard_link(&at(from)?, &at(to)?)?,
        }
        Ok(Done::Ok)
    }
}

/// What a read comes to.
pub fn read_outcome(file: Arc<dyn OpenedFile>, offset: u64, read: Result<Bytes, ShelfError>) -> Done {
    match read {
        Ok(bytes) if bytes.is_empty() => Done::Eof,
        Ok(bytes) => Done::Data { file, offset, bytes },
        Err(refusal) => Done::Refused(refusal),
    }
}

fn list(listing: Arc<Mutex<Listing>>) -> Result<Done, ShelfError> {
    let mut open = listing.lock().unwrap_or_else(PoisonError::into_inner);
    if open.rest.is_empty() {
        let page = open.cursor.next(PAGE_ENTRIES)?;
        open.rest.extend(page);
    }
    let ended = open.rest.is_empty();
    drop(open);
    Ok(if ended { Done::Eof } else { Done::Names { listing } })
}

fn id_names(shelf: &dyn Shelf, users: &[u8], groups: &[u8]) -> Result<Done, ShelfError> {
    // the packet less its kind, id and two lengths
    let mut room = MAX_PACKET_BYTES - 13;
    let mut names = |ids: &[u8], name: &dyn Fn(u32) -> Option<String>| {
        let (ids, _) = ids.as_chunks::<4>();
        let mut found = Vec::new();
        for id in ids {
            let name = name(u32::from_be_bytes(*id)).unwrap_or_default();
            room = room.checked_sub(4 + name.len()).ok_or_else(|| {
                error(ShelfErrorKind::Failure, "the names of so many ids do not fit in one answer: ask for fewer")
            })?;
            found.push(name);
        }
        Ok(found)
    };
    let users = names(users, &|id| shelf.user_name(id))?;
    Ok(Done::IdNames { users, groups: names(groups, &|id| shelf.group_name(id))? })
}

/// Copies in pieces; an end before `length` is told as such (draft-ietf-secsh-filexfer-extensions-00 §7).
fn copy(order: &CopyOrder) -> Result<Done, ShelfError> {
    let mut copied = 0_u64;
    while order.length == 0 || copied < order.length {
        let left = if order.length == 0 { u64::MAX } else { order.length - copied };
        let piece = usize::try_from(left).unwrap_or(usize::MAX).min(MAX_DATA_BYTES);
        let bytes = order.from.read(order.offset.saturating_add(copied), piece)?;
        if bytes.is_empty() {
            return Ok(if order.length == 0 { Done::Ok } else { Done::Eof });
        }
        order.to.write(order.to_offset.saturating_add(copied), &bytes)?;
        copied += bytes.len() as u64;
    }
    Ok(Done::Ok)
}

fn text(raw: &[u8]) -> Result<&str, ShelfError> {
    std::str::from_utf8(raw).map_err(|_| error(ShelfErrorKind::NoSuchFile, "no such file or folder"))
}

/// Turns a request into work; `room` says whether another handle may be opened.
pub fn plan(request: Request, handles: &mut Handles, room: bool, bounds: &CheckBounds) -> Work {
    try_plan(request, handles, room, bounds).unwrap_or_else(|refusal| Work::Known(Done::Refused(refusal)))
}

fn try_plan(request: Request, handles: &mut Handles, room: bool, bounds: &CheckBounds) -> Result<Work, ShelfError> {
    Ok(match request {
        Request::Open { .. } | Request::Opendir { .. } if !room => {
            return Err(error(ShelfErrorKind::Failure, "too many open handles: close some first"));
        }
        Request::Open { path, flags, attributes } => Work::OpenFile(path, mode(flags, attributes.permissions)),
        Request::Opendir { path } => Work::OpenFolder(path),
        Request::Read { handle, offset, length } => {
            Work::Read(readable(handles, &handle)?, offset, (length as usize).min(MAX_DATA_BYTES))
        }
        Request::Write { handle, offset, data } => Work::Write(writable(handles, &handle)?, offset, data),
        Request::Close { handle } => match handles::number(&handle).and_then(|number| handles.remove(number)) {
            Some(opened) => Work::Close(opened),
            // OpenSSH's code for this one request
            None => return Err(error(ShelfErrorKind::NoSuchFile, "no such handle")),
        },
        Request::Fstat { handle } => Work::Fstat(file(handles, &handle)?),
        Request::Fsetstat { handle, attributes } => Work::Fsetstat(file(handles, &handle)?, attributes),
        Request::Readdir { handle } => match opened(handles, &handle)? {
            Opened::Folder(listing) => Work::List(listing),
            Opened::File { .. } => return Err(error(ShelfErrorKind::Failure, "this handle is not a folder")),
        },
        Request::Lstat { path } => Work::LinkStat(path),
        Request::Stat { path } => Work::Stat(path),
        Request::Setstat { path, attributes } => Work::Setstat(path, attributes),
        Request::Remove { path } => Work::Remove(path),
        Request::Mkdir { path, attributes } => Work::MakeFolder(path, attributes.permissions),
        Request::Rmdir { path } => Work::RemoveFolder(path),
        Request::Realpath { path } => Work::RealPath(path),
        Request::Rename { from, to } => Work::Rename(from, to, false),
        Request::Readlink { path } => Work::ReadLink(path),
        Request::Symlink { target, path } => Work::MakeLink(target, path),
        Request::Extended { name, body } => {
            return extended(&name, &mut Fields(body), handles, bounds)
                .unwrap_or_else(|| Err(error(ShelfErrorKind::BadMessage, "the extended request is malformed")));
        }
        Request::Unknown { .. } => return Err(error(ShelfErrorKind::Unsupported, "not a request of SFTP version 3")),
        Request::Malformed => return Err(error(ShelfErrorKind::BadMessage, "the request is malformed")),
    })
}

/// `None` when the fields do not add up.
fn extended(
    name: &[u8],
    body: &mut Fields,
    handles: &mut Handles,
    bounds: &CheckBounds,
) -> Option<Result<Work, ShelfError>> {
    Some(Ok(match name {
        b"limits@openssh.com" => Work::Known(Done::Limits),
        b"posix-rename@openssh.com" => Work::Rename(body.string()?, body.string()?, true),
        b"hardlink@openssh.com" => Work::MakeHardLink(body.string()?, body.string()?),
        b"lsetstat@openssh.com" => Work::LinkSetstat(body.string()?, body.attributes()?),
        b"expand-path@openssh.com" => Work::ExpandPath(body.string()?),
        b"home-directory" => Work::HomeFolder(body.string()?),
        b"users-groups-by-id@openssh.com" => Work::IdNames(body.string()?, body.string()?),
        b"statvfs@openssh.com" => Work::Volume(body.string()?),
        b"fsync@openssh.com" => {
            // OpenSSH's code for an unknown handle here, other than for FSTAT
            let known = |refusal: ShelfError| ShelfError { kind: ShelfErrorKind::NoSuchFile, ..refusal };
            return Some(file(handles, &body.string()?).map(Work::Sync).map_err(known));
        }
        b"fstatvfs@openssh.com" => return Some(file(handles, &body.string()?).map(Work::VolumeOf)),
        b"copy-data" => {
            let (from, offset, length) = (body.string()?, body.wide()?, body.wide()?);
            let (to, to_offset) = (body.string()?, body.wide()?);
            let files = readable(handles, &from).and_then(|from| Ok((from, writable(handles, &to)?)));
            return Some(files.and_then(|(from, to)| copy_order(from, offset, length, to, to_offset)));
        }
        b"check-file" | b"check-file-handle" => {
            let (handle, order) = (body.string()?, digests::order(body, name == b"check-file", bounds)?);
            return Some(readable(handles, &handle).map(|file| Work::Check(file, order)));
        }
        b"check-file-name" => Work::CheckPath(body.string()?, digests::order(body, false, bounds)?),
        _ => return Some(Err(error(ShelfErrorKind::Unsupported, "this extension is not served here"))),
    }))
}

/// A file copied into itself might never end.
fn copy_order(
    from: Arc<dyn OpenedFile>,
    offset: u64,
    length: u64,
    to: Arc<dyn OpenedFile>,
    to_offset: u64,
) -> Result<Work, ShelfError> {
    let is_same = from.identity().is_none_or(|identity| to.identity() == Some(identity));
    if Arc::ptr_eq(&from, &to) || is_same {
        return Err(error(ShelfErrorKind::Failure, "a file cannot be copied into itself"));
    }
    Ok(Work::Copy(CopyOrder { from, offset, length, to, to_offset }))
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

fn readable(handles: &mut Handles, handle: &[u8]) -> Result<Arc<dyn OpenedFile>, ShelfError> {
    match opened(handles, handle)? {
        Opened::File { file, read: true, .. } => Ok(file),
        _ => Err(error(ShelfErrorKind::PermissionDenied, "this handle is not open for reading")),
    }
}

fn writable(handles: &mut Handles, handle: &[u8]) -> Result<Arc<dyn OpenedFile>, ShelfError> {
    match opened(handles, handle)? {
        Opened::File { file, write: true, .. } => Ok(file),
        _ => Err(error(ShelfErrorKind::PermissionDenied, "this handle is not open for writing")),
    }
}

fn no_handle() -> ShelfError {
    error(ShelfErrorKind::Failure, "no such handle")
}

fn mode(flags: u32, permissions: Option<u32>) -> OpenMode {
    OpenMode {
        read: flags & 0x01 != 0,
        write: flags & 0x02 != 0,
        append: flags & 0x04 != 0,
        create: flags & 0x08 != 0,
        truncate: flags & 0x10 != 0,
        exclusive: flags & 0x20 != 0,
        permissions,
    }
}
