//! Disk forms of the records, one struct per kind. Field order is the form.

use super::{MOST_VALUE_BYTES, Stored, from_bytes, older_form, parsed, struct_form, to_bytes, unknown_version};
use crate::domain::account::{Account, AccountKind, Language, SshKey, Token};
use crate::domain::agreement::Agreement;
use crate::domain::allow_list::AllowList;
use crate::domain::block::Standing;
use crate::domain::bodies::{BodyKey, BodySlot};
use crate::domain::check_sequence::UploadSequence;
use crate::domain::compaction::HistoryCut;
use crate::domain::connections::{CredentialUse, EndWarning};
use crate::domain::coverage::Coverage;
use crate::domain::credential_block::CredentialBlock;
use crate::domain::credentials::{AccountLink, Credentials, WebSession};
use crate::domain::delivery::{
    Availability, DeliveredFile, Delivery, DeliveryPart, FileCoverage, OutboxEntry, Payload, Progress, Publication,
    SealedHeader,
};
use crate::domain::digest::Digest;
use crate::domain::expected_upload::{ExpectedDue, ExpectedUpload};
use crate::domain::ids::{AgreementId, DeliveryId, PayloadId, PublicationId, TokenId, UploadId};
use crate::domain::incident::{Incident, IncidentDue, IncidentEntry};
use crate::domain::instruction::Instruction;
use crate::domain::intake::Intake;
use crate::domain::intake_rows::{IntakeDue, IntakeEntry, IntakePaper, ReceiptEntry, UploadDigest};
use crate::domain::interruption::Interruption;
use crate::domain::interruption_mailing::InterruptionMailing;
use crate::domain::mandate::{AccountScope, Mandate, MandateDue, MandatedRight};
use crate::domain::moment::{Moment, Span};
use crate::domain::names::{
    FileName, Kvk, Line, LoginName, MailDomain, Oin, OrganisationCode, ProductCode, UploadName,
};
use crate::domain::notice::Mail;
use crate::domain::office::OfficeMember;
use crate::domain::organisation::{Organisation, RecipientKey};
use crate::domain::organisation_card::{IdentityChange, OrganisationCard};
use crate::domain::passkey::{Passkey, PasskeyOwner};
use crate::domain::pause::{PausedWindow, WindowPause};
use crate::domain::product::Product;
use crate::domain::product_document::ProductDocument;
use crate::domain::proposal::Proposal;
use crate::domain::record::{
    DeliveryNumber, DoomedPayload, LastSequence, MailDue, PublicationPart, PublishedSource, Record, RightHolder, Row,
    SlotMember, SlotRecord, WindowEnd,
};
use crate::domain::request::{AccountRequest, RequestAddress};
use crate::domain::restriction::Restriction;
use crate::domain::retention::ShredSlot;
use crate::domain::rights::Right;
use crate::domain::scrub::ScrubPosition;
use crate::domain::sign_in_record::SignInRecord;
use crate::domain::sign_off::{PartSet, SignOff};
use crate::domain::terms::{TermsAcceptance, TermsText, TermsVersion};
use crate::domain::upload::{Upload, UploadEnd, UploadEntry, UploadHeader, UploadState, UploadSums};
use crate::domain::upload_plan::UploadPlan;
use crate::domain::upload_share::{FolderSums, UploadQuota};
use crate::domain::zip_layout::FileChecksum;
use crate::ports::failure::Fault;

