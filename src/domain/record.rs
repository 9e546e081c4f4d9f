//! What the catalog keeps: records under sortable keys, and changes to them.
//! Defines order and identity only; the bytes of records belong to adapters.

use super::account::{Account, SshKey, Token};
use super::agreement::Agreement;
use super::bodies::BodyKey;
use super::check_sequence::UploadSequence;
use super::compaction::HistoryCut;
use super::connections::{CredentialUse, EndWarning};
use super::credential_block::CredentialBlock;
use super::credentials::{AccountLink, Credentials, WebSession};
use super::delivery::{
    DeliveredFile, Delivery, DeliveryPart, FileCoverage, OutboxEntry, Payload, Publication, SealedHeader,
};
use super::expected_upload::{ExpectedDue, ExpectedUpload};
use super::ids::{DeliveryId, MailId, PayloadId, PublicationId};
use super::incident::{Incident, IncidentDue, IncidentEntry};
use super::instruction::Instruction;
use super::intake::Intake;
use super::intake_rows::{IntakeDue, IntakeEntry, IntakePaper, ReceiptEntry, UploadDigest};
use super::interruption::Interruption;
use super::interruption_mailing::InterruptionMailing;
use super::mandate::{AccountScope, Mandate, MandateDue, MandatedRight};
use super::moment::Moment;
use super::names::{LoginName, OrganisationCode, ProductCode};
use super::notice::Mail;
use super::office::OfficeMember;
use super::organisation::{Organisation, RecipientKey};
use super::organisation_card::{IdentityChange, OrganisationCard};
use super::passkey::{Passkey, PasskeyOwner};
use super::pause::{PausedWindow, WindowPause};
use super::product::Product;
use super::product_document::ProductDocument;
use super::proposal::Proposal;
use super::request::{AccountRequest, RequestAddress};
use super::restriction::Restriction;
use super::retention::ShredSlot;
use super::rights::Right;
use super::scrub::ScrubPosition;
use super::sign_in_record::SignInRecord;
use super::sign_off::SignOff;
use super::terms::{TermsAcceptance, TermsText, TermsVersion};
use super::upload::{Upload, UploadEnd, UploadEntry, UploadHeader, UploadSums};
use super::upload_plan::UploadPlan;
use super::upload_share::{FolderSums, UploadQuota};
use super::zip_layout::FileChecksum;

/// The key of a record, or the beginning of one. Bytewise order is the order
/// of listing: kind, then the parts; texts end in NUL, numbers are big-endian.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Key(Vec<u8>);

impl Key {
    /// A key as it was stored.
    #[must_use]
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes of the key.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The kind of record, its first byte.
    #[must_use]
    pub fn kind(&self) -> u8 {
        self.0.first().copied().unwrap_or_default()
    }

    pub(super) fn of(kind: u8) -> Self {
        Self(vec![kind])
    }

    pub(super) fn text(mut self, text: &str) -> Self {
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(0);
        self
    }

    pub(super) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }
}

