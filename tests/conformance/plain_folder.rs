//! The plain file system as a shelf: unchrooted, read-write, with the rights of whoever
//! runs it; status codes and texts as OpenSSH's `sftp-server` gives them.

use std::fs::{File, Metadata, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use postkluis::fronts::sftp::shelf::{
    Attributes, FileKind, FolderCursor, OpenMode, OpenedFile, SentAttributes, Shelf, ShelfError, ShelfErrorKind, Volume,
};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, StatVfs, StatVfsMountFlags, Timespec, Timestamps};
use rustix::io::Errno;

use super::flags::{Flags, Journal, Level};
use super::plain_listing::PlainListing;
use super::real_path::{link_target, real_path};
use super::users::Users;

/// Everything below `/`, from the current folder.
pub(crate) struct PlainFolder {
    flags: Flags,
    journal: Journal,
    users: Arc<Users>,
}

impl PlainFolder {
    pub(crate) fn new(flags: Flags, journal: Journal) -> Self {
        Self { flags, journal, users: Arc::new(Users::of_this_system()) }
    }
}

/// A status with the text that `sftp-server` has for it.
pub(crate) fn status(kind: ShelfErrorKind) -> ShelfError {
    let message = match kind {
        ShelfErrorKind::NoSuchFile => "No such file",
        ShelfErrorKind::PermissionDenied => "Permission denied",
        ShelfErrorKind::Failure => "Failure",
        ShelfErrorKind::BadMessage => "Bad message",
        ShelfErrorKind::Unsupported => "Operation unsupported",
        ShelfErrorKind::ConnectionLost => "Connection lost",
    };
    ShelfError { kind, message: message.to_owned() }
}

/// The status of an error, as `errno_to_portable` there.
pub(crate) fn failed(error: impl Into<io::Error>) -> ShelfError {
    status(match Errno::from_io_error(&error.into()) {
        Some(Errno::NOENT | Errno::NOTDIR | Errno::BADF | Errno::LOOP) => ShelfErrorKind::NoSuchFile,
        Some(Errno::PERM | Errno::ACCESS | Errno::FAULT) => ShelfErrorKind::PermissionDenied,
        Some(Errno::NAMETOOLONG | Errno::INVAL) => ShelfErrorKind::BadMessage,
        Some(Errno::NOSYS) => ShelfErrorKind::Unsupported,
        _ => ShelfErrorKind::Failure,
    })
}

/// What is shown of a file; times as far as version 3 goes.
pub(crate) fn shown(found: &Metadata) -> Attributes {
    let kind = found.file_type();
    let kind = match () {
        () if kind.is_dir() => FileKind::Folder,
        () if kind.is_symlink() => FileKind::Link,
        () if kind.is_fifo() => FileKind::Pipe,
        () if kind.is_socket() => FileKind::Socket,
        () if kind.is_char_device() => FileKind::CharacterDevice,
        () if kind.is_block_device() => FileKind::BlockDevice,
        () => FileKind::File,
    };
    Attributes {
        kind,
        links: found.nlink(),
        size_bytes: found.len(),
        permissions: found.mode() & 0o7777,
        uid: found.uid(),
        gid: found.gid(),
        atime_seconds: found.atime() as u32,
        mtime_seconds: found.mtime() as u32,
    }
}

fn volume(found: &StatVfs) -> Volume {
    Volume {
        block_bytes: found.f_bsize,
        fragment_bytes: found.f_frsize,
        blocks: found.f_blocks,
        free_blocks: found.f_bfree,
        available_blocks: found.f_bavail,
        files: found.f_files,
        free_files: found.f_ffree,
        available_files: found.f_favail,
        id: found.f_fsid,
        is_read_only: found.f_flag.contains(StatVfsMountFlags::RDONLY),
        ignores_setuid: found.f_flag.contains(StatVfsMountFlags::NOSUID),
        longest_name_bytes: found.f_namemax,
    }
}

fn times((accessed, changed): (u32, u32)) -> Timestamps {
    let at = |seconds: u32| Timespec { tv_sec: i64::from(seconds), tv_nsec: 0 };
    Timestamps { last_access: at(accessed), last_modification: at(changed) }
}

/// Every step is tried; the last one that failed is told.
fn all<const N: usize>(steps: [io::Result<()>; N]) -> Result<(), ShelfError> {
    steps.into_iter().rev().find(Result::is_err).unwrap_or(Ok(())).map_err(failed)
}

/// A step for what was sent, nothing otherwise.
fn if_sent<T>(sent: Option<T>, step: impl FnOnce(T) -> io::Result<()>) -> io::Result<()> {
    sent.map_or(Ok(()), step)
}

fn mode(permissions: u32) -> Permissions {
    Permissions::from_mode(permissions & 0o7777)
}

