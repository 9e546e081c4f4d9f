//! Disk forms of what became of received uploads. Field order is the form.

use serde::{Deserialize, Serialize};

use super::{Form, struct_form};
use crate::domain::digest::Digest;
use crate::domain::ids::UploadId;
use crate::domain::intake::{Answer, Ended, HandOverWay, Intake, IntakeState, Judge};
use crate::domain::intake_rows::{IntakeDue, IntakeEntry, IntakePaper, PaperKind, ReceiptEntry, UploadDigest};
use crate::domain::moment::Moment;
use crate::domain::names::{OrganisationCode, ProductCode, UploadName};
use crate::ports::failure::Fault;

struct_form! {
    IntakeV1 = Intake {
        upload: UploadId,
        received_at: Moment,
        state: IntakeState,
        due: Option<Moment>,
        twins: u32,
    }
    IntakeDueV1 = IntakeDue { at: Moment, upload: UploadId, }
    IntakePaperV1 = IntakePaper {
        upload: UploadId,
        which: PaperKind,
        made_at: Moment,
        bytes: Vec<u8>,
        signature: Vec<u8>,
    }
    ReceiptEntryV1 = ReceiptEntry {
        organisation: OrganisationCode,
        product: ProductCode,
        name: UploadName,
        upload: UploadId,
    }
    UploadDigestV1 = UploadDigest {
        organisation: OrganisationCode,
        product: ProductCode,
        sha256: Digest,
        upload: UploadId,
        received_at: Moment,
    }
    IntakeEntryV1 = IntakeEntry { organisation: OrganisationCode, received_at: Moment, upload: UploadId, }
    AnswerV1 = Answer { accepted: bool, at: Moment, }
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
    Judge, "judge of an upload" { Checks = 0, BackOffice = 1, }
    HandOverWay, "way of handing over" { Folder = 0, Command = 1, Api = 2, }
    PaperKind, "kind of paper" { Receipt = 0, Result = 1, ResultText = 2, }
    Ended, "end of an upload" {
        Collected = 0,
        Rejected = 1,
        Duplicate = 2,
        Replaced = 3,
        Withdrawn = 4,
        NeverCollected = 5,
    }
}

/// Variant order is part of the form: new variants go at the end.
#[derive(Serialize, Deserialize)]
pub(super) enum IntakeStateV1 {
    Received,
    Checking { since: u64 },
    Accepted { at: u64 },
    Rejected { at: u64, by: u8 },
    Duplicate { at: u64, of: [u8; 16] },
    Replaced { at: u64, by: [u8; 16] },
    Withdrawn { at: u64 },
    HandingOver { since: u64, way: u8, place: String },
    Collected { at: u64, way: u8, place: String, acknowledged_at: Option<u64>, answer: Option<AnswerV1> },
    Cleared { at: u64, after: u8 },
}

impl Form for IntakeState {
    type Disk = IntakeStateV1;

    fn to_disk(&self) -> IntakeStateV1 {
        match self {
            Self::Received => IntakeStateV1::Received,
            Self::Checking { since } => IntakeStateV1::Checking { since: since.to_disk() },
            Self::Accepted { at } => IntakeStateV1::Accepted { at: at.to_disk() },
            Self::Rejected { at, by } => IntakeStateV1::Rejected { at: at.to_disk(), by: by.to_disk() },
            Self::Duplicate { at, of } => IntakeStateV1::Duplicate { at: at.to_disk(), of: of.to_disk() },
            Self::Replaced { at, by } => IntakeStateV1::Replaced { at: at.to_disk(), by: by.to_disk() },
            Self::Withdrawn { at } => IntakeStateV1::Withdrawn { at: at.to_disk() },
            Self::HandingOver { since, way, place } => {
                IntakeStateV1::HandingOver { since: since.to_disk(), way: way.to_disk(), place: place.clone() }
            }
            Self::Collected { at, way, place, acknowledged_at, answer } => IntakeStateV1::Collected {
                at: at.to_disk(),
                way: way.to_disk(),
                place: place.clone(),
                acknowledged_at: acknowledged_at.to_disk(),
                answer: answer.to_disk(),
            },
            Self::Cleared { at, after } => IntakeStateV1::Cleared { at: at.to_disk(), after: after.to_disk() },
        }
    }

    fn from_disk(disk: IntakeStateV1) -> Result<Self, Fault> {
        let moment = Moment::from_millis;
        Ok(match disk {
            IntakeStateV1::Received => Self::Received,
            IntakeStateV1::Checking { since } => Self::Checking { since: moment(since) },
            IntakeStateV1::Accepted { at } => Self::Accepted { at: moment(at) },
            IntakeStateV1::Rejected { at, by } => Self::Rejected { at: moment(at), by: Judge::from_disk(by)? },
            IntakeStateV1::Duplicate { at, of } => Self::Duplicate { at: moment(at), of: UploadId::from_bytes(of) },
            IntakeStateV1::Replaced { at, by } => Self::Replaced { at: moment(at), by: UploadId::from_bytes(by) },
            IntakeStateV1::Withdrawn { at } => Self::Withdrawn { at: moment(at) },
            IntakeStateV1::HandingOver { since, way, place } => {
                Self::HandingOver { since: moment(since), way: HandOverWay::from_disk(way)?, place }
            }
            IntakeStateV1::Collected { at, way, place, acknowledged_at, answer } => Self::Collected {
                at: moment(at),
                way: HandOverWay::from_disk(way)?,
                place,
                acknowledged_at: acknowledged_at.map(moment),
                answer: Option::<Answer>::from_disk(answer)?,
            },
            IntakeStateV1::Cleared { at, after } => Self::Cleared { at: moment(at), after: Ended::from_disk(after)? },
        })
    }
}
