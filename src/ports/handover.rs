//! The port to the place where accepted participant files are handed to the back office. Knows names and bytes,
//! and nothing of what was accepted.

use std::path::Path;

use super::failure::{Failure, Fault};
use crate::domain::ids::UploadId;
use crate::domain::names::ProductCode;
use crate::domain::receipt::Report;

/// Where a file goes.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// The folder of a product in `intake/`.
    Intake(&'a ProductCode),
    /// A folder that the operator named, which exists.
    Folder(&'a Path),
}

/// Takes a piece of a file.
pub type Sink<'a> = dyn FnMut(&[u8]) -> Result<(), Failure> + 'a;

/// Puts a whole file out, piece by piece.
pub type Bytes<'a> = &'a dyn Fn(&mut Sink<'_>) -> Result<(), Failure>;

/// A file and its note, under names that follow from the upload alone: handing the same one over again finds them.
pub struct HandedOver<'a> {
    /// Of which upload.
    pub upload: UploadId,
    /// Name of the file.
    pub file: &'a str,
    /// Its bytes, put out in order; on success all of them were.
    pub bytes: Bytes<'a>,
    /// Name of the note beside it, which says that the file is whole.
    pub note_name: &'a str,
    /// What the note says.
    pub note: &'a [u8],
}

/// A result that the back office put down.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResultFile {
    /// Of which product's folder.
    pub product: ProductCode,
    /// Which upload.
    pub upload: UploadId,
    /// Whether it was processed, and the whole of what was written; or why that cannot be read.
    pub said: Result<(bool, Report), String>,
}

/// Hands files over.
pub trait Handover: Send + Sync {
    /// Puts the file and then its note there, each whole and durable under its name (temporary, fsync, rename,
    /// fsync of the folder), mode 0640. What stands under these names already is this very hand-over, cut off
    /// earlier or done: it stays as it is, and nothing of another name is ever touched. Once the note bore its name,
    /// this puts nothing again, also when the back office has taken both by then, until `settle` is told that the
    /// hand-over is on record.
    ///
    /// A full disk is `Refusal::NoSpace`; nothing is left then but what was whole.
    fn put(&self, place: Place<'_>, offered: &HandedOver<'_>) -> Result<(), Failure>;

    /// The hand-over is on record: what remembered it is removed.
    ///
    /// # Errors
    /// A fault that names the path; `sweep` then removes it, if the place is the intake.
    fn settle(&self, place: Place<'_>, upload: UploadId) -> Result<(), Fault>;

    /// Whether the back office took the file or its note out of the folder of a product.
    ///
    /// # Errors
    /// A fault that names the path.
    fn is_taken(&self, product: &ProductCode, file: &str, note_name: &str) -> Result<bool, Fault>;

    /// Results that lie in the folders of products, at most `most`: `<product>/.results/<id>.result.json`, whole
    /// once they bear that name.
    ///
    /// # Errors
    /// A fault that names the path.
    fn results(&self, most: usize) -> Result<Vec<ResultFile>, Fault>;

    /// Removes a result that is on record, or puts it aside beside a text that says why it is not.
    ///
    /// # Errors
    /// A fault that names the path.
    fn settle_result(&self, result: &ResultFile, refused: Option<&str>) -> Result<(), Fault>;

    /// Removes what a crash left half written in the folders of products, but for what `put` needs to go on with a
    /// hand-over that is on its way by the record. Returns how many files.
    ///
    /// # Errors
    /// A fault that names the path; what `is_on_its_way` says.
    fn sweep(&self, is_on_its_way: &dyn Fn(UploadId) -> Result<bool, Failure>) -> Result<usize, Failure>;
}
