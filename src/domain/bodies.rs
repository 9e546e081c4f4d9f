//! Under which key the body of an event lies: a class with a period of its own,
//! and the month of its moment. Personal data in the history end with that key
//! (engine §3). Knows no key, no calendar and no clock.

use core::fmt;

use super::history::{Event, Happening};
use super::moment::{Moment, Span};
use super::names::NameFault;

macro_rules! classes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $word:literal;)*) => {
        /// Events that are kept for the same period. Numbers are part of the disk form and never reused.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum BodyClass {
            $($(#[$doc])* $name,)*
        }

        impl BodyClass {
            /// Every class.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The number of the disk form.
            #[must_use]
            pub const fn number(self) -> u8 {
                match self { $(Self::$name => $number,)* }
            }

            /// The class with this number.
            #[must_use]
            pub const fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }

            /// The word in key names and reports.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }
    };
}

classes! {
    /// Sessions, and who was refused at the door.
    SignIns = 1, "signins";
    /// What accounts fetched and signed off.
    Fetches = 2, "fetches";
    /// What became of e-mails.
    Mail = 3, "mail";
    /// What people and operators changed: members, rights, deliveries, uploads.
    Changes = 4, "changes";
}

impl BodyClass {
    /// The class of an event; `None` for the server's own doings, which hold no personal data and stay plain.
    /// An event of the server that does name a person or an address counts as a change.
    #[must_use]
    pub fn of(event: &Event) -> Option<Self> {
        let (who, about) = (&event.who, &event.about);
        let is_personal = who.login.is_some()
            || who.address.is_some()
            || who.credential.is_some()
            || who.client.is_some()
            || about.login.is_some()
            || about.file.is_some();
        Self::of_kind(event.what).or(is_personal.then_some(Self::Changes))
    }

