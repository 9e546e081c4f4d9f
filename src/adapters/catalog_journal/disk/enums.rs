//! Disk forms of the domain's enums. Variant order is part of the form: new
//! variants go at the end.

use serde::{Deserialize, Serialize};

use super::{Form, struct_form};
use crate::domain::account::{AccountKind, Language};
use crate::domain::block::{Block, EndReason, Standing};
use crate::domain::credentials::{Assurance, LinkPurpose};
use crate::domain::delivery::{Availability, DeliveryPart, Ending, Progress};
use crate::domain::digest::Digest;
use crate::domain::history::{Channel, Happening};
use crate::domain::interruption::Reach;
use crate::domain::moment::Moment;
use crate::domain::names::{EmailAddress, Line};
use crate::domain::notice::NoticeKind;
use crate::domain::office::OfficeRole;
use crate::domain::request::Salutation;
use crate::domain::upload::{ReceivedStage, UploadState};
use crate::ports::failure::Fault;

struct_form! {
    BlockV1 = Block { reason: Line, since: Moment, until: Option<Moment>, }
    ProgressV1 = Progress {
        started_at: Option<Moment>,
        files_fetched: u32,
        fetched_at: Option<Moment>,
        acknowledged_at: Option<Moment>,
    }
}

/// Plain enums, as one number each.
macro_rules! number_form {
    ($($domain:ident, $what:literal { $($variant:ident = $number:literal,)* })*) => {$(
        impl Form for $domain {
            type Disk = u8;

            fn to_disk(&self) -> u8 {
                match self { $(Self::$variant => $number,)* }
            }

            fn from_disk(disk: u8) -> Result<Self, Fault> {
                match disk {
                    $($number => Ok(Self::$variant),)*
                    _ => Err(Fault::new(format!("read a stored {}: number {disk} is unknown", $what))),
                }
            }
        }
    )*};
}

number_form! {
    Language, "language" { Dutch = 0, English = 1, }
    Ending, "ending" { Expired = 0, Withdrawn = 1, Replaced = 2, }
    NoticeKind, "kind of notice" {
        DeliveryReady = 0,
        DeliveryWithdrawn = 1,
        DeliveryReplaced = 2,
        AccountRequested = 3,
        AccountKnown = 4,
        RequestWaits = 5,
        RequestRejected = 6,
        AccountApproved = 7,
        Invited = 8,
        BecameAdministrator = 9,
        RightsChanged = 10,
        ActivationEnds = 11,
        CredentialsChanged = 12,
        AccessChanged = 50,
        OwnAccessChanged = 51,
        InterruptionNews = 52,
        MachineAdded = 20,
        MachineEnded = 21,
        OwnerChanged = 22,
        KeyAdded = 23,
        KeyRevoked = 24,
        TokenAdded = 25,
        TokenRevoked = 26,
        AllowListChanged = 27,
        KeyEnds = 28,
        TokenEnds = 29,
        OfficeInvited = 30,
        OfficeActivationEnds = 55,
        OfficeActivationEnded = 56,
        ColleagueActivationEnds = 57,
        TermsPublished = 17,
        TermsForMachine = 18,
        MemberLeft = 19,
        NewPasswordLink = 36,
        ActivationEnded = 37,
        MemberActivationEnds = 38,
        MemberActivationEnded = 39,
        MandateExpiring = 13,
        UploadReceived = 40,
        UploadAccepted = 41,
        UploadRejected = 42,
        UploadExpected = 58,
        UploadMissing = 59,
        IncidentReportDue = 61,
        IncidentReportLate = 62,
    }
    Salutation, "salutation" { Neutral = 0, Madam = 1, Sir = 2, }
    ReceivedStage, "stage of an upload" { Resumable = 0, Shown = 1, Kept = 2, }
    Channel, "channel" { Sftp = 0, Api = 1, Spool = 2, CommandLine = 3, System = 4, Portal = 5, Office = 6, }
    OfficeRole, "role in the office" { Officer = 0, Administrator = 1, SecurityOfficer = 2, }
    Reach, "reach of an interruption" { Sftp = 0, Https = 1, All = 2, }
    EndReason, "reason of an end" { Misuse = 0, TermsNotAccepted = 1, SpecialCircumstances = 2, }
    LinkPurpose, "purpose of a link" { Activate = 0, NewPassword = 1, }
    Assurance, "assurance" {
        PasswordAndCode = 0,
        PasswordAndRecoveryCode = 1,
        PasswordAndPasskey = 2,
    }
}

impl Form for Happening {
    type Disk = u16;

    fn to_disk(&self) -> u16 {
        self.number()
    }

    fn from_disk(disk: u16) -> Result<Self, Fault> {
        Self::from_number(disk).ok_or_else(|| Fault::new(format!("read a stored event: number {disk} is unknown")))
    }
}

impl Form for DeliveryPart {
    type Disk = u64;

    fn to_disk(&self) -> u64 {
        self.number()
    }

    fn from_disk(disk: u64) -> Result<Self, Fault> {
        Self::from_number(disk).ok_or_else(|| Fault::new(format!("read a stored part: number {disk} is unknown")))
    }
}

#[derive(Serialize, Deserialize)]
pub(super) enum AccountKindV1 {
    Machine(String),
    Person(String),
}

impl Form for AccountKind {
    type Disk = AccountKindV1;

