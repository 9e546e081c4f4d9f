//! Checking a file without submitting it (4.5-6): the same checks with the same verdict, of which nothing is kept, mailed
//! or put on record. Knows no front.

use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::judge::{Of, checked};
use crate::domain::names::{OrganisationCode, ProductCode, UploadName};
use crate::domain::organisation::Organisation;
use crate::domain::product::Product;
use crate::domain::refusal::{Refusal, What};
use crate::domain::verdict::CheckVerdict;
use crate::operations::{Caller, Failure, Operations};

/// So many are checked at once: each takes a processor.
const MOST_AT_ONCE: usize = 4;

/// A place among those that are checked; free again when it is dropped.
struct Running<'a>(&'a AtomicUsize);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Operations {
    /// What would be said of a file of this name, size and content that the caller brought.
    ///
    /// # Errors
    /// `NotFound` where the caller may not deliver; `TooMuch` while others are checked; a fault when it cannot be
    /// judged now, such as while the scanner is down.
    pub fn try_upload(
        &self,
        caller: &Caller,
        (product, name): (&ProductCode, &UploadName),
        size_bytes: u64,
        bytes: &mut dyn Read,
    ) -> Result<CheckVerdict, Failure> {
        let now = self.now();
        self.catalog.look(|view| self.may_deliver(view, caller, product, now).map(|_| ()))?;
        self.dry_run(Of { organisation: caller.recipient(), product, name }, size_bytes, bytes)
    }

    /// The same for the operator, of a file as this organisation would bring it.
    ///
    /// # Errors
    /// As `try_upload`; `NotFound` for an organisation or product that is not there.
    pub fn try_upload_of(
        &self,
        organisation: &OrganisationCode,
        (product, name): (&ProductCode, &UploadName),
        size_bytes: u64,
        bytes: &mut dyn Read,
    ) -> Result<CheckVerdict, Failure> {
        self.catalog.look(|view| {
            view.row::<Organisation>(&Organisation::key_of(organisation))?
                .ok_or(Refusal::NotFound(What::Organisation))?;
            view.row::<Product>(&Product::key_of(product))?.ok_or(Refusal::NotFound(What::Product))?;
            Ok(())
        })?;
        self.dry_run(Of { organisation, product, name }, size_bytes, bytes)
    }

    fn dry_run(&self, of: Of<'_>, size_bytes: u64, bytes: &mut dyn Read) -> Result<CheckVerdict, Failure> {
        let most = self.settings.uploads.max_file_bytes;
        if size_bytes > most {
            return Err(Refusal::TooMuch(format!("a file has at most {most} bytes")).into());
        }
        let before = self.intake.dry_runs.fetch_add(1, Ordering::AcqRel);
        let _running = Running(&self.intake.dry_runs);
        if before >= MOST_AT_ONCE {
            return Err(Refusal::TooMuch("other files are being checked: try again in a moment".to_owned()).into());
        }
        if !self.checker.is_wanted(of.product)? {
            return Ok(CheckVerdict::accepted(Vec::new()));
        }
        let file = self.catalog.look(|view| checked(view, of, size_bytes))?;
        self.check_contents(&file, bytes)
    }
}
