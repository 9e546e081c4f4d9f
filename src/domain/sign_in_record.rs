//! What is kept of each session of a person, for that person to see: begin, end and how it ended
//! (PV12, PV14). From where and with what lies sealed under the key of its month, and ends with it.

use core::fmt;
use std::net::IpAddr;

use super::bodies::BodySlot;
use super::credentials::Assurance;
use super::digest::Digest;
use super::ids::SessionId;
use super::moment::Moment;
use super::names::LoginName;
use super::record::{Key, Row as _};

/// One session of a person, from its begin to its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignInRecord {
    /// Whose.
    pub login: LoginName,
    /// When it began.
    pub begun_at: Moment,
    /// Which; its secret cannot be had of it.
    pub session: SessionId,
    /// How they proved who they are.
    pub assurance: Assurance,
    /// When it ended.
    pub ended_at: Option<Moment>,
    /// How it ended.
    pub ending: Option<SessionEnd>,
    /// Under which key the place lies.
    pub slot: BodySlot,
    /// The place, sealed.
    pub place: Vec<u8>,
}

/// From where a session was begun, and with what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignInPlace {
    /// The address.
    pub address: IpAddr,
    /// What the browser called itself, cut and cleaned.
    pub client: String,
}

/// So many of an account are kept; the oldest give way.
pub const MOST_SIGN_IN_RECORDS: usize = 200;

impl SignInRecord {
    /// The beginning of the keys of all of an account, the newest first.
    #[must_use]
    pub fn keys_of(login: &LoginName) -> Key {
        Key::of(Self::KIND).text(login.as_str())
    }

    /// The key of one.
    #[must_use]
    pub fn key_of(login: &LoginName, begun_at: Moment, session: SessionId) -> Key {
        let newest_first = u64::MAX - begun_at.millis();
        Self::keys_of(login).bytes(&newest_first.to_be_bytes()).bytes(session.as_bytes())
    }

    /// The key of this row.
    #[must_use]
    pub fn key(&self) -> Key {
        Self::key_of(&self.login, self.begun_at, self.session)
    }
}

impl SessionId {
    /// The session whose secret has this digest.
    #[must_use]
    pub fn of(secret_sha256: &Digest) -> Self {
        let mut id = [0; 16];
        id.iter_mut().zip(secret_sha256.as_bytes()).for_each(|(to, from)| *to = *from);
        Self::from_bytes(id)
    }
}

impl SignInPlace {
    /// As it is sealed: the address, a space, the client.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        format!("{} {}", self.address, self.client).into_bytes()
    }

    /// Reads what `to_bytes` wrote.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (address, client) = core::str::from_utf8(bytes).ok()?.split_once(' ')?;
        Some(Self { address: address.parse().ok()?, client: client.to_owned() })
    }
}

macro_rules! endings {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $note:literal;)*) => {
        /// How a session ended. Numbers are part of the disk form and never reused.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum SessionEnd { $($(#[$doc])* $name,)* }

        impl SessionEnd {
            /// Every way.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The number of the disk form.
            #[must_use]
            pub const fn number(self) -> u8 {
                match self { $(Self::$name => $number,)* }
            }

            /// The way with this number.
            #[must_use]
            pub const fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }

            /// What the history says of it; nothing when its owner just signed out.
            #[must_use]
            pub const fn note(self) -> &'static str {
                match self { $(Self::$name => $note,)* }
            }
        }
    };
}

endings! {
    /// Its owner signed out.
    SignedOut = 0, "";
    /// Nobody used it for too long.
    Unused = 1, "it was not used";
    /// It lasted as long as a session may.
    LastedLongest = 2, "it lasted as long as a session may";
    /// Account, organisation or allow list did not let it go on.
    NotAllowed = 3, "the account may not act any more";
    /// One more began than an account may have.
    Crowded = 4, "another session began";
    /// The password was changed.
    PasswordChanged = 5, "the password was changed";
    /// Its owner ended it from another session.
    EndedElsewhere = 6, "its owner ended it from another session";
    /// The second factor was replaced or removed.
    FactorChanged = 7, "the second factor was changed";
}

impl fmt::Display for SessionEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.note())
    }
}

macro_rules! changes {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
        /// What was changed of what somebody signs in with (M09).
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum CredentialChange { $($(#[$doc])* $name,)* }

        impl CredentialChange {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word under which an e-mail keeps it; never reused.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The change of this word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$name),)* _ => None }
            }
        }
    };
}

changes! {
    /// The password.
    Password = "password";
    /// The password, by a link of an e-mail.
    PasswordByLink = "password-by-link";
    /// The app for one-time codes was replaced.
    App = "app";
    /// New recovery codes were made; the old ones count no more.
    RecoveryCodes = "recovery-codes";
    /// A recovery code was used to sign in.
    RecoveryCodeUsed = "recovery-code-used";
    /// A passkey was added.
    PasskeyAdded = "passkey-added";
    /// A passkey was removed.
    PasskeyRemoved = "passkey-removed";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_numbers_and_words_read_back() {
        for (address, client) in [("192.0.2.1", "Mozilla/5.0 (X11; Linux)"), ("2001:db8::1", "")] {
            let place = SignInPlace { address: address.parse().unwrap(), client: client.to_owned() };
            assert_eq!(SignInPlace::from_bytes(&place.to_bytes()), Some(place));
        }
        assert_eq!(SignInPlace::from_bytes(b"nowhere"), None);
        for end in SessionEnd::ALL {
            assert_eq!(SessionEnd::from_number(end.number()), Some(*end));
        }
        for change in CredentialChange::ALL {
            assert_eq!(CredentialChange::from_word(change.word()), Some(*change));
        }
    }

    #[test]
    fn the_newest_comes_first() {
        let login = LoginName::parse("jan@example.org").unwrap();
        let key = |at| SignInRecord::key_of(&login, Moment::from_millis(at), SessionId::from_bytes([1; 16]));
        assert!(key(2_000) < key(1_000));
        assert!(key(2_000).as_bytes().starts_with(SignInRecord::keys_of(&login).as_bytes()));
    }
}
