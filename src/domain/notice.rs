//! Notices: e-mails that a decision causes, queued in the same transaction
//! (I5). Holds no text: texts are made when a notice is sent. Whom it is to lies
//! sealed under the key of its class and month, and ends with it.

use super::account::Language;
use super::bodies::BodySlot;
use super::ids::{DeliveryId, MailId};
use super::moment::Moment;
use super::names::{EmailAddress, LoginName};

/// One e-mail to one address, and how far it came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mail {
    /// Its id; the Message-ID is made of it.
    pub id: MailId,
    /// What it says.
    pub kind: NoticeKind,
    /// The delivery it is about, if it is about one.
    pub delivery: Option<DeliveryId>,
    /// To whom, and what the relay said of them.
    pub letter: Letter,
    /// In which language.
    pub language: Language,
    /// When it was queued.
    pub queued_at: Moment,
    /// How far it came.
    pub state: MailState,
}

/// The personal fields of an e-mail, as they are kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Letter {
    /// As they were written before they were sealed.
    Plain(Addressed),
    /// Under the key of the month in which it last changed.
    Sealed {
        /// Which key.
        slot: BodySlot,
        /// The sealed bytes.
        bytes: Vec<u8>,
    },
}

impl Letter {
    /// The key that it lies under, if it is sealed.
    #[must_use]
    pub const fn slot(&self) -> Option<BodySlot> {
        match self {
            Self::Plain(_) => None,
            Self::Sealed { slot, .. } => Some(*slot),
        }
    }
}

/// The personal fields of an e-mail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Addressed {
    /// To whom.
    pub to: EmailAddress,
    /// For which account, if there is one.
    pub login: Option<LoginName>,
    /// What it tells, besides what its delivery tells.
    pub facts: Vec<(Fact, String)>,
    /// What the last try said; relays repeat addresses in it.
    pub last_error: Option<String>,
}

/// What a notice says (domain §5.7).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum NoticeKind {
    /// M13: a delivery is ready.
    DeliveryReady,
    /// M16: a delivery was withdrawn.
    DeliveryWithdrawn,
    /// M16: a delivery was replaced.
    DeliveryReplaced,
    /// M01: an account was requested; the address is to be confirmed.
    AccountRequested,
    /// M01 too: an account was requested for an address that has one.
    AccountKnown,
    /// M02: a request waits to be judged.
    RequestWaits,
    /// M03: a request was rejected.
    RequestRejected,
    /// M04: a request was approved; the account is to be activated.
    AccountApproved,
    /// M05: somebody is invited.
    Invited,
    /// M06: somebody became administrator.
    BecameAdministrator,
    /// M07: the rights of an account were changed.
    RightsChanged,
    /// M08: the time for an activation is almost over.
    ActivationEnds,
    /// M09: what an account signs in with was changed.
    CredentialsChanged,
    /// M20 to administrators: an account, key, token or service of their organisation was blocked, ended or given back.
    AccessChanged,
    /// M20 to the user: the same of the own account or organisation. Goes out to who is blocked, too.
    OwnAccessChanged,
    /// M21: an interruption is announced, has begun, was called off or is over.
    InterruptionNews,
    /// M09: a machine account was made.
    MachineAdded,
    /// M09: a machine account was ended.
    MachineEnded,
    /// M09: a machine account has another owner.
    OwnerChanged,
    /// M09: an SSH key was added to a machine account.
    KeyAdded,
    /// M09: an SSH key of a machine account was revoked.
    KeyRevoked,
    /// M09: an API token was made for a machine account.
    TokenAdded,
    /// M09: an API token of a machine account was revoked.
    TokenRevoked,
    /// M09: from where a machine account may sign in was changed.
    AllowListChanged,
    /// M23: an SSH key ends soon.
    KeyEnds,
    /// M23: an API token ends soon.
    TokenEnds,
    /// Somebody is to work in the office; the account is to be activated there.
    OfficeInvited,
    /// M08: the time for an activation in the office is almost over.
    OfficeActivationEnds,
    /// M08: the time for an activation in the office is over.
    OfficeActivationEnded,
    /// M08 to the administrators of the office: the link of a colleague ends, or has ended, without an activation.
    ColleagueActivationEnds,
    /// M22: a version of the terms of use was published.
    TermsPublished,
    /// M22 to the owner of a machine account that has not accepted the terms of use.
    TermsForMachine,
    /// Somebody did not accept the terms of use and cancelled the account.
    MemberLeft,
    /// P03: the link with which a new password is chosen.
    NewPasswordLink,
    /// M08: the time for an activation is over.
    ActivationEnded,
    /// M08: the time for the activation of somebody else is almost over.
    MemberActivationEnds,
    /// M08: the time for the activation of somebody else is over.
    MemberActivationEnded,
    /// M23: a mandate ends soon.
    MandateExpiring,
    /// M17: an upload was received.
    UploadReceived,
    /// M18: an upload was accepted, or processed by the back office.
    UploadAccepted,
    /// M18: an upload was rejected, or is a duplicate.
    UploadRejected,
    /// M19: by when a participant file is expected.
    UploadExpected,
    /// M19: a participant file that was expected did not come.
    UploadMissing,
    /// The period in which the authority is told of an incident is almost over (I3).
    IncidentReportDue,
    /// That period is over.
    IncidentReportLate,
}

