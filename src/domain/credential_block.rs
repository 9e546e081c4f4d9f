//! A block of one SSH key or API token (J8): unlike a revocation it can be lifted,
//! and the account goes on with what else it signs in with. Reads no clock.

use super::block::Block;
use super::ids::TokenId;
use super::moment::Moment;
use super::names::LoginName;
use super::record::{Key, Row};

/// A key or token that is blocked. The row goes when the block is lifted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CredentialBlock {
    /// Whose key or token.
    pub login: LoginName,
    /// Fingerprint of the key, or `token:<id>`, as the history names it.
    pub credential: String,
    /// Why, since when, until when.
    pub block: Block,
}

/// How the history and rows name a token.
#[must_use]
pub fn token_credential(id: TokenId) -> String {
    format!("token:{id}")
}

impl CredentialBlock {
    /// The beginning of the keys of everything blocked of an account.
    #[must_use]
    pub fn keys_of(login: &LoginName) -> Key {
        Key::of(Self::KIND).text(login.as_str())
    }

    /// The key of the block of one key or token.
    #[must_use]
    pub fn key_of(login: &LoginName, credential: &str) -> Key {
        Self::keys_of(login).text(credential)
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.login, &self.credential)
    }

    /// Whether it holds at `now`: one whose time has come no longer does.
    #[must_use]
    pub fn holds(&self, now: Moment) -> bool {
        self.block.until.is_none_or(|until| now < until)
    }
}
