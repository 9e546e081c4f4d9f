//! The port to checks of participant files: reads one as a stream and says what is wrong with it, in bounded
//! memory. Knows nothing of rights, states or results.

use std::io::Read;

use super::failure::Failure;
use crate::domain::names::{OrganisationCode, ProductCode, UploadName};
use crate::domain::verdict::CheckVerdict;

/// What is checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checked {
    /// For which product.
    pub product: ProductCode,
    /// Of which organisation: that of the path.
    pub organisation: OrganisationCode,
    /// What names that organisation in names and contents: its code, OIN and KVK number.
    pub client_marks: Vec<String>,
    /// The last number of its files for that product that stands, if one is known.
    pub last_sequence: Option<u64>,
    /// Under which name.
    pub name: UploadName,
    /// Its size, where that is known before its bytes are read.
    pub size_bytes: Option<u64>,
}

/// Checks participant files.
pub trait Checker: Send + Sync {
    /// Whether anything is to be checked for a product. What is not, is accepted unread.
    ///
    /// # Errors
    /// A fault of the store.
    fn is_wanted(&self, product: &ProductCode) -> Result<bool, Failure>;

    /// Reads the file and judges it. Asked again after a crash: the same bytes get the same verdict.
    ///
    /// # Errors
    /// A fault, or a refusal to judge now: the file stays as it is and is checked again later.
    fn check(&self, file: &Checked, bytes: &mut dyn Read) -> Result<CheckVerdict, Failure>;
}

/// No product has checks.
#[derive(Clone, Copy, Debug)]
pub struct NoChecks;

impl Checker for NoChecks {
    fn is_wanted(&self, _product: &ProductCode) -> Result<bool, Failure> {
        Ok(false)
    }

    fn check(&self, _file: &Checked, _bytes: &mut dyn Read) -> Result<CheckVerdict, Failure> {
        Ok(CheckVerdict::accepted(Vec::new()))
    }
}