fn truncate(path: &str, size: u64) -> io::Result<()> {
    File::options().write(true).open(path)?.set_len(size)
}

/// A regular file gets its new name only if that is free, without a gap in between.
fn rename_to_free_name(from: &str, to: &str) -> io::Result<()> {
    if !std::fs::symlink_metadata(from)?.is_file() {
        return match std::fs::metadata(to) {
            Ok(_) => Err(Errno::EXIST.into()),
            Err(_) => std::fs::rename(from, to),
        };
    }
    match std::fs::hard_link(from, to) {
        Ok(()) => std::fs::remove_file(from).or_else(|error| {
            std::fs::remove_file(to)?;
            Err(error)
        }),
        Err(error) if matches!(Errno::from_io_error(&error), Some(Errno::OPNOTSUPP | Errno::NOSYS | Errno::XDEV)) => {
            if std::fs::metadata(to).is_ok() {
                return Err(Errno::EXIST.into());
            }
            std::fs::rename(from, to)
        }
        Err(error) => Err(error),
    }
}

impl Shelf for PlainFolder {
    fn admit(&self, request: &str) -> Result<(), ShelfError> {
        let Some(why) = self.flags.refuses(request) else { return Ok(()) };
        self.journal.say(Level::Verbose, &format!("Refusing {request} request: {why}"));
        Err(status(ShelfErrorKind::PermissionDenied))
    }

    fn resolve(&self, raw: &[u8]) -> Result<String, ShelfError> {
        // a C string ends at its first NUL; sftp-server takes such a packet for broken
        let text = std::str::from_utf8(raw).ok().filter(|text| !text.contains('\0'));
        text.map(str::to_owned).ok_or_else(|| status(ShelfErrorKind::NoSuchFile))
    }

    fn real_path(&self, path: &str) -> Result<String, ShelfError> {
        let found = real_path(if path.is_empty() { "." } else { path }).map_err(failed)?;
        found.into_os_string().into_string().map_err(|_| status(ShelfErrorKind::NoSuchFile))
    }

    fn expand_path(&self, raw: &[u8]) -> Result<String, ShelfError> {
        let path = self.resolve(raw)?;
        let Some(rest) = path.strip_prefix('~') else { return self.real_path(&path) };
        let (user, rest) = rest.split_once('/').unwrap_or((rest, ""));
        if user.is_empty() {
            return self.real_path(&format!("./{rest}"));
        }
        let unknown = || ShelfError { kind: ShelfErrorKind::NoSuchFile, message: "no such user".to_owned() };
        let home = &self.users.named(user.as_bytes()).ok_or_else(unknown)?.home;
        self.real_path(&format!("{home}/{rest}"))
    }

    fn home_folder(&self, user: &[u8]) -> Result<String, ShelfError> {
        self.users.named(user).ok_or_else(|| status(ShelfErrorKind::Failure))?;
        Ok(self.users.own().home)
    }

    fn user_name(&self, id: u32) -> Option<String> {
        self.users.user_name(id).map(str::to_owned)
    }

    fn group_name(&self, id: u32) -> Option<String> {
        self.users.group_name(id).map(str::to_owned)
    }

    fn stat(&self, path: &str) -> Result<Attributes, ShelfError> {
        std::fs::metadata(path).map(|found| shown(&found)).map_err(failed)
    }

    fn link_stat(&self, path: &str) -> Result<Attributes, ShelfError> {
        std::fs::symlink_metadata(path).map(|found| shown(&found)).map_err(failed)
    }

    fn read_link(&self, path: &str) -> Result<String, ShelfError> {
        link_target(Path::new(path)).map_err(failed)
    }

    fn make_link(&self, target: &str, path: &str) -> Result<(), ShelfError> {
        std::os::unix::fs::symlink(target, path).map_err(failed)
    }

    fn make_hard_link(&self, from: &str, to: &str) -> Result<(), ShelfError> {
        std::fs::hard_link(from, to).map_err(failed)
    }

    fn volume(&self, path: &str) -> Result<Volume, ShelfError> {
        rustix::fs::statvfs(path).map(|found| volume(&found)).map_err(failed)
    }

    fn open_folder(&self, path: &str) -> Result<Box<dyn FolderCursor>, ShelfError> {
        Ok(Box::new(PlainListing::open(path, Arc::clone(&self.users))?))
    }

