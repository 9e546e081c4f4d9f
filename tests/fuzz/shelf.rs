//! A shelf in memory, with rules simple enough to be told again by the oracle.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use postkluis::fronts::sftp::shelf::{
    Attributes, Entry, FileKind, FolderCursor, OpenMode, OpenedFile, SentAttributes, Shelf, ShelfError, ShelfErrorKind,
    error,
};

/// Longest file.
pub(crate) const MOST_FILE_BYTES: u64 = 1 << 20;
/// What is there at first: folders, and files with how many bytes they have.
pub(crate) const FOLDERS: [&str; 4] = ["/", "/d", "/tmp", "/tmp/pkrec"];
pub(crate) const FILES: [(&str, usize); 5] =
    [("/a", 0), ("/b", 70_000), ("/d/c", 131_072), ("/tmp/pkrec/a.txt", 4_053), ("/tmp/pkrec/b.txt", 300_001)];

/// The bytes of a file that is there at first.
pub(crate) fn first_bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8 ^ (at >> 8) as u8).collect()
}

/// How many files were opened, closed and abandoned.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) opened: AtomicUsize,
    pub(crate) closed: AtomicUsize,
    pub(crate) abandoned: AtomicUsize,
}

type Content = Arc<Mutex<Vec<u8>>>;

/// Folders have no content.
pub(crate) struct MemoryShelf {
    nodes: Mutex<BTreeMap<String, Option<Content>>>,
    page_entries: usize,
    pub(crate) tally: Arc<Tally>,
}

impl MemoryShelf {
    pub(crate) fn new(page_entries: usize) -> Self {
        let folders = FOLDERS.iter().map(|path| ((*path).to_owned(), None));
        let files =
            FILES.iter().map(|(path, length)| ((*path).to_owned(), Some(Arc::new(Mutex::new(first_bytes(*length))))));
        Self { nodes: Mutex::new(folders.chain(files).collect()), page_entries, tally: Arc::default() }
    }
}

fn missing() -> ShelfError {
    error(ShelfErrorKind::NoSuchFile, "missing")
}

fn failure() -> ShelfError {
    error(ShelfErrorKind::Failure, "failure")
}

pub(crate) fn parent(path: &str) -> &str {
    match path.rfind('/') {
        Some(0) | None => "/",
        Some(at) => &path[..at],
    }
}

fn shown(content: Option<&Content>) -> Attributes {
    let size_bytes = content.map_or(0, |content| content.lock().unwrap().len() as u64);
    let kind = if content.is_some() { FileKind::File } else { FileKind::Folder };
    Attributes { kind, links: 1, size_bytes, permissions: 0o640, uid: 1, gid: 2, atime_seconds: 3, mtime_seconds: 4 }
}

fn resize(content: &Content, sent: &SentAttributes) -> Result<(), ShelfError> {
    match sent.size {
        Some(size) if size > MOST_FILE_BYTES => Err(failure()),
        Some(size) => {
            content.lock().unwrap().resize(size as usize, 0);
            Ok(())
        }
        None => Ok(()),
    }
}

impl Shelf for MemoryShelf {
    fn admit(&self, _request: &str) -> Result<(), ShelfError> {
        Ok(())
    }

    fn stat(&self, path: &str) -> Result<Attributes, ShelfError> {
        self.nodes.lock().unwrap().get(path).map(|content| shown(content.as_ref())).ok_or_else(missing)
    }

    fn open_folder(&self, path: &str) -> Result<Box<dyn FolderCursor>, ShelfError> {
        let nodes = self.nodes.lock().unwrap();
        if !matches!(nodes.get(path), Some(None)) {
            return Err(missing());
        }
        let inside = nodes.iter().filter(|(inner, _)| *inner != "/" && parent(inner) == path);
        let entry = |(path, content): (&String, &Option<Content>)| Entry {
            name: path.rsplit('/').next().unwrap_or_default().to_owned(),
            attributes: shown(content.as_ref()),
        };
        Ok(Box::new(Page { left: inside.map(entry).collect(), entries: self.page_entries }))
    }

