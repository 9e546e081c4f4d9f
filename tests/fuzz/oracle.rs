//! What each answer must be: the same rules as the shelf's, over plain byte vectors, one request after the
//! other. Reads packets with its own parser; knows nothing of the core's types.

use std::collections::BTreeMap;

use super::packets::Plain;
use super::paths::plain_path;
use super::shelf::{FILES, FOLDERS, MOST_FILE_BYTES, first_bytes, parent};

const OK: u64 = 0;
const EOF: u64 = 1;
const MISSING: u64 = 2;
const DENIED: u64 = 3;
const FAILURE: u64 = 4;
const MALFORMED: u64 = 5;
const UNSUPPORTED: u64 = 8;
/// Most bytes of one READ, and of one piece of a copy.
const PIECE: u64 = 261_120;
/// Most bytes hashed for one request: less than the largest of the files.
pub(crate) const MOST_CHECKED_BYTES: u64 = 200_000;

/// What an answer must be.
pub(crate) enum Expected {
    Status(u64),
    Handle(u64),
    Data(Vec<u8>),
    /// Some of the names that are left in this listing, in order, or the end if none is.
    NamesOf(u64),
    Path(String),
    Size(u64),
    /// An EXTENDED_REPLY of so many bytes.
    Reply(usize),
}

/// What a `check-file` asks behind its file.
struct Check {
    is_known: bool,
    start: u64,
    length: u64,
    block: u64,
}

impl Check {
    fn of(fields: &mut Plain<'_>) -> Option<Self> {
        let is_known = fields.string()?.split(|byte| *byte == b',').any(|name| name == b"sha256");
        Some(Self { is_known, start: fields.number(8)?, length: fields.number(8)?, block: fields.number(4)? })
    }

    /// Bytes of the answer: the algorithm's name and 32 for each block.
    fn digests(&self, size: u64) -> Result<usize, u64> {
        if !self.is_known {
            return Err(UNSUPPORTED);
        }
        if (1..256).contains(&self.block) {
            return Err(MALFORMED);
        }
        if self.start > size {
            return Err(EOF);
        }
        let left = size - self.start;
        let range = if self.length == 0 { left } else { self.length.min(left) };
        let count = if self.block == 0 { 1 } else { range.div_ceil(self.block) };
        if count > 8_190 || range > MOST_CHECKED_BYTES {
            return Err(FAILURE);
        }
        Ok(10 + 32 * count as usize)
    }
}

enum Handle {
    File { file: usize, read: bool, write: bool },
    Folder(Vec<String>),
}

pub(crate) struct Oracle {
    /// Folders have no file.
    nodes: BTreeMap<String, Option<usize>>,
    files: Vec<Vec<u8>>,
    handles: BTreeMap<u64, Handle>,
    last: u64,
    max_handles: usize,
}

type Answer = Result<Expected, u64>;

impl Oracle {
    pub(crate) fn new(max_handles: usize) -> Self {
        let mut nodes: BTreeMap<_, _> = FOLDERS.iter().map(|path| ((*path).to_owned(), None)).collect();
        nodes.extend(FILES.iter().enumerate().map(|(at, (path, _))| ((*path).to_owned(), Some(at))));
        let files = FILES.iter().map(|(_, length)| first_bytes(*length)).collect();
        Self { nodes, files, handles: BTreeMap::new(), last: 0, max_handles }
    }

    /// What must be answered to a packet that has at least its kind and its id.
    pub(crate) fn expect(&mut self, body: &[u8]) -> Expected {
        let answer = self.ask(body[0], &mut Plain(&body[5..])).unwrap_or(Err(MALFORMED));
        answer.unwrap_or_else(Expected::Status)
    }

