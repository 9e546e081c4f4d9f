//! One opened document: that it is read is on record before its first byte leaves (F7), and the right
//! is judged again whenever anything about access has changed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::{event, found, may};
use crate::domain::decision::Decision;
use crate::domain::history::Happening;
use crate::domain::moment::{Moment, Span};
use crate::domain::product_document::ProductDocument;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::Act;
use crate::operations::{Caller, Failure, Operations, locked};
use crate::ports::vault::PayloadReader;

/// What ends by the clock alone, such as a block that begins later, is seen at most so much later.
const JUDGED_FOR: Span = Span::from_millis(1_000);

/// An opened document. Reads may come from several threads.
pub struct DocumentRead {
    operations: Arc<Operations>,
    caller: Caller,
    document: ProductDocument,
    reader: Arc<dyn PayloadReader>,
    checked_version: AtomicU64,
    checked_at: AtomicU64,
    is_recorded: Mutex<bool>,
    has_ended: AtomicBool,
}

impl DocumentRead {
    /// An opening that was judged when the catalog had this version.
    pub(super) fn new(
        operations: Arc<Operations>,
        caller: Caller,
        document: ProductDocument,
        reader: Arc<dyn PayloadReader>,
        version: u64,
    ) -> Self {
        let now = operations.now();
        Self {
            operations,
            caller,
            document,
            reader,
            checked_version: AtomicU64::new(version),
            checked_at: AtomicU64::new(now.millis()),
            is_recorded: Mutex::new(false),
            has_ended: AtomicBool::new(false),
        }
    }

    /// What it is.
    #[must_use]
    pub const fn document(&self) -> &ProductDocument {
        &self.document
    }

    /// Fills `into` from `offset`, never short before the end. On return it is on record that this account reads
    /// the document.
    ///
    /// # Errors
    /// `NotFound`, `Blocked` or `Ended` as soon as right, account or document is no longer there; faults of catalog
    /// or vault. Then nothing may be sent.
    pub fn read(&self, offset: u64, into: &mut [u8]) -> Result<usize, Failure> {
        self.check_right()?;
        let length = self.reader.read_at(offset, into)?;
        self.record()?;
        Ok(length)
    }

    /// As `read`, of up to `length` bytes into memory of its own.
    ///
    /// # Errors
    /// As `read`.
    pub fn read_vec(&self, offset: u64, length: usize) -> Result<Vec<u8>, Failure> {
        self.check_right()?;
        let bytes = self.reader.read_vec(offset, length)?;
        self.record()?;
        Ok(bytes)
    }

    /// Whether it may be read on.
    ///
    /// # Errors
    /// As `read`, but for faults of the vault.
    pub fn may_go_on(&self) -> Result<(), Failure> {
        self.check_right()
    }

    /// It is read no more.
    pub fn close(&self) {
        if !self.has_ended.swap(true, Ordering::Relaxed) {
            self.operations.uncount_open(&self.caller);
        }
    }

    fn check_right(&self) -> Result<(), Failure> {
        let (version, now) = (self.operations.catalog.version(), self.operations.now());
        let judged_at = Moment::from_millis(self.checked_at.load(Ordering::Relaxed));
        if self.checked_version.load(Ordering::Relaxed) == version && now < judged_at.after(JUDGED_FOR) {
            return Ok(());
        }
        self.operations.catalog.look(|view| {
            may(Act::Fetch, view, &self.caller, &self.document.product, now)??;
            let there = found(view, &self.document.product, &self.document.name)?;
            // another version has its name
            if there.payload != self.document.payload {
                return Err(Refusal::NotFound(What::File).into());
            }
            Ok(())
        })?;
        self.checked_version.store(version, Ordering::Relaxed);
        self.checked_at.store(now.millis(), Ordering::Relaxed);
        Ok(())
    }

    /// Once per opening; nothing leaves before it is there.
    fn record(&self) -> Result<(), Failure> {
        let mut is_recorded = locked(&self.is_recorded);
        if !*is_recorded {
            let organisation = Some(self.caller.organisation.clone());
            let read = event(Happening::ProductDocumentRead, self.caller.who(), organisation, &self.document);
            let decision = Decision::new(self.operations.now(), read.with_bytes(self.document.size_bytes));
            self.operations.catalog.decide(Box::new(move |_| Ok(decision.leaving_access_as_it_is())))?;
            *is_recorded = true;
        }
        Ok(())
    }
}

impl Drop for DocumentRead {
    fn drop(&mut self) {
        self.close();
    }
}
