//! The port to the server's own signature, under receipts and results. Knows nothing of what they say.

use super::failure::Failure;

/// Signs as this server.
pub trait Signer: Send + Sync {
    /// The armoured signature (PROTOCOL.sshsig) of `message` for `namespace`, which `ssh-keygen -Y verify` checks.
    ///
    /// # Errors
    /// A fault of the keyring.
    fn sign(&self, namespace: &str, message: &[u8]) -> Result<String, Failure>;

    /// What others check signatures with.
    ///
    /// # Errors
    /// A fault of the keyring.
    fn verifying_key(&self) -> Result<VerifyingKey, Failure>;
}

/// The public half of the signing key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifyingKey {
    /// As a line of an OpenSSH key file, without a comment.
    pub line: String,
    /// `SHA256:…`
    pub fingerprint: String,
}
