//! The account's folders over the operations: `/outbox/<product>/…`, read-only except that
//! removing signs off (interfaces §4). Decides no right: the operations do at every call.

use std::sync::Arc;

use super::auth::{Door, DoorRefusal, Entrance, Visitor};
use super::reply::shelf_error;
use super::root::Root;
use super::shelf::{
    Attributes, Entry, FileKind, FolderCursor, OpenMode, OpenedFile, ReadThen, Shelf, ShelfError, ShelfErrorKind,
};
use crate::config::sections::FolderNames;
use crate::domain::delivery::OutboxEntry;
use crate::domain::history::Channel;
use crate::domain::moment::Moment;
use crate::domain::names::{FileName, ProductCode};
use crate::domain::product::Product;
use crate::domain::refusal::{Refusal, What};
use crate::operations::{self, Caller, Closure, Failure, Fetch, Operations, PenaltyImposed};
use bytes::Bytes;

/// Delivered files: readable by owner and group (domain 3.14).
const FILE_PERMISSIONS: u32 = 0o440;

/// Folders of the outbox: nothing can be made or removed in them.
const FOLDER_PERMISSIONS: u32 = 0o550;

/// Owner and group shown; clients only compare them with nothing.
pub(super) const SHOWN_ID: u32 = 1_000;

/// The door of the SFTP front over the operations.
pub struct FrontDoor {
    operations: Arc<Operations>,
    folders: FolderNames,
}

impl FrontDoor {
    /// A door to these operations, with these folder names.
    #[must_use]
    pub const fn new(operations: Arc<Operations>, folders: FolderNames) -> Self {
        Self { operations, folders }
    }
}

impl Door for FrontDoor {
    fn may_offer(&self, visitor: &Visitor) -> bool {
        match self.operations.probe_key(&visitor.login, &visitor.fingerprint, &known_as(visitor)) {
            Ok(()) => true,
            Err(Failure::Refused(refusal)) => {
                tell_outsider(&refusal, visitor);
                false
            }
            Err(failure @ Failure::Faulted(_)) => {
                tracing::error!(%failure, "a key could not be looked up");
                false
            }
        }
    }

    fn enter(&self, visitor: &Visitor) -> Result<Entrance, DoorRefusal> {
        match self.operations.sign_in_with_key(&visitor.login, &visitor.fingerprint, &known_as(visitor)) {
            Ok(caller) => {
                let organisation = caller.organisation.to_string();
                let root = Root::new(Arc::clone(&self.operations), caller, self.folders.clone());
                let since = root.since();
                Ok(Entrance { shelf: Arc::new(root), organisation, since })
            }
            Err(failure) => {
                if let Failure::Refused(refusal) = &failure {
                    tell_outsider(refusal, visitor);
                }
                let is_closed =
                    matches!(failure, Failure::Refused(Refusal::Interrupted { .. } | Refusal::TermsNotAccepted { .. }));
                let message = match &failure {
                    Failure::Refused(Refusal::TermsNotAccepted { address }) => in_both_languages(address),
                    _ => shelf_error(failure).message,
                };
                Err(DoorRefusal { message, is_closed })
            }
        }
    }

    fn notice(&self) -> Option<String> {
        let closed = self.operations.closure(Channel::Sftp);
        let announced = self.operations.announced_closures(Channel::Sftp);
        match (closed, announced) {
            (Ok(Some(closure)), _) => Some(closure.in_both()),
            (Ok(None), Ok(announced)) => announced.first().map(Closure::in_both),
            (Err(failure), _) | (_, Err(failure)) => {
                tracing::error!(%failure, "interruptions could not be looked up");
                None
            }
        }
    }

    fn penalised(&self, penalty: PenaltyImposed) {
        if let Err(failure) = self.operations.note_penalty(&penalty) {
            tracing::error!(%failure, source = %penalty.source, "a penalty could not be put on record");
        }
    }
}

fn known_as(visitor: &Visitor) -> operations::Visitor {
    operations::Visitor { address: visitor.address.ip(), client: Some(visitor.client_version.clone()) }
}

/// What who has not accepted the terms of use is told: how to get in.
fn in_both_languages(address: &str) -> String {
    format!(
        "The terms of use are not accepted for this account yet. Its owner or an administrator accepts them: {address} \
         De gebruiksvoorwaarden zijn voor dit account nog niet geaccepteerd. De eigenaar of een beheerder doet dat op \
         {address}"
    )
}