    fn to_disk(&self) -> AccountKindV1 {
        match self {
            Self::Machine { owner } => AccountKindV1::Machine(owner.to_disk()),
            Self::Person { email } => AccountKindV1::Person(email.to_disk()),
        }
    }

    fn from_disk(disk: AccountKindV1) -> Result<Self, Fault> {
        Ok(match disk {
            AccountKindV1::Machine(owner) => Self::Machine { owner: EmailAddress::from_disk(owner)? },
            AccountKindV1::Person(email) => Self::Person { email: EmailAddress::from_disk(email)? },
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) enum StandingV1 {
    Active,
    Blocked(BlockV1),
    Ended(u64),
    EndedFor(u64, u8),
}

impl Form for Standing {
    type Disk = StandingV1;

    fn to_disk(&self) -> StandingV1 {
        match self {
            Self::Active => StandingV1::Active,
            Self::Blocked(block) => StandingV1::Blocked(block.to_disk()),
            Self::Ended { at, reason: None } => StandingV1::Ended(at.to_disk()),
            Self::Ended { at, reason: Some(reason) } => StandingV1::EndedFor(at.to_disk(), reason.to_disk()),
        }
    }

    fn from_disk(disk: StandingV1) -> Result<Self, Fault> {
        Ok(match disk {
            StandingV1::Active => Self::Active,
            StandingV1::Blocked(block) => Self::Blocked(Block::from_disk(block)?),
            StandingV1::Ended(at) => Self::Ended { at: Moment::from_millis(at), reason: None },
            StandingV1::EndedFor(at, reason) => {
                Self::Ended { at: Moment::from_millis(at), reason: Some(EndReason::from_disk(reason)?) }
            }
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) enum AvailabilityV1 {
    Available,
    Held { reason: String, since: u64 },
    Expired { at: u64 },
    Withdrawn { at: u64, reason: String },
    Replaced { at: u64, by: [u8; 16] },
    Shredded { at: u64, after: u8 },
}

impl Form for Availability {
    type Disk = AvailabilityV1;

    fn to_disk(&self) -> AvailabilityV1 {
        match self {
            Self::Available => AvailabilityV1::Available,
            Self::Held { reason, since } => AvailabilityV1::Held { reason: reason.to_disk(), since: since.to_disk() },
            Self::Expired { at } => AvailabilityV1::Expired { at: at.to_disk() },
            Self::Withdrawn { at, reason } => AvailabilityV1::Withdrawn { at: at.to_disk(), reason: reason.to_disk() },
            Self::Replaced { at, by } => AvailabilityV1::Replaced { at: at.to_disk(), by: by.to_disk() },
            Self::Shredded { at, after } => AvailabilityV1::Shredded { at: at.to_disk(), after: after.to_disk() },
        }
    }

    fn from_disk(disk: AvailabilityV1) -> Result<Self, Fault> {
        Ok(match disk {
            AvailabilityV1::Available => Self::Available,
            AvailabilityV1::Held { reason, since } => {
                Self::Held { reason: Line::from_disk(reason)?, since: Moment::from_millis(since) }
            }
            AvailabilityV1::Expired { at } => Self::Expired { at: Moment::from_millis(at) },
            AvailabilityV1::Withdrawn { at, reason } => {
                Self::Withdrawn { at: Moment::from_millis(at), reason: Line::from_disk(reason)? }
            }
            AvailabilityV1::Replaced { at, by } => {
                Self::Replaced { at: Moment::from_millis(at), by: Form::from_disk(by)? }
            }
            AvailabilityV1::Shredded { at, after } => {
                Self::Shredded { at: Moment::from_millis(at), after: Ending::from_disk(after)? }
            }
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) enum UploadStateV1 {
    Unfinished,
    Received { at: u64, sha256: [u8; 32], payload: [u8; 16], stage: u8 },
    Removed { at: u64 },
    Expired { at: u64, received_sha256: Option<[u8; 32]> },
}

impl Form for UploadState {
    type Disk = UploadStateV1;

    fn to_disk(&self) -> UploadStateV1 {
        match self {
            Self::Unfinished => UploadStateV1::Unfinished,
            Self::Received { at, sha256, payload, stage } => UploadStateV1::Received {
                at: at.to_disk(),
                sha256: sha256.to_disk(),
                payload: payload.to_disk(),
                stage: stage.to_disk(),
            },
            Self::Removed { at } => UploadStateV1::Removed { at: at.to_disk() },
            Self::Expired { at, received_sha256 } => {
                UploadStateV1::Expired { at: at.to_disk(), received_sha256: received_sha256.to_disk() }
            }
        }
    }

    fn from_disk(disk: UploadStateV1) -> Result<Self, Fault> {
        Ok(match disk {
            UploadStateV1::Unfinished => Self::Unfinished,
            UploadStateV1::Received { at, sha256, payload, stage } => Self::Received {
                at: Moment::from_millis(at),
                sha256: Digest::new(sha256),
                payload: Form::from_disk(payload)?,
                stage: ReceivedStage::from_disk(stage)?,
            },
            UploadStateV1::Removed { at } => Self::Removed { at: Moment::from_millis(at) },
            UploadStateV1::Expired { at, received_sha256 } => {
                Self::Expired { at: Moment::from_millis(at), received_sha256: Form::from_disk(received_sha256)? }
            }
        })
    }
}
