//! The port to offered content: a file that the back office wants published.
//! Knows nothing of where it goes.

use std::io::Read;

use super::failure::{Failure, Fault};

/// Content that can be read more than once, always from its beginning.
pub trait Source: Send + Sync {
    /// Opens the content.
    fn open(&self) -> Result<Box<dyn Read + Send>, Fault>;

    /// Size in bytes as first seen, for progress and free-space checks.
    fn size_bytes(&self) -> u64;

    /// Refuses with `Refusal::Changed` when size or time of change is not as first seen.
    fn verify_unchanged(&self) -> Result<(), Failure>;
}