    /// `None` when the fields run out; `Some(Err)` is a status.
    fn ask(&mut self, kind: u8, fields: &mut Plain<'_>) -> Option<Answer> {
        Some(match kind {
            3 => {
                let (path, flags) = (fields.string()?, fields.number(4)?);
                fields.attributes()?;
                self.open(path, flags)
            }
            4 => match number(fields.string()?).and_then(|number| self.handles.remove(&number)) {
                Some(_) => Err(OK),
                None => Err(MISSING),
            },
            5 => {
                let (handle, offset, length) = (fields.string()?, fields.number(8)?, fields.number(4)?);
                self.readable(handle).and_then(|file| match self.slice(file, offset, length.min(PIECE)) {
                    [] => Err(EOF),
                    bytes => Ok(Expected::Data(bytes.to_vec())),
                })
            }
            6 => {
                let (handle, offset, data) = (fields.string()?, fields.number(8)?, fields.string()?);
                self.writable(handle).and_then(|file| self.write(file, offset, data))
            }
            7 | 17 => {
                let path = fields.string()?;
                self.node(path).map(|node| Expected::Size(self.size(node)))
            }
            8 => self.file(fields.string()?).map(|file| Expected::Size(self.files[file].len() as u64)),
            9 => {
                let (path, size) = (fields.string()?, fields.attributes()?);
                self.set(path, size)
            }
            10 => {
                let (handle, size) = (fields.string()?, fields.attributes()?);
                self.file(handle).and_then(|file| self.resize(file, size))
            }
            11 => self.open_folder(fields.string()?),
            12 => match number(fields.string()?) {
                Some(number) if matches!(self.handles.get(&number), Some(Handle::Folder(_))) => {
                    Ok(Expected::NamesOf(number))
                }
                _ => Err(FAILURE),
            },
            13 => self.remove(fields.string()?),
            14 => {
                let path = fields.string()?;
                fields.attributes()?;
                self.make_folder(path)
            }
            15 => self.remove_folder(fields.string()?),
            16 => plain_path(fields.string()?).map(Expected::Path).ok_or(MISSING),
            18 => self.rename(fields.string()?, fields.string()?, false),
            19 => Err(known(fields.string()?, UNSUPPORTED)),
            20 => {
                let (target, path) = (fields.string()?, fields.string()?);
                Err(if std::str::from_utf8(target).is_ok() { known(path, UNSUPPORTED) } else { MISSING })
            }
            200 => {
                let name = fields.string()?;
                return self.extended(name, fields);
            }
            _ => Err(UNSUPPORTED),
        })
    }

    fn extended(&mut self, name: &[u8], fields: &mut Plain<'_>) -> Option<Answer> {
        Some(match name {
            b"limits@openssh.com" => Ok(Expected::Reply(32)),
            b"posix-rename@openssh.com" => self.rename(fields.string()?, fields.string()?, true),
            b"hardlink@openssh.com" => {
                let (from, to) = (fields.string()?, fields.string()?);
                Err(if plain_path(from).is_some() { known(to, UNSUPPORTED) } else { MISSING })
            }
            b"lsetstat@openssh.com" => {
                let (path, size) = (fields.string()?, fields.attributes()?);
                self.set(path, size)
            }
            b"expand-path@openssh.com" => {
                let path = fields.string()?;
                plain_path(path.strip_prefix(b"~").unwrap_or(path)).map(Expected::Path).ok_or(MISSING)
            }
            b"home-directory" => {
                fields.string()?;
                Ok(Expected::Path("/".to_owned()))
            }
            b"users-groups-by-id@openssh.com" => {
                Ok(Expected::Reply(8 + fields.string()?.len() / 4 * 4 + fields.string()?.len() / 4 * 4))
            }
            b"statvfs@openssh.com" => Err(known(fields.string()?, UNSUPPORTED)),
            b"fsync@openssh.com" => Err(self.file(fields.string()?).map_or(MISSING, |_| OK)),
            b"fstatvfs@openssh.com" => Err(self.file(fields.string()?).map_or_else(|code| code, |_| UNSUPPORTED)),
            b"copy-data" => {
                let (from, offset, length) = (fields.string()?, fields.number(8)?, fields.number(8)?);
                let (to, to_offset) = (fields.string()?, fields.number(8)?);
                self.readable(from).and_then(|from| Ok((from, self.writable(to)?))).and_then(|(from, to)| {
                    if from == to { Err(FAILURE) } else { self.copy(from, offset, length, to, to_offset) }
                })
            }
            b"check-file" | b"check-file-handle" => {
                let (handle, asked) = (fields.string()?, Check::of(fields)?);
                let answer = self.readable(handle).and_then(|file| asked.digests(self.files[file].len() as u64));
                answer.map(|bytes| Expected::Reply(bytes + if name == b"check-file" { 14 } else { 0 }))
            }
            b"check-file-name" => {
                let (path, asked) = (fields.string()?, Check::of(fields)?);
                let file = self.node(path).and_then(|node| node.ok_or(FAILURE));
                file.and_then(|file| asked.digests(self.files[file].len() as u64)).map(Expected::Reply)
            }
            _ => Err(UNSUPPORTED),
        })
    }

