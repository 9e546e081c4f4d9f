//! Passkeys (WebAuthn): a person's keys in devices and password managers, beside the app for codes. Holds
//! public keys only, in the form of the port that checks them.

use super::digest::Digest;
use super::ids::FactorId;
use super::moment::Moment;
use super::names::{Line, LoginName};
use super::record::{Key, Row as _};

/// A passkey of a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Passkey {
    /// Whose.
    pub login: LoginName,
    /// Its id here.
    pub id: FactorId,
    /// What its owner calls it.
    pub name: Line,
    /// Id and public key of the credential and what is known of them, as the port wrote it.
    pub credential: Vec<u8>,
    /// SHA-256 of the credential's id.
    pub credential_sha256: Digest,
    /// When it was added.
    pub added_at: Moment,
    /// When it was shown last.
    pub last_used_at: Option<Moment>,
}

/// Whose passkey a credential is: one credential belongs to one account (WebAuthn §7.1, step 26).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PasskeyOwner {
    /// SHA-256 of the credential's id.
    pub credential_sha256: Digest,
    /// Whose.
    pub login: LoginName,
    /// Its id there.
    pub id: FactorId,
}

/// One account has so many passkeys at most.
pub const MOST_PASSKEYS: usize = 10;

impl Passkey {
    /// The beginning of the keys of all passkeys of an account.
    #[must_use]
    pub fn keys_of(login: &LoginName) -> Key {
        Key::of(Self::KIND).text(login.as_str())
    }

    /// The key of one.
    #[must_use]
    pub fn key_of(login: &LoginName, id: FactorId) -> Key {
        Self::keys_of(login).bytes(id.as_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.login, self.id)
    }
}

impl PasskeyOwner {
    /// The key of the row of a credential.
    #[must_use]
    pub fn key_of(credential_sha256: &Digest) -> Key {
        Key::of(Self::KIND).bytes(credential_sha256.as_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.credential_sha256)
    }
}