struct_form! {
    OrganisationV2 = Organisation {
        code: OrganisationCode,
        name: Line,
        oin: Option<Oin>,
        kvk: Option<Kvk>,
        mail_domains: Vec<MailDomain>,
        standing: Standing,
        added_at: Moment,
        allow_from: AllowList,
    }
    AccountV2 = Account {
        login: LoginName,
        organisation: OrganisationCode,
        kind: AccountKind,
        is_administrator: bool,
        language: Language,
        standing: Standing,
        added_at: Moment,
        allow_from: AllowList,
    }
    SshKeyV1 = SshKey {
        login: LoginName,
        fingerprint: String,
        line: String,
        added_at: Moment,
        expires_at: Option<Moment>,
        revoked_at: Option<Moment>,
    }
    TokenV1 = Token {
        id: TokenId,
        secret_sha256: Digest,
        login: LoginName,
        added_at: Moment,
        expires_at: Option<Moment>,
        revoked_at: Option<Moment>,
    }
    ProductV2 = Product {
        code: ProductCode,
        name: Line,
        retention: Span,
        requires_marker: bool,
        accepts_uploads: bool,
        end_to_end: bool,
        added_at: Moment,
    }
    AgreementV1 = Agreement {
        id: AgreementId,
        organisation: OrganisationCode,
        product: ProductCode,
        purpose: Line,
        retention: Option<Span>,
        from: Moment,
        until: Option<Moment>,
        end_to_end: bool,
        history_hidden: bool,
        added_at: Moment,
        ended_at: Option<Moment>,
    }
    RightV1 = Right { login: LoginName, recipient: OrganisationCode, product: ProductCode, since: Moment, }
    RightHolderV1 = RightHolder { recipient: OrganisationCode, product: ProductCode, login: LoginName, }
    RecipientKeyV1 = RecipientKey {
        organisation: OrganisationCode,
        fingerprint: String,
        line: String,
        added_at: Moment,
        retired_at: Option<Moment>,
    }
    PublicationV1 = Publication {
        id: PublicationId,
        product: ProductCode,
        source_key: String,
        published_at: Moment,
        delivery_count: u32,
    }
    PublishedSourceV1 = PublishedSource { source_key: String, publication: PublicationId, }
    DeliveryV1 = Delivery {
        id: DeliveryId,
        publication: PublicationId,
        organisation: OrganisationCode,
        organisation_name: Line,
        product: ProductCode,
        product_name: Line,
        agreement: AgreementId,
        purpose: Line,
        sequence: u32,
        day: u32,
        period: Option<Line>,
        counts: Vec<(Line, u64)>,
        published_at: Moment,
        promised_until: Moment,
        available_until: Moment,
        slot: ShredSlot,
        end_to_end: bool,
        file_count: u32,
        total_bytes: u64,
        progress: Progress,
        availability: Availability,
        replaces: Option<DeliveryId>,
    }
    DeliveryNumberV1 = DeliveryNumber {
        organisation: OrganisationCode,
        product: ProductCode,
        sequence: u32,
        delivery: DeliveryId,
    }
    PublicationPartV1 = PublicationPart { publication: PublicationId, delivery: DeliveryId, }
    DeliveredFileV1 = DeliveredFile {
        delivery: DeliveryId,
        number: u32,
        name: FileName,
        original_name: FileName,
        size_bytes: u64,
        sha256: Digest,
        payload: PayloadId,
    }
    OutboxEntryV1 = OutboxEntry {
        organisation: OrganisationCode,
        product: ProductCode,
        name: FileName,
        delivery: DeliveryId,
        part: DeliveryPart,
        size_bytes: u64,
        published_at: Moment,
        available_until: Moment,
    }
    PayloadV1 = Payload {
        id: PayloadId,
        size_bytes: u64,
        sha256: Digest,
        sealed_bytes: u64,
        sealed_sha256: Digest,
        headers: u32,
    }
    SealedHeaderV1 = SealedHeader { payload: PayloadId, delivery: DeliveryId, slot: ShredSlot, sealed: Vec<u8>, }
    FileCoverageV1 = FileCoverage {
        delivery: DeliveryId,
        number: u32,
        coverage: Coverage,
        released_at: Option<Moment>,
        fetched_at: Option<Moment>,
    }
    LastSequenceV1 = LastSequence { organisation: OrganisationCode, product: ProductCode, sequence: u32, }
    WindowEndV1 = WindowEnd { at: Moment, delivery: DeliveryId, }
    BodyKeyV1 = BodyKey { slot: BodySlot, closes_at: Moment, destroyed_at: Option<Moment>, }
    HistoryCutV1 = HistoryCut {
        from_sequence: u64,
        from_event: u64,
        next_sequence: u64,
        next_event: u64,
        hash: Digest,
        last_at: Moment,
        bytes: u64,
    }
    SlotRecordV1 = SlotRecord { slot: ShredSlot, destroyed_at: Option<Moment>, }
    SlotMemberV1 = SlotMember { slot: ShredSlot, delivery: DeliveryId, }
    DoomedPayloadV1 = DoomedPayload { payload: PayloadId, }
    UploadV1 = Upload {
        id: UploadId,
        organisation: OrganisationCode,
        product: ProductCode,
        name: UploadName,
        login: LoginName,
        begun_at: Moment,
        changed_at: Moment,
        mtime_seconds: Option<u32>,
        size_bytes: u64,
        unfinished_until: Moment,
        slot: ShredSlot,
        state: UploadState,
    }
    UploadEntryV1 = UploadEntry {
        organisation: OrganisationCode,
        product: ProductCode,
        name: UploadName,
        upload: UploadId,
    }
    UploadEndV1 = UploadEnd { at: Moment, upload: UploadId, }
    UploadHeaderV1 = UploadHeader { upload: UploadId, payload: PayloadId, slot: ShredSlot, sealed: Vec<u8>, }
    UploadSumsV1 = UploadSums { login: LoginName, unfinished: u64, bytes: u64, }
    ScrubPositionV1 = ScrubPosition {
        begun_at: Moment,
        after: Option<PayloadId>,
        checked: u64,
        damaged: u64,
        ended_at: Option<Moment>,
    }
    SignOffV1 = SignOff { delivery: DeliveryId, login: LoginName, parts: PartSet, since: Moment, }
}

