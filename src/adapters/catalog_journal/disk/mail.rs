//! Disk forms of e-mails. In form 1 addresses and answers of the relay lay
//! plain; form 2 keeps them sealed. Field order is the form.

use serde::{Deserialize, Serialize};

use super::{Form, Stored, parsed, struct_form, unknown_version};
use crate::domain::account::Language;
use crate::domain::bodies::BodySlot;
use crate::domain::ids::{DeliveryId, MailId};
use crate::domain::moment::Moment;
use crate::domain::names::{EmailAddress, LoginName};
use crate::domain::notice::{Addressed, Letter, Mail, MailState, NoticeKind};
use crate::domain::record::MailDue;
use crate::ports::failure::Fault;

struct_form! {
    MailV2 = Mail {
        id: MailId,
        kind: NoticeKind,
        delivery: Option<DeliveryId>,
        letter: Letter,
        language: Language,
        queued_at: Moment,
        state: MailState,
    }
    MailDueV1 = MailDue { at: Moment, mail: MailId, }
}

impl Stored for MailDue {}

impl Stored for Mail {
    const VERSION: u8 = 2;

    fn from_older(version: u8, bytes: &[u8]) -> Result<Self, Fault> {
        match version {
            1 => parsed::<MailV1>(bytes)?.upgrade(),
            _ => Err(unknown_version(version)),
        }
    }
}

/// Only rows of form 1 are plain, and those tell of deliveries alone: there are no facts to keep.
#[derive(Serialize, Deserialize)]
pub(super) struct AddressedV2 {
    to: String,
    login: Option<String>,
    last_error: Option<String>,
}

impl Form for Addressed {
    type Disk = AddressedV2;

    fn to_disk(&self) -> AddressedV2 {
        AddressedV2 { to: self.to.to_disk(), login: self.login.to_disk(), last_error: self.last_error.clone() }
    }

    fn from_disk(disk: AddressedV2) -> Result<Self, Fault> {
        let login = Option::<LoginName>::from_disk(disk.login)?;
        Ok(Self { to: EmailAddress::from_disk(disk.to)?, login, facts: Vec::new(), last_error: disk.last_error })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) enum LetterV2 {
    Plain(AddressedV2),
    Sealed { slot: (u8, u32), bytes: Vec<u8> },
}

impl Form for Letter {
    type Disk = LetterV2;

    fn to_disk(&self) -> LetterV2 {
        match self {
            Self::Plain(addressed) => LetterV2::Plain(addressed.to_disk()),
            Self::Sealed { slot, bytes } => LetterV2::Sealed { slot: slot.to_disk(), bytes: bytes.clone() },
        }
    }

    fn from_disk(disk: LetterV2) -> Result<Self, Fault> {
        Ok(match disk {
            LetterV2::Plain(addressed) => Self::Plain(Addressed::from_disk(addressed)?),
            LetterV2::Sealed { slot, bytes } => Self::Sealed { slot: BodySlot::from_disk(slot)?, bytes },
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) enum MailStateV2 {
    Queued { attempts: u32, next_at: u64 },
    Sent { at: u64 },
    Failed { at: u64 },
}

impl Form for MailState {
    type Disk = MailStateV2;

    fn to_disk(&self) -> MailStateV2 {
        match self {
            Self::Queued { attempts, next_at } => {
                MailStateV2::Queued { attempts: *attempts, next_at: next_at.to_disk() }
            }
            Self::Sent { at } => MailStateV2::Sent { at: at.to_disk() },
            Self::Failed { at } => MailStateV2::Failed { at: at.to_disk() },
        }
    }

    fn from_disk(disk: MailStateV2) -> Result<Self, Fault> {
        let at = Moment::from_millis;
        Ok(match disk {
            MailStateV2::Queued { attempts, next_at } => Self::Queued { attempts, next_at: at(next_at) },
            MailStateV2::Sent { at: sent } => Self::Sent { at: at(sent) },
            MailStateV2::Failed { at: failed } => Self::Failed { at: at(failed) },
        })
    }
}

#[derive(Deserialize)]
struct MailV1 {
    id: [u8; 16],
    kind: u8,
    delivery: [u8; 16],
    to: String,
    login: String,
    language: u8,
    queued_at: u64,
    state: MailStateV1,
}

#[derive(Deserialize)]
enum MailStateV1 {
    Queued { attempts: u32, next_at: u64, last_error: Option<String> },
    Sent { at: u64 },
    Failed { at: u64, error: String },
}

impl MailV1 {
    fn upgrade(self) -> Result<Mail, Fault> {
        let at = Moment::from_millis;
        let (state, last_error) = match self.state {
            MailStateV1::Queued { attempts, next_at, last_error } => {
                (MailState::Queued { attempts, next_at: at(next_at) }, last_error)
            }
            MailStateV1::Sent { at: sent } => (MailState::Sent { at: at(sent) }, None),
            MailStateV1::Failed { at: failed, error } => (MailState::Failed { at: at(failed) }, Some(error)),
        };
        let (to, login) = (EmailAddress::from_disk(self.to)?, LoginName::from_disk(self.login)?);
        Ok(Mail {
            id: MailId::from_disk(self.id)?,
            kind: NoticeKind::from_disk(self.kind)?,
            delivery: Some(DeliveryId::from_disk(self.delivery)?),
            letter: Letter::Plain(Addressed { to, login: Some(login), facts: Vec::new(), last_error }),
            language: Language::from_disk(self.language)?,
            queued_at: at(self.queued_at),
            state,
        })
    }
}
