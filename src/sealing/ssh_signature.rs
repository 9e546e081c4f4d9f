//! Signatures in the form of OpenSSH (PROTOCOL.sshsig): Ed25519 over a framed SHA-512, armoured, as
//! `ssh-keygen -Y verify` reads them. Knows a seed and bytes, not where either comes from.

use aws_lc_rs::digest::{SHA512, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use data_encoding::{BASE64, BASE64_NOPAD};
use sha2::{Digest as _, Sha256};

use super::SealingError;

/// Length of the seed of a signing key.
pub const SEED_BYTES: usize = 32;

/// What every signature and what is signed begin with.
const MAGIC: &[u8] = b"SSHSIG";

const VERSION: u32 = 1;

const ALGORITHM: &[u8] = b"ssh-ed25519";

const HASH: &[u8] = b"sha512";

/// Base64 on a line of the armour, as ssh-keygen writes it.
const LINE: usize = 70;

/// A key that signs. Ed25519 is deterministic: the same bytes get the same signature.
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// The key of this seed (RFC 8032 §5.1.5).
    ///
    /// # Errors
    /// The library fails.
    pub fn from_seed(seed: &[u8; SEED_BYTES]) -> Result<Self, SealingError> {
        Ed25519KeyPair::from_seed_unchecked(seed).map(Self).map_err(|_| SealingError::Library)
    }

    /// The public half as a line of an OpenSSH key file, without a comment.
    #[must_use]
    pub fn public_line(&self) -> String {
        format!("ssh-ed25519 {}", BASE64.encode(&self.public_blob()))
    }

    /// `SHA256:…`, as ssh-keygen shows it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        format!("SHA256:{}", BASE64_NOPAD.encode(&Sha256::digest(self.public_blob())))
    }

    /// The armoured signature of `message` for `namespace`.
    #[must_use]
    pub fn sign(&self, namespace: &str, message: &[u8]) -> String {
        let mut signed = MAGIC.to_vec();
        let hashed = digest(&SHA512, message);
        for part in [namespace.as_bytes(), &[], HASH, hashed.as_ref()] {
            put(&mut signed, part);
        }
        let mut signature = Vec::new();
        put(&mut signature, ALGORITHM);
        put(&mut signature, self.0.sign(&signed).as_ref());
        let mut blob = MAGIC.to_vec();
        blob.extend(VERSION.to_be_bytes());
        for part in [&self.public_blob(), namespace.as_bytes(), &[], HASH, &signature] {
            put(&mut blob, part);
        }
        armoured(&blob)
    }

    fn public_blob(&self) -> Vec<u8> {
        let mut blob = Vec::new();
        put(&mut blob, ALGORITHM);
        put(&mut blob, self.0.public_key().as_ref());
        blob
    }
}

impl core::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "SigningKey({})", self.fingerprint())
    }
}

/// A string of SSH: its length, then its bytes. Nothing here comes near 4 GiB.
fn put(into: &mut Vec<u8>, bytes: &[u8]) {
    into.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    into.extend(bytes);
}

fn armoured(blob: &[u8]) -> String {
    let text = BASE64.encode(blob);
    let mut armoured = String::from("-----BEGIN SSH SIGNATURE-----\n");
    let mut left = text.as_str();
    while !left.is_empty() {
        let (line, rest) = left.split_at_checked(LINE).unwrap_or((left, ""));
        armoured.extend([line, "\n"]);
        left = rest;
    }
    armoured.push_str("-----END SSH SIGNATURE-----\n");
    armoured
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SigningKey {
        SigningKey::from_seed(&[7; SEED_BYTES]).unwrap()
    }

    #[test]
    fn a_signature_is_the_same_each_time_and_differs_by_what_is_signed_and_for_what() {
        let signed = key().sign("postkluis-receipt", b"a receipt\n");
        assert_eq!(signed, key().sign("postkluis-receipt", b"a receipt\n"));
        assert_ne!(signed, key().sign("postkluis-receipt", b"a receipt"));
        assert_ne!(signed, key().sign("file", b"a receipt\n"));
        assert!(signed.lines().all(|line| line.len() <= LINE), "{signed}");
    }

    #[test]
    fn nothing_secret_is_shown() {
        let shown = format!("{:?}", key());
        assert!(shown.starts_with("SigningKey(SHA256:"), "{shown}");
        assert!(key().public_line().starts_with("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI"));
    }
}