macro_rules! records {
    ($($(#[$doc:meta])* $name:ident = $kind:literal;)*) => {
        /// Any record of the catalog.
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub enum Record {
            $($(#[$doc])* $name($name),)*
        }

        impl Record {
            /// The kind, as the first byte of the key.
            #[must_use]
            pub const fn kind(&self) -> u8 {
                match self { $(Self::$name(_) => $kind,)* }
            }

            /// The key it is kept under.
            #[must_use]
            pub fn key(&self) -> Key {
                match self { $(Self::$name(row) => row.key(),)* }
            }
        }

        $(
            impl From<$name> for Record {
                fn from(row: $name) -> Self {
                    Self::$name(row)
                }
            }

            impl Row for $name {
                const KIND: u8 = $kind;
                fn from_record(record: Record) -> Option<Self> {
                    match record {
                        Record::$name(row) => Some(row),
                        _ => None,
                    }
                }
            }
        )*
    };
}

/// A type that is kept as a record of its own kind.
pub trait Row: Sized {
    /// The kind, as the first byte of its keys.
    const KIND: u8;

    /// The row, when the record is of this kind.
    fn from_record(record: Record) -> Option<Self>;

    /// The beginning of every key of this kind.
    #[must_use]
    fn all() -> Key {
        Key::of(Self::KIND)
    }
}

records! {
    /// An organisation, by code.
    Organisation = 1;
    /// An account, by login.
    Account = 2;
    /// An SSH key, by login and fingerprint.
    SshKey = 3;
    /// An API token, by the digest of its secret.
    Token = 4;
    /// A product, by code.
    Product = 5;
    /// An agreement, by organisation, product and id.
    Agreement = 6;
    /// A right, by login, recipient and product.
    Right = 7;
    /// A right again, by recipient, product and login.
    RightHolder = 8;
    /// A recipient key, by organisation and fingerprint.
    RecipientKey = 9;
    /// A publication, by id.
    Publication = 10;
    /// Which publication a source became, by source key.
    PublishedSource = 11;
    /// A delivery, by id.
    Delivery = 12;
    /// Which delivery has a number, by organisation, product and sequence.
    DeliveryNumber = 13;
    /// Which deliveries a publication made.
    PublicationPart = 14;
    /// A data file, by delivery and number.
    DeliveredFile = 15;
    /// A name in an outbox, by organisation, product and name.
    OutboxEntry = 16;
    /// A payload, by id.
    Payload = 17;
    /// A sealed header, by payload and delivery.
    SealedHeader = 18;
    /// What left of a file, by delivery and number.
    FileCoverage = 19;
    /// The last sequence number given, by organisation and product.
    LastSequence = 20;
    /// An e-mail, by id.
    Mail = 21;
    /// When an e-mail is due, by moment and id.
    MailDue = 22;
    /// When a delivery's window ends, by moment and id.
    WindowEnd = 23;
    /// A shred key and its end, by slot.
    SlotRecord = 24;
    /// Which deliveries lie under a shred key, by slot and delivery.
    SlotMember = 25;
    /// A payload that lost its last header and waits for removal, by id.
    DoomedPayload = 26;
    /// An upload, by id.
    Upload = 27;
    /// A name in a drop-box, by organisation, product and name in lower case.
    UploadEntry = 28;
    /// When something is to be done about an upload, by moment and id.
    UploadEnd = 29;
    /// The sealed header of a received upload, by upload.
    UploadHeader = 30;
    /// What the uploads of an account take, by login.
    UploadSums = 31;
    /// What an account has signed off, by delivery and login.
    SignOff = 32;
    /// How far the slow check of the vault came; one row.
    ScrubPosition = 40;
    /// A key of event bodies and its end, by class and month.
    BodyKey = 41;
    /// Where the journal begins since its oldest segments were removed; one row.
    HistoryCut = 42;
    /// What a person signs in with, by login.
    Credentials = 50;
    /// A session in the portal, by the digest of its secret.
    WebSession = 51;
    /// A link in an e-mail, by id.
    AccountLink = 52;
    /// A request for an account, by id.
    AccountRequest = 53;
    /// Which request belongs to an address, by login.
    RequestAddress = 54;
    /// An interruption of access that is announced or runs, by id.
    Interruption = 60;
    /// A pause of windows that is not settled yet, by id.
    WindowPause = 61;
    /// A window that ran out during a pause, by pause and delivery.
    PausedWindow = 62;
    /// A version of the terms of use, by number.
    TermsVersion = 67;
    /// A part of the text of a version, by number, language and part.
    TermsText = 68;
    /// That the terms of use were accepted for an account, by login.
    TermsAcceptance = 69;
    /// When a key or token was used last, by login and credential.
    CredentialUse = 70;
    /// That the end of a key or token was told, by login and credential.
    EndWarning = 71;
    /// Somebody who works in the office, by login.
    OfficeMember = 75;
    /// An act that waits for a second person, by id.
    Proposal = 76;
    /// How to reach an organisation, by code.
    OrganisationCard = 80;
    /// A change of an organisation's identity that was asked for, by code.
    IdentityChange = 81;
    /// A document of a product, by product and name.
    ProductDocument = 82;
    /// A key or token that is blocked, by login and credential.
    CredentialBlock = 105;
    /// A service that was ended, by account or organisation and service.
    Restriction = 106;
    /// A session of a person from begin to end, by login, the newest first.
    SignInRecord = 85;
    /// A mandate, by intermediary, client and id.
    Mandate = 63;
    /// A right that follows from a mandate, by mandate, login and product.
    MandatedRight = 64;
    /// When something is to be done about a mandate, by moment and mandate.
    MandateDue = 65;
    /// The one client that an account reaches, by login.
    AccountScope = 66;
    /// What became of a received upload, by upload.
    Intake = 90;
    /// When something is due about a received upload, by moment and upload.
    IntakeDue = 91;
    /// A receipt or result, by upload and kind.
    IntakePaper = 92;
    /// The newest received upload of a name, by organisation, product and name in lower case.
    ReceiptEntry = 93;
    /// The newest received upload of these bytes, by organisation, product and digest.
    UploadDigest = 94;
    /// A received upload in the list of its organisation, by organisation, moment and upload.
    IntakeEntry = 95;
    /// What was said of an upload before its bytes came, by upload.
    UploadPlan = 100;
    /// The last number of an organisation's files, by organisation and product.
    UploadSequence = 96;
    /// How far the e-mails about an interruption came, by its id.
    InterruptionMailing = 107;
    /// A passkey, by login and id.
    Passkey = 86;
    /// Whose passkey a credential is, by the digest of its id.
    PasskeyOwner = 87;
    /// A participant file that is expected, by organisation and product.
    ExpectedUpload = 113;
    /// When something is due about an expected upload, by moment, organisation and product.
    ExpectedDue = 114;
    /// What the uploads of an organisation for a product take, by organisation and product.
    FolderSums = 115;
    /// What they may take where the operator set it, by product.
    UploadQuota = 116;
    /// An instruction of the operator, by id.
    Instruction = 109;
    /// CRC-32 of a file as it is fetched, by payload.
    FileChecksum = 120;
    /// A security incident, by number, the newest first.
    Incident = 117;
    /// One line of what became of an incident, by incident and number.
    IncidentEntry = 118;
    /// When something is due about an incident, by moment and incident.
    IncidentDue = 119;
}

#[expect(clippy::large_enum_variant, reason = "most changes are of the large kind")]
/// One change to the catalog: absolute, so that applying it twice is the same as once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// The record now is this.
    Put(Record),
    /// There is no record under this key any more.
    Remove(Key),
}

/// A right seen from the recipient's side, to find whom to notify.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RightHolder {
    /// The recipient.
    pub recipient: OrganisationCode,
    /// The product.
    pub product: ProductCode,
    /// Who holds the right.
    pub login: LoginName,
}

/// Which publication a source became (I4).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublishedSource {
    /// The key it was asked under.
    pub source_key: String,
    /// The publication.
    pub publication: PublicationId,
}

/// Which delivery has a number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeliveryNumber {
    /// The recipient.
    pub organisation: OrganisationCode,
    /// The product.
    pub product: ProductCode,
    /// The number.
    pub sequence: u32,
    /// The delivery.
    pub delivery: DeliveryId,
}