older_form! {
    OrganisationV1 -> Organisation {
        code: OrganisationCode,
        name: Line,
        oin: Option<Oin>,
        kvk: Option<Kvk>,
        mail_domains: Vec<MailDomain>,
        standing: Standing,
        added_at: Moment,
    } and { allow_from: AllowList::default(), }
    AccountV1 -> Account {
        login: LoginName,
        organisation: OrganisationCode,
        kind: AccountKind,
        is_administrator: bool,
        language: Language,
        standing: Standing,
        added_at: Moment,
    } and { allow_from: AllowList::default(), }
    ProductV1 -> Product {
        code: ProductCode,
        name: Line,
        retention: Span,
        requires_marker: bool,
        accepts_uploads: bool,
        added_at: Moment,
    } and { end_to_end: false, }
}

impl Stored for Organisation {
    const VERSION: u8 = 2;

    fn from_older(version: u8, bytes: &[u8]) -> Result<Self, Fault> {
        match version {
            1 => parsed::<OrganisationV1>(bytes)?.upgrade(),
            _ => Err(unknown_version(version)),
        }
    }
}

impl Stored for Account {
    const VERSION: u8 = 2;

    fn from_older(version: u8, bytes: &[u8]) -> Result<Self, Fault> {
        match version {
            1 => parsed::<AccountV1>(bytes)?.upgrade(),
            _ => Err(unknown_version(version)),
        }
    }
}

impl Stored for Product {
    const VERSION: u8 = 2;

    fn from_older(version: u8, bytes: &[u8]) -> Result<Self, Fault> {
        match version {
            1 => parsed::<ProductV1>(bytes)?.upgrade(),
            _ => Err(unknown_version(version)),
        }
    }
}

/// Every kind: those that still have their first form, and those with a form above.
macro_rules! kinds {
    (first: $($first:ident)*; later: $($later:ident)*) => {
        $(impl Stored for $first {})*

        kinds! { $($first)* $($later)* }
    };
    ($($name:ident)*) => {
        /// The value of a record: at most `MOST_VALUE_BYTES`, else a fault.
        pub(in crate::adapters::catalog_journal) fn encode(record: &Record) -> Result<Vec<u8>, Fault> {
            let bytes = match record { $(Record::$name(row) => to_bytes(row),)* }?;
            if bytes.len() > MOST_VALUE_BYTES {
                let (kind, size) = (record.kind(), bytes.len());
                return Err(Fault::new(format!(
                    "write the catalog: a record of kind {kind} has {size} bytes, at most {MOST_VALUE_BYTES} are kept"
                )));
            }
            Ok(bytes)
        }

        /// The record of a kind with this value.
        pub(in crate::adapters::catalog_journal) fn decode(kind: u8, bytes: &[u8]) -> Result<Record, Fault> {
            match kind {
                $(<$name as Row>::KIND => from_bytes::<$name>(bytes).map(Record::from),)*
                _ => Err(Fault::new(format!("read the catalog: records of kind {kind} are unknown"))),
            }
        }
    };
}

kinds! {
    first: OrganisationCard IdentityChange ProductDocument UploadSequence
    SshKey Token CredentialUse EndWarning Agreement Right RightHolder RecipientKey Publication PublishedSource
    Delivery DeliveryNumber PublicationPart DeliveredFile OutboxEntry Payload SealedHeader FileCoverage LastSequence
    WindowEnd SlotRecord SlotMember DoomedPayload Upload UploadEntry UploadEnd UploadHeader
    UploadSums SignOff ScrubPosition BodyKey HistoryCut Credentials WebSession AccountLink Passkey PasskeyOwner
    TermsVersion TermsText TermsAcceptance
    AccountRequest RequestAddress Interruption WindowPause PausedWindow OfficeMember SignInRecord Mandate MandatedRight MandateDue AccountScope Intake IntakeDue IntakePaper ReceiptEntry UploadDigest IntakeEntry
    ExpectedUpload ExpectedDue
    FolderSums UploadQuota
    Incident IncidentEntry IncidentDue
    Instruction UploadPlan FileChecksum;
    later: Organisation Account Product Mail MailDue CredentialBlock Restriction InterruptionMailing Proposal
}