    const fn of_kind(what: Happening) -> Option<Self> {
        use Happening::{
            AccountAdded, AccountBlocked, AccountChanged, AccountEnded, AccountInvited, AccountLinkMade,
            AccountRequested, AccountUnblocked, AddressPenalised, AdministratorAppointed, AdministratorDismissed,
            AgreementAdded, AgreementEnded, BackupMade, BackupRestored, BodyKeyDestroyed, CredentialEndTold,
            DeliveryAcknowledged, DeliveryExpired, DeliveryExtended, DeliveryHeld, DeliveryLost, DeliveryPublished,
            DeliveryReleased, DeliveryReplaced, DeliveryShredded, DeliveryWithdrawn, DigestsAsked, EventDestroyed,
            FetchEnded, FetchStarted, FileFetched, FileReleased, FileSignedOff, HeadersRewrapped, HistoryCompacted,
            InterruptionAnnounced, InterruptionBegun, InterruptionEnded, InterruptionTold, KeyAdded, KeyBlocked,
            KeyRevoked, KeyUnblocked, MailDeferred, MailFailed, MailRemoved, MailSent, MandateAdded, MandateBlocked,
            MandateChanged, MandateEnded, MandateExpired, MandateExpiring, MandateUnblocked, MasterRotated,
            MasterRotationBegun, NumbersSkipped, OfficeMemberAdded, OfficeRoleChanged, OrganisationAdded,
            OrganisationBlocked, OrganisationChanged, OrganisationEnded, OrganisationKeyRotated,
            OrganisationKeyRotationBegun, OrganisationUnblocked, PasswordSet, PayloadDamaged, PayloadRemoved,
            PayloadRepaired, ProductAdded, ProductChanged, PublicationRefused, RecipientKeyAdded, RecipientKeyRetired,
            RecipientLeftOut, RecoveryCodeUsed, RecoveryCodesMade, RequestApproved, RequestConfirmed, RequestExpired,
            RequestRejected, RestoreConfirmed, RightCoupled, RightDecoupled, SecondFactorAdded, SecondFactorRemoved,
            ServiceEnded, ServiceRestored, SignInRefused, SignOffUndone, SignedIn, SignedOut, SlotDestroyed,
            TimeConfirmed, TokenAdded, TokenBlocked, TokenRevoked, TokenUnblocked, TokenUsed, UploadAccepted,
            UploadAcknowledged, UploadAnswered, UploadCheckBegun, UploadCleared, UploadCollected, UploadDated,
            UploadDuplicate, UploadExpired, UploadForgotten, UploadHandOverBegun, UploadHeldBack, UploadLost,
            UploadPaused, UploadReceived, UploadRefused, UploadRejected, UploadRemoved, UploadRenamed, UploadReplaced,
            UploadResumed, UploadSettled, UploadStarted, UploadWithdrawn, VaultScrubbed, WindowPaused, WindowsResumed,
        };
        use Happening::{
            AccountLinkExpired, ActivationReminded, NewPasswordAsked, PasskeyAdded, PasskeyRemoved,
            SignInRecordsRemoved,
        };
        use Happening::{IdentityChangeApproved, IdentityChangeAsked, IdentityChangeRejected, OrganisationCardChanged};
        use Happening::{IncidentChanged, IncidentClosed, IncidentNoted, IncidentOpened, IncidentReminded};
        use Happening::{IncidentReopened, IncidentReported};
        use Happening::{InstructionGiven, InstructionWithdrawn};
        use Happening::{ProductDocumentAdded, ProductDocumentRead, ProductDocumentRemoved};
        use Happening::{ProposalConfirmed, ProposalExpired, ProposalMade, ProposalRejected};
        use Happening::{TermsAccepted, TermsGraceChanged, TermsPublished, TermsRefused, TermsTold};
        use Happening::{UploadCameInTime, UploadExpected, UploadMissing, UploadNotExpected, UploadReminded};
        match what {
            TermsPublished | TermsAccepted | TermsRefused => Some(Self::Changes),
            TermsTold | TermsGraceChanged => None,
            SignedIn | SignedOut | SignInRefused | AddressPenalised | RecoveryCodeUsed | TokenUsed => {
                Some(Self::SignIns)
            }
            FetchStarted | FileReleased | FileFetched | FetchEnded | DeliveryAcknowledged | FileSignedOff
            | SignOffUndone | DigestsAsked | ProductDocumentRead => Some(Self::Fetches),
            MailSent | MailDeferred | MailFailed => Some(Self::Mail),
            OrganisationAdded
            | OrganisationChanged
            | OrganisationBlocked
            | OrganisationUnblocked
            | OrganisationEnded
            | RecipientKeyAdded
            | RecipientKeyRetired
            | ProductAdded
            | ProductChanged
            | AgreementAdded
            | AgreementEnded
            | AccountRequested
            | RequestConfirmed
            | RequestApproved
            | RequestRejected
            | RequestExpired
            | AccountInvited
            | AdministratorAppointed
            | AdministratorDismissed
            | AccountAdded
            | AccountBlocked
            | AccountUnblocked
            | AccountEnded
            | AccountChanged
            | OfficeMemberAdded
            | OfficeRoleChanged
            | ProposalMade
            | ProposalConfirmed
            | ProposalRejected
            | AccountLinkMade
            | PasswordSet
            | SecondFactorAdded
            | SecondFactorRemoved
            | RecoveryCodesMade
            | KeyAdded
            | KeyRevoked
            | TokenAdded
            | TokenRevoked
            | KeyBlocked
            | KeyUnblocked
            | TokenBlocked
            | TokenUnblocked
            | ServiceEnded
            | ServiceRestored
            | CredentialEndTold
            | RightCoupled
            | RightDecoupled
            | DeliveryPublished
            | RecipientLeftOut
            | PublicationRefused
            | DeliveryWithdrawn
            | DeliveryReplaced
            | DeliveryExtended
            | DeliveryHeld
            | DeliveryReleased
            | UploadStarted
            | UploadResumed
            | UploadPaused
            | UploadReceived
            | UploadRefused
            | UploadRenamed
            | UploadDated
            | UploadRemoved
            | UploadSettled
            | UploadExpired
            | UploadLost
            | UploadCheckBegun
            | UploadAccepted
            | UploadRejected
            | UploadDuplicate
            | UploadHandOverBegun
            | UploadCollected
            | UploadAcknowledged
            | UploadAnswered
            | UploadWithdrawn
            | UploadReplaced
            | UploadCleared
            | UploadForgotten
            | UploadHeldBack
            | InterruptionAnnounced
            | InterruptionBegun
            | InterruptionEnded
            | NewPasswordAsked
            | AccountLinkExpired
            | ActivationReminded
            | PasskeyAdded
            | PasskeyRemoved => Some(Self::Changes),
            MandateAdded | MandateChanged | MandateBlocked | MandateUnblocked | MandateEnded => Some(Self::Changes),
            UploadExpected | UploadNotExpected => Some(Self::Changes),
            OrganisationCardChanged | IdentityChangeAsked | IdentityChangeApproved | IdentityChangeRejected => {
                Some(Self::Changes)
            }
            ProductDocumentAdded | ProductDocumentRemoved => Some(Self::Changes),
            InstructionGiven | InstructionWithdrawn => Some(Self::Changes),
            IncidentOpened | IncidentNoted | IncidentChanged | IncidentReported | IncidentClosed | IncidentReopened => {
                Some(Self::Changes)
            }
            DeliveryExpired
            | DeliveryShredded
            | SlotDestroyed
            | BodyKeyDestroyed
            | HistoryCompacted
            | EventDestroyed
            | MailRemoved
            | ProposalExpired
            | PayloadRemoved
            | TimeConfirmed
            | MasterRotationBegun
            | MasterRotated
            | OrganisationKeyRotationBegun
            | HeadersRewrapped
            | OrganisationKeyRotated
            | PayloadDamaged
            | PayloadRepaired
            | VaultScrubbed
            | BackupMade
            | BackupRestored
            | NumbersSkipped
            | DeliveryLost
            | RestoreConfirmed
            | InterruptionTold
            | WindowPaused
            | WindowsResumed
            | SignInRecordsRemoved => None,
            MandateExpired | MandateExpiring | IncidentReminded => None,
            UploadReminded | UploadMissing | UploadCameInTime => None,
        }
    }
}