/// Which delivery belongs to a publication.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublicationPart {
    /// The publication.
    pub publication: PublicationId,
    /// One of its deliveries.
    pub delivery: DeliveryId,
}

/// The last sequence number given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LastSequence {
    /// The recipient.
    pub organisation: OrganisationCode,
    /// The product.
    pub product: ProductCode,
    /// The number.
    pub sequence: u32,
}

/// When an e-mail is due.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MailDue {
    /// When.
    pub at: Moment,
    /// Which e-mail.
    pub mail: MailId,
}

/// When a delivery's window ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WindowEnd {
    /// When.
    pub at: Moment,
    /// Which delivery.
    pub delivery: DeliveryId,
}

/// A shred key and its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SlotRecord {
    /// The slot.
    pub slot: ShredSlot,
    /// When its key was destroyed; it lives when `None`.
    pub destroyed_at: Option<Moment>,
}

/// A delivery whose headers lie under a shred key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SlotMember {
    /// The slot.
    pub slot: ShredSlot,
    /// The delivery.
    pub delivery: DeliveryId,
}

/// A payload that lost its last header (I7).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DoomedPayload {
    /// The payload.
    pub payload: PayloadId,
}

impl DeliveryPart {
    /// Number of the disk form: 0 packing slip, 1 digest list, data files from 2.
    #[must_use]
    pub const fn number(self) -> u64 {
        match self {
            Self::PackingSlip => 0,
            Self::DigestList => 1,
            Self::Data(number) => number as u64 + 1,
        }
    }

    /// The part with this number of the disk form.
    #[must_use]
    pub fn from_number(number: u64) -> Option<Self> {
        match number {
            0 => Some(Self::PackingSlip),
            1 => Some(Self::DigestList),
            data => u32::try_from(data - 1).ok().map(Self::Data),
        }
    }
}