    fn open_file(&self, path: &str, mode: OpenMode) -> Result<Arc<dyn OpenedFile>, ShelfError> {
        if self.flags.read_only && (mode.write || mode.create || mode.truncate) {
            self.journal.say(Level::Verbose, "Refusing open request in read-only mode");
            return Err(status(ShelfErrorKind::PermissionDenied));
        }
        let mut flags = match (mode.read, mode.write) {
            (true, true) => OFlags::RDWR,
            (false, true) => OFlags::WRONLY,
            (_, false) => OFlags::RDONLY,
        };
        flags.set(OFlags::APPEND, mode.append);
        flags.set(OFlags::CREATE, mode.create);
        flags.set(OFlags::TRUNC, mode.truncate);
        flags.set(OFlags::EXCL, mode.exclusive);
        flags.insert(OFlags::CLOEXEC);
        let permissions = Mode::from_raw_mode(mode.permissions.unwrap_or(0o666) & 0o7777);
        let file = File::from(rustix::fs::open(path, flags, permissions).map_err(failed)?);
        Ok(Arc::new(PlainFile { file, appends: mode.append }))
    }

    fn remove(&self, path: &str) -> Result<(), ShelfError> {
        rustix::fs::unlinkat(CWD, path, AtFlags::empty()).map_err(failed)
    }

    fn rename(&self, from: &str, to: &str, overwrite: bool) -> Result<(), ShelfError> {
        if overwrite { std::fs::rename(from, to) } else { rename_to_free_name(from, to) }.map_err(failed)
    }

    fn set_attributes(&self, path: &str, sent: &SentAttributes) -> Result<(), ShelfError> {
        all([
            if_sent(sent.size, |size| truncate(path, size)),
            if_sent(sent.permissions, |permissions| std::fs::set_permissions(path, mode(permissions))),
            if_sent(sent.times_seconds, |sent| Ok(rustix::fs::utimensat(CWD, path, &times(sent), AtFlags::empty())?)),
            if_sent(sent.owner, |(user, group)| std::os::unix::fs::chown(path, Some(user), Some(group))),
        ])
    }

    fn set_link_attributes(&self, path: &str, sent: &SentAttributes) -> Result<(), ShelfError> {
        let is_link = std::fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
        all([
            if_sent(sent.size, |_| Err(Errno::INVAL.into())),
            if_sent(sent.permissions, |permissions| match is_link {
                true => Err(Errno::OPNOTSUPP.into()),
                false => std::fs::set_permissions(path, mode(permissions)),
            }),
            if_sent(sent.times_seconds, |sent| {
                Ok(rustix::fs::utimensat(CWD, path, &times(sent), AtFlags::SYMLINK_NOFOLLOW)?)
            }),
            if_sent(sent.owner, |(user, group)| std::os::unix::fs::lchown(path, Some(user), Some(group))),
        ])
    }

    fn make_folder(&self, path: &str, permissions: Option<u32>) -> Result<(), ShelfError> {
        let permissions = Mode::from_raw_mode(permissions.unwrap_or(0o777) & 0o7777);
        rustix::fs::mkdirat(CWD, path, permissions).map_err(failed)
    }

    fn remove_folder(&self, path: &str) -> Result<(), ShelfError> {
        rustix::fs::unlinkat(CWD, path, AtFlags::REMOVEDIR).map_err(failed)
    }
}

/// An open file.
struct PlainFile {
    file: File,
    appends: bool,
}

impl OpenedFile for PlainFile {
    fn attributes(&self) -> Result<Attributes, ShelfError> {
        self.file.metadata().map(|found| shown(&found)).map_err(failed)
    }

    fn read(&self, offset: u64, length: usize) -> Result<Bytes, ShelfError> {
        let mut bytes = vec![0; length];
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, offset.saturating_add(filled as u64)) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
        bytes.truncate(filled);
        Ok(Bytes::from(bytes))
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), ShelfError> {
        if self.appends { (&self.file).write_all(data) } else { self.file.write_all_at(data, offset) }.map_err(failed)
    }

    fn set_attributes(&self, sent: &SentAttributes) -> Result<(), ShelfError> {
        all([
            if_sent(sent.size, |size| self.file.set_len(size)),
            if_sent(sent.permissions, |permissions| self.file.set_permissions(mode(permissions))),
            if_sent(sent.times_seconds, |sent| Ok(rustix::fs::futimens(&self.file, &times(sent))?)),
            if_sent(sent.owner, |(user, group)| std::os::unix::fs::fchown(&self.file, Some(user), Some(group))),
        ])
    }

    fn sync(&self) -> Result<(), ShelfError> {
        self.file.sync_all().map_err(failed)
    }

    fn volume(&self) -> Result<Volume, ShelfError> {
        rustix::fs::fstatvfs(&self.file).map(|found| volume(&found)).map_err(failed)
    }

    fn identity(&self) -> Option<(u64, u64)> {
        self.file.metadata().ok().map(|found| (found.dev(), found.ino()))
    }

    fn close(&self) -> Result<(), ShelfError> {
        Ok(())
    }

    fn abandon(&self) {}
}
