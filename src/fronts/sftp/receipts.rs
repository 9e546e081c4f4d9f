//! The receipts over the operations: `/receipts/<product>/…`, read-only (interfaces §4). About each received file
//! its newest receipt and result, with their signatures. Decides no right: the operations do at every call.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use super::branch::{Place, among, folders, in_root, leads_to, not_found, place};
use super::outbox::{SHOWN_ID, folder};
use super::reply::shelf_error;
use super::shelf::{
    Attributes, Entry, FileKind, FolderCursor, OpenMode, OpenedFile, Shelf, ShelfError, ShelfErrorKind, error,
};
use crate::config::sections::FolderNames;
use crate::domain::moment::Moment;
use crate::domain::names::{ProductCode, UploadName};
use crate::domain::product::Product;
use crate::domain::refusal::What;
use crate::operations::{Caller, Operations, Paper, ReceiptFile};

/// Receipts and results can be read.
const FILE_PERMISSIONS: u32 = 0o440;

/// The receipts of one signed-in account.
pub(super) struct ReceiptsShelf {
    operations: Arc<Operations>,
    caller: Caller,
    name: String,
    since: Moment,
}

impl ReceiptsShelf {
    /// The receipts for this account, under their configured name.
    pub(super) fn new(operations: Arc<Operations>, caller: Caller, folders: &FolderNames, since: Moment) -> Self {
        Self { operations, caller, name: folders.receipts.clone(), since }
    }

    /// Whether a path leads into the receipts.
    pub(super) fn holds(&self, path: &str) -> bool {
        leads_to(path, &self.name)
    }

    /// The receipts as the root shows them, to those who may upload something.
    pub(super) fn in_root(&self) -> Result<Option<Entry>, ShelfError> {
        Ok(in_root(&self.name, &self.products()?, folder(self.since)))
    }

    fn products(&self) -> Result<Vec<Product>, ShelfError> {
        self.operations.receipt_products(&self.caller).map_err(shelf_error)
    }

    fn product(&self, code: &ProductCode) -> Result<Product, ShelfError> {
        among(self.products()?, code)
    }

    fn paper(&self, product: &ProductCode, name: &str) -> Result<Paper, ShelfError> {
        let (name, file) = named(name).ok_or_else(|| not_found(What::File))?;
        let view = self.operations.receipt_named(&self.caller, product, &name).map_err(shelf_error)?;
        view.papers.into_iter().find(|paper| paper.file == file).ok_or_else(|| not_found(What::File))
    }
}

impl Shelf for ReceiptsShelf {
    fn stat(&self, path: &str) -> Result<Attributes, ShelfError> {
        match place(path)? {
            Place::Top if self.products()?.is_empty() => Err(not_found(What::Folder)),
            Place::Top => Ok(folder(self.since)),
            Place::Product(code) => Ok(folder(self.product(&code)?.added_at)),
            Place::File(product, name) => Ok(attributes(&self.paper(&product, name)?)),
        }
    }

    fn open_folder(&self, path: &str) -> Result<Box<dyn FolderCursor>, ShelfError> {
        match place(path)? {
            Place::Top => folders(self.products()?, folder),
            Place::Product(product) => {
                self.product(&product)?;
                let (operations, caller) = (Arc::clone(&self.operations), self.caller.clone());
                Ok(Box::new(Pages { operations, caller, product, after: None, left: VecDeque::new() }))
            }
            Place::File(product, name) => {
                self.paper(&product, name)?;
                Err(error(ShelfErrorKind::Failure, "this is a file, not a folder"))
            }
        }
    }

    fn open_file(&self, path: &str, mode: OpenMode) -> Result<Arc<dyn OpenedFile>, ShelfError> {
        if mode.write || mode.append || mode.create || mode.truncate {
            return Err(error(ShelfErrorKind::PermissionDenied, "receipts and results can only be read"));
        }
        let Place::File(product, name) = place(path)? else {
            return Err(error(ShelfErrorKind::Failure, "this is a folder, not a file"));
        };
        let paper = self.paper(&product, name)?;
        Ok(Arc::new(OpenedPaper { attributes: attributes(&paper), bytes: Bytes::from(paper.bytes) }))
    }
}

/// The name of the uploaded file and which file about it, of a name in the folder.
fn named(text: &str) -> Option<(UploadName, ReceiptFile)> {
    let of = |file: ReceiptFile| UploadName::parse(text.strip_suffix(file.ending())?).ok().map(|name| (name, file));
    ReceiptFile::ALL.into_iter().find_map(of)
}

fn attributes(paper: &Paper) -> Attributes {
    let time = u32::try_from(paper.made_at.seconds()).unwrap_or(u32::MAX);
    Attributes {
        kind: FileKind::File,
        links: 1,
        size_bytes: paper.bytes.len() as u64,
        permissions: FILE_PERMISSIONS,
        uid: SHOWN_ID,
        gid: SHOWN_ID,
        atime_seconds: time,
        mtime_seconds: time,
    }
}

/// A product's folder, page by page in order of the uploaded files' names.
struct Pages {
    operations: Arc<Operations>,
    caller: Caller,
    product: ProductCode,
    after: Option<UploadName>,
    /// Looked up already: more files than were asked for may be about one upload.
    left: VecDeque<Entry>,
}

impl FolderCursor for Pages {
    fn next(&mut self, limit: usize) -> Result<Vec<Entry>, ShelfError> {
        while self.left.len() < limit {
            // about each upload there are several files
            let wanted = (limit / ReceiptFile::ALL.len()).max(1);
            let page = self.operations.receipt_page(&self.caller, &self.product, self.after.as_ref(), wanted);
            let page = page.map_err(shelf_error)?;
            let Some(last) = page.last() else { break };
            self.after = Some(last.upload.name.clone());
            for view in &page {
                let entry = |paper: &Paper| {
                    let name = format!("{}{}", view.upload.name, paper.file.ending());
                    Entry { name, attributes: attributes(paper) }
                };
                self.left.extend(view.papers.iter().map(entry));
            }
        }
        Ok(self.left.drain(..limit.min(self.left.len())).collect())
    }
}

/// One opened paper: small, and in memory.
struct OpenedPaper {
    attributes: Attributes,
    bytes: Bytes,
}

impl OpenedFile for OpenedPaper {
    fn attributes(&self) -> Result<Attributes, ShelfError> {
        Ok(self.attributes)
    }

    fn read(&self, offset: u64, length: usize) -> Result<Bytes, ShelfError> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.bytes.len());
        Ok(self.bytes.slice(start..start.saturating_add(length).min(self.bytes.len())))
    }

    fn close(&self) -> Result<(), ShelfError> {
        Ok(())
    }

    fn abandon(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_the_upload_and_the_file_about_it() {
        let name = |text: &str| UploadName::parse(text).unwrap();
        for file in ReceiptFile::ALL {
            assert_eq!(named(&format!("a.csv{}", file.ending())), Some((name("a.csv"), file)));
        }
        assert_eq!(named("a.receipt.json.receipt.json"), Some((name("a.receipt.json"), ReceiptFile::Receipt)));
        for text in ["a.csv", ".receipt.json", "a.csv.receipt", "a:b.receipt.json"] {
            assert_eq!(named(text), None, "{text}");
        }
    }
}