    fn open(&mut self, raw: &[u8], flags: u64) -> Answer {
        if self.handles.len() >= self.max_handles {
            return Err(FAILURE);
        }
        let path = plain_path(raw).ok_or(MISSING)?;
        let [read, write, create, truncate, exclusive] = [0x01, 0x02, 0x08, 0x10, 0x20].map(|flag| flags & flag != 0);
        let file = match self.nodes.get(&path) {
            Some(None) => return Err(FAILURE),
            Some(Some(_)) if create && exclusive => return Err(FAILURE),
            Some(Some(file)) => *file,
            None if create && self.is_folder(parent(&path)) => {
                self.files.push(Vec::new());
                self.nodes.insert(path, Some(self.files.len() - 1));
                self.files.len() - 1
            }
            None => return Err(MISSING),
        };
        if write && truncate {
            self.files[file].clear();
        }
        Ok(self.add(Handle::File { file, read, write }))
    }

    fn open_folder(&mut self, raw: &[u8]) -> Answer {
        if self.handles.len() >= self.max_handles {
            return Err(FAILURE);
        }
        let path = plain_path(raw).filter(|path| self.is_folder(path)).ok_or(MISSING)?;
        let inside = self.nodes.keys().filter(|inner| *inner != "/" && parent(inner) == path);
        let names = inside.map(|inner| inner.rsplit('/').next().unwrap_or_default().to_owned()).collect();
        Ok(self.add(Handle::Folder(names)))
    }

    fn add(&mut self, handle: Handle) -> Expected {
        self.last += 1;
        self.handles.insert(self.last, handle);
        Expected::Handle(self.last)
    }

    /// The names still to come in a listing.
    pub(crate) fn left(&mut self, number: u64) -> &mut Vec<String> {
        match self.handles.get_mut(&number) {
            Some(Handle::Folder(names)) => names,
            _ => panic!("{number} is no listing"),
        }
    }

    fn is_folder(&self, path: &str) -> bool {
        self.nodes.get(path) == Some(&None)
    }

    fn node(&self, raw: &[u8]) -> Result<Option<usize>, u64> {
        self.nodes.get(&plain_path(raw).ok_or(MISSING)?).copied().ok_or(MISSING)
    }

    fn size(&self, node: Option<usize>) -> u64 {
        node.map_or(0, |file| self.files[file].len() as u64)
    }

    fn handle(&self, raw: &[u8]) -> Option<&Handle> {
        self.handles.get(&number(raw)?)
    }

    fn file(&self, raw: &[u8]) -> Result<usize, u64> {
        match self.handle(raw) {
            Some(Handle::File { file, .. }) => Ok(*file),
            _ => Err(FAILURE),
        }
    }

    fn readable(&self, raw: &[u8]) -> Result<usize, u64> {
        match self.handle(raw).ok_or(FAILURE)? {
            Handle::File { file, read: true, .. } => Ok(*file),
            _ => Err(DENIED),
        }
    }

    fn writable(&self, raw: &[u8]) -> Result<usize, u64> {
        match self.handle(raw).ok_or(FAILURE)? {
            Handle::File { file, write: true, .. } => Ok(*file),
            _ => Err(DENIED),
        }
    }

