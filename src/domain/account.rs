//! Accounts and their credentials. A machine account has a named human owner
//! (domain §2.2, BIO2 5.16.02). Secrets are never held: only their digests.

use super::allow_list::AllowList;
use super::block::Standing;
use super::digest::Digest;
use super::ids::TokenId;
use super::moment::Moment;
use super::names::{EmailAddress, LoginName, OrganisationCode};

/// Somebody or something that signs in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// Unique login name.
    pub login: LoginName,
    /// The organisation it belongs to.
    pub organisation: OrganisationCode,
    /// Machine or person.
    pub kind: AccountKind,
    /// Whether it administers its organisation.
    pub is_administrator: bool,
    /// Language of its e-mails.
    pub language: Language,
    /// Active, blocked or ended.
    pub standing: Standing,
    /// When it was added.
    pub added_at: Moment,
    /// From where it may sign in; the organisation's list counts as well.
    pub allow_from: AllowList,
}

/// What kind of account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AccountKind {
    /// A robot; its owner gets the e-mails.
    Machine {
        /// The responsible person.
        owner: EmailAddress,
    },
    /// A person; the login name is the e-mail address (A3).
    Person {
        /// The address.
        email: EmailAddress,
    },
}

/// Language of texts to a person.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Language {
    /// Dutch, the default.
    Dutch,
    /// English.
    English,
}

impl Account {
    /// Where e-mails about this account go.
    #[must_use]
    pub const fn mail_address(&self) -> &EmailAddress {
        match &self.kind {
            AccountKind::Machine { owner } => owner,
            AccountKind::Person { email } => email,
        }
    }
}

/// A public SSH key of an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SshKey {
    /// Whose key.
    pub login: LoginName,
    /// `SHA256:…` as `ssh-keygen -l` shows it.
    pub fingerprint: String,
    /// Algorithm and base64 blob, as in `authorized_keys`, without comment.
    pub line: String,
    /// When it was added.
    pub added_at: Moment,
    /// From when it is refused.
    pub expires_at: Option<Moment>,
    /// When it was revoked.
    pub revoked_at: Option<Moment>,
}

impl SshKey {
    /// Whether the key opens the account at `now`.
    #[must_use]
    pub fn is_valid(&self, now: Moment) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| now < at)
    }
}

/// An API token of an account. The secret is shown once; its SHA-256 is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Token {
    /// Public id, for lists and history.
    pub id: TokenId,
    /// SHA-256 of the secret.
    pub secret_sha256: Digest,
    /// Whose token.
    pub login: LoginName,
    /// When it was added.
    pub added_at: Moment,
    /// From when it is refused.
    pub expires_at: Option<Moment>,
    /// When it was revoked.
    pub revoked_at: Option<Moment>,
}

impl Token {
    /// Whether the token opens the account at `now`.
    #[must_use]
    pub fn is_valid(&self, now: Moment) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| now < at)
    }
}
