//! age (C2SP age.md v1): detached headers by the age crate, payload STREAM by
//! own code on aws-lc-rs, the seal of headers under a shred key, and signatures in the form of OpenSSH. Does no
//! I/O of its own and knows nothing of the catalog.

pub mod body;
mod derive;
pub mod header;
pub mod owner;
pub mod shred;
pub mod ssh_signature;
pub mod stream;

use core::fmt;

/// Why something sealed does not open. Says nothing of its contents.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SealingError {
    /// The header is not of the age v1 form; says where.
    MalformedHeader(&'static str),
    /// No identity opens the header.
    NoMatchingIdentity,
    /// An authentication tag does not fit: changed, cut, or another's key.
    NotAuthentic,
    /// A key line cannot be used; says why and what can.
    UnusableKey(&'static str),
    /// The cryptographic library failed.
    Library,
}

impl fmt::Display for SealingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MalformedHeader(what) => write!(f, "the age header is malformed: {what}"),
            Self::NoMatchingIdentity => f.write_str("no identity opens the age header"),
            Self::NotAuthentic => f.write_str("it was changed, cut, or sealed under another key"),
            Self::UnusableKey(why) => f.write_str(why),
            Self::Library => f.write_str("the cryptographic library failed"),
        }
    }
}

impl core::error::Error for SealingError {}