    fn slice(&self, file: usize, offset: u64, length: u64) -> &[u8] {
        let bytes = &self.files[file];
        let end = offset.saturating_add(length).min(bytes.len() as u64);
        &bytes[offset.min(end) as usize..end as usize]
    }

    fn write(&mut self, file: usize, offset: u64, data: &[u8]) -> Answer {
        if offset > MOST_FILE_BYTES || offset + data.len() as u64 > MOST_FILE_BYTES {
            return Err(FAILURE);
        }
        let bytes = &mut self.files[file];
        for (at, byte) in (offset as usize..).zip(data) {
            if at >= bytes.len() {
                bytes.resize(at + 1, 0);
            }
            bytes[at] = *byte;
        }
        Err(OK)
    }

    fn copy(&mut self, from: usize, offset: u64, length: u64, to: usize, to_offset: u64) -> Answer {
        let mut copied = 0;
        while length == 0 || copied < length {
            let piece = if length == 0 { PIECE } else { PIECE.min(length - copied) };
            let bytes = self.slice(from, offset.saturating_add(copied), piece).to_vec();
            if bytes.is_empty() {
                return Err(if length == 0 { OK } else { EOF });
            }
            if let Err(code @ FAILURE) = self.write(to, to_offset.saturating_add(copied), &bytes) {
                return Err(code);
            }
            copied += bytes.len() as u64;
        }
        Err(OK)
    }

    fn resize(&mut self, file: usize, size: Option<u64>) -> Answer {
        match size {
            Some(size) if size > MOST_FILE_BYTES => return Err(FAILURE),
            Some(size) => self.files[file].resize(size as usize, 0),
            None => {}
        }
        Err(OK)
    }

    fn set(&mut self, raw: &[u8], size: Option<u64>) -> Answer {
        match self.node(raw)? {
            Some(file) => self.resize(file, size),
            None => Err(if size.is_some() { FAILURE } else { OK }),
        }
    }

    fn remove(&mut self, raw: &[u8]) -> Answer {
        self.node(raw)?.ok_or(FAILURE)?;
        self.nodes.remove(&plain_path(raw).ok_or(MISSING)?);
        Err(OK)
    }

    fn make_folder(&mut self, raw: &[u8]) -> Answer {
        let path = plain_path(raw).ok_or(MISSING)?;
        if self.nodes.contains_key(&path) {
            return Err(FAILURE);
        }
        if !self.is_folder(parent(&path)) {
            return Err(MISSING);
        }
        self.nodes.insert(path, None);
        Err(OK)
    }

    fn remove_folder(&mut self, raw: &[u8]) -> Answer {
        let path = plain_path(raw).ok_or(MISSING)?;
        let is_used = path == "/" || self.nodes.keys().any(|inner| inner != "/" && parent(inner) == path);
        if self.node(raw)?.is_some() || is_used {
            return Err(FAILURE);
        }
        self.nodes.remove(&path);
        Err(OK)
    }

    fn rename(&mut self, from: &[u8], to: &[u8], overwrite: bool) -> Answer {
        let (from, to) = (plain_path(from).ok_or(MISSING)?, plain_path(to).ok_or(MISSING)?);
        let file = self.nodes.get(&from).copied().ok_or(MISSING)?.ok_or(FAILURE)?;
        match self.nodes.get(&to) {
            Some(None) => return Err(FAILURE),
            Some(Some(_)) if !overwrite => return Err(FAILURE),
            _ => {}
        }
        if !self.is_folder(parent(&to)) {
            return Err(MISSING);
        }
        self.nodes.remove(&from);
        self.nodes.insert(to, Some(file));
        Err(OK)
    }
}

fn number(raw: &[u8]) -> Option<u64> {
    if raw.len() == 8 { Plain(raw).number(8) } else { None }
}

fn known(path: &[u8], code: u64) -> u64 {
    if plain_path(path).is_some() { code } else { MISSING }
}
