//! The port to secrets that follow from a name: codes of links and of one-time-code
//! apps are made again when they are needed and lie nowhere.

use super::failure::Failure;

/// Secrets derived from one key of the keyring.
pub trait Secrets: Send + Sync {
    /// 32 bytes that nobody without the key can tell from random ones; the same for the same purpose and id.
    ///
    /// # Errors
    /// A fault of the keyring.
    fn derive(&self, purpose: &str, id: &[u8]) -> Result<[u8; 32], Failure>;
}
