//! The drop-box over the operations: `/dropbox/<product>/…`, for writing (interfaces §4, domain
//! 3.14). Decides no right: the operations do at every call.

use std::sync::Arc;

use bytes::Bytes;

use super::branch::{Place, among, folders, in_root, leads_to, not_found, place};
use super::outbox::{SHOWN_ID, folder};
use super::reply::shelf_error;
use super::shelf::{
    Attributes, Entry, FileKind, FolderCursor, OpenMode, OpenedFile, SentAttributes, Shelf, ShelfError, ShelfErrorKind,
    Volume, error,
};
use crate::config::sections::FolderNames;
use crate::domain::moment::Moment;
use crate::domain::names::{ProductCode, UploadName};
use crate::domain::product::Product;
use crate::domain::refusal::What;
use crate::domain::upload::UploadState;
use crate::operations::{Caller, Failure, Operations, Receiving, UploadMode, UploadRoom, UploadView};

/// Folders of the drop-box: files can be made in them.
const FOLDER_PERMISSIONS: u32 = 0o770;
/// Uploads that are not finished.
const UNFINISHED_PERMISSIONS: u32 = 0o660;
/// Uploads that were received.
const RECEIVED_PERMISSIONS: u32 = 0o440;
/// Blocks in which the room of an account is told.
const BLOCK_BYTES: u64 = 4096;
/// Longest name of an upload (Digikoppeling GB MD007).
const LONGEST_NAME_BYTES: u64 = 200;

/// The drop-box of one signed-in account.
pub(super) struct DropboxShelf {
    operations: Arc<Operations>,
    caller: Caller,
    name: String,
    since: Moment,
}

impl DropboxShelf {
    /// The drop-box of this account, under its configured name.
    pub(super) fn new(operations: Arc<Operations>, caller: Caller, folders: &FolderNames, since: Moment) -> Self {
        Self { operations, caller, name: folders.dropbox.clone(), since }
    }

    /// Whether a path leads into the drop-box.
    pub(super) fn holds(&self, path: &str) -> bool {
        leads_to(path, &self.name)
    }

    /// The drop-box as the root shows it, to those who may upload something.
    pub(super) fn in_root(&self) -> Result<Option<Entry>, ShelfError> {
        Ok(in_root(&self.name, &self.products()?, writable_folder(self.since)))
    }

    fn products(&self) -> Result<Vec<Product>, ShelfError> {
        self.operations.dropbox_products(&self.caller).map_err(shelf_error)
    }

    fn product(&self, code: &ProductCode) -> Result<Product, ShelfError> {
        among(self.products()?, code)
    }

    fn entry(&self, product: &ProductCode, name: &str) -> Result<Attributes, ShelfError> {
        let name = UploadName::parse(name).map_err(|_| not_found(What::File))?;
        match self.operations.upload_entry(&self.caller, product, &name) {
            Ok(view) => Ok(file(&view)),
            Err(failure) => self.marker(product, &name).ok_or_else(|| shelf_error(failure)),
        }
    }

    /// A marker of which nothing is kept, as clients look for it after they made it.
    fn marker(&self, product: &ProductCode, name: &UploadName) -> Option<Attributes> {
        let marked = self.operations.upload_entry(&self.caller, product, &name.marks()?).ok()?;
        let is_received = matches!(marked.upload.state, UploadState::Received { .. });
        is_received.then(|| Attributes { size_bytes: 0, ..file(&marked) })
    }

    /// The product and the name of a file that is to be changed; says why a name cannot be used.
    fn target(path: &str) -> Result<(ProductCode, UploadName), ShelfError> {
        match place(path)? {
            Place::File(product, name) => {
                let name = UploadName::parse(name)
                    .map_err(|fault| ShelfError { kind: ShelfErrorKind::Failure, message: fault.to_string() })?;
                Ok((product, name))
            }
            Place::Top => Err(error(ShelfErrorKind::PermissionDenied, "upload into the folder of a product")),
            Place::Product(_) => Err(error(ShelfErrorKind::PermissionDenied, "this folder stays as it is")),
        }
    }

    fn room(&self, product: Option<&ProductCode>) -> Result<Volume, ShelfError> {
        let of_product = product.and_then(|product| self.operations.upload_room_for(&self.caller, product).ok());
        volume(of_product.map_or_else(|| self.operations.upload_room(&self.caller), Ok))
    }
}

impl Shelf for DropboxShelf {
    fn stat(&self, path: &str) -> Result<Attributes, ShelfError> {
        match place(path)? {
            Place::Top if self.products()?.is_empty() => Err(not_found(What::Folder)),
            Place::Top => Ok(writable_folder(self.since)),
            Place::Product(code) => Ok(writable_folder(self.product(&code)?.added_at)),
            Place::File(product, name) => self.entry(&product, name),
        }
    }

