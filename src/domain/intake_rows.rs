//! What stands beside the state of received uploads: when something is due, the papers that were given out, and
//! what leads to an upload from its name, its digest and its organisation. Order and identity only.

use super::digest::Digest;
use super::ids::UploadId;
use super::moment::Moment;
use super::names::{OrganisationCode, ProductCode, UploadName};
use super::record::{Key, Row};

/// When something is due about a received upload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IntakeDue {
    /// When.
    pub at: Moment,
    /// Which upload.
    pub upload: UploadId,
}

impl IntakeDue {
    /// The key of one moment and upload; in order of moment.
    #[must_use]
    pub fn key_of(at: Moment, upload: UploadId) -> Key {
        Key::of(Self::KIND).bytes(&at.millis().to_be_bytes()).bytes(upload.as_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(self.at, self.upload)
    }
}

/// A paper about a received upload, as it was given out: its bytes never follow from anything else.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IntakePaper {
    /// The upload.
    pub upload: UploadId,
    /// Which.
    pub which: PaperKind,
    /// When it was made.
    pub made_at: Moment,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its signature in SSHSIG form, armoured; empty for one that is not signed.
    pub signature: Vec<u8>,
}

/// The papers about a received upload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PaperKind {
    /// That it was received, signed.
    Receipt,
    /// Whether it was accepted, for machines, signed.
    Result,
    /// The same for people.
    ResultText,
}

/// A paper has at most so many bytes: a value of the catalog has 16 KiB.
pub const MOST_PAPER_BYTES: usize = 15 * 1024;

/// A report of the back office has at most so many: it stands in a paper, and as JSON text it may grow.
pub const MOST_REPORT_BYTES: usize = 6 * 1024;

impl PaperKind {
    /// Number of the disk form.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Receipt => 0,
            Self::Result => 1,
            Self::ResultText => 2,
        }
    }
}

impl IntakePaper {
    /// The key of one paper.
    #[must_use]
    pub fn key_of(upload: UploadId, which: PaperKind) -> Key {
        Key::of(Self::KIND).bytes(upload.as_bytes()).bytes(&[which.number()])
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(self.upload, self.which)
    }
}

/// A name in the receipts of an organisation: the newest upload that bore it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReceiptEntry {
    /// Whose.
    pub organisation: OrganisationCode,
    /// Which folder.
    pub product: ProductCode,
    /// The name of the file that was received.
    pub name: UploadName,
    /// The upload.
    pub upload: UploadId,
}

impl ReceiptEntry {
    /// The beginning of the keys of one folder.
    #[must_use]
    pub fn keys_of(organisation: &OrganisationCode, product: &ProductCode) -> Key {
        Key::of(Self::KIND).text(organisation.as_str()).text(product.as_str())
    }

    /// The key of one name, in lower case: no two names of a folder differ by case alone.
    #[must_use]
    pub fn key_of(organisation: &OrganisationCode, product: &ProductCode, name: &UploadName) -> Key {
        Self::keys_of(organisation, product).text(&name.folded())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.organisation, &self.product, &self.name)
    }
}

/// The newest upload of an organisation for a product that has these bytes and is no duplicate itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UploadDigest {
    /// Whose.
    pub organisation: OrganisationCode,
    /// For which product.
    pub product: ProductCode,
    /// SHA-256 of the bytes.
    pub sha256: Digest,
    /// The upload.
    pub upload: UploadId,
    /// When it was received.
    pub received_at: Moment,
}

impl UploadDigest {
    /// The key of one digest.
    #[must_use]
    pub fn key_of(organisation: &OrganisationCode, product: &ProductCode, sha256: &Digest) -> Key {
        Key::of(Self::KIND).text(organisation.as_str()).text(product.as_str()).bytes(sha256.as_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.organisation, &self.product, &self.sha256)
    }
}

/// A received upload in the list of its organisation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IntakeEntry {
    /// Whose.
    pub organisation: OrganisationCode,
    /// When it was received.
    pub received_at: Moment,
    /// The upload.
    pub upload: UploadId,
}

impl IntakeEntry {
    /// The beginning of the keys of one organisation.
    #[must_use]
    pub fn keys_of(organisation: &OrganisationCode) -> Key {
        Key::of(Self::KIND).text(organisation.as_str())
    }

    /// The key of one received upload; in order of moment.
    #[must_use]
    pub fn key_of(organisation: &OrganisationCode, received_at: Moment, upload: UploadId) -> Key {
        Self::keys_of(organisation).bytes(&received_at.millis().to_be_bytes()).bytes(upload.as_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.organisation, self.received_at, self.upload)
    }
}