macro_rules! facts {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// One thing that an e-mail tells.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Fact { $($(#[$doc])* $name,)* }

        impl Fact {
            /// The word under which it is kept; never reused.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The fact of this word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$name),)* _ => None }
            }
        }
    };
}

facts! {
    /// Name of an organisation.
    Organisation = "organisation",
    /// Name of the person that it is about.
    Person = "person",
    /// Address of the person that it is about.
    Address = "address",
    /// Who did it, or the account concerned.
    By = "by",
    /// Why.
    Reason = "reason",
    /// Until when, in milliseconds since 1970.
    Until = "until",
    /// When, in milliseconds since 1970.
    At = "at",
    /// The link to a request, by its id.
    RequestLink = "request-link",
    /// The link to an account, by its id.
    AccountLink = "account-link",
    /// A product that was coupled.
    Added = "added",
    /// A product that was decoupled.
    Removed = "removed",
    /// What was changed.
    Change = "change",
    /// Name of a version of the terms of use.
    TermsVersion = "terms-version",
    /// From when it applies, in milliseconds since 1970.
    TermsFrom = "terms-from",
    /// The link by which it is accepted for a machine account, by the address of its owner.
    TermsLink = "terms-link",
    /// The key, token or list of addresses that it is about, as lists show it; never a secret.
    Thing = "thing",
    /// From which network, roughly.
    Network = "network",
    /// Name of the client that it is about.
    Client = "client",
    /// Name of the intermediary that it is about.
    Intermediary = "intermediary",
    /// The id of an upload.
    Upload = "upload",
    /// The code of a product.
    Product = "product",
    /// The name of an uploaded file.
    FileName = "file-name",
    /// Its size in bytes.
    FileSize = "file-size",
    /// Its SHA-256.
    Sha256 = "sha256",
    /// What checks counted, or that it is the same as another.
    Finding = "finding",
    /// A service, by its word.
    Service = "service",
    /// A key or token.
    Credential = "credential",
    /// What an interruption is.
    Nature = "nature",
    /// Which doors an interruption closes, by its word.
    Channel = "channel",
    /// When something is expected to end, in milliseconds since 1970.
    Ends = "ends",
}

impl NoticeKind {
    /// Whether it is about a participant file.
    #[must_use]
    pub const fn is_about_upload(self) -> bool {
        matches!(self, Self::UploadReceived | Self::UploadAccepted | Self::UploadRejected)
    }

    /// Whether it is about the report of a security incident.
    #[must_use]
    pub const fn is_about_incident(self) -> bool {
        matches!(self, Self::IncidentReportDue | Self::IncidentReportLate)
    }

    /// The word shown in lists.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::DeliveryReady => "delivery-ready",
            Self::DeliveryWithdrawn => "delivery-withdrawn",
            Self::DeliveryReplaced => "delivery-replaced",
            Self::AccountRequested => "account-requested",
            Self::AccountKnown => "account-known",
            Self::RequestWaits => "request-waits",
            Self::RequestRejected => "request-rejected",
            Self::AccountApproved => "account-approved",
            Self::Invited => "invited",
            Self::BecameAdministrator => "became-administrator",
            Self::RightsChanged => "rights-changed",
            Self::ActivationEnds => "activation-ends",
            Self::CredentialsChanged => "credentials-changed",
            Self::AccessChanged => "access-changed",
            Self::OwnAccessChanged => "own-access-changed",
            Self::InterruptionNews => "interruption-news",
            Self::MachineAdded => "machine-added",
            Self::MachineEnded => "machine-ended",
            Self::OwnerChanged => "owner-changed",
            Self::KeyAdded => "key-added",
            Self::KeyRevoked => "key-revoked",
            Self::TokenAdded => "token-added",
            Self::TokenRevoked => "token-revoked",
            Self::AllowListChanged => "allow-list-changed",
            Self::KeyEnds => "key-ends",
            Self::TokenEnds => "token-ends",
            Self::OfficeInvited => "office-invited",
            Self::OfficeActivationEnds => "office-activation-ends",
            Self::OfficeActivationEnded => "office-activation-ended",
            Self::ColleagueActivationEnds => "colleague-activation-ends",
            Self::TermsPublished => "terms-published",
            Self::TermsForMachine => "terms-for-machine",
            Self::MemberLeft => "member-left",
            Self::NewPasswordLink => "new-password-link",
            Self::ActivationEnded => "activation-ended",
            Self::MemberActivationEnds => "member-activation-ends",
            Self::MemberActivationEnded => "member-activation-ended",
            Self::MandateExpiring => "mandate-expiring",
            Self::UploadReceived => "upload-received",
            Self::UploadAccepted => "upload-accepted",
            Self::UploadRejected => "upload-rejected",
            Self::UploadExpected => "upload-expected",
            Self::UploadMissing => "upload-missing",
            Self::IncidentReportDue => "incident-report-due",
            Self::IncidentReportLate => "incident-report-late",
        }
    }
}

/// How far an e-mail came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MailState {
    /// Waits for its next try.
    Queued {
        /// Tries so far.
        attempts: u32,
        /// When the next try is due.
        next_at: Moment,
    },
    /// The relay accepted it.
    Sent {
        /// When.
        at: Moment,
    },
    /// Given up; stays visible.
    Failed {
        /// When.
        at: Moment,
    },
}
