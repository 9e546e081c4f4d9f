//! The port to passkeys (WebAuthn Level 3): makes challenges for a browser and checks what it answers.
//! Keeps nothing: what is kept of a credential is bytes, what a challenge is about lives with who asked.

use core::any::Any;

use super::failure::{Failure, Fault};

/// What a challenge is about, until it is answered once.
pub struct Ceremony(pub Box<dyn Any + Send + Sync>);

/// A challenge: what the browser's script is given (JSON), and what is needed to check the answer.
pub struct Challenge {
    /// The options for `navigator.credentials`.
    pub options: String,
    /// What it is about.
    pub ceremony: Ceremony,
}

/// A credential that was made.
pub struct NewCredential {
    /// Its id, as the authenticator chose it.
    pub id: Vec<u8>,
    /// What to keep.
    pub credential: Vec<u8>,
}

/// A credential that was shown.
pub struct ShownCredential {
    /// Which of those that were asked for.
    pub at: usize,
    /// What to keep from now on: its counter went on.
    pub credential: Vec<u8>,
}

/// Passkeys. Each knows its owner by a code or a body part; one that does not is not taken.
pub trait Passkeys: Send + Sync {
    /// Whether the portal's address is one that passkeys can be bound to: a name, not an IP address.
    fn are_offered(&self) -> bool;

    /// A challenge to make a credential for this user, none of those known.
    ///
    /// # Errors
    /// A fault: a credential that cannot be read.
    fn ask_new(&self, user: &[u8; 16], login: &str, known: &[Vec<u8>]) -> Result<Challenge, Fault>;

    /// Checks the answer to `ask_new`.
    ///
    /// # Errors
    /// `WrongCode`, whatever is wrong with it.
    fn check_new(&self, ceremony: &Ceremony, answer: &str) -> Result<NewCredential, Failure>;

    /// A challenge to show one of these credentials.
    ///
    /// # Errors
    /// A fault: a credential that cannot be read.
    fn ask(&self, known: &[Vec<u8>]) -> Result<Challenge, Fault>;

    /// Checks the answer to `ask`, asked with the same credentials.
    ///
    /// # Errors
    /// `WrongCode`, whatever is wrong with it.
    fn check(&self, ceremony: &Ceremony, known: &[Vec<u8>], answer: &str) -> Result<ShownCredential, Failure>;
}
