//! Every expected "no". Each front maps these to its own wire form, without a
//! wildcard arm. Knows nothing of protocols.

use core::fmt;

use super::connections::ConnectionFlaw;
use super::moment::Moment;
use super::names::NameFault;
use super::restriction::Service;

/// Why something that was asked is not done. Nothing was changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// It does not exist, or the asker may not know that it does.
    NotFound(What),
    /// The asker may know that it exists but not do this.
    NotAllowed(&'static str),
    /// No valid credential was shown.
    NotSignedIn,
    /// A known credential from an address outside the allow list of its account or organisation. Shown as
    /// `NotSignedIn` is, to the letter: who asks may be a stranger.
    NotFromHere(What),
    /// The account or its organisation is blocked (J5, J6).
    Blocked,
    /// The key or token is blocked, and nothing else of the account (J8).
    BlockedCredential(What),
    /// This service was ended for the account or its organisation; others were not (J7).
    ServiceEnded(Service),
    /// Access is interrupted for everybody (J1, J2).
    Interrupted {
        /// Nature and expected end, in Dutch and English.
        sentence: String,
        /// After so many seconds it may be tried again.
        seconds: u64,
    },
    /// The account has not accepted the terms of use, and has to before it does anything else (I6).
    TermsNotAccepted {
        /// Where they are read and accepted; empty where that is not known.
        address: String,
    },
    /// The account, key, token or organisation has ended or expired.
    Ended(What),
    /// Something with this name or number is there already.
    Exists(What, String),
    /// A name, number or text breaks its rule.
    BadName(NameFault),
    /// The request contradicts itself or misses something; says what to do.
    BadRequest(String),
    /// The state does not allow it now (published, expired, withdrawn, held …).
    WrongState(String),
    /// No agreement in force between organisation and product (B11, E15).
    NoAgreement {
        /// Organisation code.
        organisation: String,
        /// Product code.
        product: String,
    },
    /// End-to-end delivery without a valid recipient key, naming each organisation.
    NoRecipientKey(Vec<String>),
    /// The delivery is no longer (or not now) available, since this moment.
    Gone(Option<Moment>),
    /// A bound was reached; says which, and when or how to go on.
    TooMuch(String),
    /// The store refuses writes: full or failed; nothing was lost.
    NoSpace,
    /// The offered file changed while it was read.
    Changed(String),
    /// The link of an e-mail was used, replaced or not in time; or there never was one.
    LinkClosed,
    /// An address of everybody's, which does not tell for which organisation somebody works (A4).
    FreeMail,
    /// The password may not be chosen.
    WeakPassword(PasswordFlaw),
    /// The one-time code is not right, or was used already.
    WrongCode,
    /// Too many wrong passwords or codes; after so many seconds the next may be tried.
    TriedTooOften {
        /// How long to wait.
        seconds: u64,
    },
    /// A connection cannot be made so.
    Connection(ConnectionFlaw),
    /// The clock is not trusted; `retention run --confirm-time` is needed (I10).
    ClockNotTrusted,
}

