//! The key of every kind of record: which parts, in which order. Order and
//! identity only; the bytes of records belong to adapters.

use super::account::{Account, SshKey, Token};
use super::agreement::Agreement;
use super::bodies::{BodyKey, BodySlot};
use super::compaction::HistoryCut;
use super::credentials::{AccountLink, Credentials, WebSession};
use super::delivery::{DeliveredFile, Delivery, FileCoverage, OutboxEntry, Payload, Publication, SealedHeader};
use super::digest::Digest;
use super::ids::{AgreementId, DeliveryId, LinkId, MailId, PayloadId, PublicationId, UploadId};
use super::moment::Moment;
use super::names::{FileName, LoginName, OrganisationCode, ProductCode, UploadName};
use super::notice::Mail;
use super::organisation::{Organisation, RecipientKey};
use super::product::Product;
use super::record::{
    DeliveryNumber, DoomedPayload, Key, LastSequence, MailDue, PublicationPart, PublishedSource, RightHolder, Row,
    SlotMember, SlotRecord, WindowEnd,
};
use super::request::{AccountRequest, RequestAddress};
use super::retention::ShredSlot;
use super::rights::Right;
use super::scrub::ScrubPosition;
use super::sign_off::SignOff;
use super::upload::{Upload, UploadEnd, UploadEntry, UploadHeader, UploadSums};

impl Organisation {
    /// The key of the organisation with this code.
    #[must_use]
    pub fn key_of(code: &OrganisationCode) -> Key {
        Key::of(Self::KIND).text(code.as_str())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.code)
    }
}

impl Account {
    /// The key of the account with this login.
    #[must_use]
    pub fn key_of(login: &LoginName) -> Key {
        Key::of(Self::KIND).text(login.as_str())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.login)
    }
}

impl SshKey {
    /// The beginning of the keys of all SSH keys of an account.
    #[must_use]
    pub fn keys_of(login: &LoginName) -> Key {
        Key::of(Self::KIND).text(login.as_str())
    }

    /// The key of one SSH key.
    #[must_use]
    pub fn key_of(login: &LoginName, fingerprint: &str) -> Key {
        Self::keys_of(login).text(fingerprint)
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.login, &self.fingerprint)
    }
}

impl Token {
    /// The key of the token with this secret digest.
    #[must_use]
    pub fn key_of(secret_sha256: &Digest) -> Key {
        Key::of(Self::KIND).bytes(secret_sha256.as_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.secret_sha256)
    }
}

impl Credentials {
    /// The key of what this login signs in with.
    #[must_use]
    pub fn key_of(login: &LoginName) -> Key {
        Key::of(Self::KIND).text(login.as_str())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.login)
    }
}

impl AccountLink {
    /// The key of the link with this id.
    #[must_use]
    pub fn key_of(id: LinkId) -> Key {
        Key::of(Self::KIND).bytes(id.as_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(self.id)
    }
}

impl WebSession {
    /// The key of the session with this secret digest.
    #[must_use]
    pub fn key_of(secret_sha256: &Digest) -> Key {
        Key::of(Self::KIND).bytes(secret_sha256.as_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.secret_sha256)
    }
}

impl Product {
    /// The key of the product with this code.
    #[must_use]
    pub fn key_of(code: &ProductCode) -> Key {
        Key::of(Self::KIND).text(code.as_str())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.code)
    }
}

impl Agreement {
    /// The beginning of the keys of an organisation's agreements, for one product or all.
    #[must_use]
    pub fn keys_of(organisation: &OrganisationCode, product: Option<&ProductCode>) -> Key {
        let key = Key::of(Self::KIND).text(organisation.as_str());
        product.iter().fold(key, |key, product| key.text(product.as_str()))
    }

    /// The key of one agreement.
    #[must_use]
    pub fn key_of(organisation: &OrganisationCode, product: &ProductCode, id: AgreementId) -> Key {
        Self::keys_of(organisation, Some(product)).bytes(id.as_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.organisation, &self.product, self.id)
    }
}

impl Right {
    /// The beginning of the keys of an account's rights, for one recipient or all.
    #[must_use]
    pub fn keys_of(login: &LoginName, recipient: Option<&OrganisationCode>) -> Key {
        let key = Key::of(Self::KIND).text(login.as_str());
        recipient.iter().fold(key, |key, recipient| key.text(recipient.as_str()))
    }

    /// The key of one right.
    #[must_use]
    pub fn key_of(login: &LoginName, recipient: &OrganisationCode, product: &ProductCode) -> Key {
        Self::keys_of(login, Some(recipient)).text(product.as_str())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.login, &self.recipient, &self.product)
    }
}

impl RightHolder {
    /// The beginning of the keys of all holders of a right.
    #[must_use]
    pub fn keys_of(recipient: &OrganisationCode, product: &ProductCode) -> Key {
        Key::of(Self::KIND).text(recipient.as_str()).text(product.as_str())
    }

