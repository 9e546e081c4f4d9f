//! What a person signs in with: a password, always with a second factor (BIO2
//! 5.17.01), and recovery codes for when that is lost. Holds no secret in the clear.

use super::digest::Digest;
use super::ids::{FactorId, LinkId};
use super::moment::{Moment, Span};
use super::names::LoginName;

/// Everything that a person's account can sign in with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credentials {
    /// Whose.
    pub login: LoginName,
    /// The password's hash in PHC form (Argon2id), once it is chosen.
    pub password: Option<PasswordHash>,
    /// Apps that show one-time codes (RFC 6238).
    pub code_apps: Vec<CodeApp>,
    /// SHA-256 of each recovery code that was not used yet.
    pub recovery_codes: Vec<Digest>,
    /// The link by which the account is activated or its password set anew; no other opens it.
    pub link: Option<LinkId>,
    /// Networks from which it signed in, the newest last: who comes from there is not kept out by the guesses of
    /// others. Digests only.
    pub known_sources: Vec<Digest>,
}

/// A password as it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PasswordHash {
    /// PHC string: algorithm, parameters, salt and hash.
    pub phc: String,
    /// When it was chosen.
    pub set_at: Moment,
}

/// An app that shows one-time codes. Its secret is derived from its id and kept nowhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CodeApp {
    /// Its id.
    pub id: FactorId,
    /// When it was added.
    pub added_at: Moment,
    /// When it showed its first code; it counts from then on.
    pub confirmed_at: Option<Moment>,
    /// The step of 30 seconds of the last code that was taken: no code counts twice.
    pub last_step: u64,
}

/// A link in an e-mail. Its secret is derived from its id and kept nowhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountLink {
    /// Its id.
    pub id: LinkId,
    /// The account.
    pub login: LoginName,
    /// What it is for.
    pub purpose: LinkPurpose,
    /// Until when it can be used.
    pub until: Moment,
}

/// What a link is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum LinkPurpose {
    /// Activate an account that was approved (A5, B14, B15).
    Activate,
    /// Choose a new password; the second factor stays as it is.
    NewPassword,
}

/// An account must be activated within so long (B15: three weeks).
pub const ACTIVATION_DAYS: u64 = 21;

/// Recovery codes made at once.
pub const RECOVERY_CODES: usize = 10;

/// Apps of one account.
pub const MOST_CODE_APPS: usize = 5;

/// Networks that are remembered.
const MOST_KNOWN_SOURCES: usize = 20;

impl Credentials {
    /// Nothing chosen yet.
    #[must_use]
    pub const fn none(login: LoginName) -> Self {
        Self {
            login,
            password: None,
            code_apps: Vec::new(),
            recovery_codes: Vec::new(),
            link: None,
            known_sources: Vec::new(),
        }
    }

    /// Whether somebody can sign in with them: a password and a second factor.
    #[must_use]
    pub fn are_complete(&self) -> bool {
        self.password.is_some() && self.code_apps.iter().any(|app| app.confirmed_at.is_some())
    }

    /// Whether this link opens the account now.
    #[must_use]
    pub fn are_opened_by(&self, link: &AccountLink, now: Moment) -> bool {
        self.link == Some(link.id) && link.login == self.login && now < link.until
    }

    /// Remembers from where somebody signed in.
    pub fn remember_source(&mut self, source: Digest) {
        self.known_sources.retain(|known| *known != source);
        self.known_sources.push(source);
        let excess = self.known_sources.len().saturating_sub(MOST_KNOWN_SOURCES);
        self.known_sources.drain(..excess);
    }
}

/// A session of a person in the portal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WebSession {
    /// SHA-256 of the secret in the cookie.
    pub secret_sha256: Digest,
    /// Whose.
    pub login: LoginName,
    /// When it began; rights that were coupled later are seen by the next one (C10).
    pub begun_at: Moment,
    /// When it ends whatever is done.
    pub ends_at: Moment,
    /// How sure it is who this is.
    pub assurance: Assurance,
}

/// How somebody proved who they are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Assurance {
    /// Password and one-time code.
    PasswordAndCode,
    /// Password and a recovery code.
    PasswordAndRecoveryCode,
    /// Password and a passkey.
    PasswordAndPasskey,
}

impl Assurance {
    /// The word shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::PasswordAndCode => "password-and-code",
            Self::PasswordAndRecoveryCode => "password-and-recovery-code",
            Self::PasswordAndPasskey => "password-and-passkey",
        }
    }
}

/// A session that nobody used for so long has ended, at the latest.
#[must_use]
pub fn is_idle(last_seen: Moment, now: Moment, timeout: Span) -> bool {
    last_seen.after(timeout) <= now
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials() -> Credentials {
        Credentials::none(LoginName::parse("jan@example.org").unwrap())
    }

    #[test]
    fn a_password_alone_is_not_enough() {
        let at = Moment::from_millis(1);
        let mut credentials = credentials();
        credentials.password = Some(PasswordHash { phc: "$argon2id$".to_owned(), set_at: at });
        assert!(!credentials.are_complete());
        let app = CodeApp { id: FactorId::from_bytes([1; 16]), added_at: at, confirmed_at: None, last_step: 0 };
        credentials.code_apps.push(app.clone());
        assert!(!credentials.are_complete(), "an app counts when it showed a code");
        credentials.code_apps = vec![CodeApp { confirmed_at: Some(at), ..app }];
        assert!(credentials.are_complete());
    }

    #[test]
    fn a_link_opens_until_its_moment_and_no_other_does() {
        let mut credentials = credentials();
        let until = Moment::from_millis(0).after(Span::from_days(ACTIVATION_DAYS));
        let (id, login) = (LinkId::from_bytes([1; 16]), credentials.login.clone());
        let link = AccountLink { id, login, purpose: LinkPurpose::Activate, until };
        assert!(!credentials.are_opened_by(&link, Moment::from_millis(0)), "only the one that counts");
        credentials.link = Some(id);
        assert!(credentials.are_opened_by(&link, until.before(Span::from_millis(1))));
        assert!(!credentials.are_opened_by(&link, until));
        let other = AccountLink { login: LoginName::parse("piet@example.org").unwrap(), ..link };
        assert!(!credentials.are_opened_by(&other, Moment::from_millis(0)));
    }

    #[test]
    fn sources_are_remembered_up_to_a_bound() {
        let mut credentials = credentials();
        for number in 0..40_u8 {
            credentials.remember_source(Digest::new([number; 32]));
        }
        credentials.remember_source(Digest::new([30; 32]));
        assert_eq!(credentials.known_sources.len(), MOST_KNOWN_SOURCES);
        assert_eq!(credentials.known_sources.last(), Some(&Digest::new([30; 32])));
        assert!(!credentials.known_sources.contains(&Digest::new([0; 32])));
    }
}