/// Kinds of things that may be missing, ended or there already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// An organisation.
    Organisation,
    /// An account.
    Account,
    /// An SSH key.
    Key,
    /// An API token.
    Token,
    /// A product.
    Product,
    /// An agreement.
    Agreement,
    /// A right of an account.
    Right,
    /// A publication.
    Publication,
    /// A delivery.
    Delivery,
    /// A file of a delivery.
    File,
    /// A folder.
    Folder,
    /// A request for an account.
    Request,
    /// An interruption.
    Interruption,
    /// A mandate of a client to an intermediary.
    Mandate,
    /// An e-mail in the queue.
    Mail,
    /// An act that waits for a second person.
    Proposal,
    /// An instruction of the operator.
    Instruction,
    /// A security incident.
    Incident,
    /// A recipient key for end-to-end deliveries.
    RecipientKey,
    /// A session in the portal.
    Session,
    /// A passkey.
    Passkey,
    /// A version of the terms of use.
    Terms,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Organisation => "organisation",
            Self::Account => "account",
            Self::Key => "key",
            Self::Token => "token",
            Self::Product => "product",
            Self::Agreement => "agreement",
            Self::Right => "right",
            Self::Publication => "publication",
            Self::Delivery => "delivery",
            Self::File => "file",
            Self::Folder => "folder",
            Self::Request => "request",
            Self::Interruption => "interruption",
            Self::Mandate => "mandate",
            Self::Mail => "e-mail",
            Self::Proposal => "proposal",
            Self::Instruction => "instruction",
            Self::Incident => "incident",
            Self::RecipientKey => "recipient key",
            Self::Session => "session",
            Self::Passkey => "passkey",
            Self::Terms => "version of the terms of use",
        })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(what) => write!(f, "no such {what}"),
            Self::NotAllowed(why) => write!(f, "not allowed: {why}"),
            Self::NotSignedIn | Self::NotFromHere(_) => f.write_str("not signed in: show a valid key or token"),
            Self::Blocked => f.write_str("the account is blocked; ask the operator"),
            Self::BlockedCredential(what) => write!(f, "this {what} is blocked; ask the operator"),
            Self::ServiceEnded(service) => f.write_str(match service {
                Service::Fetch => "fetching was ended for this account or its organisation; ask the operator",
                Service::Deliver => "delivering was ended for this account or its organisation; ask the operator",
                Service::Request => "requesting was ended for this account or its organisation; ask the operator",
            }),
            Self::Interrupted { sentence, .. } => f.write_str(sentence),
            Self::TermsNotAccepted { address } if address.is_empty() => {
                f.write_str("the terms of use are not accepted for this account yet; accept them in the portal")
            }
            Self::TermsNotAccepted { address } => {
                write!(f, "the terms of use are not accepted for this account yet; accept them: {address}")
            }
            Self::Ended(what) => write!(f, "the {what} has ended or expired"),
            Self::Exists(what, name) => write!(f, "the {what} {name} exists already"),
            Self::BadName(fault) => fault.fmt(f),
            Self::BadRequest(why) | Self::WrongState(why) | Self::TooMuch(why) => f.write_str(why),
            Self::NoAgreement { organisation, product } => {
                write!(
                    f,
                    "organisation {organisation} has no agreement in force for product {product}; add one with `agreement add`"
                )
            }
            Self::NoRecipientKey(organisations) => write!(
                f,
                "end-to-end delivery needs a valid recipient key of: {}; add one with `recipient-key add` or leave them out with --skip-unready",
                organisations.join(", ")
            ),
            Self::Gone(Some(since)) => write!(f, "no longer available since {since}"),
            Self::Gone(None) => f.write_str("not available now"),
            Self::NoSpace => f.write_str("the server cannot store more now; nothing was changed, try again later"),
            Self::Changed(name) => write!(f, "{name} changed while it was read; offer it again when it is whole"),
            Self::LinkClosed => f.write_str("this link does not work any more; ask for a new one"),
            Self::FreeMail => f.write_str("this is no business e-mail address: use that of the organisation"),
            Self::WeakPassword(flaw) => flaw.fmt(f),
            Self::Connection(flaw) => flaw.fmt(f),
            Self::WrongCode => f.write_str("this code is not right or was used already; wait for the next one"),
            Self::TriedTooOften { seconds } => write!(f, "tried too often; wait {seconds} seconds"),
            Self::ClockNotTrusted => {
                f.write_str("the clock is not trusted; check the time and run `postkluis retention run --confirm-time`")
            }
        }
    }
}

/// Why a password may not be chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PasswordFlaw {
    /// Too few characters.
    TooShort {
        /// At least so many.
        least: usize,
    },
    /// Too many characters.
    TooLong {
        /// At most so many.
        most: usize,
    },
    /// It has a part of the account's own name in it.
    OwnName,
    /// Others know it, or it is too easy to guess.
    Known,
}

impl fmt::Display for PasswordFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { least } => write!(f, "the password is too short: use at least {least} characters"),
            Self::TooLong { most } => write!(f, "the password is too long: use at most {most} characters"),
            Self::OwnName => f.write_str("the password has a part of your own name in it: use another"),
            Self::Known => f.write_str("this password is too easy to guess: use another"),
        }
    }
}

impl core::error::Error for Refusal {}

impl From<ConnectionFlaw> for Refusal {
    fn from(flaw: ConnectionFlaw) -> Self {
        Self::Connection(flaw)
    }
}

impl From<NameFault> for Refusal {
    fn from(fault: NameFault) -> Self {
        Self::BadName(fault)
    }
}