    pub(super) fn key(&self) -> Key {
        Self::keys_of(&self.recipient, &self.product).text(self.login.as_str())
    }
}

impl RecipientKey {
    /// The beginning of the keys of an organisation's recipient keys.
    #[must_use]
    pub fn keys_of(organisation: &OrganisationCode) -> Key {
        Key::of(Self::KIND).text(organisation.as_str())
    }

    /// The key of one recipient key.
    #[must_use]
    pub fn key_of(organisation: &OrganisationCode, fingerprint: &str) -> Key {
        Self::keys_of(organisation).text(fingerprint)
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.organisation, &self.fingerprint)
    }
}

impl Publication {
    /// The key of one publication.
    #[must_use]
    pub fn key_of(id: PublicationId) -> Key {
        Key::of(Self::KIND).bytes(id.as_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(self.id)
    }
}

impl PublishedSource {
    /// The key of one source.
    #[must_use]
    pub fn key_of(source_key: &str) -> Key {
        Key::of(Self::KIND).text(source_key)
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.source_key)
    }
}

impl Delivery {
    /// The key of one delivery.
    #[must_use]
    pub fn key_of(id: DeliveryId) -> Key {
        Key::of(Self::KIND).bytes(id.as_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(self.id)
    }
}

impl DeliveryNumber {
    /// The beginning of the keys of an organisation's deliveries, for one product or all, in order of number.
    #[must_use]
    pub fn keys_of(organisation: &OrganisationCode, product: Option<&ProductCode>) -> Key {
        let key = Key::of(Self::KIND).text(organisation.as_str());
        product.iter().fold(key, |key, product| key.text(product.as_str()))
    }

    /// The key of one number.
    #[must_use]
    pub fn key_of(organisation: &OrganisationCode, product: &ProductCode, sequence: u32) -> Key {
        Self::keys_of(organisation, Some(product)).bytes(&sequence.to_be_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.organisation, &self.product, self.sequence)
    }
}

impl PublicationPart {
    /// The beginning of the keys of a publication's deliveries.
    #[must_use]
    pub fn keys_of(publication: PublicationId) -> Key {
        Key::of(Self::KIND).bytes(publication.as_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::keys_of(self.publication).bytes(self.delivery.as_bytes())
    }
}

impl DeliveredFile {
    /// The beginning of the keys of a delivery's files, in order of number.
    #[must_use]
    pub fn keys_of(delivery: DeliveryId) -> Key {
        Key::of(Self::KIND).bytes(delivery.as_bytes())
    }

    /// The key of one file.
    #[must_use]
    pub fn key_of(delivery: DeliveryId, number: u32) -> Key {
        Self::keys_of(delivery).bytes(&number.to_be_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(self.delivery, self.number)
    }
}

impl OutboxEntry {
    /// The beginning of the keys of an outbox folder, in order of name.
    #[must_use]
    pub fn keys_of(organisation: &OrganisationCode, product: &ProductCode) -> Key {
        Key::of(Self::KIND).text(organisation.as_str()).text(product.as_str())
    }

    /// The key of one name.
    #[must_use]
    pub fn key_of(organisation: &OrganisationCode, product: &ProductCode, name: &FileName) -> Key {
        Self::keys_of(organisation, product).text(name.as_str())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.organisation, &self.product, &self.name)
    }
}

impl Payload {
    /// The key of one payload.
    #[must_use]
    pub fn key_of(id: PayloadId) -> Key {
        Key::of(Self::KIND).bytes(id.as_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(self.id)
    }
}

impl SealedHeader {
    /// The beginning of the keys of all headers of a payload.
    #[must_use]
    pub fn keys_of(payload: PayloadId) -> Key {
        Key::of(Self::KIND).bytes(payload.as_bytes())
    }

    /// The key of one header.
    #[must_use]
    pub fn key_of(payload: PayloadId, delivery: DeliveryId) -> Key {
        Self::keys_of(payload).bytes(delivery.as_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(self.payload, self.delivery)
    }
}

impl FileCoverage {
    /// The key of one file's coverage.
    #[must_use]
    pub fn key_of(delivery: DeliveryId, number: u32) -> Key {
        Key::of(Self::KIND).bytes(delivery.as_bytes()).bytes(&number.to_be_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(self.delivery, self.number)
    }
}

impl LastSequence {
    /// The key of one counter.
    #[must_use]
    pub fn key_of(organisation: &OrganisationCode, product: &ProductCode) -> Key {
        Key::of(Self::KIND).text(organisation.as_str()).text(product.as_str())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.organisation, &self.product)
    }
}

impl Mail {
    /// The key of one e-mail.
    #[must_use]
    pub fn key_of(id: MailId) -> Key {
        Key::of(Self::KIND).bytes(id.as_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(self.id)
    }
}

impl MailDue {
    /// The key of one due e-mail.
    #[must_use]
    pub fn key_of(at: Moment, mail: MailId) -> Key {
        Key::of(Self::KIND).bytes(&at.millis().to_be_bytes()).bytes(mail.as_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(self.at, self.mail)
    }
}

impl WindowEnd {
    /// The key of one window's end.
    #[must_use]
    pub fn key_of(at: Moment, delivery: DeliveryId) -> Key {
        Key::of(Self::KIND).bytes(&at.millis().to_be_bytes()).bytes(delivery.as_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(self.at, self.delivery)
    }
}

impl SlotRecord {
    /// The key of one slot.
    #[must_use]
    pub fn key_of(slot: &ShredSlot) -> Key {
        Key::of(Self::KIND).text(&slot.to_string())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.slot)
    }
}

impl SlotMember {
    /// The beginning of the keys of a slot's deliveries.
    #[must_use]
    pub fn keys_of(slot: &ShredSlot) -> Key {
        Key::of(Self::KIND).text(&slot.to_string())
    }