/// The log knows why; who asks is refused as a stranger is.
fn tell_outsider(refusal: &Refusal, visitor: &Visitor) {
    if let Refusal::NotFromHere(list_of) = refusal {
        tracing::warn!(login = visitor.login, address = %visitor.address, "refused: outside the allow list of the {list_of}");
    }
}

/// The outbox of one signed-in account: that of its organisation, or of the client for which it acts.
pub(super) struct OutboxShelf {
    operations: Arc<Operations>,
    caller: Caller,
    folder: String,
    since: Moment,
}

/// Where a path leads.
enum Place {
    Root,
    Outbox,
    Product(ProductCode),
    File(ProductCode, FileName),
}

impl OutboxShelf {
    /// The outbox of this account, under its configured name.
    pub(super) fn new(operations: Arc<Operations>, caller: Caller, folders: &FolderNames, since: Moment) -> Self {
        Self { operations, caller, folder: folders.outbox.clone(), since }
    }

    fn place(&self, path: &str) -> Result<Place, ShelfError> {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let not_found = || shelf_error(Refusal::NotFound(What::File).into());
        match parts.as_slice() {
            [] => Ok(Place::Root),
            [outbox, rest @ ..] if *outbox == self.folder => match rest {
                [] => Ok(Place::Outbox),
                [product] => Ok(Place::Product(ProductCode::parse(product).map_err(|_| not_found())?)),
                [product, name] => Ok(Place::File(
                    ProductCode::parse(product).map_err(|_| not_found())?,
                    FileName::parse(name).map_err(|_| not_found())?,
                )),
                _ => Err(not_found()),
            },
            _ => Err(not_found()),
        }
    }

    fn products(&self) -> Result<Vec<Product>, ShelfError> {
        self.operations.outbox_products(&self.caller, self.caller.recipient()).map_err(shelf_error)
    }

    fn product(&self, code: &ProductCode) -> Result<Product, ShelfError> {
        let found = self.products()?.into_iter().find(|product| product.code == *code);
        found.ok_or_else(|| shelf_error(Refusal::NotFound(What::Folder).into()))
    }

    fn entry(&self, product: &ProductCode, name: &FileName) -> Result<OutboxEntry, ShelfError> {
        self.operations.outbox_entry(&self.caller, self.caller.recipient(), product, name).map_err(shelf_error)
    }
}

impl Shelf for OutboxShelf {
    /// The index of the catalog is in memory, or soon read; but nobody may stand still while it is changed.
    fn looks_up_at_hand(&self) -> bool {
        self.operations.is_at_hand()
    }

    fn stat(&self, path: &str) -> Result<Attributes, ShelfError> {
        match self.place(path)? {
            Place::Root | Place::Outbox => Ok(folder(self.since)),
            Place::Product(code) => Ok(folder(self.product(&code)?.added_at)),
            Place::File(product, name) => Ok(file(&self.entry(&product, &name)?)),
        }
    }

    fn remove(&self, path: &str) -> Result<(), ShelfError> {
        match self.place(path)? {
            Place::File(product, name) => {
                let recipient = self.caller.recipient();
                self.operations.sign_off(&self.caller, recipient, &product, &name).map_err(shelf_error)
            }
            Place::Root | Place::Outbox | Place::Product(_) => Err(ShelfError {
                kind: ShelfErrorKind::PermissionDenied,
                message: "folders cannot be removed".to_owned(),
            }),
        }
    }

    fn open_folder(&self, path: &str) -> Result<Box<dyn FolderCursor>, ShelfError> {
        match self.place(path)? {
            Place::Root => {
                let entry = Entry { name: self.folder.clone(), attributes: folder(self.since) };
                Ok(Box::new(Listed(vec![entry])))
            }
            Place::Outbox => {
                let entries = self
                    .products()?
                    .into_iter()
                    .map(|product| Entry { name: product.code.to_string(), attributes: folder(product.added_at) });
                Ok(Box::new(Listed(entries.collect())))
            }
            Place::Product(product) => {
                self.product(&product)?;
                let (operations, caller) = (Arc::clone(&self.operations), self.caller.clone());
                Ok(Box::new(Pages { operations, caller, product, after: None }))
            }
            Place::File(..) => {
                Err(ShelfError { kind: ShelfErrorKind::Failure, message: "this is a file, not a folder".to_owned() })
            }
        }
    }

