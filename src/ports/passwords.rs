//! The port to password hashing. What a good password is, is a rule of operations
//! and of the list of known ones behind this port.

use super::failure::Failure;

/// Slow hashes of passwords, and passwords that everybody knows.
pub trait Passwords: Send + Sync {
    /// The hash to keep, with its salt and parameters in it (PHC string).
    ///
    /// # Errors
    /// `TriedTooOften` when too many wait for their turn; no randomness, or parameters that the hash does not take.
    fn hash(&self, password: &str) -> Result<String, Failure>;

    /// Whether the password has this hash. Without a hash as much time is spent, and it is none: who has an
    /// account must not be told by how long the answer takes.
    ///
    /// # Errors
    /// `TriedTooOften` when too many wait for their turn; a hash that cannot be read.
    fn verify(&self, password: &str, phc: Option<&str>) -> Result<bool, Failure>;

    /// Whether it is one of those that are known from breaches, or easy to guess.
    ///
    /// # Errors
    /// The list cannot be read.
    fn is_known(&self, password: &str) -> Result<bool, Failure>;
}