    /// The key of one delivery under a slot.
    #[must_use]
    pub fn key_of(slot: &ShredSlot, delivery: DeliveryId) -> Key {
        Self::keys_of(slot).bytes(delivery.as_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.slot, self.delivery)
    }
}

impl DoomedPayload {
    /// The key of one doomed payload.
    #[must_use]
    pub fn key_of(payload: PayloadId) -> Key {
        Key::of(Self::KIND).bytes(payload.as_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(self.payload)
    }
}

impl Upload {
    /// The key of one upload.
    #[must_use]
    pub fn key_of(id: UploadId) -> Key {
        Key::of(Self::KIND).bytes(id.as_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(self.id)
    }
}

impl UploadEntry {
    /// The beginning of the keys of a drop-box folder, in order of name in lower case.
    #[must_use]
    pub fn keys_of(organisation: &OrganisationCode, product: &ProductCode) -> Key {
        Key::of(Self::KIND).text(organisation.as_str()).text(product.as_str())
    }

    /// The key of one name; the same for names that differ by case alone.
    #[must_use]
    pub fn key_of(organisation: &OrganisationCode, product: &ProductCode, name: &UploadName) -> Key {
        Self::keys_of(organisation, product).text(&name.folded())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.organisation, &self.product, &self.name)
    }
}

impl UploadEnd {
    /// The key of one moment of an upload.
    #[must_use]
    pub fn key_of(at: Moment, upload: UploadId) -> Key {
        Key::of(Self::KIND).bytes(&at.millis().to_be_bytes()).bytes(upload.as_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(self.at, self.upload)
    }
}

impl UploadHeader {
    /// The key of the header of one upload.
    #[must_use]
    pub fn key_of(upload: UploadId) -> Key {
        Key::of(Self::KIND).bytes(upload.as_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(self.upload)
    }
}

impl UploadSums {
    /// The key of the sums of one account.
    #[must_use]
    pub fn key_of(login: &LoginName) -> Key {
        Key::of(Self::KIND).text(login.as_str())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.login)
    }
}

impl AccountRequest {
    /// The key of one request.
    #[must_use]
    pub fn key_of(id: LinkId) -> Key {
        Key::of(Self::KIND).bytes(id.as_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(self.id)
    }
}

impl RequestAddress {
    /// The key of one address.
    #[must_use]
    pub fn key_of(login: &LoginName) -> Key {
        Key::of(Self::KIND).text(login.as_str())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.login)
    }
}

impl BodyKey {
    /// The key of the row of a slot.
    #[must_use]
    pub fn key_of(slot: BodySlot) -> Key {
        Key::of(Self::KIND).bytes(&[slot.class().number()]).bytes(&slot.month().to_be_bytes())
    }

    /// The key of this row.
    #[must_use]
    pub fn key(&self) -> Key {
        Self::key_of(self.slot)
    }
}

impl ScrubPosition {
    /// The key of the one row.
    #[must_use]
    pub fn key_of() -> Key {
        Key::of(Self::KIND)
    }

    #[expect(clippy::unused_self, reason = "every row has a key, and this one is alone")]
    pub(super) fn key(&self) -> Key {
        Self::key_of()
    }
}

impl HistoryCut {
    /// The key of the one row.
    #[must_use]
    pub fn key_of() -> Key {
        Key::of(Self::KIND)
    }

    #[expect(clippy::unused_self, reason = "every row has a key, and this one is alone")]
    pub(super) fn key(&self) -> Key {
        Self::key_of()
    }
}

impl SignOff {
    /// The beginning of the keys of everything signed off of a delivery.
    #[must_use]
    pub fn keys_of(delivery: DeliveryId) -> Key {
        Key::of(Self::KIND).bytes(delivery.as_bytes())
    }

    /// The key of what one account has signed off of a delivery.
    #[must_use]
    pub fn key_of(delivery: DeliveryId, login: &LoginName) -> Key {
        Self::keys_of(delivery).text(login.as_str())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(self.delivery, &self.login)
    }
}
