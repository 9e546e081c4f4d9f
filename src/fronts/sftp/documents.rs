//! Documents of products over the operations: `/documents/<product>/…`, read-only (F7, interfaces
//! §4). Decides no right: the operations do at every call.

use std::sync::Arc;

use bytes::Bytes;

use super::branch::{Place, among, folders, in_root, leads_to, not_found, place};
use super::outbox::{Listed, SHOWN_ID, folder};
use super::reply::shelf_error;
use super::shelf::{
    Attributes, Entry, FileKind, FolderCursor, OpenMode, OpenedFile, Shelf, ShelfError, ShelfErrorKind, error,
};
use crate::config::sections::FolderNames;
use crate::domain::moment::Moment;
use crate::domain::names::{FileName, ProductCode};
use crate::domain::product::Product;
use crate::domain::product_document::ProductDocument;
use crate::domain::refusal::What;
use crate::operations::{Caller, DocumentRead, Operations};

/// Documents: readable by owner and group.
const FILE_PERMISSIONS: u32 = 0o440;

/// The documents that one signed-in account may see.
pub(super) struct DocumentsShelf {
    operations: Arc<Operations>,
    caller: Caller,
    name: String,
    since: Moment,
}

impl DocumentsShelf {
    /// The documents of this account, under their configured name.
    pub(super) fn new(operations: Arc<Operations>, caller: Caller, folders: &FolderNames, since: Moment) -> Self {
        Self { operations, caller, name: folders.documents.clone(), since }
    }

    /// Whether a path leads to the documents.
    pub(super) fn holds(&self, path: &str) -> bool {
        leads_to(path, &self.name)
    }

    /// The folder as the root shows it, to those who may read something in it.
    pub(super) fn in_root(&self) -> Result<Option<Entry>, ShelfError> {
        Ok(in_root(&self.name, &self.products()?, folder(self.since)))
    }

    fn products(&self) -> Result<Vec<Product>, ShelfError> {
        self.operations.documented_products(&self.caller).map_err(shelf_error)
    }

    fn product(&self, code: &ProductCode) -> Result<Product, ShelfError> {
        among(self.products()?, code)
    }
}

impl Shelf for DocumentsShelf {
    fn looks_up_at_hand(&self) -> bool {
        self.operations.is_at_hand()
    }

    fn stat(&self, path: &str) -> Result<Attributes, ShelfError> {
        match place(path)? {
            Place::Top if self.products()?.is_empty() => Err(not_found(What::Folder)),
            Place::Top => Ok(folder(self.since)),
            Place::Product(code) => Ok(folder(self.product(&code)?.added_at)),
            Place::File(product, name) => {
                let name = named(name)?;
                Ok(file(&self.operations.document(&self.caller, &product, &name).map_err(shelf_error)?))
            }
        }
    }

    fn open_folder(&self, path: &str) -> Result<Box<dyn FolderCursor>, ShelfError> {
        match place(path)? {
            Place::Top => folders(self.products()?, folder),
            Place::Product(code) => {
                self.product(&code)?;
                let documents = self.operations.documents(&self.caller, &code).map_err(shelf_error)?;
                let entry = |row: &ProductDocument| Entry { name: row.name.to_string(), attributes: file(row) };
                Ok(Box::new(Listed(documents.iter().map(entry).collect())))
            }
            Place::File(..) => Err(error(ShelfErrorKind::Failure, "this is a file, not a folder")),
        }
    }

    fn open_file(&self, path: &str, mode: OpenMode) -> Result<Arc<dyn OpenedFile>, ShelfError> {
        if mode.write || mode.append || mode.create || mode.truncate {
            return Err(error(ShelfErrorKind::PermissionDenied, "documents are read-only"));
        }
        match place(path)? {
            Place::File(product, name) => {
                let name = named(name)?;
                let read = self.operations.open_document(&self.caller, &product, &name).map_err(shelf_error)?;
                Ok(Arc::new(DocumentFile(read)))
            }
            Place::Top | Place::Product(_) => Err(error(ShelfErrorKind::Failure, "this is a folder, not a file")),
        }
    }
}

fn named(text: &str) -> Result<FileName, ShelfError> {
    FileName::parse(text).map_err(|_| not_found(What::File))
}

fn file(row: &ProductDocument) -> Attributes {
    let time = u32::try_from(row.added_at.seconds()).unwrap_or(u32::MAX);
    Attributes {
        kind: FileKind::File,
        links: 1,
        size_bytes: row.size_bytes,
        permissions: FILE_PERMISSIONS,
        uid: SHOWN_ID,
        gid: SHOWN_ID,
        atime_seconds: time,
        mtime_seconds: time,
    }
}

/// An opened document.
struct DocumentFile(DocumentRead);

impl OpenedFile for DocumentFile {
    fn attributes(&self) -> Result<Attributes, ShelfError> {
        Ok(file(self.0.document()))
    }

    /// Attributes never change, and closing puts nothing on record.
    fn is_at_hand(&self) -> bool {
        true
    }

    fn read(&self, offset: u64, length: usize) -> Result<Bytes, ShelfError> {
        self.0.read_vec(offset, length).map(Bytes::from).map_err(shelf_error)
    }

    fn close(&self) -> Result<(), ShelfError> {
        self.0.close();
        Ok(())
    }

    fn abandon(&self) {
        self.0.close();
    }
}