    fn open_file(&self, path: &str, mode: OpenMode) -> Result<Arc<dyn OpenedFile>, ShelfError> {
        if mode.write || mode.append || mode.create || mode.truncate {
            return Err(ShelfError {
                kind: ShelfErrorKind::PermissionDenied,
                message: "the outbox is read-only".to_owned(),
            });
        }
        match self.place(path)? {
            Place::File(product, name) => {
                let entry = self.entry(&product, &name)?;
                let fetch = self.operations.open_part(&self.caller, entry.delivery, entry.part).map_err(shelf_error)?;
                Ok(Arc::new(OutboxFile { fetch, attributes: file(&entry) }))
            }
            Place::Root | Place::Outbox | Place::Product(_) => {
                Err(ShelfError { kind: ShelfErrorKind::Failure, message: "this is a folder, not a file".to_owned() })
            }
        }
    }
}

fn seconds(moment: Moment) -> u32 {
    u32::try_from(moment.seconds()).unwrap_or(u32::MAX)
}

pub(super) fn folder(changed: Moment) -> Attributes {
    let time = seconds(changed);
    Attributes {
        kind: FileKind::Folder,
        links: 1,
        size_bytes: 0,
        permissions: FOLDER_PERMISSIONS,
        uid: SHOWN_ID,
        gid: SHOWN_ID,
        atime_seconds: time,
        mtime_seconds: time,
    }
}

fn file(entry: &OutboxEntry) -> Attributes {
    let time = seconds(entry.published_at);
    Attributes {
        kind: FileKind::File,
        links: 1,
        size_bytes: entry.size_bytes,
        permissions: FILE_PERMISSIONS,
        uid: SHOWN_ID,
        gid: SHOWN_ID,
        atime_seconds: time,
        mtime_seconds: time,
    }
}

/// A listing that is known at once.
pub(super) struct Listed(pub(super) Vec<Entry>);

impl FolderCursor for Listed {
    fn next(&mut self, limit: usize) -> Result<Vec<Entry>, ShelfError> {
        let count = limit.min(self.0.len());
        Ok(self.0.drain(..count).collect())
    }
}

/// A product's folder, page by page in order of name.
struct Pages {
    operations: Arc<Operations>,
    caller: Caller,
    product: ProductCode,
    after: Option<FileName>,
}

impl FolderCursor for Pages {
    fn next(&mut self, limit: usize) -> Result<Vec<Entry>, ShelfError> {
        let recipient = self.caller.recipient();
        let page = self.operations.outbox_page(&self.caller, recipient, &self.product, self.after.as_ref(), limit);
        let page = page.map_err(shelf_error)?;
        if let Some(last) = page.last() {
            self.after = Some(last.name.clone());
        }
        Ok(page.iter().map(|entry| Entry { name: entry.name.to_string(), attributes: file(entry) }).collect())
    }
}

/// An opened delivered file.
struct OutboxFile {
    fetch: Fetch,
    attributes: Attributes,
}

impl OpenedFile for OutboxFile {
    fn attributes(&self) -> Result<Attributes, ShelfError> {
        Ok(self.attributes)
    }

    /// Attributes never change, and nobody waits for the end of a fetch to be put on record.
    fn is_at_hand(&self) -> bool {
        true
    }

    fn read_at_hand(&self, offset: u64, length: usize, then: ReadThen) -> bool {
        self.fetch.read_at_hand(offset, length, move |read| then(read.map(Bytes::from).map_err(shelf_error)))
    }

    fn read(&self, offset: u64, length: usize) -> Result<Bytes, ShelfError> {
        self.fetch.read_vec(offset, length).map(Bytes::from).map_err(shelf_error)
    }

    fn sha256(&self) -> Result<Option<[u8; 32]>, ShelfError> {
        self.fetch.known_sha256().map(|digest| Some(*digest.as_bytes())).map_err(shelf_error)
    }

    fn read_for_digest(&self, offset: u64, length: usize) -> Result<Bytes, ShelfError> {
        self.fetch.read_for_digest(offset, length).map(Bytes::from).map_err(shelf_error)
    }

    fn taken(&self, offset: u64, length: usize) {
        log_unrecorded(self.fetch.taken(offset, length));
    }

    fn close(&self) -> Result<(), ShelfError> {
        self.fetch.close().map_err(shelf_error)
    }

    fn abandon(&self) {
        log_unrecorded(self.fetch.abandon());
    }
}

/// What could not be recorded is understated, which is the safe side (I8).
fn log_unrecorded(outcome: Result<(), Failure>) {
    if let Err(failure) = outcome {
        tracing::error!(%failure, "the progress of a fetch could not be recorded");
    }
}