    fn volume(&self, path: &str) -> Result<Volume, ShelfError> {
        match place(path) {
            Ok(Place::Product(product) | Place::File(product, _)) => self.room(Some(&product)),
            Ok(Place::Top) | Err(_) => self.room(None),
        }
    }

    fn open_folder(&self, path: &str) -> Result<Box<dyn FolderCursor>, ShelfError> {
        match place(path)? {
            Place::Top => folders(self.products()?, writable_folder),
            Place::Product(product) => {
                self.product(&product)?;
                let (operations, caller) = (Arc::clone(&self.operations), self.caller.clone());
                Ok(Box::new(Pages { operations, caller, product, after: None }))
            }
            Place::File(product, name) => {
                self.entry(&product, name)?;
                Err(error(ShelfErrorKind::Failure, "this is a file, not a folder"))
            }
        }
    }

    fn open_file(&self, path: &str, mode: OpenMode) -> Result<Arc<dyn OpenedFile>, ShelfError> {
        let (operations, caller) = (&self.operations, &self.caller);
        if !mode.write && !mode.append {
            if mode.create || mode.truncate {
                return Err(error(ShelfErrorKind::Failure, "a file is created or cut by opening it for writing"));
            }
            let Place::File(product, name) = place(path)? else {
                return Err(error(ShelfErrorKind::Failure, "this is a folder, not a file"));
            };
            let name = UploadName::parse(name).map_err(|_| not_found(What::File))?;
            let upload = operations.read_upload(caller, &product, &name).map_err(shelf_error)?;
            return Ok(Arc::new(DropboxFile { operations: Arc::clone(operations), caller: caller.clone(), upload }));
        }
        let (product, name) = match Self::target(path) {
            Err(refusal) if refusal.kind == ShelfErrorKind::Failure => {
                // who may not know the folder learns nothing of its rules
                if let Place::File(product, name) = place(path)? {
                    self.product(&product)?;
                    operations.refuse_upload_name(caller, &product, name, &refusal.message);
                }
                return Err(refusal);
            }
            other => other?,
        };
        let mode =
            UploadMode { append: mode.append, create: mode.create, truncate: mode.truncate, exclusive: mode.exclusive };
        let upload = operations.open_upload(caller, &product, &name, mode).map_err(shelf_error)?;
        Ok(Arc::new(DropboxFile { operations: Arc::clone(operations), caller: caller.clone(), upload }))
    }

    fn remove(&self, path: &str) -> Result<(), ShelfError> {
        let (product, name) = Self::target(path)?;
        let removed = self.operations.remove_upload(&self.caller, &product, &name);
        removed.or_else(|failure| self.marker(&product, &name).map(|_| ()).ok_or_else(|| shelf_error(failure)))
    }

    fn rename(&self, from: &str, to: &str, overwrite: bool) -> Result<(), ShelfError> {
        if !self.holds(to) {
            return Err(error(ShelfErrorKind::PermissionDenied, "an upload stays in the drop-box"));
        }
        let ((product, from), (other, to)) = (Self::target(from)?, Self::target(to)?);
        if product != other {
            return Err(error(ShelfErrorKind::PermissionDenied, "an upload stays in the folder of its product"));
        }
        self.operations.rename_upload(&self.caller, &product, &from, &to, overwrite).map_err(shelf_error)
    }

    fn set_attributes(&self, path: &str, sent: &SentAttributes) -> Result<(), ShelfError> {
        // mode and owner are accepted and mean nothing here, also for folders (domain 3.14)
        let Place::File(product, name) = place(path)? else { return self.stat(path).map(|_| ()) };
        self.entry(&product, name)?;
        let name = UploadName::parse(name).map_err(|_| not_found(What::File))?;
        if self.operations.upload_entry(&self.caller, &product, &name).is_err() {
            return Ok(());
        }
        if let Some(size) = sent.size {
            self.operations.set_upload_size(&self.caller, &product, &name, size).map_err(shelf_error)?;
        }
        if let Some((_, mtime)) = sent.times_seconds {
            self.operations.set_upload_mtime(&self.caller, &product, &name, mtime).map_err(shelf_error)?;
        }
        Ok(())
    }

    fn make_folder(&self, path: &str, _permissions: Option<u32>) -> Result<(), ShelfError> {
        match self.stat(path) {
            // clients that copy whole folders then see that it is there, and go on
            Ok(_) => Err(error(ShelfErrorKind::Failure, "this folder is there already")),
            Err(_) => Err(error(ShelfErrorKind::PermissionDenied, "folders cannot be made here: upload into this one")),
        }
    }

