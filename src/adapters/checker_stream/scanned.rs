//! Hands the bytes that the checks read to the scanner too, and decides what it means when that cannot be done.

use std::io::Read;

use super::findings::Findings;
use super::{BLOCK_BYTES, fill};
use crate::ports::failure::Fault;
use crate::ports::scanner::{Scan, Scanned, Scanner};

/// What becomes of a file that could not be scanned (`uploads.scanner_down`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WhenDown {
    /// It waits, and is tried again.
    Wait,
    /// It is accepted, and its result says so.
    Accept,
    /// It is rejected, and its result says so.
    Reject,
}

/// A reader whose bytes pass the scanner.
pub(super) struct ScannedRead<'a> {
    bytes: &'a mut dyn Read,
    scan: Result<Box<dyn Scan>, Fault>,
}

impl<'a> ScannedRead<'a> {
    /// Begins to scan what is read.
    ///
    /// # Errors
    /// The scanner is down, and files wait for it: nothing is read in vain.
    pub(super) fn begin(scanner: &dyn Scanner, when_down: WhenDown, bytes: &'a mut dyn Read) -> Result<Self, Fault> {
        match scanner.begin() {
            Err(fault) if when_down == WhenDown::Wait => Err(fault),
            scan => Ok(Self { bytes, scan }),
        }
    }

    /// Reads what the checks left unread, so that all of it was scanned, and says what was found.
    pub(super) fn end(mut self, when_down: WhenDown, findings: &mut Findings) -> Result<(), Fault> {
        let mut block = vec![0; BLOCK_BYTES];
        while self.scan.is_ok() && !fill(&mut self, &mut block)?.is_empty() {}
        match self.scan.and_then(Scan::end) {
            Ok(Scanned::Clean) => {}
            Ok(Scanned::Found(name)) => findings.of_file(&format!("infected-{name}")),
            // waiting would not help
            Ok(Scanned::TooLarge) if when_down == WhenDown::Accept => findings.counted("not-scanned", 1),
            Ok(Scanned::TooLarge) => findings.of_file("too-large-to-scan"),
            Err(fault) => match when_down {
                WhenDown::Wait => return Err(fault),
                WhenDown::Accept => findings.counted("not-scanned", 1),
                WhenDown::Reject => findings.of_file("not-scanned"),
            },
        }
        Ok(())
    }
}

impl Read for ScannedRead<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let length = self.bytes.read(into)?;
        if let Ok(scan) = &mut self.scan
            && let Err(fault) = scan.take(into.get(..length).unwrap_or_default())
        {
            self.scan = Err(fault);
        }
        Ok(length)
    }
}
