//! The folders of one organisation side by side, each a shelf of its own that gets whole paths.
//! Knows which path leads to which, and nothing of what is in them.

use std::sync::Arc;

use super::documents::DocumentsShelf;
use super::dropbox::DropboxShelf;
use super::outbox::{Listed, OutboxShelf};
use super::receipts::ReceiptsShelf;
use super::shelf::{
    Attributes, FolderCursor, NOT_SERVED, OpenMode, OpenedFile, SentAttributes, Shelf, ShelfError, ShelfErrorKind,
    Volume, error,
};
use crate::config::sections::FolderNames;
use crate::domain::moment::Moment;
use crate::operations::{Caller, Operations};

/// Extensions that are served here beyond what every shelf serves: they tell the room in the drop-box.
const SERVED: [&str; 2] = ["statvfs", "fstatvfs"];

/// The folders, as one account sees them.
pub(super) struct Home {
    outbox: OutboxShelf,
    dropbox: DropboxShelf,
    receipts: ReceiptsShelf,
    /// Of all products that the account is coupled to, for whomever: they stand beside its own folders only.
    documents: Option<DocumentsShelf>,
}

impl Home {
    /// The folders of the organisation that the caller reaches.
    pub(super) fn of(operations: &Arc<Operations>, caller: Caller, folders: &FolderNames, since: Moment) -> Self {
        let outbox = OutboxShelf::new(Arc::clone(operations), caller.clone(), folders, since);
        let is_own = *caller.recipient() == caller.organisation;
        let documents = is_own.then(|| DocumentsShelf::new(Arc::clone(operations), caller.clone(), folders, since));
        let dropbox = DropboxShelf::new(Arc::clone(operations), caller.clone(), folders, since);
        let receipts = ReceiptsShelf::new(Arc::clone(operations), caller, folders, since);
        Self { outbox, dropbox, receipts, documents }
    }

    /// The shelf of a path; what belongs to none is the outbox's to refuse.
    fn shelf(&self, path: &str) -> &dyn Shelf {
        match &self.documents {
            Some(documents) if documents.holds(path) => documents,
            _ if self.dropbox.holds(path) => &self.dropbox,
            _ if self.receipts.holds(path) => &self.receipts,
            _ => &self.outbox,
        }
    }
}

impl Shelf for Home {
    fn admit(&self, request: &str) -> Result<(), ShelfError> {
        if NOT_SERVED.contains(&request) && !SERVED.contains(&request) {
            return Err(error(ShelfErrorKind::Unsupported, "this extension is not served here"));
        }
        Ok(())
    }

    /// Names in the drop-box are looked up in the catalog and in memory too; only writing touches the disk, and
    /// opening to write is never done at hand.
    fn looks_up_at_hand(&self) -> bool {
        self.outbox.looks_up_at_hand()
    }

    fn stat(&self, path: &str) -> Result<Attributes, ShelfError> {
        self.shelf(path).stat(path)
    }

    fn volume(&self, path: &str) -> Result<Volume, ShelfError> {
        if path == "/" { self.dropbox.volume(path) } else { self.shelf(path).volume(path) }
    }

    fn open_folder(&self, path: &str) -> Result<Box<dyn FolderCursor>, ShelfError> {
        if path != "/" {
            return self.shelf(path).open_folder(path);
        }
        let mut entries = self.outbox.open_folder(path)?.next(usize::MAX)?;
        entries.extend(self.dropbox.in_root()?);
        entries.extend(self.receipts.in_root()?);
        if let Some(documents) = &self.documents {
            entries.extend(documents.in_root()?);
        }
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Box::new(Listed(entries)))
    }

    fn open_file(&self, path: &str, mode: OpenMode) -> Result<Arc<dyn OpenedFile>, ShelfError> {
        self.shelf(path).open_file(path, mode)
    }

    fn remove(&self, path: &str) -> Result<(), ShelfError> {
        self.shelf(path).remove(path)
    }

    fn rename(&self, from: &str, to: &str, overwrite: bool) -> Result<(), ShelfError> {
        self.shelf(from).rename(from, to, overwrite)
    }

    fn set_attributes(&self, path: &str, sent: &SentAttributes) -> Result<(), ShelfError> {
        self.shelf(path).set_attributes(path, sent)
    }

    fn make_folder(&self, path: &str, permissions: Option<u32>) -> Result<(), ShelfError> {
        self.shelf(path).make_folder(path, permissions)
    }

    fn remove_folder(&self, path: &str) -> Result<(), ShelfError> {
        self.shelf(path).remove_folder(path)
    }
}