impl fmt::Display for BodyClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Which body key: a class and a calendar month in `portal.time_zone`. The text form is the name of the key file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BodySlot {
    class: BodyClass,
    /// Year and month in six digits, such as 202611.
    month: u32,
}

impl BodySlot {
    /// The slot of a class in a month.
    ///
    /// # Errors
    /// A year after 9999 or a month outside 1 to 12.
    pub fn new(class: BodyClass, year: u16, month: u8) -> Result<Self, NameFault> {
        let number = u32::from(year) * 100 + u32::from(month);
        Self::from_numbers(class.number(), number)
            .ok_or_else(|| NameFault::new(&number.to_string(), "a month", "a year up to 9999 and a month, 1 to 12"))
    }

    /// The slot with these numbers of the disk form.
    #[must_use]
    pub fn from_numbers(class: u8, month: u32) -> Option<Self> {
        let is_month = (1..=12).contains(&(month % 100)) && month <= 999_912;
        BodyClass::from_number(class).filter(|_| is_month).map(|class| Self { class, month })
    }

    /// Its class.
    #[must_use]
    pub const fn class(self) -> BodyClass {
        self.class
    }

    /// Year and month in six digits.
    #[must_use]
    pub const fn month(self) -> u32 {
        self.month
    }

    /// The month as it is shown: `2026-11`.
    #[must_use]
    pub fn month_text(self) -> String {
        format!("{:04}-{:02}", self.month / 100, self.month % 100)
    }

    /// The same class a month later; `None` after the year 9999.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        let month = if self.month % 100 == 12 { self.month + 89 } else { self.month + 1 };
        Self::from_numbers(self.class.number(), month)
    }

    /// Reads the text form.
    ///
    /// # Errors
    /// Anything but `<class>-<year and month in six digits>`.
    pub fn parse(text: &str) -> Result<Self, NameFault> {
        let parts = text.split_once('-').and_then(|(word, month)| {
            let class = BodyClass::ALL.iter().find(|class| class.word() == word)?;
            Self::from_numbers(class.number(), month.parse().ok()?)
        });
        parts
            .filter(|slot| slot.to_string() == text)
            .ok_or_else(|| NameFault::new(text, "a body key", "a class, a hyphen, year and month: fetches-202611"))
    }
}

impl fmt::Display for BodySlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:06}", self.class, self.month)
    }
}

/// How long each class is kept after the end of its month.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BodyPeriods {
    /// Sessions and refusals.
    pub sign_ins: Span,
    /// Fetches.
    pub fetches: Span,
    /// E-mails.
    pub mail: Span,
    /// Changes.
    pub changes: Span,
}

impl BodyPeriods {
    /// The period of a class.
    #[must_use]
    pub const fn of(&self, class: BodyClass) -> Span {
        match class {
            BodyClass::SignIns => self.sign_ins,
            BodyClass::Fetches => self.fetches,
            BodyClass::Mail => self.mail,
            BodyClass::Changes => self.changes,
        }
    }
}

/// A body key and its end. The row comes with the first decision that has a body under it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BodyKey {
    /// Which one.
    pub slot: BodySlot,
    /// When its month ends; the period of its class begins then.
    pub closes_at: Moment,
    /// When it was destroyed; it lives when `None`.
    pub destroyed_at: Option<Moment>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::history::{About, Channel, Who};
    use crate::domain::names::LoginName;

    #[test]
    fn a_slot_reads_back_as_named_and_months_follow_each_other() {
        for class in BodyClass::ALL {
            assert_eq!(BodyClass::from_number(class.number()), Some(*class));
            let slot = BodySlot::new(*class, 2026, 12).unwrap();
            assert_eq!(BodySlot::parse(&slot.to_string()), Ok(slot));
            assert_eq!(slot.next(), BodySlot::new(*class, 2027, 1).ok());
        }
        assert_eq!(BodySlot::new(BodyClass::Mail, 2026, 1).unwrap().to_string(), "mail-202601");
        assert_eq!(BodySlot::new(BodyClass::Mail, 9999, 12).unwrap().next(), None);
        for text in ["", "mail", "mail-2026", "mail-202613", "mail-202600", "Mail-202601", "mail-+20261", "../x-202601"]
        {
            assert!(BodySlot::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_server_s_own_doings_stay_plain_unless_they_name_somebody() {
        let own = Event::new(Happening::SlotDestroyed, Who::system(), About::default());
        assert_eq!(BodyClass::of(&own), None);
        let login = Some(LoginName::parse("anna").unwrap());
        let named = Event::new(Happening::SlotDestroyed, Who::system(), About { login, ..About::default() });
        assert_eq!(BodyClass::of(&named), Some(BodyClass::Changes));
        let fetched = Event::new(Happening::FileFetched, Who::operator(Channel::Sftp), About::default());
        assert_eq!(BodyClass::of(&fetched), Some(BodyClass::Fetches));
    }
}