    fn open_file(&self, path: &str, mode: OpenMode) -> Result<Arc<dyn OpenedFile>, ShelfError> {
        let mut nodes = self.nodes.lock().unwrap();
        let content = match nodes.get(path) {
            Some(None) => return Err(failure()),
            Some(Some(_)) if mode.create && mode.exclusive => return Err(failure()),
            Some(Some(content)) => {
                if mode.write && mode.truncate {
                    content.lock().unwrap().clear();
                }
                Arc::clone(content)
            }
            None if mode.create && matches!(nodes.get(parent(path)), Some(None)) => {
                Arc::clone(nodes.entry(path.to_owned()).or_default().get_or_insert_default())
            }
            None => return Err(missing()),
        };
        self.tally.opened.fetch_add(1, Ordering::Relaxed);
        Ok(Arc::new(MemoryFile { content, tally: Arc::clone(&self.tally) }))
    }

    fn remove(&self, path: &str) -> Result<(), ShelfError> {
        let mut nodes = self.nodes.lock().unwrap();
        match nodes.get(path) {
            None => Err(missing()),
            Some(None) => Err(failure()),
            Some(Some(_)) => {
                nodes.remove(path);
                Ok(())
            }
        }
    }

    fn rename(&self, from: &str, to: &str, overwrite: bool) -> Result<(), ShelfError> {
        let mut nodes = self.nodes.lock().unwrap();
        let content = match nodes.get(from) {
            None => return Err(missing()),
            Some(None) => return Err(failure()),
            Some(content) => content.clone(),
        };
        match nodes.get(to) {
            Some(None) => return Err(failure()),
            Some(Some(_)) if !overwrite => return Err(failure()),
            _ => {}
        }
        if !matches!(nodes.get(parent(to)), Some(None)) {
            return Err(missing());
        }
        nodes.remove(from);
        nodes.insert(to.to_owned(), content);
        Ok(())
    }

    fn set_attributes(&self, path: &str, sent: &SentAttributes) -> Result<(), ShelfError> {
        match self.nodes.lock().unwrap().get(path) {
            None => Err(missing()),
            Some(None) if sent.size.is_some() => Err(failure()),
            Some(None) => Ok(()),
            Some(Some(content)) => resize(content, sent),
        }
    }

    fn make_folder(&self, path: &str, _permissions: Option<u32>) -> Result<(), ShelfError> {
        let mut nodes = self.nodes.lock().unwrap();
        if nodes.contains_key(path) {
            return Err(failure());
        }
        if !matches!(nodes.get(parent(path)), Some(None)) {
            return Err(missing());
        }
        nodes.insert(path.to_owned(), None);
        Ok(())
    }

    fn remove_folder(&self, path: &str) -> Result<(), ShelfError> {
        let mut nodes = self.nodes.lock().unwrap();
        match nodes.get(path) {
            None => return Err(missing()),
            Some(Some(_)) => return Err(failure()),
            Some(None) => {}
        }
        if path == "/" || nodes.keys().any(|inner| inner != "/" && parent(inner) == path) {
            return Err(failure());
        }
        nodes.remove(path);
        Ok(())
    }
}

struct Page {
    left: Vec<Entry>,
    entries: usize,
}

impl FolderCursor for Page {
    fn next(&mut self, limit: usize) -> Result<Vec<Entry>, ShelfError> {
        let count = self.entries.min(limit).min(self.left.len());
        Ok(self.left.drain(..count).collect())
    }
}

struct MemoryFile {
    content: Content,
    tally: Arc<Tally>,
}

impl OpenedFile for MemoryFile {
    fn attributes(&self) -> Result<Attributes, ShelfError> {
        Ok(shown(Some(&self.content)))
    }

    fn read(&self, offset: u64, length: usize) -> Result<Bytes, ShelfError> {
        let content = self.content.lock().unwrap();
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(content.len());
        let end = start.saturating_add(length).min(content.len());
        Ok(Bytes::copy_from_slice(&content[start..end]))
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), ShelfError> {
        let end = offset.checked_add(data.len() as u64).filter(|end| *end <= MOST_FILE_BYTES).ok_or_else(failure)?;
        let mut content = self.content.lock().unwrap();
        if content.len() < end as usize && !data.is_empty() {
            content.resize(end as usize, 0);
        }
        if !data.is_empty() {
            content[offset as usize..end as usize].copy_from_slice(data);
        }
        Ok(())
    }

    fn set_attributes(&self, sent: &SentAttributes) -> Result<(), ShelfError> {
        resize(&self.content, sent)
    }

    fn identity(&self) -> Option<(u64, u64)> {
        Some((Arc::as_ptr(&self.content).addr() as u64, 0))
    }

    fn close(&self) -> Result<(), ShelfError> {
        self.tally.closed.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn abandon(&self) {
        self.tally.abandoned.fetch_add(1, Ordering::Relaxed);
    }
}
