//! Connections of machine accounts: when a key or token was last used, whether its end was
//! told, and what may be wrong with one that is to be made. Knows no front and no clock.

use core::fmt;

use super::account::{Account, AccountKind};
use super::moment::{Moment, Span};
use super::names::{LoginName, OrganisationCode};
use super::record::{Key, Row};

/// Keys of one account that are valid at once.
pub const MOST_KEYS: usize = 10;

/// Tokens of one account that are valid at once.
pub const MOST_TOKENS: usize = 10;

/// Keys of one account, and tokens too, that are kept for the list after they were revoked or ran out.
pub const MOST_ENDED: usize = 20;

/// The smallest RSA key that signs in (domain 3.3).
pub const LEAST_RSA_BITS: u32 = 3_072;

/// The largest one: as OpenSSH has it. Checking a signature costs with the square of it.
pub const MOST_RSA_BITS: u32 = 16_384;

/// When a key or token was used last, to the hour. From where is personal, and stands in the history alone, under the
/// key of its month.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CredentialUse {
    /// Whose.
    pub login: LoginName,
    /// Fingerprint of the key, or `token:<id>`.
    pub credential: String,
    /// When; within the hour after it, uses from the same network are not put on record again.
    pub at: Moment,
}

/// That the end of a key or token was told to its owner (M23).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EndWarning {
    /// Whose.
    pub login: LoginName,
    /// Fingerprint of the key, or `token:<id>`.
    pub credential: String,
    /// The end that was told: of another one it is told again.
    pub expires_at: Moment,
    /// When.
    pub told_at: Moment,
}

impl CredentialUse {
    /// The beginning of the keys of all uses of an account.
    #[must_use]
    pub fn keys_of(login: &LoginName) -> Key {
        Key::of(Self::KIND).text(login.as_str())
    }

    /// The key of the last use of one key or token.
    #[must_use]
    pub fn key_of(login: &LoginName, credential: &str) -> Key {
        Self::keys_of(login).text(credential)
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.login, &self.credential)
    }
}

impl EndWarning {
    /// The key of what was told of one key or token.
    #[must_use]
    pub fn key_of(login: &LoginName, credential: &str) -> Key {
        Key::of(Self::KIND).text(login.as_str()).text(credential)
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.login, &self.credential)
    }
}

/// From when on the end of something is told: `before` it, and not in the first half of its time.
#[must_use]
pub fn warns_from(added_at: Moment, expires_at: Moment, before: Span) -> Moment {
    let half = added_at.after(Span::from_millis(expires_at.millis().saturating_sub(added_at.millis()) / 2));
    expires_at.before(before).max(half)
}

/// How logins of machine accounts begin that an organisation makes by itself: so none takes the name of another's.
#[must_use]
pub fn login_prefix(organisation: &OrganisationCode) -> String {
    format!("{organisation}-")
}

/// Whether an organisation may give this login to a machine account. Addresses are for people (A3).
#[must_use]
pub fn is_login_of(login: &LoginName, organisation: &OrganisationCode) -> bool {
    let rest = login.as_str().strip_prefix(&login_prefix(organisation));
    rest.is_some_and(|rest| !rest.is_empty()) && !login.as_str().contains(['@', '+'])
}

/// Whether it is a machine account.
#[must_use]
pub const fn is_machine(account: &Account) -> bool {
    matches!(account.kind, AccountKind::Machine { .. })
}

/// What is wrong with a connection that is to be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ConnectionFlaw {
    /// The text is a private key, or a part of one.
    PrivateKey,
    /// The text is no public SSH key.
    NoKey,
    /// More than one key.
    SeveralKeys,
    /// Options before the key, which nobody here would follow.
    KeyOptions,
    /// A kind of key that does not sign in.
    KeyKind(String),
    /// An RSA key that is too short, or longer than any client makes.
    RsaBits(u32),
    /// The account has this key already.
    KeyIsHere,
    /// Another account has this key; which one is told to nobody.
    KeyInUse,
    /// The account had this key, and it was revoked.
    KeyWasRevoked,
    /// There are as many keys as an account may have.
    ManyKeys,
    /// There are as many tokens as an account may have.
    ManyTokens,
    /// There are as many machine accounts as an organisation may have.
    ManyMachines(usize),
    /// The login does not begin as those of the organisation do.
    LoginPrefix(String),
    /// The login is taken.
    LoginTaken,
    /// The owner is neither of the organisation's mail domains nor one of its people.
    ForeignOwner,
    /// The end has passed already.
    EndPast,
    /// The end is later than so many days from now.
    EndTooFar(u64),
    /// The secret of this token was shown before.
    TokenMade,
}

impl fmt::Display for ConnectionFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PrivateKey => {
                f.write_str("this is a private key: give the public one (.pub), and keep this file to yourself")
            }
            Self::NoKey => f.write_str("this is no public SSH key: give a line such as `ssh-ed25519 AAAA…`"),
            Self::SeveralKeys => f.write_str("these are several keys: give one at a time"),
            Self::KeyOptions => f.write_str("leave out what stands before the kind of the key: options do not count"),
            Self::KeyKind(kind) => {
                write!(f, "keys of kind {kind} are not accepted; make one with `ssh-keygen -t ed25519`")
            }
            Self::RsaBits(bits) if *bits < LEAST_RSA_BITS => write!(
                f,
                "an RSA key needs at least {LEAST_RSA_BITS} bits, this one has {bits}; better make an ed25519 key"
            ),
            Self::RsaBits(bits) => {
                write!(f, "an RSA key has at most {MOST_RSA_BITS} bits, this one {bits}; better make an ed25519 key")
            }
            Self::KeyIsHere => f.write_str("the account has this key already"),
            Self::KeyInUse => f.write_str("this key is in use already: make a key for this account alone"),
            Self::KeyWasRevoked => f.write_str("this key was revoked: make a new one"),
            Self::ManyKeys => write!(f, "an account has at most {MOST_KEYS} keys: revoke one first"),
            Self::ManyTokens => write!(f, "an account has at most {MOST_TOKENS} tokens: revoke one first"),
            Self::ManyMachines(most) => {
                write!(f, "an organisation has at most {most} machine accounts: end one first")
            }
            Self::LoginPrefix(prefix) => {
                write!(f, "the login begins with `{prefix}` and has letters, digits, hyphens, dots and underscores")
            }
            Self::LoginTaken => f.write_str("this login is taken: choose another"),
            Self::ForeignOwner => f.write_str("the owner must be somebody of the organisation"),
            Self::EndPast => f.write_str("the end has passed: give a later one"),
            Self::EndTooFar(days) => write!(f, "the end is too far: at most {days} days from now"),
            Self::TokenMade => f.write_str("this token was made already; its secret is shown once only"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_told_before_it_but_not_in_the_first_half_of_the_time() {
        let (begun, month) = (Moment::from_millis(1_000), Span::from_days(30));
        let long = begun.after(Span::from_days(365));
        assert_eq!(warns_from(begun, long, month), long.before(month));
        let short = begun.after(Span::from_days(10));
        assert_eq!(warns_from(begun, short, month), begun.after(Span::from_days(5)));
    }

    #[test]
    fn a_login_begins_as_its_organisation_and_is_no_address() {
        let code = OrganisationCode::parse("alpha").unwrap();
        let fits = |text: &str| is_login_of(&LoginName::parse(text).unwrap(), &code);
        assert!(fits("alpha-sftp") && fits("alpha-robot.2"));
        for other in ["alpha-", "beta-sftp", "alphasftp", "alpha", "alpha-x@beta.example", "robot-alpha-1"] {
            assert!(!fits(other), "{other}");
        }
    }
}
