//! Checking a file without submitting it (4.5-6): the same checks with the same verdict, of which nothing is kept, mailed
//! or put on record. Knows no front.

use std::io::{self, Read};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use super::judge::{Of, checked};
use crate::domain::digest::Digest;
use crate::domain::ids::UploadId;
use crate::domain::names::{LoginName, OrganisationCode, ProductCode, UploadName};
use crate::domain::organisation::Organisation;
use crate::domain::product::Product;
use crate::domain::refusal::{Refusal, What};
use crate::domain::verdict::CheckVerdict;
use crate::operations::{Caller, Failure, Operations};

/// So many are checked at once: each takes a processor.
const MOST_AT_ONCE: usize = 4;

/// So many of them for one account, and so many for the operator.
const MOST_OF_ONE: usize = 1;

/// What is left of an accepted file is read on for its digest, so much at a time.
const PIECE_BYTES: usize = 256 * 1024;

/// What would become of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tried {
    /// What the checks say.
    pub verdict: CheckVerdict,
    /// Size and digest, unless it would be rejected: then it need not have been read to its end.
    pub whole: Option<(u64, Digest)>,
    /// The file of which it would be a duplicate.
    pub duplicate_of: Option<UploadId>,
}

impl Tried {
    /// The state in which it would end: `accepted`, `rejected` or `duplicate`.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match (self.duplicate_of, self.verdict.is_accepted()) {
            (_, false) => "rejected",
            (Some(_), true) => "duplicate",
            (None, true) => "accepted",
        }
    }
}

/// Who tries a file now; the operator has no login.
#[derive(Debug, Default)]
pub(super) struct Running(Mutex<Vec<Option<LoginName>>>);

/// A place among those that are checked; free again when it is dropped.
struct Turn<'a>(&'a Running, Option<LoginName>);

impl Running {
    fn turn(&self, who: Option<&LoginName>) -> Result<Turn<'_>, Refusal> {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = running.iter().filter(|other| other.as_ref() == who).count();
        if running.len() >= MOST_AT_ONCE || own >= MOST_OF_ONE {
            return Err(Refusal::TooMuch("another file is being checked: try again in a moment".to_owned()));
        }
        running.push(who.cloned());
        Ok(Turn(self, who.cloned()))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut running = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = running.iter().position(|other| *other == self.1) {
            running.swap_remove(at);
        }
    }
}

/// What passes on its way to the checks.
struct Passing<'a> {
    bytes: &'a mut dyn Read,
    hash: Sha256,
    came: u64,
    most: u64,
}

impl Passing<'_> {
    const fn is_too_much(&self) -> bool {
        self.came > self.most
    }
}

impl Read for Passing<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = self.bytes.read(into)?;
        self.came = self.came.saturating_add(length as u64);
        if self.is_too_much() {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        self.hash.update(into.get(..length).unwrap_or_default());
        Ok(length)
    }
}

impl Operations {
    /// What would become of a file of this name and content that the caller brought; of this size, if that is known
    /// before. The content is read to its end, unless it is rejected before that.
    ///
    /// # Errors
    /// `NotFound` where the caller may not deliver, before a byte is read; `TooMuch` for too large a file and while
    /// others are checked; a fault when it cannot be judged now, such as while the scanner is down.
    pub fn try_upload(
        &self,
        caller: &Caller,
        (product, name): (&ProductCode, &UploadName),
        size_bytes: Option<u64>,
        bytes: &mut dyn Read,
    ) -> Result<Tried, Failure> {
        let now = self.now();
        self.catalog.look(|view| self.may_deliver(view, caller, product, now).map(|_| ()))?;
        let _turn = self.intake.dry_runs.turn(Some(&caller.login))?;
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
        size_bytes: Option<u64>,
        bytes: &mut dyn Read,
    ) -> Result<Tried, Failure> {
        self.catalog.look(|view| {
            view.row::<Organisation>(&Organisation::key_of(organisation))?
                .ok_or(Refusal::NotFound(What::Organisation))?;
            view.row::<Product>(&Product::key_of(product))?.ok_or(Refusal::NotFound(What::Product))?;
            Ok(())
        })?;
        let _turn = self.intake.dry_runs.turn(None)?;
        self.dry_run(Of { organisation, product, name }, size_bytes, bytes)
    }

    fn dry_run(&self, of: Of<'_>, size_bytes: Option<u64>, bytes: &mut dyn Read) -> Result<Tried, Failure> {
        let most = self.settings.uploads.max_file_bytes;
        let too_large = || Failure::from(Refusal::TooMuch(format!("a file has at most {most} bytes")));
        if size_bytes.is_some_and(|size| size > most) {
            return Err(too_large());
        }
        let mut passing = Passing { bytes, hash: Sha256::new(), came: 0, most };
        let tried = self.tried(of, size_bytes, &mut passing);
        if passing.is_too_much() {
            return Err(too_large());
        }
        let verdict = tried?;
        if !verdict.is_accepted() {
            return Ok(Tried { verdict, whole: None, duplicate_of: None });
        }
        if size_bytes.is_some_and(|size| size != passing.came) {
            return Err(Refusal::BadRequest("the content is not as long as was said".to_owned()).into());
        }
        let (came, sha256) = (passing.came, Digest::new(passing.hash.finalize().into()));
        let (now, desk) = (self.now(), self.desk());
        let twin = self.catalog.look(|view| desk.twin_of(view, (of.organisation, of.product), (None, sha256), now))?;
        Ok(Tried { verdict, whole: Some((came, sha256)), duplicate_of: twin.map(|twin| twin.upload) })
    }

    fn tried(&self, of: Of<'_>, size_bytes: Option<u64>, passing: &mut Passing<'_>) -> Result<CheckVerdict, Failure> {
        let verdict = if self.checker.is_wanted(of.product)? {
            let file = self.catalog.look(|view| checked(view, of, size_bytes))?;
            self.check_contents(&file, passing)?
        } else {
            CheckVerdict::accepted(Vec::new())
        };
        if verdict.is_accepted() {
            self.read_on(passing, PIECE_BYTES)?;
        }
        Ok(verdict)
    }
}