    fn remove_folder(&self, path: &str) -> Result<(), ShelfError> {
        self.stat(path)?;
        Err(error(ShelfErrorKind::PermissionDenied, "folders cannot be removed here"))
    }
}

/// Room for uploads, in the form of a file system.
fn volume(room: Result<UploadRoom, Failure>) -> Result<Volume, ShelfError> {
    let room = room.map_err(shelf_error)?;
    let blocks = room.most_bytes / BLOCK_BYTES;
    let free = room.most_bytes.saturating_sub(room.used_bytes) / BLOCK_BYTES;
    let free_files = room.most_unfinished.saturating_sub(room.unfinished);
    Ok(Volume {
        block_bytes: BLOCK_BYTES,
        fragment_bytes: BLOCK_BYTES,
        blocks,
        free_blocks: free,
        available_blocks: free,
        files: room.most_unfinished,
        free_files,
        available_files: free_files,
        id: 0,
        is_read_only: false,
        ignores_setuid: true,
        longest_name_bytes: LONGEST_NAME_BYTES,
    })
}

fn writable_folder(changed: Moment) -> Attributes {
    Attributes { permissions: FOLDER_PERMISSIONS, ..folder(changed) }
}

fn file(view: &UploadView) -> Attributes {
    let time = view.upload.shown_mtime_seconds();
    let is_unfinished = view.upload.state == UploadState::Unfinished;
    Attributes {
        kind: FileKind::File,
        links: 1,
        size_bytes: view.upload.size_bytes,
        permissions: if is_unfinished { UNFINISHED_PERMISSIONS } else { RECEIVED_PERMISSIONS },
        uid: SHOWN_ID,
        gid: SHOWN_ID,
        atime_seconds: time,
        mtime_seconds: time,
    }
}

/// A product's folder, page by page in order of name.
struct Pages {
    operations: Arc<Operations>,
    caller: Caller,
    product: ProductCode,
    after: Option<UploadName>,
}

impl FolderCursor for Pages {
    fn next(&mut self, limit: usize) -> Result<Vec<Entry>, ShelfError> {
        let page = self.operations.upload_page(&self.caller, &self.product, self.after.as_ref(), limit);
        let page = page.map_err(shelf_error)?;
        if let Some(last) = page.last() {
            self.after = Some(last.upload.name.clone());
        }
        Ok(page.iter().map(|view| Entry { name: view.upload.name.to_string(), attributes: file(view) }).collect())
    }
}

/// An opened upload. Never at hand: all but looking at it may touch the disk or wait for the record.
struct DropboxFile {
    operations: Arc<Operations>,
    caller: Caller,
    upload: Receiving,
}

impl OpenedFile for DropboxFile {
    fn attributes(&self) -> Result<Attributes, ShelfError> {
        let shown = file(&self.upload.view().map_err(shelf_error)?);
        Ok(if self.upload.is_marker() { Attributes { size_bytes: 0, ..shown } } else { shown })
    }

    fn read(&self, offset: u64, length: usize) -> Result<Bytes, ShelfError> {
        self.upload.read(offset, length).map(Bytes::from).map_err(shelf_error)
    }

    /// Of a received upload it is on record.
    fn sha256(&self) -> Result<Option<[u8; 32]>, ShelfError> {
        let view = self.upload.view().map_err(shelf_error)?;
        Ok(view.upload.state.sha256().filter(|_| !self.upload.is_marker()).map(|digest| *digest.as_bytes()))
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), ShelfError> {
        self.upload.write(offset, data).map_err(shelf_error)
    }

    fn set_attributes(&self, sent: &SentAttributes) -> Result<(), ShelfError> {
        if let Some(size) = sent.size {
            self.upload.set_size(size).map_err(shelf_error)?;
        }
        match sent.times_seconds {
            Some((_, mtime)) => self.upload.set_mtime(mtime).map_err(shelf_error),
            None => Ok(()),
        }
    }

    fn sync(&self) -> Result<(), ShelfError> {
        self.upload.sync().map_err(shelf_error)
    }

    fn volume(&self) -> Result<Volume, ShelfError> {
        volume(self.operations.upload_room_for(&self.caller, self.upload.product()))
    }

    fn close(&self) -> Result<(), ShelfError> {
        self.upload.close().map_err(shelf_error)
    }

    fn abandon(&self) {
        if let Err(failure) = self.upload.abandon() {
            tracing::warn!(%failure, upload = %self.upload.id(), "an interrupted upload could not be put on record");
        }
    }
}
