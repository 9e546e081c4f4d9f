//! The port to a scanner for malicious content: takes the bytes of a file as they pass and says what it found.
//! Knows nothing of uploads or plans.

use super::failure::Fault;

/// What a scanner says of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scanned {
    /// Nothing was found.
    Clean,
    /// Something was found: the name of the signature.
    Found(String),
    /// The file is larger than what it takes.
    TooLarge,
}

/// Scans files, one at a time for each [`Scan`].
pub trait Scanner: Send + Sync + core::fmt::Debug {
    /// Begins with a file.
    ///
    /// # Errors
    /// It cannot be reached.
    fn begin(&self) -> Result<Box<dyn Scan>, Fault>;
}

/// One file that is being scanned.
pub trait Scan {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// It cannot be reached any more, or not in time.
    fn take(&mut self, part: &[u8]) -> Result<(), Fault>;

    /// Nothing comes any more: what was found.
    ///
    /// # Errors
    /// It cannot be reached any more, not in time, or its answer is not understood.
    fn end(self: Box<Self>) -> Result<Scanned, Fault>;
}
